"""Gives an emulated modem a pty, with the wire's own troubles: latency, chunks, noise, URCs."""

from __future__ import annotations

import contextlib
import os
import random
import select
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from simdiag.emulator.modem import EmulatedModem, Response
from simdiag.errors import ScenarioError
from simdiag.message import N_, message

_IDLE_S = 0.2


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


class PtyModem:
    """Serves one modem on a pty until told to stop."""

    def __init__(self, modem: EmulatedModem, wire: Wire | None = None) -> None:
        self._modem = modem
        self._wire = wire or Wire()
        self._random = random.Random(self._wire.seed)  # noqa: S311 - reproducible, not secret
        self._stop = Event()
        self._commands = 0
        self._late_at: float | None = None
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave: int | None = slave

    def stop(self) -> None:
        """Make ``serve`` return soon."""
        self._stop.set()

    def serve(self) -> None:
        """Answer until ``stop`` is called or the scenario unplugs itself."""
        try:
            pending = b""
            while not self._stop.is_set():
                self._say_late_lines()
                if not select.select([self._master], [], [], _IDLE_S)[0]:
                    continue
                try:
                    pending += os.read(self._master, 4096)
                except OSError:  # nobody has the other end open
                    time.sleep(_IDLE_S)
                    continue
                *lines, pending = pending.replace(b"\n", b"\r").split(b"\r")
                for line in lines:
                    if not self._take(line):
                        return
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        for fd in (self._slave, self._master):
            if fd is not None:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._slave = None

    def _take(self, raw: bytes) -> bool:
        """Answer one line; returns false when the scenario has unplugged the modem."""
        state = self._modem.state
        line = raw.decode("ascii", "replace").strip()
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
        self._write(echo + self._render(response))
        if "REG" in line and self._late_at is None and state.late_urcs:
            self._late_at = time.monotonic() + 0.5
        return True

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
        if self._late_at is not None and time.monotonic() >= self._late_at:
            self._late_at = float("inf")
            for line in self._modem.state.late_urcs:
                self._write(f"\r\n{line}\r\n".encode())

    def _write(self, data: bytes) -> None:
        step = self._wire.chunk or max(1, len(data))
        for start in range(0, len(data), step):
            with contextlib.suppress(OSError):
                os.write(self._master, data[start : start + step])
            if self._wire.chunk:
                time.sleep(0.0005)


@contextmanager
def running(modem: EmulatedModem, wire: Wire | None = None) -> Iterator[str]:
    """Serve a modem in a thread; yields the path of its port."""
    pty = PtyModem(modem, wire)
    thread = Thread(target=pty.serve, daemon=True)
    thread.start()
    try:
        yield pty.path
    finally:
        pty.stop()
        thread.join(timeout=5)


@contextmanager
def linked(path: str, link: Path) -> Iterator[None]:
    """Keep a symbolic link to the pty, as udev keeps ``/dev/serial/by-id``; removed at the end.

    A link that an emulator has left behind is replaced, no other file.
    """
    try:
        if link.is_symlink() and link.readlink().parent == Path("/dev/pts"):
            link.unlink()
        link.symlink_to(path)
    except OSError as problem:
        text = N_("the link {link} cannot be made: {why}")
        why = message(str(problem.strerror))
        raise ScenarioError(message(text, link=link, why=why)) from problem
    try:
        yield
    finally:
        if link.is_symlink() and str(link.readlink()) == path:
            link.unlink()
