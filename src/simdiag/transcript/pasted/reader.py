"""Puts the lines of a log together: what was sent, on which port, and what came back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from simdiag.at import MAX_LINE, Command, Event, FinalResult, Unsolicited, command
from simdiag.at.lines import final_result, is_urc
from simdiag.conversation import MAX_LINES, Conversation
from simdiag.transcript.pasted.judge import DIALECT, Kind, Line, Lines, hear, judge, judge_all
from simdiag.transcript.pasted.tools import Way
from simdiag.transcript.pasted.unwrap import bare

_MAX_PORTS = 8
"""Ports kept apart in one log; those beyond share one."""
_PATIENCE = 20
"""For so many lines after a command, words such as "timed out" are about it."""
_BLOCK = re.compile(r"(?P<name>[!^$#%*+][A-Z][A-Z0-9_]+)\s?:$")
"""The first line of an answer of many lines, as Sierra prints them."""


def read_pasted(lines: Iterable[str], conversation: Conversation) -> None:
    """Feed ``conversation`` with the AT exchanges that a pasted log tells of.

    Takes any text, never raises, and keeps no more than the commands that wait (one a port). A
    command without a final result simply ends; it counts as silence only where a tool says so,
    or where the whole log has commands and not one line from a modem.
    """
    reader = _Reader(conversation)
    for line in lines:
        for part in line.split("\r") if "\r" in line else (line,):
            if text := part.strip():
                reader.take(text)
    reader.end()


@dataclass(slots=True)
class _Port:
    """One port of the log: the command that waits, and what is not yet a whole line."""

    name: str
    pending: Command | None = None
    sent_at: float = 0.0
    lines: list[Event] = field(default_factory=list)
    later: list[tuple[Event, float]] = field(default_factory=list)
    """Unsolicited lines after the first line of the answer: they keep their place behind it."""
    age: int = 0
    """How many lines came since the command that are none of the modem's."""
    partial: dict[Way, str] = field(default_factory=dict)
    framed: bool = False
    """The log writes line ends out, so that a text without one is part of a line."""
    sends: bool = False
    """The log marks what was sent."""
    body_follows: bool = False


class _Reader:
    """Puts the lines of a log together. The conversation gets an exchange when it is whole."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._ports = {"": _Port("")}
        self._port = self._ports[""]
        self._time = 0.0
        self._midnights = 0.0
        self._marked = False
        """The log tells which way lines went, so that nothing need be guessed."""
        self._guessed = False
        self._heard = False
        self._prose = False

    def take(self, text: str) -> None:
        """Read one line of the log (not empty, without white space around it)."""
        heard = hear(text)
        if heard is None:
            self._port.age += 1
            return
        (way, body, name, time), judged = heard
        if time:
            self._set_time(time)
        if name != self._port.name and (name or way != "talk"):
            self._port = self._find_port(name)
        port = self._port
        if way == "sent" or way == "received":
            self._marked = True
            self._take_marked(port, way, body, judged)
            return
        if way == "guessed":
            self._guessed = True
            if self._marked:
                port.age += 1
                return
        if port.partial and way != "talk":
            self._flush(port, "sent")
        for line in judged[0]:
            self._take(port, way, line)

    def end(self) -> None:
        """End what waits: in a log without a single answer, a command was met with silence."""
        for port in self._ports.values():
            self._flush(port, "sent")
            self._flush(port, "received")
            told = self._heard or self._prose or self._guessed
            self._finish(port, None, silent=not told)

    def _set_time(self, text: str) -> None:
        """Take a clock, which starts anew at midnight, seconds with a point, or milliseconds."""
        if ":" not in text:
            self._time = float(text) if "." in text else int(text) / 1000
            return
        hours, minutes, rest = text.replace(",", ".").split(":", 2)
        time = int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(":", "."))
        if time + self._midnights < self._time - 43200:
            self._midnights += 86400
        self._time = time + self._midnights

    def _find_port(self, name: str) -> _Port:
        if name not in self._ports:
            if len(self._ports) >= _MAX_PORTS:
                return self._ports[""]
            self._ports[name] = _Port(name)
        return self._ports[name]

    # ---- lines, partial lines
    def _take_marked(self, port: _Port, way: Way, body: str, judged: Lines) -> None:
        if way == "sent":
            self._flush(port, "received")
            port.sends = True
        else:
            self._flush(port, "sent")
            self._heard = self._heard or bool(body)
        if port.partial:
            body = port.partial.pop(way) + body
            judged = judge_all(body)
        lines, rest = judged
        if rest is None and port.framed and body[:1] != "[":  # a list is whole
            port.partial[way] = body[:MAX_LINE]
            return
        for line in lines:
            self._take(port, way, line)
        if rest is not None:
            port.framed = True
            if rest:
                port.partial[way] = rest

    def _flush(self, port: _Port, way: Way) -> None:
        if text := port.partial.pop(way, ""):
            self._take(port, way, judge(bare(text)))

    # ---- what a line means here
    def _take(self, port: _Port, way: Way, line: Line) -> None:
        kind, pending = line.kind, port.pending
        if kind == "command":
            self._command(port, way, line)
        elif way == "sent":
            return
        elif port.body_follows and kind != "final":
            port.body_follows = False
        elif (
            pending is not None
            and pending.dial
            and (result := final_result(line.text, DIALECT, dial=True)) is not None
        ):
            self._finish(port, FinalResult(b"", *result))
        elif kind == "final":
            if pending is not None:
                self._finish(port, line.event)
            elif line.text[0] == "+":
                self._unsolicited(port, line.text)
        elif kind == "reply" or kind == "odd reply":
            self._reply(port, line)
        elif kind == "notice":
            self._unsolicited(port, line.text)
        elif kind == "text" and pending is not None and way != "talk":
            self._information(port, line)
        else:
            self._words(port, way, kind)

    def _command(self, port: _Port, way: Way, line: Line) -> None:
        text, pending = line.text, port.pending
        if pending is not None and way != "sent":
            if not port.lines and _squeezed(text) == _squeezed(pending.text):
                return  # the modem's echo
            if way == "received":
                self._information(port, line)
                return
        if way == "received" and port.sends:
            return
        self._send(port, text)
        for answer in line.answers:
            self._take(port, way if way != "sent" else "either", answer)

    def _send(self, port: _Port, text: str) -> None:
        self._finish(port, None)
        port.pending, port.sent_at, port.age = command(text), self._time, 0
        self._prose = False

    def _reply(self, port: _Port, line: Line) -> None:
        pending = port.pending
        sure = line.kind == "reply"
        if pending is not None and _is_reply_to(pending.text, line.text, sure):
            self._information(port, line)
        elif sure:
            if pending is None and (block := _BLOCK.match(line.text)) is not None:
                self._send(port, f"AT{block['name']}?")
                self._information(port, line)
            else:
                self._unsolicited(port, line.text)

    def _words(self, port: _Port, way: Way, kind: Kind) -> None:
        port.age += 1
        if kind == "silence" and not port.lines:
            if port.age <= _PATIENCE and len(self._ports) <= 2:  # of many, which one is not said
                self._finish(port, None, silent=True)
        elif kind == "prose" and way == "either":
            self._prose = True

    # ---- what goes to the conversation
    def _information(self, port: _Port, line: Line) -> None:
        self._heard = True
        if len(port.lines) < MAX_LINES:
            port.lines.append(line.event)

    def _unsolicited(self, port: _Port, text: str) -> None:
        self._heard = True
        port.body_follows = text.startswith(DIALECT.with_body)
        event = Unsolicited(b"", text)
        if not port.lines:
            self._conversation.feed(event, self._time)
        elif len(port.later) < MAX_LINES:
            port.later.append((event, self._time))

    def _finish(self, port: _Port, final: Event | None, *, silent: bool = False) -> None:
        """Hand over the pending command, its lines and its end."""
        if port.pending is None:
            return
        conversation, time = self._conversation, self._time
        conversation.sent(port.pending.text, port.sent_at)
        for event in port.lines:
            conversation.feed(event, time)
        if final is not None:
            self._heard = True
            conversation.feed(final, time)
        else:
            conversation.abandon(time, silent=silent)
        for event, at in port.later:
            conversation.feed(event, at)
        port.pending = None
        port.lines.clear()
        port.later.clear()


@lru_cache(maxsize=1024)
def _is_reply_to(asked: str, text: str, sure: bool) -> bool:
    """Whether a prefixed line answers a command; the AT core judges live lines the same way.

    What is not ``sure`` to be a reply must begin as the command asks.
    """
    pending = command(asked)
    if pending.any_prefix:
        return sure and not is_urc(text, DIALECT)
    return pending.expects(text)


def _squeezed(text: str) -> str:
    return text.replace(" ", "").rstrip(";").upper()
