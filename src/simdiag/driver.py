"""All that a driver file imports: how one modem family is found, asked and read.

A driver is one file in ``drivers/`` with one value, ``DRIVER``. Its parse functions take a
:class:`Reply` and yield :class:`Fact` values; what they cannot read they leave out.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simdiag.at import Dialect, Fields, decode_iccid, decode_imsi, fields
from simdiag.at.card import decode_file
from simdiag.at.codes import cause_of_cme, cme_code, cme_of_cms, cms_code, mm_cause, sm_cause
from simdiag.at.values import decode_plmn, split, swap_nibbles
from simdiag.evidence import Error
from simdiag.message import N_

__all__ = [
    "N_",
    "Dialect",
    "Error",
    "Fact",
    "Fields",
    "Layer",
    "ModemDriver",
    "PortRole",
    "Probe",
    "Reader",
    "Reply",
    "UsbMatch",
    "addresses_in",
    "cause_of_cme",
    "cme_code",
    "cme_of_cms",
    "cms_code",
    "decode_file",
    "decode_iccid",
    "decode_imsi",
    "decode_plmn",
    "fields",
    "mm_cause",
    "rsrp_level",
    "rsrq_level",
    "sm_cause",
    "split",
    "swap_nibbles",
    "usb",
]


class Layer(enum.StrEnum):
    """The steps of an examination, in their order."""

    DEVICE = "device"
    SIM = "sim"
    REGISTRATION = "registration"
    RADIO = "radio"
    DATA = "data"
    COUNTERS = "counters"
    REASONS = "reasons"
    """What may keep a device off the network: asked only where it is not registered."""


class PortRole(enum.StrEnum):
    """What a serial port of a modem is for."""

    AT_PRIMARY = "at-primary"
    AT_SECONDARY = "at-secondary"
    PPP = "ppp"
    DIAG = "diag"
    GNSS = "gnss"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value, as a parse function gives it."""

    name: str
    value: Any


_PREFIX = re.compile(r"[+^$#%!*&][A-Za-z0-9_]+\s?:")


@dataclass(frozen=True, slots=True)
class Reply:
    """The lines of an answer that belong together, or an error, or unsolicited lines.

    ``command`` is empty where nobody asked, or where a log does not show who did.
    """

    command: str
    lines: tuple[str, ...]
    error: Error | None = None

    @property
    def unsolicited(self) -> bool:
        """Whether no command was pending."""
        return not self.command

    def fields(self, line: int = 0) -> Fields:
        """Return the values of one line."""
        return fields(self.lines[line])

    def each(self) -> Iterable[Fields]:
        """Return the values of every line."""
        return (fields(line) for line in self.lines)

    @property
    def text(self) -> str:
        """The first line after its prefix, quotes removed."""
        line = self.lines[0]
        if _PREFIX.match(line):
            line = line.partition(":")[2]
        return line.strip().strip('"').strip()


Reader = Callable[[Reply], Iterable[Fact]]
"""A parse function. It may raise ``ValueError`` and the like: that is recorded as unreadable."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A command of the examination.

    ``prefixes`` are answer prefixes beside the command's own name; ``unless`` names an
    observation that makes the probe needless (so probes form fall-back lists); ``timeout_s`` is
    the deadline for the final result, ``linger_s`` how long to read on after it (modems that
    answer after OK). ``reads_by_set`` states that the manual defines this ``=`` form as a query.
    """

    command: str
    layer: Layer
    prefixes: tuple[str, ...] = ()
    unless: str | None = None
    timeout_s: float = 3.0
    linger_s: float = 0.0
    reads_by_set: bool = False


@dataclass(frozen=True, slots=True)
class UsbMatch:
    """A USB device id; without ``pid`` every product of the vendor."""

    vid: int
    pid: int | None = None


def usb(vid: int, *pids: int) -> tuple[UsbMatch, ...]:
    """Return the matches for some products of a vendor, or for all with no product given."""
    return tuple(UsbMatch(vid, pid) for pid in pids) or (UsbMatch(vid),)


@dataclass(frozen=True, slots=True)
class ModemDriver:
    """One modem family.

    ``identify`` is searched in ``manufacturer model revision`` (``+CGMI``, ``+CGMM``, ``+CGMR``)
    where no USB id tells; ``ports`` maps bInterfaceNumber to the role of the port; ``readers``
    maps an answer prefix (``+QENG:``) or, for answers without prefix, the command
    (``AT+CGSN``) to a parse function, which serves every family that has none of its own;
    ``overrides`` does the same for answers that mean something else in this family and so must
    serve no other. ``attempts`` are beginnings of the commands that open a data connection,
    so that their failure counts; ``without`` lists generic probes this family must not be asked;
    ``compositions`` names products that have no AT port in their present USB mode. ``forms`` are
    lines of answers as the manual gives them, field by field; only what a bundle may show of
    answers depends on them: ``+QNWINFO: "{name}","{plmn}","LTE BAND {band}",{earfcn}``. Parts in
    ``[...]`` may be missing. What a field's number can be goes by its name
    (``simdiag.bundle.shapes.RANGES``); a field of any other name may identify somebody.
    """

    family: str
    vendor: str
    match: tuple[UsbMatch, ...] = ()
    identify: str = ""
    ports: Mapping[int, PortRole] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)
    probes: tuple[Probe, ...] = ()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    overrides: Mapping[str, Reader] = field(default_factory=dict)
    attempts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    compositions: Mapping[tuple[int, int], str] = field(default_factory=dict)
    forms: tuple[str, ...] = ()

    def identifies(self, description: str) -> bool:
        """Whether the modem's own words fit this family."""
        return bool(self.identify) and re.search(self.identify, description, re.I) is not None


def addresses_in(texts: Iterable[str]) -> list[str]:
    """Return those of the texts that are IP addresses; all zeros is none."""
    return [text for text in map(str.strip, texts) if _is_address(text)]


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def rsrp_level(index: int | None) -> int | None:
    """RSRP in dBm from the index 0..97 of ``+CESQ`` (TS 27.007 clause 8.69); 255 is unknown."""
    return None if index is None or not 0 <= index <= 97 else index - 141


def rsrq_level(index: int | None) -> float | None:
    """RSRQ in dB from the index 0..34 of ``+CESQ`` (TS 27.007 clause 8.69); 255 is unknown."""
    return None if index is None or not 0 <= index <= 34 else index / 2 - 20
