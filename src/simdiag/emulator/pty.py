"""Gives an emulated modem a pty."""

from __future__ import annotations

import contextlib
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from simdiag.emulator.modem import EmulatedModem
from simdiag.emulator.server import ModemServer, Wire
from simdiag.errors import ScenarioError
from simdiag.message import N_, message

__all__ = ["PtyModem", "Wire", "linked", "running"]


class PtyModem:
    """Serves one modem on a pty until told to stop."""

    def __init__(self, modem: EmulatedModem, wire: Wire | None = None) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self._server = ModemServer(modem, self._master, wire)

    def stop(self) -> None:
        """Make ``serve`` return soon."""
        self._server.stop()

    def serve(self) -> None:
        """Answer until ``stop`` is called or the scenario unplugs itself; then hang up."""
        try:
            self._server.serve()
        finally:
            for fd in (self._slave, self._master):
                with contextlib.suppress(OSError):
                    os.close(fd)


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
