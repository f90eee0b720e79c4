r"""The transcript format: JSON Lines, one event per line.

``{"t": 0.0123, "port": "ttyUSB2", "dir": "tx", "data": "AT+CPIN?\\r"}``: ``t`` in seconds from
the start, ``dir`` one of ``tx``, ``rx`` and ``note``; in ``data`` every byte that is not
printable ASCII, and the backslash, stands as an escape, so that the bytes come back exactly.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from simdiag.at import AtProtocol, Dialect, Event, State, command
from simdiag.conversation import Conversation
from simdiag.errors import TranscriptError
from simdiag.files import write_whole
from simdiag.message import N_, message

Direction = Literal["tx", "rx", "note"]
_NAMED = {"\r": r"\r", "\n": r"\n", "\t": r"\t", "\\": r"\\"}
_ESCAPED = {c: f"\\x{c:02x}" for c in (*range(0x20), *range(0x7F, 0x100))} | str.maketrans(_NAMED)
NO_ANSWER, NOT_RECORDED = b"no answer", b"no final result"
"""What notes say: the modem gave none before the deadline; or whoever wrote the log left it out."""
MAX_PORTS = 64
"""Ports kept apart in one transcript; those beyond share one."""
_NAMES = {v[1]: k for k, v in _NAMED.items()} | {"0": "\0", '"': '"', "'": "'"}


def escape(data: bytes) -> str:
    r"""Return bytes as printable ASCII with ``\xNN`` escapes."""
    return data.decode("latin-1").translate(_ESCAPED)


def unescape(text: str) -> bytes:
    """Return the bytes of an escaped text; characters beyond Latin-1 become UTF-8."""
    out = bytearray()
    for part in re.finditer(r"\\x([0-9A-Fa-f]{2})|\\(.)|([^\\]+|\\)", text, re.DOTALL):
        if part[1]:
            out.append(int(part[1], 16))
        elif part[2]:
            out += _NAMES.get(part[2], part[0]).encode()
        else:
            out += part[3].encode("latin-1") if _is_latin(part[3]) else part[3].encode()
    return bytes(out)


def _is_latin(text: str) -> bool:
    return all(ord(c) < 256 for c in text)


@dataclass(frozen=True, slots=True)
class Recording:
    """One event of a transcript."""

    t: float
    port: str
    dir: Direction
    data: bytes

    def to_json(self) -> str:
        """Return the line that stands for this event."""
        return json.dumps(
            {"t": round(self.t, 4), "port": self.port, "dir": self.dir, "data": escape(self.data)}
        )

    @classmethod
    def from_json(cls, line: str) -> Recording:
        """Read one line; raises ``TranscriptError`` if it is no such event."""
        try:
            entry = json.loads(line)
            direction, data = entry["dir"], entry["data"]
            if direction not in ("tx", "rx", "note") or not isinstance(data, str):
                raise ValueError("dir or data")
            time = _time(entry.get("t", 0.0))
            return cls(time, str(entry.get("port", ""))[:200], direction, unescape(data))
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            text = N_("this line is no event of a transcript: {line}")
            raise TranscriptError(message(text, line=repr(line[:60]))) from problem


def _time(value: Any) -> float:
    """Seconds; what is no time (negative, infinite, no number in JSON's sense) counts as 0."""
    try:
        time = float(value)
    except OverflowError:
        return 0.0
    return time if 0.0 <= time < math.inf else 0.0


@dataclass(slots=True)
class Recorder:
    """Keeps the events of a session in memory until they are written."""

    port: str
    clock: Callable[[], float]
    events: list[Recording] = field(default_factory=list)
    _start: float | None = None

    def add(self, direction: Direction, data: bytes) -> None:
        """Note bytes sent or received, now."""
        now = self.clock()
        if self._start is None:
            self._start = now
        self.events.append(Recording(now - self._start, self.port, direction, data))


def replay(lines: Iterable[str], conversations: Callable[[str], Conversation]) -> None:
    """Feed a transcript through the AT core, a conversation per port.

    What was not recorded is not asked: the end of a transcript is no silence of the modem. A
    note ``no answer`` (which the recorder writes at a deadline) is one, a note ``no final result``
    is none. Lines that are no events are passed over, so that a transcript cut off in the middle
    is still read.
    """
    replay_events(events_of(lines), conversations)


def events_of(lines: Iterable[str]) -> Iterator[Recording]:
    """Yield the events of a transcript's lines, without what is none."""
    for line in lines:
        try:
            yield Recording.from_json(line)
        except TranscriptError:
            continue


def replay_events(
    events: Iterable[Recording],
    conversations: Callable[[str], Conversation],
    heard: Callable[[str, Event], None] | None = None,
) -> None:
    """Feed events through the AT core; ``heard`` is told what is heard on which port.

    It is told so before the conversation is, and of every byte received, whatever it was.
    """
    ports: dict[str, _Port] = {}
    for event in events:
        name = event.port if event.port in ports or len(ports) < MAX_PORTS else ""
        if name not in ports:
            ports[name] = _Port(conversations(name), partial(heard, name) if heard else None)
        ports[name].take(event)
    for port in ports.values():
        port.end()


class _Port:
    def __init__(self, conversation: Conversation, heard: Callable[[Event], None] | None) -> None:
        self._protocol = AtProtocol(Dialect())
        self._conversation = conversation
        self._heard = heard
        self._time = 0.0

    def take(self, event: Recording) -> None:
        self._time = event.t
        if event.dir == "rx":
            if event.data:
                self._protocol.receive_data(event.data)
            self._drain()
        elif event.dir == "tx":
            for line in event.data.replace(b"\n", b"\r").split(b"\r"):
                if text := line.decode("ascii", "replace").strip().replace("\ufffd", "?"):
                    self._send(text)
        elif event.data.startswith((NO_ANSWER, NOT_RECORDED)):
            self._protocol.give_up()
            self._conversation.abandon(self._time, silent=event.data.startswith(NO_ANSWER))

    def _send(self, text: str) -> None:
        if not text.upper().startswith("AT") or re.search(r"[\x1a\x1b]", text):
            return
        self._protocol.give_up()
        if self._protocol.state in (State.IDLE, State.OUT_OF_SYNC):
            self._protocol.send(command(text))
            self._conversation.sent(text, self._time)

    def _drain(self) -> None:
        while (event := self._protocol.next_event()) is not None:
            if self._heard is not None:
                self._heard(event)
            self._conversation.feed(event, self._time)

    def end(self) -> None:
        self._protocol.receive_data(b"")
        self._drain()


def _redacted(events: Sequence[Recording], redact: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Redact what each port said and heard as a whole: events may split a line anywhere."""
    wires: dict[tuple[str, str], bytearray] = {}
    for event in events:
        wires.setdefault((event.port, event.dir), bytearray()).extend(event.data)
    shown = {wire: io.BytesIO(redact(bytes(data))) for wire, data in wires.items()}
    for event in events:
        yield shown[event.port, event.dir].read(len(event.data))


def write_transcript(
    path: Path, events: Iterable[Recording], redact: Callable[[bytes], bytes]
) -> None:
    """Write a transcript; the final name appears only once the file is whole.

    A device such as ``/dev/stdout``, and a file in a folder that is not writable, is written to.
    """
    events = tuple(events)
    text = "".join(
        Recording(event.t, event.port, event.dir, data).to_json() + "\n"
        for event, data in zip(events, _redacted(events, redact), strict=True)
    )
    if path.is_file() and not os.access(path.parent, os.W_OK):
        path.write_text(text, "ascii")
    else:
        write_whole(path, text)
