"""Serves an emulated modem on an open terminal, with the wire's own troubles."""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import time
from dataclasses import dataclass
from threading import Event

from simdiag.emulator.modem import EmulatedModem
from simdiag.emulator.response import Happening, Response

_IDLE_S = 0.2
_LINE = re.compile(rb"([^\r\n]*)[\r\n]")
_MESSAGE = re.compile(rb"([^\x1a\x1b]*)([\x1a\x1b])")


@dataclass(frozen=True, slots=True)
class Wire:
    """How the bytes travel.

    ``latency_s`` before each answer, ``chunk`` bytes at a time (0: all at once), ``noise`` and
    ``urcs`` as the chance, for each line, of binary bytes or an unsolicited line before it.
    """

    latency_s: float = 0.0
    chunk: int = 0
    noise: float = 0.0
    urcs: float = 0.0
    seed: int = 0


class ModemServer:
    """Answers on one open terminal: a pty's master, or the device side of a USB gadget's port."""

    def __init__(self, modem: EmulatedModem, fd: int, wire: Wire | None = None) -> None:
        self._modem = modem
        self._fd = fd
        self._wire = wire or Wire()
        self._random = random.Random(self._wire.seed)  # noqa: S311 - reproducible, not secret
        self._stop = Event()
        self._commands = 0
        self._prompted = False
        self._urcs_given = False
        self._later: list[tuple[float, Happening]] = []

    def stop(self) -> None:
        """Make ``serve`` return soon."""
        self._stop.set()

    def serve(self) -> bool:
        """Answer until ``stop`` is called; returns true if the scenario unplugs itself instead.

        The terminal is left open: whoever opened it closes it.
        """
        pending = b""
        while not self._stop.is_set():
            self._say_late_lines()
            if not select.select([self._fd], [], [], _IDLE_S)[0]:
                continue
            data = b""
            with contextlib.suppress(OSError):
                data = os.read(self._fd, 4096)
            if not data:  # nobody has the other end open
                time.sleep(_IDLE_S)
                continue
            pending += data
            while found := re.match(_MESSAGE if self._prompted else _LINE, pending):
                pending = pending[found.end() :]
                if self._prompted:
                    self._take_message(*found.groups())
                elif not self._take(found[1]):
                    return True
        return False

    def _take_message(self, body: bytes, end: bytes) -> None:
        """Take what follows a prompt; whatever it is, it is no command."""
        self._prompted = False
        echo = body + end if self._modem.echo else b""
        self._answer(echo, self._modem.take_message(body, end))

    def _take(self, raw: bytes) -> bool:
        """Answer one line; returns false when the scenario has unplugged the modem."""
        state = self._modem.state
        line = raw.decode("ascii", "replace").strip().lstrip("\x1b")
        if not line:
            return True
        self._commands += 1
        if self._commands == 1:  # earlier they would be lost: opening a port empties its buffer
            for boot_line in state.boot_lines:
                self._write(f"\r\n{boot_line}\r\n".encode())
        if state.answers == "mute" or (state.mute_after and self._commands > state.mute_after):
            return True
        if state.answers == "noise":
            self._write(bytes(self._random.randrange(128, 256) for _ in range(64)))
            return True
        echo = raw + b"\r" if self._modem.echo else b""
        if not line.upper().startswith("AT"):
            self._write(echo)
            return True
        response = self._modem.execute(line)
        if self._wire.latency_s:
            time.sleep(self._wire.latency_s)
        if state.unplug_after and self._commands >= state.unplug_after:
            self._write(echo + b"\r\n+C")
            return False
        if "REG" in line and not self._urcs_given:
            self._urcs_given = True
            response.later.append((0.5, lambda: list(state.late_urcs)))
        self._answer(echo, response)
        return True

    def _answer(self, echo: bytes, response: Response) -> None:
        self._prompted = response.prompt is not None
        if response.prompt is not None:
            prompt = f"\r\n{response.prompt}" if response.prompt else ""
            self._write(echo + prompt.encode())
            return
        self._write(echo + self._render(response))
        now = time.monotonic()
        self._later += [(now + delay, what) for delay, what in response.later]

    def _render(self, response: Response) -> bytes:
        out = b""
        for text in (*response.lines, response.final, *response.after):
            if self._wire.noise and self._random.random() < self._wire.noise:
                out += b"\x00\xff~\x7d\x5d~\r\n"
            if self._modem.state.urcs and self._random.random() < self._wire.urcs:
                urc = self._modem.fill(self._random.choice(self._modem.state.urcs))
                out += f"\r\n{urc}\r\n".encode()
            out += f"\r\n{text}\r\n".encode()
        return out

    def _say_late_lines(self) -> None:
        now = time.monotonic()
        due = [what for at, what in self._later if at <= now]
        self._later = [(at, what) for at, what in self._later if at > now]
        for line in (line for what in due for line in what()):
            self._write(f"\r\n{line}\r\n".encode())

    def _write(self, data: bytes) -> None:
        step = self._wire.chunk or max(1, len(data))
        for start in range(0, len(data), step):
            with contextlib.suppress(OSError):
                os.write(self._fd, data[start : start + step])
            if self._wire.chunk:
                time.sleep(0.0005)
