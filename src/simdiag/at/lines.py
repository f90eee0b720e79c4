"""What a single line is: a final result, a prefixed answer, a URC. Pure functions of its text.

The AT core and the reader of pasted logs share them, so that both judge a line alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ERROR = re.compile(
    r"^(\+CME ERROR|\+CMS ERROR|\+EXT ERROR|MODEM ERROR)\s?:\s*(.*)$", re.IGNORECASE
)
_ERROR_IN_WORDS = re.compile(r"^ERROR\s?:\s*(.*)$", re.IGNORECASE)
_PREFIXED = re.compile(
    r"^[+^$#%!*&_][A-Za-z0-9_]+(?:\s[A-Z]{2,5})?\s?:|^\*ATREADY\b|^\+WIND:|^\^[A-Z]+"
)
_OK = frozenset({"OK"})
_FAILED = frozenset(
    {"ERROR", "ABORTED", "COMMAND NOT SUPPORT", "COMMAND NOT SUPPORTED", "TOO MANY PARAMETERS"}
)
_CALL_ENDED = frozenset({"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a modem family prints differently. Drivers supply it; the core names no vendor."""

    urc_prefixes: tuple[str, ...] = ()
    """Unsolicited lines of this family, beside the common ones below."""
    final_ok: frozenset[str] = frozenset()
    """Further whole lines that end a command well, such as ``SHUT OK``."""
    final_error: frozenset[str] = frozenset()
    """Further whole lines that end a command badly."""
    error_in_words: bool = True
    """Whether ``ERROR: UNSUPPORTED`` and the like end a command. In a log programs write so too."""
    with_body: tuple[str, ...] = ("+CMT:", "+CDS:", "+CBM:")
    """URCs whose next line is part of them (TS 27.005 clause 3.4.1)."""
    quoted_over_lines: tuple[str, ...] = ("+CUSD:",)
    """URCs with a string that may hold line ends (TS 27.007 clause 7.15)."""


COMMON_URCS = (
    "RING", "+CRING:", "+CLIP:", "+CMTI:", "+CMT:", "+CDSI:", "+CDS:", "+CBM:", "+CUSD:",
    "+CGEV:", "+CIEV:", "+CTZV:", "+CTZE:", "+CCWA:", "+CSSI:", "+CSSU:", "+CNEM",
    "RDY", "*ATREADY", "SMS READY", "CALL READY", "SMS DONE", "PB DONE", "+WIND:", "SIM READY",
    "NORMAL POWER DOWN", "POWERED DOWN", "UNDER-VOLTAGE", "OVER-VOLTAGE",
    "UNDER_VOLTAGE", "OVER_VOLTAGE",
    "STARTING POWER OFF", "NO CARRIER", "^SYSSTART", "^SHUTDOWN", "^MODE:", "^RSSI:", "^SRVST:",
    "^SIMST:", "^BOOT:", "^DSFLOWRPT:", "^NDISSTAT:", "^HCSQ:", "^CSNR:", "^STIN:", "+QIND:",
    "+QUSIM:",     "+ZUSIMR:", "+ZDONR:", "+ZPASR:", "+PACSP", "+CPIN: NOT", "+CPIN: SIM REMOVED",
)  # fmt: skip
"""Lines that come unasked from many families (TS 27.007, TS 27.005 and boot banners)."""


def is_prefixed(text: str) -> bool:
    """Whether a line has the extended form ``+NAME: ...`` of V.250 clause 5.4.3 or a vendor's."""
    return _PREFIXED.match(text) is not None


def is_urc(text: str, dialect: Dialect) -> bool:
    """Whether a line is known to come unasked."""
    upper = text.upper()
    return upper.startswith(COMMON_URCS) or upper.startswith(dialect.urc_prefixes)


def final_result(
    text: str, dialect: Dialect, *, dial: bool = False
) -> tuple[str, int | None, str | None] | None:
    """Return (code, error number, error text) if the whole line is a final result code.

    The call results (``NO CARRIER`` and its kin) end a command only if it dials; else they are
    unsolicited.
    """
    if (match := _ERROR.match(text)) is not None:
        argument = match[2].strip()
        number = (
            int(argument)
            if argument.isascii() and argument.isdigit() and len(argument) < 7
            else None
        )
        return match[1].upper(), number, None if number is not None else argument or None
    upper = text.upper()
    if upper in _OK or text in dialect.final_ok:
        return "OK", None, None
    if upper in _FAILED or text in dialect.final_error:
        return "ERROR", None, None if upper == "ERROR" else text
    if dialect.error_in_words and (match := _ERROR_IN_WORDS.match(text)) is not None:
        return "ERROR", None, match[1].strip() or None
    if dial and upper in _CALL_ENDED:
        return upper, None, None
    if dial and (upper == "CONNECT" or upper.startswith("CONNECT ")):
        return "CONNECT", None, None
    return None
