"""Gives the sockets that are there before the recorder to their processes.

Through a copy of each file descriptor, so in every network namespace, and listeners too, whose
children inherit it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator

from simdiag.host.holders import may_read_files
from simdiag.usage import owners
from simdiag.usage.kernel.census import Census
from simdiag.usage.kernel.libbpf import Map

OWNER = struct.Struct("=QII16x")  # namespace, process, user, last
_NUMBER = struct.Struct("=I")
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same on every architecture; Linux 5.3 and 5.6
_SO_NETNS_COOKIE = 71  # Linux 5.14
_INTERNET_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ELSEWHERE = 0xFFFF_FFFF_FFFF_FFFF
"""The namespace of sockets in another one, where the kernel does not say which."""


class OlderSockets:
    """Writes into ``stamps``, the program's storage of owners in their sockets."""

    def __init__(self, stamps: Map) -> None:
        self._stamps = stamps
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            owner = stamps.get(_NUMBER.pack(own.fileno()))
        self.namespace = int(OWNER.unpack(owner)[0]) if owner else 0
        """The cookie of this network namespace, as the program gave it to a new socket."""

    def stamp(self, census: Census) -> int:
        """Stamp them all; returns how many processes could not be looked at."""
        done: set[int] = set()
        unseen = 0
        for pid in owners.pids():
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
            if self._stamps.get(key) is None:
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
