"""Says when the USB bus has changed and what is on it: by udev's word, else by looking often."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

from simdiag.discovery import SUBSYSTEMS, UsbModem, discover
from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message

_UDEV = Path("/run/udev/control")
_QUEUE = Path("/run/udev/queue")
POLL_S = 2.0


class Source(Protocol):
    """What the watcher has to know of the world."""

    hint: Message | None
    """What the user should know about how devices are noticed."""

    def look(self) -> list[UsbModem]:
        """Return what is plugged in now."""

    def busy(self) -> bool:
        """Whether devices are being set up, so that more is about to show."""

    def announcing(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        """Call ``changed``, from any thread, whenever another look is worth while."""


def usb_source() -> Source:
    """Return udev, or what stands in for it; raises ``SimdiagError`` where there is no libudev."""
    try:
        import pyudev  # loads libudev, which a container need not have

        context = pyudev.Context()
    except (ImportError, OSError) as problem:
        text = N_("libudev is missing, so no device can be seen: install it (Debian: libudev1)")
        raise SimdiagError(text) from problem
    return Announced(pyudev.Monitor.from_netlink(context)) if _UDEV.exists() else Polled()


class Polled:
    """Looks every ``POLL_S`` seconds: without udev nobody announces anything."""

    hint: Message | None = message(
        N_("No udev is running here: devices are looked for every {seconds} seconds."),
        seconds=f"{POLL_S:.0f}",
    )

    def look(self) -> list[UsbModem]:
        """Return what sysfs shows."""
        return discover()

    def busy(self) -> bool:
        """Nobody would say so."""
        return False

    @contextmanager
    def announcing(self, changed: Callable[[], None]) -> Iterator[None]:
        """Let a thread ask for a look at equal intervals."""
        end = Event()

        def work() -> None:
            while not end.wait(POLL_S):
                changed()

        thread = Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


class Announced:
    """udev's own announcements, over netlink: it has then set permissions and links."""

    hint: Message | None = None

    def __init__(self, monitor: Any) -> None:
        self._monitor = monitor

    def look(self) -> list[UsbModem]:
        """Return what udev knows."""
        return discover()

    def busy(self) -> bool:
        """Whether udev has events to work off (what ``udevadm settle`` looks at)."""
        return _QUEUE.exists()

    @contextmanager
    def announcing(self, changed: Callable[[], None]) -> Iterator[None]:
        """Listen in a thread, from before the first look on."""
        for subsystem in SUBSYSTEMS:
            self._monitor.filter_by(subsystem)
        self._monitor.start()
        end, ended = os.pipe()
        thread = Thread(target=self._listen, args=(end, changed), daemon=True)
        thread.start()
        try:
            yield
        finally:
            os.close(ended)
            thread.join()
            os.close(end)

    def _listen(self, end: int, changed: Callable[[], None]) -> None:
        while True:
            ready, _, _ = select.select([self._monitor, end], [], [])
            if end in ready:
                return
            if self._concerns_usb():
                changed()

    def _concerns_usb(self) -> bool:
        try:
            device = self._monitor.poll(0)
        except OSError:  # more announcements than the socket holds: some are lost
            return True
        return device is not None and "/usb" in device.sys_path
