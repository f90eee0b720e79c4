"""How the watcher learns of a change: udev's announcements, or looking often where there is none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from simdiag.errors import SimdiagError
from simdiag.watch import source, usb_source

LIMIT_S = 30.0


class Monitor:
    """``pyudev.Monitor`` as far as it is used; tests say what it announces next."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._next: list[object] = []
        self.subsystems: list[str] = []
        self.started = False

    def fileno(self) -> int:
        return self._theirs.fileno()

    def filter_by(self, subsystem: str) -> None:
        assert not self.started
        self.subsystems.append(subsystem)

    def start(self) -> None:
        self.started = True

    def poll(self, timeout: float) -> object:
        assert timeout == 0
        self._theirs.recv(1)
        found = self._next.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def announce(self, what: object) -> None:
        self._next.append(what)
        self._ours.send(b"x")

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


def device(path: str) -> object:
    return SimpleNamespace(sys_path=path)


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    made = Monitor()
    yield made
    made.close()


def test_announcements_of_usb_devices_count_and_no_others(monitor):
    told = threading.Semaphore(0)
    with source.Announced(monitor).announcing(told.release):
        monitor.announce(device("/sys/devices/virtual/net/veth0"))
        monitor.announce(None)  # somebody else's, which the filter let through
        monitor.announce(device("/sys/devices/pci0/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0"))
        assert told.acquire(timeout=LIMIT_S)
        assert not told.acquire(blocking=False)
    assert set(monitor.subsystems) == {"usb", "tty", "net", "usbmisc"}


def test_lost_announcements_count_as_a_change(monitor):
    told = threading.Semaphore(0)
    with source.Announced(monitor).announcing(told.release):
        monitor.announce(OSError(105, "No buffer space available"))
        assert told.acquire(timeout=LIMIT_S)
        monitor.announce(device("/sys/devices/pci0/usb1/1-2"))
        assert told.acquire(timeout=LIMIT_S)


def test_without_udev_it_looks_again_and_again(monkeypatch):
    monkeypatch.setattr(source, "POLL_S", 0.01)
    told = threading.Semaphore(0)
    with source.Polled().announcing(told.release):
        assert told.acquire(timeout=LIMIT_S)
        assert told.acquire(timeout=LIMIT_S)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("kind", ["announced", "polled"])
def test_nothing_is_left_when_it_ends(kind, monitor):
    threads, files = threading.active_count(), open_files()
    for _ in range(3):
        made = source.Announced(monitor) if kind == "announced" else source.Polled()
        with made.announcing(lambda: None):
            assert threading.active_count() == threads + 1
        monitor.started = False
    assert (threading.active_count(), open_files()) == (threads, files)


@pytest.mark.parametrize("running", [True, False])
def test_udev_is_listened_to_where_it_runs(running, tmp_path, monkeypatch):
    pyudev = pytest.importorskip("pyudev")
    try:
        pyudev.Context()
    except ImportError:
        pytest.skip("libudev is not installed")
    monkeypatch.setattr(source, "_UDEV", tmp_path if running else tmp_path / "none")
    found = usb_source()
    assert isinstance(found, source.Announced if running else source.Polled)
    assert (found.hint is None) is running


def test_udev_is_busy_as_long_as_it_has_a_queue(tmp_path, monitor, monkeypatch):
    monkeypatch.setattr(source, "_QUEUE", tmp_path / "queue")
    assert not source.Announced(monitor).busy()
    Path(tmp_path / "queue").touch()
    assert source.Announced(monitor).busy()


def test_without_libudev_there_is_a_sentence(monkeypatch):
    pyudev = pytest.importorskip("pyudev")

    def missing() -> None:
        raise ImportError("No library named udev")

    monkeypatch.setattr(pyudev, "Context", missing)
    with pytest.raises(SimdiagError, match=r"libudev is missing.*install it"):
        usb_source()
