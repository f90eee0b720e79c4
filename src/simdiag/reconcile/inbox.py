"""The messages that come from one sender after a question, read with as little touched as can be.

The modem is asked to keep what comes and to say where (``+CMTI``): handed over unkept, the user's
other messages would be lost. Only what is announced is read; where nothing is announced and the
memory fills nevertheless, those not read yet are listed. Nothing is deleted.
"""

from __future__ import annotations

import re
import time

from simdiag.at import Unsolicited, fields
from simdiag.at.pdu import delivered
from simdiag.evidence import Exchange
from simdiag.message import N_, Message, message
from simdiag.reconcile.answer import refused
from simdiag.session import AtSession

_ANNOUNCED_S, _LISTED_S = 14 * 3600.0, 600.0
"""How much older than the question an answer may seem: clocks differ, and service centres stamp
with wrong time zones. What is found by listing may have lain there before."""
_MEMORY = re.compile(r"[A-Z]{2}")
_KEPT = 1
"""``<mt>`` of ``+CNMI``: messages are kept and announced (TS 27.005 clause 3.4.1)."""


class Inbox:
    """What comes from ``senders`` from now on. The settings go back with the session's others."""

    def __init__(self, session: AtSession, senders: tuple[str, ...]) -> None:
        self._session = session
        self._senders = frozenset(map(_bare, senders))
        self._since = time.time()
        self._memory, self._first_memory, self._used = "", "", 0
        self._announced = False
        self._leaves_unread = True
        self._seen: set[str] = set()
        self._parts: dict[tuple[int, int], dict[int, str]] = {}
        self._texts: list[str] = []

    @property
    def incomplete(self) -> bool:
        """Whether parts of a message came and others did not."""
        return any(len(parts) < total for (_, total), parts in self._parts.items())

    def open(self) -> Message | None:
        """Have messages come as they are needed; returns why that cannot be."""
        exchange = self._session.execute("AT+CMGF?")
        mode = _numbers(exchange, "+CMGF")
        if not mode or mode[0] not in (0, 1):
            text = N_("the modem does not deal with messages ({error})")
            return message(text, error=str(exchange.error or "OK"))
        if mode[0] == 1:
            changed = self._session.change("AT+CMGF=0", "AT+CMGF=1")
            if changed.error is not None:
                return refused(changed.error)
        self._have_them_announced()
        return self._open_memory()

    def look(self) -> list[str]:
        """Return the whole messages that came since the last look."""
        while self._session.messages:
            self._read(self._session.messages.popleft())
        if not self._announced:
            self._list_unread()
        texts, self._texts = self._texts, []
        return texts

    # ---- settings ------------------------------------------------------------------------
    def _have_them_announced(self) -> None:
        """Set ``+CNMI`` (clause 3.4.1); where that fails, the memory is looked at instead."""
        numbers = _numbers(self._session.execute("AT+CNMI?"), "+CNMI")[:5]
        if len(numbers) < 2 or max(numbers) > 3 or (numbers[0] and numbers[1] == _KEPT):
            return
        before = _joined(numbers)
        for mode in (numbers[0] or 2, 1):
            wanted = _joined([mode, _KEPT, *numbers[2:]])
            if self._session.change(f"AT+CNMI={wanted}", f"AT+CNMI={before}").error is None:
                return

    def _open_memory(self) -> Message | None:
        """Read from the memory that messages come to (``+CPMS``, clause 3.2.2)."""
        found = self._storage()
        if found is None:
            return None
        self._first_memory, self._memory = found[0], found[0]
        coming, self._used, size = found[1:]
        if size and self._used >= size:
            return Message(N_("the modem's memory for messages is full: delete some of them first"))
        self._select(coming)
        return None

    def _storage(self) -> tuple[str, str, int, int] | None:
        """Return the memory read from, the one messages come to, how many it holds and may."""
        exchange = self._session.execute("AT+CPMS?")
        found = next((fields(line) for line in exchange.lines if _is(line, "+CPMS")), fields(""))
        read, coming, used, size = (
            found.text(0), found.text(6), found.integer(7), found.integer(8)
        )  # fmt: skip
        if not read or not coming or used is None or size is None:
            return None
        return (read, coming, used, size) if _MEMORY.fullmatch(read) else None

    def _select(self, memory: str) -> None:
        if self._first_memory and memory != self._memory and _MEMORY.fullmatch(memory):
            restore = f'AT+CPMS="{self._first_memory}"'
            if self._session.change(f'AT+CPMS="{memory}"', restore).error is None:
                self._memory = memory

    # ---- what comes ----------------------------------------------------------------------
    def _read(self, event: Unsolicited) -> None:
        if event.body is not None:  # +CMT: handed over
            self._take(event.body, _ANNOUNCED_S)
            return
        found = fields(event.text)
        memory, index = found.text(0) or "", found.integer(1)
        if index is not None and 0 <= index < 100_000:
            self._select(memory)
            exchange = self._unmarked(f"AT+CMGR={index}")
            self._announced |= self._take_all(exchange, _ANNOUNCED_S)

    def _list_unread(self) -> None:
        found = self._storage()
        if found is not None and found[2] > self._used:
            self._used = found[2]
            self._take_all(self._unmarked("AT+CMGL=0"), _LISTED_S)

    def _unmarked(self, command: str) -> Exchange:
        """Read without marking as read, which some modems can (``<mode>`` 1), else plainly."""
        if self._leaves_unread:
            exchange = self._session.carry_out(f"{command},1")
            if exchange.error is None:
                return exchange
            self._leaves_unread = False
        return self._session.carry_out(command)

    def _take_all(self, exchange: Exchange, older_s: float) -> bool:
        """Take the messages of an answer; whether there was any, whoever's."""
        found = [line for line in exchange.lines if re.fullmatch(r"[0-9A-Fa-f]{20,}", line)]
        for digits in found:
            self._take(digits, older_s)
        return bool(found)

    def _take(self, digits: str, older_s: float) -> None:
        """Keep a message if it may be the answer; forget it otherwise."""
        try:
            found = delivered(digits)
        except ValueError:
            return
        if digits in self._seen or _bare(found.sender) not in self._senders:
            return
        if found.time < self._since - older_s:
            return
        self._seen.add(digits)
        part = found.part
        parts = self._parts.setdefault((part.reference, part.total), {})
        parts[part.number] = found.text
        if len(parts) == part.total:
            self._texts.append("".join(text for _, text in sorted(parts.items())))
            del self._parts[part.reference, part.total]


def _bare(sender: str) -> str:
    return sender.removeprefix("+").casefold()


def _is(line: str, name: str) -> bool:
    return line.upper().startswith(f"{name}:")


def _numbers(exchange: Exchange, name: str) -> list[int]:
    """Return the numbers of an answer, up to the first that is none."""
    found = next((fields(line) for line in exchange.lines if _is(line, name)), fields(""))
    numbers = []
    for place in range(len(found)):
        value = found.integer(place)
        if value is None or value < 0:
            break
        numbers.append(value)
    return numbers


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))
