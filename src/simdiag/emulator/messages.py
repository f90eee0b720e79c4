"""The short messages of an emulated modem (TS 27.005), in PDU mode."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from simdiag.at.values import swap_nibbles
from simdiag.emulator.response import MessageError, Response
from simdiag.emulator.state import ModemState

_ALONE, _OF_SEVERAL = 70, 67
"""Characters of UCS-2 that a message holds, without and with a header (TS 23.040)."""
_MEMORIES = ("ME", "SM")
_SIZE = 23


@dataclass(slots=True)
class _Kept:
    pdu: str
    unread: bool = True


class MessageBox:
    """What is kept in each memory, and how the modem tells of what comes."""

    def __init__(self, state: ModemState) -> None:
        self._state = state
        self.format = state.message_format
        self.reports = list(state.message_reports)
        self.memory = state.message_memories[0]
        self.kept: dict[str, list[_Kept]] = {name: [] for name in _MEMORIES}
        self.kept[state.message_memories[1]] = [_Kept(pdu) for pdu in state.messages]
        self.sent: list[str] = []
        """The hex digits of what was sent."""
        self.cancelled = 0
        """How often an escape came instead of a message."""

    def execute(self, name: str) -> Response | None:
        """Carry out one command if it is one of messages."""
        if match := re.fullmatch(r"\+CMGS=(\d+)", name):
            return self._send(int(match[1]))
        for pattern, handler in (
            (r"\+CMGF(?:\?|=([01]))", self._format), (r"\+CNMI(?:\?|=([\d,]+))", self._reports),
            (r'\+CPMS(?:\?|="(\w\w)")', self._memories), (r"\+CMGR=(\d+)(,1)?", self._read),
            (r"\+CMGL=(0)(,1)?", self._list),
        ):  # fmt: skip
            if match := re.fullmatch(pattern, name):
                return Response(handler(*match.groups()))
        return None

    # ---- settings ------------------------------------------------------------------------
    def _format(self, wanted: str | None) -> list[str]:
        if wanted is None:
            return [f"+CMGF: {self.format}"]
        self.format = int(wanted)
        return []

    def _reports(self, wanted: str | None) -> list[str]:
        if wanted is None:
            return [f"+CNMI: {','.join(map(str, self.reports))}"]
        values = list(map(int, wanted.split(",")))
        self.reports[: len(values)] = values
        return []

    def _memories(self, wanted: str | None) -> list[str]:
        if wanted in _MEMORIES:
            self.memory = wanted
        coming = self._state.message_memories[1]
        used = [f"{len(self.kept[name])},{_SIZE}" for name in (self.memory, coming, coming)]
        if wanted is not None:
            return [f"+CPMS: {','.join(used)}"]
        names = (self.memory, coming, coming)
        return ["+CPMS: " + ",".join(f'"{n}",{u}' for n, u in zip(names, used, strict=True))]

    # ---- reading -------------------------------------------------------------------------
    def _read(self, index: str, unmarked: str | None) -> list[str]:
        self._refuse_mode(unmarked)
        try:
            kept = self.kept[self.memory][int(index)]
        except IndexError:
            raise MessageError(321) from None
        return self._show("+CMGR: ", kept, unmarked)

    def _list(self, _: str, unmarked: str | None) -> list[str]:
        self._refuse_mode(unmarked)
        lines = []
        for index, kept in enumerate(self.kept[self.memory]):
            if kept.unread:
                lines += self._show(f"+CMGL: {index},", kept, unmarked)
        return lines

    def _refuse_mode(self, unmarked: str | None) -> None:
        if unmarked and not self._state.messages_stay_unread:
            raise MessageError(304)

    def _show(self, beginning: str, kept: _Kept, unmarked: str | None) -> list[str]:
        status = int(not kept.unread)
        kept.unread = kept.unread and bool(unmarked)
        return [f"{beginning}{status},,{_length(kept.pdu)}", kept.pdu]

    # ---- sending -------------------------------------------------------------------------
    def _send(self, length: int) -> Response:
        if self.format == 1 or (self._state.message_error and not self._state.message_prompt):
            raise MessageError(self._state.message_error or 304)
        self._expected = length
        return Response(prompt=self._state.message_prompt)

    def finish(self, body: bytes, end: bytes) -> Response:
        """Take what follows a prompt, up to Ctrl-Z or an escape."""
        if end == b"\x1b":
            self.cancelled += 1
            return Response()
        digits = body.decode("ascii", "replace").strip().upper()
        if not re.fullmatch("(?:[0-9A-F]{2})+", digits) or _length(digits) != self._expected:
            raise MessageError(304)
        if self._state.message_error:
            raise MessageError(self._state.message_error)
        self.sent.append(digits)
        delay = self._state.message_reply_after_s
        comes = [(delay, partial(self._arrive, pdu)) for pdu in self._replies(digits)]
        return Response([f"+CMGS: {len(self.sent)}"], later=list(comes))

    def _replies(self, asked: str) -> list[str]:
        state = self._state
        length = int(asked[6:8], 16)
        number = swap_nibbles(asked[10 : 10 + length + length % 2])[:length]
        pdus = deliver(state.message_sender or number, state.message_reply)
        return pdus if state.message_order == "first" else pdus[::-1]

    def _arrive(self, pdu: str) -> list[str]:
        """Let a message come: it is kept and announced, or handed over (``<mt>`` of +CNMI)."""
        if self.reports[1] == 2:
            return [f"+CMT: ,{_length(pdu)}\r\n{pdu}"]
        coming = self._state.message_memories[1]
        self.kept[coming].append(_Kept(pdu))
        told = self.reports[0] and self.reports[1] == 1 and self._state.message_announced
        return [f'+CMTI: "{coming}",{len(self.kept[coming]) - 1}'] if told else []


def _length(pdu: str) -> int:
    """Return the octets without the service centre's address, as +CMGS and +CMGR count them."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


def deliver(sender: str, text: str, when: datetime | None = None) -> list[str]:
    """Return the hex digits of a message that comes, in UCS-2; in parts where it is long."""
    words = text.encode("utf-16-be")
    size = 2 * (_ALONE if len(words) <= 2 * _ALONE else _OF_SEVERAL)
    pieces = [words[i : i + size] for i in range(0, len(words), size)]
    when = (when or datetime.now(UTC)).astimezone(UTC)
    address = f"{len(sender):02X}81" + swap_nibbles(sender + "F" * (len(sender) % 2))
    pdus = []
    for number, piece in enumerate(pieces, 1):
        header = f"050003A5{len(pieces):02X}{number:02X}" if len(pieces) > 1 else ""
        first, data = "44" if header else "04", header + piece.hex().upper()
        stamp = swap_nibbles(when.strftime("%y%m%d%H%M%S")) + "00"
        pdus.append(f"0891683108100005F0{first}{address}0008{stamp}{len(data) // 2:02X}{data}")
    return pdus
