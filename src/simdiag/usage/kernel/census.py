"""Remembers who the processes are that the counting program tells of, also when they are gone."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from contextlib import suppress

from simdiag.host.holders import lives
from simdiag.usage import owners
from simdiag.usage.kernel.libbpf import Map
from simdiag.usage.kernel.loading import cgroup_root
from simdiag.usage.namespaces import Namespaces
from simdiag.usage.owners import Process
from simdiag.usage.records import State

PROCESS = struct.Struct("=QII16s")  # cgroup, process, user, name
_NUMBER = struct.Struct("=I")


class Census:
    """Who is who by process id; ``processes`` is the program's own list."""

    def __init__(self, processes: Map, namespaces: Namespaces) -> None:
        self._processes, self._namespaces = processes, namespaces
        self._known: dict[int, Process] = {}

    def born(self, data: bytes) -> None:
        """Take a process that made its first socket, or moved: it may be gone in a moment."""
        cgroup, pid, uid, name = PROCESS.unpack(data)
        self._known[pid] = owners.look_at(pid) or gone(cgroup, uid, name)
        self._namespaces.note(pid)

    def note(self, pid: int, process: Process) -> None:
        """Take a process that was looked at."""
        self._known[pid] = process

    def process(self, pid: int) -> Process | None:
        """Return who a process is now, or was."""
        if process := owners.look_at(pid) if pid else None:
            self._known[pid] = process
        elif pid not in self._known and (data := self._processes.get(_NUMBER.pack(pid))):
            self.born(data)  # the ring buffer was full
        return self._known.get(pid)

    def forget_all_but(self, pids: Collection[int]) -> None:
        """Drop processes that have ended, but for those of which something may still come."""
        ended = [p for p in self._known if p not in pids and not lives(p)]
        for pid in ended:
            self._processes.delete(_NUMBER.pack(pid))
            del self._known[pid]
        self._namespaces.forget(ended)


def gone(cgroup: int, uid: int, name: bytes) -> Process:
    """Make do with what the kernel noted of a process that has ended since."""
    program = name.split(b"\0")[0].decode("utf-8", "replace")
    return Process(owners.identified(program, uid, _cgroup_path(cgroup)), State.UNKNOWN)


def _cgroup_path(inode: int) -> str:
    """Find a cgroup by the inode of its folder; it lives longer than most processes in it."""
    root = cgroup_root()
    for folder, _, _ in os.walk(root):
        with suppress(OSError):
            if os.stat(folder).st_ino == inode:  # noqa: PTH116
                return "/" + os.path.relpath(folder, root)
    return ""
