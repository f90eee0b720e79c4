"""Redacts commands: those that simdiag itself sends stay, of others what is known and small."""

from __future__ import annotations

import re
from functools import lru_cache

import simdiag.registry
from simdiag.bundle.denial import deny, is_known_apn, is_small, pieces, prefix_of, weight
from simdiag.bundle.known import Known, Text

_NUMBERS = 6
"""Digits of small numbers that may stay in a command that is not simdiag's own."""
_CARD_FILE = re.compile(r"AT\+CRSM=(?:176|178|192),\d{5}(?:,\d{1,3}){0,3}", re.IGNORECASE)
_SETTING = re.compile(r"AT\+(?:CMEE|COPS|CFUN|CREG|CGREG|CEREG|C5GREG)[=?][\d,?]{0,5}")


@lru_cache(maxsize=1)
def _own() -> frozenset[str]:
    """The commands of the examination."""
    return frozenset(
        probe.command.upper() for driver in simdiag.registry.drivers() for probe in driver.probes
    ) | {"AT", "ATI", "ATE0", "ATE1", "ATZ"}


class Commands:
    """Redacts commands of one talk; equal ones become equal ones, so that echoes still fit."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._redacted: dict[str, str] = {}

    def redacted(self, command: str) -> str:
        """Return a command line as it may be seen; its length stays."""
        if command not in self._redacted:
            self._redacted[command] = self._redact(command)
        return self._redacted[command]

    def sent(self, wire: str) -> str:
        """Redact what was sent as a whole: command lines, and payloads of messages."""
        return re.sub(r"[^\r\n\x1a\x1b]+", lambda m: self._line(m[0]), wire)

    def _line(self, line: str) -> str:
        said = line.strip()
        if said.isascii() and said.upper().startswith("AT") and said.isprintable():
            return line.replace(said, self.redacted(said), 1)
        return "*" * len(line)

    def _redact(self, command: str) -> str:
        plain = command.upper().replace(" ", "")
        if plain in _own() or _CARD_FILE.fullmatch(plain) or _SETTING.fullmatch(plain):
            return command
        text = Text(command)
        self._known.put_into(text)
        for match in re.finditer(r'"([^"]*)"', command):
            if "." in match[1] and is_known_apn(match[1]):
                text.keep(range(*match.span(1)))
        head = 2 if command[:2].upper() == "AT" else 0
        small = weight([p for p in pieces(command[head:]) if is_small(p)])
        known = prefix_of(re.split(r"[=?]", command[head:])[0]) is not None
        text.keep(range(head))
        deny(text, head, len(command), numbers=known and small <= _NUMBERS)
        return str(text)
