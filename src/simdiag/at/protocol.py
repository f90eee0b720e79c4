"""The AT protocol without I/O: bytes in, events out. No port, no clock, no thread.

:class:`AtProtocol` is what everything here revolves around. ``send`` returns the bytes to write,
``receive_data`` takes the bytes that were read, ``next_event`` returns what they mean or
``None`` when more bytes are needed. Two laws hold for any input (and are tested as such): any
split of the bytes gives the same events, and the raw bytes of the events plus ``held`` are the
bytes received.

A line is complete at its first CR or LF, so CR, LF, CRLF and CRCRLF need no setting. What a
complete line means is decided in this order: continuation of a URC, echo, binary noise, another
program's command, final result, information text, unsolicited.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

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
from simdiag.at.lines import Dialect, final_result, is_prefixed, is_urc

MAX_LINE = 4096
"""Longer lines are noise: no answer in TS 27.007 or a vendor manual comes near."""
_MAX_CONTINUATION = 16

_LINE_END = re.compile(rb"[\r\n]")
_LEAD = re.compile(rb"[\r\n\0]*")
_PROMPT, _BARE_PROMPT = re.compile(rb"> |>(?=[\r\n])"), re.compile(rb">")
_CONTROL = re.compile(r"[\r\n\x1a\x1b]")
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x19\x1c-\x1f\x7f]")
_AT_LINE = re.compile(r"^(?!AT&T\b)AT(?:[+^$#%!*&_?;=]|[A-Z]\d?\b|[A-Z]\d[A-Z&+]|$)", re.IGNORECASE)


def _is_text(line: bytes) -> bool:
    """Whether a line is text; only the values of a prefixed line may have another encoding."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class LocalProtocolError(Exception):
    """The caller broke the rules: a defect of simdiag, never of the modem."""


class State(enum.Enum):
    """Where the conversation stands."""

    IDLE = "idle"
    COMMAND_PENDING = "command pending"
    PROMPTED = "prompted"
    ONLINE_DATA = "online data"
    OUT_OF_SYNC = "out of sync"
    """The caller gave up on a command; its answer may still come."""
    CLOSED = "closed"


_WAITING = (State.COMMAND_PENDING, State.PROMPTED)


@dataclass(slots=True)
class _Continuation:
    """A URC whose next line is part of it."""

    raw: bytes
    text: str
    quoted: bool
    lines: int = 1


class AtProtocol:
    """One side of a conversation with a modem: ours."""

    def __init__(self, dialect: Dialect | None = None) -> None:
        self.dialect = dialect or Dialect()
        self.state = State.IDLE
        self.pending: Command | None = None
        self._buffer = bytearray()
        self._ended = False
        self._too_long = False
        self._continued: _Continuation | None = None
        self._payload: bytes | None = None
        self._bare_prompt = False
        self._echo: bytes | None = None
        self._modem_echoes = False
        self._answer_lines = 0
        self._foreign: Command | None = None
        self._foreign_answered = False

    @property
    def held(self) -> bytes:
        """Bytes received that no event has carried yet."""
        return (self._continued.raw if self._continued else b"") + bytes(self._buffer)

    @property
    def echoes(self) -> bool:
        """Whether the modem echoed the last command: then its answers cannot be mistaken."""
        return self._modem_echoes

    # ---- outgoing ------------------------------------------------------------------------
    def send(self, cmd: Command) -> bytes:
        """Start a command; returns the bytes to write (V.250: the line ends with CR alone)."""
        if self.state not in (State.IDLE, State.OUT_OF_SYNC):
            raise LocalProtocolError(f"cannot send {cmd.text!r} while {self.state.value}")
        if _CONTROL.search(cmd.text) or not cmd.text.isascii():
            raise LocalProtocolError("a command is one line of ASCII")
        self.state, self.pending = State.COMMAND_PENDING, cmd
        self._answer_lines = 0
        self._echo = cmd.text.encode("ascii")
        return self._echo + b"\r"

    def send_payload(self, payload: bytes) -> bytes:
        """Answer a prompt; Ctrl-Z ends the payload (TS 27.005 clause 3.5.1)."""
        if self.state is not State.PROMPTED:
            raise LocalProtocolError("the modem did not ask for a payload")
        self.state, self._payload = State.COMMAND_PENDING, payload
        return payload + b"\x1a"

    def cancel_payload(self) -> bytes:
        """Answer a prompt with nothing, also one that may still come (TS 27.005 clause 3.5.1)."""
        if self.pending is not None and self.pending.prompt:
            self.state, self._payload = State.COMMAND_PENDING, b""
        return b"\x1b"

    def give_up(self) -> None:
        """The caller's deadline passed. What comes now counts as late until the next ``send``."""
        if self.state in _WAITING:
            self.state, self.pending, self._payload = State.OUT_OF_SYNC, None, None
            if self._echo is not None:
                self._modem_echoes = False
            self._foreign = None

    # ---- incoming ------------------------------------------------------------------------
    def receive_data(self, data: bytes) -> None:
        """Take bytes from the port; ``b""`` says that the port has ended."""
        if not data:
            self._ended = True
        elif self._ended:
            raise LocalProtocolError("data after the end of the port")
        else:
            self._buffer += data

    def quiet(self) -> None:
        """Say that nothing more came for a while: ``>`` without its blank is a prompt then."""
        asked = self.pending is not None and self.pending.prompt and self._payload is None
        self._bare_prompt = asked and self._buffer.lstrip(b"\r\n\0") == b">"

    def next_event(self) -> Event | None:
        """Return the next event, or ``None`` when more bytes are needed."""
        if self.state is State.CLOSED:
            return None
        while True:
            raw = self._next_raw()
            if raw is None:
                return self._end() if self._ended else None
            event = raw if isinstance(raw, Event) else self._classify(raw)
            if event is not None:
                return event

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _end(self) -> Event:
        if self._buffer or self._continued:
            raw = self.held
            self._buffer.clear()
            self._continued = None
            return Noise(raw)
        pending, self.pending = self.pending, None
        self.state = State.CLOSED
        return PortClosed(b"", pending)

    def _next_raw(self) -> bytes | Event | None:
        """Cut one line off the buffer (or make an event of what is no line)."""
        if not self._buffer:
            return None
        if self.state is State.ONLINE_DATA:
            return Data(self._take(len(self._buffer)))
        lead_match = _LEAD.match(self._buffer)
        lead = lead_match.end() if lead_match else 0
        if lead >= MAX_LINE:
            return self._flush() or Noise(self._take(MAX_LINE))
        if lead == len(self._buffer):
            return None
        if (event := self._prompt(lead)) or (event := self._payload_echo(lead)):
            return event
        end = _LINE_END.search(self._buffer, lead, MAX_LINE)
        if end is None:
            if len(self._buffer) < MAX_LINE:
                return None
            if flushed := self._flush():
                return flushed
            self._too_long = True
            return Noise(self._take(MAX_LINE))
        raw = self._take(end.end())
        if self._too_long:
            self._too_long = False
            return Noise(raw)
        return raw

    def _flush(self) -> Event | None:
        """Give up on the next line of a URC, so that events stay in the order of their bytes."""
        held, self._continued = self._continued, None
        return Unsolicited(held.raw, held.text) if held else None

    def _prompt(self, lead: int) -> Event | None:
        """``> `` has no line end, so it is looked for only when it was asked for."""
        asked = self.state is State.COMMAND_PENDING and self.pending and self.pending.prompt
        if not asked or self._continued or self._payload is not None:
            return None
        found = (_BARE_PROMPT if self._bare_prompt else _PROMPT).match(self._buffer, lead)
        if found is None:
            return None
        self.state, self._bare_prompt, self._echo = State.PROMPTED, False, None
        return Prompt(self._take(found.end()))

    def _payload_echo(self, lead: int) -> Event | None:
        if not self._payload or self._continued:
            return None
        echo = self._payload + b"\x1a"
        if self._buffer[lead : lead + len(echo)] != echo:
            return None
        self._payload = b""
        return Echo(self._take(lead + len(echo)))

    # ---- what a line means ---------------------------------------------------------------
    def _classify(self, raw: bytes) -> Event | None:
        line = raw.lstrip(b"\r\n\0")[:-1]
        if self._continued:
            return self._continue(raw, line)
        if self._echo is not None and line.strip() == self._echo:
            self._echo = None
            self._modem_echoes = True
            return Echo(raw)
        if self._echo is not None and len(self._echo) > 2 and line.endswith(self._echo):
            cut = raw.rindex(self._echo)
            self._buffer[:0] = raw[cut:]
            return Noise(raw[:cut])
        if self._payload and line.strip(b" \x1a") == self._payload:
            self._payload = b""
            return Echo(raw)
        if _BINARY.search(line) or line.startswith(b"~"):
            return Noise(raw)
        text = line.decode("utf-8", "backslashreplace").strip().removeprefix("> ")
        if not text or (not is_prefixed(text) and not _is_text(line)):
            return Noise(raw)
        if _AT_LINE.match(text):
            self._foreign, self._foreign_answered = command(text[:200]), False
            return ForeignEcho(raw, text)
        return self._final(raw, text) or self._text(raw, text)

    def _continue(self, raw: bytes, line: bytes) -> Event | None:
        held = self._continued
        assert held is not None  # noqa: S101 - for the type checker; the caller looked
        text = line.decode("utf-8", "backslashreplace")
        if not held.quoted:
            self._continued = None
            return Unsolicited(held.raw + raw, held.text, text)
        held.raw, held.text, held.lines = held.raw + raw, f"{held.text}\n{text}", held.lines + 1
        if held.text.count('"') % 2 and held.lines < _MAX_CONTINUATION and len(held.raw) < MAX_LINE:
            return None
        self._continued = None
        return Unsolicited(held.raw, held.text)

    def _final(self, raw: bytes, text: str) -> Event | None:
        dial = self.pending is not None and self.pending.dial
        result = final_result(text, self.dialect, dial=dial)
        if result is None:
            return None
        code, error_code, error_text = result
        late = self._is_late()
        if not late:
            self.state = State.ONLINE_DATA if code == "CONNECT" else State.IDLE
            self.pending, self._payload = None, None
            if self._echo is not None:
                self._modem_echoes = False
            self._echo = None
        return FinalResult(raw, code, error_code, error_text, late)

    def _is_late(self) -> bool:
        """Whether a final result ends something other than the pending command.

        Where the modem echoes, a result before our echo answers what came before it. After
        another program's command, a result that follows that command's lines and none of ours is
        that command's.
        """
        if self.state not in _WAITING or self.pending is None:
            return True
        if self._foreign and self._foreign_answered and not self._answer_lines:
            self._foreign = None
            return self.pending.is_read
        return self._modem_echoes and self._echo is not None and not self._answer_lines

    def _text(self, raw: bytes, text: str) -> Event | None:
        cmd = self.pending if self.state in _WAITING else None
        prefixed = is_prefixed(text)
        urc = is_urc(text, self.dialect)
        if (
            cmd
            and self._foreign
            and prefixed
            and not cmd.expects(text)
            and self._foreign.expects(text)
        ):
            self._foreign_answered = True
        elif cmd and (cmd.expects(text) and not (urc and cmd.any_prefix) if prefixed else not urc):
            before_echo = self._modem_echoes and self._echo is not None
            if not (before_echo and (not prefixed or cmd.any_prefix)):
                self._answer_lines += 1
                return InformationText(raw, text)
        elif text.startswith(self.dialect.quoted_over_lines) and text.count('"') % 2:
            self._continued = _Continuation(raw, text, quoted=True)
            return None
        elif text.startswith(self.dialect.with_body) and not (cmd and cmd.expects(text)):
            self._continued = _Continuation(raw, text, quoted=False)
            return None
        return Unsolicited(raw, text)
