"""Gives the sockets that are there before the recorder, or outlive their processes, to processes.

Through a copy of each file descriptor, so in every network namespace, and listeners too, whose
children inherit it. A daemon often has its listener from a parent that has ended since, or from
the first process, which opens it for services that it starts when somebody connects (systemd).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator

from simdiag.host.holders import lives, may_read_files, pids
from simdiag.usage import owners
from simdiag.usage.kernel.census import Census
from simdiag.usage.kernel.libbpf import Map

OWNER = struct.Struct("=QII8x")  # namespace, process, user, last
_NUMBER = struct.Struct("=I")
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same on every architecture; Linux 5.3 and 5.6
_SO_NETNS_COOKIE = 71  # Linux 5.14
_INTERNET_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ELSEWHERE = 0xFFFF_FFFF_FFFF_FFFF
"""The namespace of sockets in another one, where the kernel does not say which."""
FIRST = 1
"""The computer's first process."""
_LOOK_S = 60.0
"""At most so often heirs are looked for: among all files of all processes."""


class OlderSockets:
    """Writes into ``stamps``, the program's storage of owners in their sockets."""

    def __init__(self, stamps: Map) -> None:
        self._stamps = stamps
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            owner = stamps.get(_NUMBER.pack(own.fileno()))
        self.namespace = int(OWNER.unpack(owner)[0]) if owner else 0
        """The cookie of this network namespace, as the program gave it to a new socket."""
        self._heirs: dict[int, int] = {}  # of the processes that had ended at the last look
        self._looked = 0.0

    def heir(self, pid: int, census: Census) -> int:
        """Return which process has the sockets of one that has ended, itself if none is known.

        They are its own from then on, as are those of the first process that another one has too.
        """
        if pid not in self._heirs and time.monotonic() - self._looked > _LOOK_S:
            self.stamp(census)
        return self._heirs.get(pid, pid)

    def stamp(self, census: Census) -> int:
        """Stamp those without an owner who uses them; returns how many processes are unseen."""
        self._heirs.clear()
        self._looked = time.monotonic()
        done: set[int] = set()
        unseen = 0
        for pid in sorted(pids(), key=FIRST.__eq__):  # it has its services' listeners too
            if not (may_read_files(pid) and _may_trace(pid)):
                unseen += 1
                continue
            new = [(fd, inode) for fd, inode in owners.sockets_of(pid) if inode not in done]
            if new and (process := owners.look_at(pid)):
                done.update(inode for _, inode in new)
                uid = process.owner.uid
                if sum(self._stamp(copy, pid, uid) for copy in _copies(pid, new)):
                    census.note(pid, process)
        return unseen

    def _stamp(self, fd: int, pid: int, uid: int) -> bool:
        with socket.socket(fileno=fd) as copy:
            if copy.family not in _INTERNET_FAMILIES:
                return False
            key = _NUMBER.pack(fd)
            found = self._stamps.get(key)
            before = int(OWNER.unpack(found)[1]) if found else 0
            ended = not lives(before)
            if ended:
                self._heirs[before] = pid
            if ended or before == FIRST:
                self._stamps.set(key, OWNER.pack(self._namespace_of(copy, pid), pid, uid))
            return True

    def _namespace_of(self, copy: socket.socket, pid: int) -> int:
        try:
            return int.from_bytes(
                copy.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder
            )
        except OSError:  # Linux before 5.14
            same = _namespace_link(pid) == _namespace_link(os.getpid())
            return self.namespace if same else _ELSEWHERE


def _copies(pid: int, sockets: list[tuple[int, int]]) -> Iterator[int]:
    """Yield a copy of each file of a process; whoever takes it closes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_PIDFD_OPEN, pid, 0)
    if handle < 0:
        return
    try:
        for fd, _ in sockets:
            copy = libc.syscall(_PIDFD_GETFD, handle, fd, 0)
            if copy >= 0:
                yield copy
    finally:
        os.close(handle)


def _may_trace(pid: int) -> bool:
    """Whether files of a process may be looked at, and copied (ptrace(2)); true if it has ended."""
    try:
        os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _namespace_link(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115
    except OSError:
        return ""
