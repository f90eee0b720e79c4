"""A command line and what its answer looks like, derived from the command's own syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SPLIT = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_AT = re.compile(r"^\s*AT", re.IGNORECASE)
_EXTENDED = re.compile(r"[+^$#%!*&_]\s?[A-Za-z0-9_]+")
_REGISTRATION = re.compile(r"\+C(?:5G|E|G)?REG\?")
REGISTRATION_ANSWER = re.compile(r"^\+C(?:5G|E|G)?REG:\s*\d\s*,\s*\d{1,2}\s*(?:,|$)", re.IGNORECASE)
"""``<n>,<stat>[,...]``: the answer to a read, where the URC begins with ``<stat>`` alone or
``<stat>,"<lac>"`` (TS 27.007 clauses 7.2, 10.1.20, 10.1.22)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line.

    ``prefixes`` begin the lines of its answer; with none given they follow from the text:
    ``AT+CSQ`` is answered by ``+CSQ:``. ``any_prefix`` marks the basic commands (``ATI``), whose
    lines may begin with anything.
    """

    text: str
    prefixes: tuple[str, ...] = ()
    any_prefix: bool = False
    prompt: bool = False
    dial: bool = False

    def expects(self, line: str) -> bool:
        """Whether a prefixed line is part of this command's answer."""
        if self.any_prefix:
            return True
        upper = line.upper()
        if not upper.startswith(self.prefixes):
            return False
        if _REGISTRATION.search(self.text.upper()) and upper.startswith(
            ("+CREG", "+CGR", "+CER", "+C5G")
        ):
            return REGISTRATION_ANSWER.match(line) is not None
        return True

    @property
    def is_read(self) -> bool:
        """Whether an answer without a single line would be odd: ``AT+CSQ``, ``AT+CPIN?``."""
        return "=" not in self.text and len(self.text) > 2 and not self.any_prefix


@lru_cache(maxsize=1024)
def command(text: str, *extra_prefixes: str) -> Command:
    """Build a command from its text; ``extra_prefixes`` are for answers that begin otherwise."""
    names = []
    basic = text.strip().upper() != "AT"
    for part in _SPLIT.split(_AT.sub("", text)):
        match = _EXTENDED.match(part.strip())
        if match:
            basic = False
            names.append(match[0].replace(" ", "").upper() + ":")
    upper = text.upper()
    return Command(
        text,
        (*names, *(p.upper() for p in extra_prefixes)),
        any_prefix=basic,
        prompt=upper.startswith(("AT+CMGS=", "AT+CMGW=")),
        dial=upper.startswith(("ATD", "ATA", "ATO", "AT+CGDATA")),
    )
