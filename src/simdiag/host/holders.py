"""Which programs have a port open."""

from __future__ import annotations

import os
import pwd
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LOCK_FOLDERS = ("/var/lock", "/run/lock", "/var/spool/lock")

# Programs that take modem or serial ports by themselves, as they appear in /proc/PID/comm.
_PORT_TAKERS = {
    "ModemManager", "brltty", "chat", "gammu-smsd", "gpsd", "kermit", "minicom", "modem-manager-g",
    "picocom", "pppd", "screen", "smsd", "smstools", "wvdial",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open. ``lock`` is its UUCP lock file where that is the proof.

    ``name`` is the kernel's short name of the process (at most 15 characters); ``user`` its
    owner, or ``None`` where that cannot be read.
    """

    pid: int
    name: str
    user: str | None = None
    lock: str | None = None

    def __str__(self) -> str:
        owner = f", user {self.user}" if self.user else ""
        return f"{self.name} (pid {self.pid}{owner})"


@dataclass(frozen=True, slots=True)
class Lock:
    """A UUCP lock file. It is ``stale`` when its process is dead, so that it only misleads."""

    path: str
    pid: int
    stale: bool


def port_holders(path: str) -> list[Holder]:
    """Return the other processes that have a port open or hold a live UUCP lock on it.

    Not root, one sees only one's own processes: an empty list then does not prove a free port.
    See :func:`possible_holders`.
    """
    return holders_of([path])[path]


def holders_of(paths: Iterable[str]) -> dict[str, list[Holder]]:
    """Return the holders of several ports by path, reading ``/proc`` once."""
    ports = {path: _Device.of(path) for path in paths}
    found: dict[str, list[Holder]] = {path: [] for path in ports}
    wanted = {path: device for path, device in ports.items() if device}
    numbers = frozenset(device.number for device in wanted.values())
    for pid in pids() if wanted else ():
        if pid == os.getpid():
            continue
        opened = list(_open_devices(pid, numbers))
        for path, device in wanted.items():
            if any(device.same(entry) for entry in opened) and not _is_far_end(device, opened):
                found[path].append(_holder(pid))
    for path, by_fd in found.items():
        _add_lock_holder(path, by_fd)
    return found


def possible_holders(path: str) -> list[Holder]:
    """Return running programs that usually take modem ports and whose files may not be read.

    For when a port is busy and :func:`port_holders` is empty: ModemManager runs as root, and an
    ordinary user cannot see what it has open. A suspicion, not a proof.
    """
    if not Path(path).exists():
        return []
    hidden = (pid for pid in pids() if pid != os.getpid() and not may_read_files(pid))
    return [suspect for pid in hidden if (suspect := _holder(pid)).name in _PORT_TAKERS]


def port_lock(path: str) -> Lock | None:
    """Return the UUCP lock file of a port (``/var/lock/LCK..ttyUSB2``), live or stale."""
    names = dict.fromkeys(f"LCK..{Path(p).name}" for p in (path, os.path.realpath(path)))
    for file in (Path(folder, name) for folder in _LOCK_FOLDERS for name in names):
        try:
            content = file.read_bytes()[:64]
        except OSError:
            continue
        pid = _lock_pid(content)
        if pid is not None:
            return Lock(str(file), pid, stale=not lives(pid))
    return None


@dataclass(frozen=True, slots=True)
class _Device:
    """The identity of a character device, or of an open file that refers to one."""

    name: str
    number: int
    filesystem: int
    tty_index: int | None = None

    @classmethod
    def of(cls, path: str | Path, tty_index: int | None = None) -> _Device | None:
        try:
            status = os.stat(path)  # noqa: PTH116 -- os.stat takes both kinds of path
        except OSError:
            return None
        if not stat.S_ISCHR(status.st_mode):
            return None
        try:
            real = os.path.realpath(path)
        except OSError:  # closed a moment ago
            return None
        return cls(real, status.st_rdev, status.st_dev, tty_index)

    @property
    def is_pts(self) -> bool:
        return self.name.startswith("/dev/pts/") and self.name != "/dev/pts/ptmx"

    @property
    def pts_index(self) -> int | None:
        last = self.name.rpartition("/")[2]
        return int(last) if self.is_pts and last.isascii() and last.isdigit() else None

    def same(self, other: _Device) -> bool:
        """Whether both are one device: the number counts, a name may be a copy or a link.

        Pseudo-terminals are numbered per devpts mount, and every container has its own.
        """
        if self.number != other.number:
            return False
        return not self.is_pts or self.filesystem == other.filesystem


def pids() -> list[int]:
    """Return the ids of the processes that are there."""
    try:
        names = os.listdir("/proc")  # noqa: PTH208
        return [int(name) for name in names if name.isascii() and name.isdigit()]
    except OSError:
        return []


def _open_devices(pid: int, wanted: frozenset[int]) -> Iterator[_Device]:
    """Yield which of the wanted devices a process has open, by their numbers, and pty masters.

    Nothing where its files may not be read. Texts, not paths, since this is a hot loop.
    """
    folder = f"/proc/{pid}/fd"
    try:
        files = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return
    for file in files:
        link = f"{folder}/{file}"
        try:
            name = os.readlink(link)  # noqa: PTH115
            # Only below /dev: to stat anything else could hang on a dead network file system.
            if not name.startswith("/dev/"):
                continue
            is_master = name.endswith("/ptmx")
            if not is_master and os.stat(link).st_rdev not in wanted:  # noqa: PTH116
                continue
        except OSError:
            continue
        if device := _Device.of(link, _tty_index(pid, file) if is_master else None):
            yield device


def _tty_index(pid: int, number: str) -> int | None:
    """Which pty an open ``/dev/ptmx`` masters (``tty-index`` in fdinfo, Linux 4.14 and later)."""
    try:
        text = Path(f"/proc/{pid}/fdinfo/{number}").read_text("ascii", "replace")
    except OSError:
        return None
    match = re.search(r"^tty-index:\s*(\d+)", text, re.M)
    return int(match[1]) if match else None


def _is_far_end(port: _Device, opened: list[_Device]) -> bool:
    """Whether the process is the other end of this pty (an emulator, socat), not a rival for it."""
    if not port.is_pts:
        return False
    masters = [device for device in opened if device.name.rpartition("/")[2] == "ptmx"]
    return any(m.tty_index is None or m.tty_index == port.pts_index for m in masters)


def may_read_files(pid: int) -> bool:
    """Whether it may be seen what a process has open; true of one that has ended."""
    try:
        os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
    except PermissionError:
        return False
    except OSError:  # it has ended
        return True
    return True


def _holder(pid: int, lock: str | None = None) -> Holder:
    return Holder(pid, _process_name(pid), _process_user(pid), lock)


def _process_name(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").rstrip("\n")
    except OSError:
        return "unknown"
    # A process names itself as it likes, terminal escapes included.
    return "".join(c if c.isprintable() else "?" for c in name) or "unknown"


def _process_user(pid: int) -> str | None:
    try:
        uid = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _add_lock_holder(path: str, found: list[Holder]) -> None:
    lock = port_lock(path)
    if lock is None or lock.stale or lock.pid == os.getpid():
        return
    if lock.pid not in {holder.pid for holder in found}:
        found.append(_holder(lock.pid, lock.path))


def _lock_pid(content: bytes) -> int | None:
    """Read a lock file: the pid is decimal text (HDB style) or four bytes (V2 style)."""
    words = content.split()
    if words and words[0].isdigit():
        return int(words[0])
    return int.from_bytes(content, sys.byteorder) if len(content) == 4 else None


def lives(pid: int) -> bool:
    """Whether a process is there, if only to be waited for."""
    return pid > 0 and os.path.exists(f"/proc/{pid}")  # noqa: PTH110 -- a hot loop
