"""The AT protocol without I/O, after V.250, TS 27.007 and TS 27.005.

Bytes in, events out; nothing here opens a port, reads a clock or knows another part of simdiag.
"""

from simdiag.at.command import Command, command
from simdiag.at.events import (
    Data,
    Echo,
    Event,
    FinalResult,
    ForeignEcho,
    InformationText,
    Noise,
    PortClosed,
    Prompt,
    Unsolicited,
)
from simdiag.at.lines import Dialect
from simdiag.at.protocol import MAX_LINE, AtProtocol, LocalProtocolError, State
from simdiag.at.values import Fields, decode_iccid, decode_imsi, fields

__all__ = [
    "MAX_LINE",
    "AtProtocol",
    "Command",
    "Data",
    "Dialect",
    "Echo",
    "Event",
    "Fields",
    "FinalResult",
    "ForeignEcho",
    "InformationText",
    "LocalProtocolError",
    "Noise",
    "PortClosed",
    "Prompt",
    "State",
    "Unsolicited",
    "command",
    "decode_iccid",
    "decode_imsi",
    "fields",
]
