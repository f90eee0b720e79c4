"""Counts in the kernel by process; see ``usage.bpf.c`` for what is counted and how."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import resources
from ipaddress import IPv4Network
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.host import may_read_files
from simdiag.message import N_, Message, message
from simdiag.usage import owners
from simdiag.usage.kernel.libbpf import Library, Object, sum_of_cpus
from simdiag.usage.links import Interface, Network, neighbourhood
from simdiag.usage.owners import Process
from simdiag.usage.records import (
    NOBODY,
    Amount,
    Label,
    Method,
    Remote,
    State,
    protocol_name,
)
from simdiag.usage.remotes import Neighbourhood

# The structures of usage.bpf.c.
_OWNER = struct.Struct("=QII")  # namespace, process, user
_PROCESS = struct.Struct("=QII16s")  # cgroup, process, user, name
_KEY = struct.Struct("=QIIBBB5x")  # namespace, process, interface, outgoing, protocol, remote
_AMOUNT = 16
_ADDRESS = struct.Struct("=I16s")  # prefix length, address
_NUMBER = struct.Struct("=I")
_REMOTES = (Remote.INTERNET, Remote.LOCAL, Remote.DEVICE)
_PROGRAMS = (
    "on_create", "on_connect4", "on_connect6", "on_sendmsg4", "on_sendmsg6", "on_receive",
    "on_send",
)  # fmt: skip
_VARIANTS = ((True, True), (True, False), (False, True), (False, False))
"""may_name_threads, may_ask_for_namespace: best first."""

_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same on every architecture; Linux 5.3 and 5.6
_SO_NETNS_COOKIE = 71  # Linux 5.14
_INTERNET_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_IDLE_S = 60.0
"""How long the last packets of a dead process's sockets are waited for."""


class KernelMeter:
    """Counts all traffic of this computer's sockets, exactly, by process.

    Raises ``SimdiagError``, saying why, where the kernel cannot or may not be used.
    """

    method = Method.KERNEL

    def __init__(self) -> None:
        cgroup = cgroup_root()
        self._object = _load(Library(), _code())
        try:
            self._traffic = self._object.map("traffic", _KEY.size, _AMOUNT, per_cpu=True)
            self._overflow = self._object.map("overflow", _NUMBER.size, _AMOUNT, per_cpu=True)
            self._nearby = self._object.map("nearby", _ADDRESS.size, 1)
            self._processes = self._object.map("processes", _NUMBER.size, _PROCESS.size)
            self._owners = self._object.map("owners", _NUMBER.size, _OWNER.size)
            self._wait = self._object.listen("born", self._born)
            self._known: dict[int, Process] = {}
            self._counted: dict[bytes, tuple[int, int]] = {}
            self._last_grown: dict[bytes, float] = {}
            self._overflown = 0
            self._indexes: set[int] = set()
            self._near = Neighbourhood()
            self._attach(cgroup)
            self._namespace = self._own_namespace()
            self.unseen = self._stamp_older_sockets()
        except BaseException:
            self.close()
            raise

    @property
    def blind_spots(self) -> tuple[Message, ...]:
        """Return what is not counted at sockets, or whose owner is not known."""
        found = [
            message(
                N_(
                    "Traffic that is forwarded for other devices or containers is not counted by "
                    "process: it is part of what is unattributed."
                )
            )
        ]
        if self.unseen:
            text = N_(
                "{count} processes could not be looked at: connections that they already have are "
                "part of what is unattributed."
            )
            found.append(message(text, count=self.unseen))
        return tuple(found)

    def wait(self, seconds: float) -> None:
        """Look at each new process at once: it may live for milliseconds only."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._wait(left)

    def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
        """Return what the sockets of this network namespace sent and received over it."""
        if interface is not None:
            self._indexes.add(interface.index)  # the kernel gives none twice
            self._look_around(interface.index)
        self._wait(0)
        found: dict[Label, Amount] = defaultdict(Amount)
        seen: dict[int, Process | None] = {}
        now = time.monotonic()
        for key, value in self._traffic.items():
            grown = self._grown(key, sum_of_cpus(value), now)
            namespace, pid, index, outgoing, protocol, remote = _KEY.unpack(key)
            if grown is None or index not in self._indexes:
                continue
            if namespace not in (self._namespace, 0):
                continue
            if pid not in seen:
                seen[pid] = self._process(pid)
            process = seen[pid] or Process(NOBODY, State.UNKNOWN)
            label = Label(
                self.method, process.owner, protocol_name(protocol), _REMOTES[remote], process.state
            )
            found[label] += _amount(bool(outgoing), *grown)
        self._forget(now)
        return found

    def losses(self) -> Mapping[str, int]:
        """Return the packets for which the map had no room."""
        both = (self._overflow.get(_NUMBER.pack(direction)) or b"" for direction in (0, 1))
        packets = sum(sum_of_cpus(value)[1] for value in both)
        lost, self._overflown = packets - self._overflown, packets
        return {"map_overflow": lost}

    def close(self) -> None:
        """Detach and unload; without it the kernel does so when the process ends."""
        self._object.close()

    # ---- starting --------------------------------------------------------------------------
    def _attach(self, cgroup: Path) -> None:
        try:
            self._object.attach(cgroup, *_PROGRAMS)
        except OSError as problem:
            why = message(str(problem.strerror))
            text = N_("the kernel does not let simdiag count at {cgroup}: {why}")
            raise SimdiagError(message(text, cgroup=cgroup, why=why)) from problem

    def _own_namespace(self) -> int:
        """Return the cookie of this network namespace, as the program gave it to a new socket."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            owner = self._owners.get(_NUMBER.pack(own.fileno()))
        return int(_OWNER.unpack(owner)[0]) if owner else 0

    def _stamp_older_sockets(self) -> int:
        """Give the sockets that are there already to their processes; returns how many failed.

        Through a copy of the file descriptor, so in every network namespace, and listeners too,
        whose children inherit it.
        """
        done: set[int] = set()
        unseen = 0
        for pid in owners.pids():
            if not may_read_files(pid):
                unseen += 1
                continue
            new = [(fd, inode) for fd, inode in owners.sockets_of(pid) if inode not in done]
            if new and (process := owners.look_at(pid)):
                done.update(inode for _, inode in new)
                if sum(self._stamp(copy, pid, process) for copy in _copies(pid, new)):
                    self._known[pid] = process
        return unseen

    def _stamp(self, fd: int, pid: int, process: Process) -> bool:
        with socket.socket(fileno=fd) as copy:
            if copy.family not in _INTERNET_FAMILIES:
                return False
            owner = _OWNER.pack(self._namespace_of(copy, pid), pid, process.owner.uid)
            key = _NUMBER.pack(fd)
            if self._owners.get(key) is None:
                self._owners.set(key, owner)
            return True

    def _namespace_of(self, copy: socket.socket, pid: int) -> int:
        try:
            return int.from_bytes(
                copy.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder
            )
        except OSError:  # Linux before 5.14
            same = _namespace_link(pid) == _namespace_link(os.getpid())
            return self._namespace if same else -1 & 0xFFFFFFFFFFFFFFFF

    # ---- counting --------------------------------------------------------------------------
    def _born(self, data: bytes) -> None:
        """Take a process that made its first socket, or moved: it may be gone in a moment."""
        cgroup, pid, uid, name = _PROCESS.unpack(data)
        self._known[pid] = owners.look_at(pid) or _gone(cgroup, uid, name)

    def _process(self, pid: int) -> Process | None:
        """Return who a process is now, or was."""
        if process := owners.look_at(pid) if pid else None:
            self._known[pid] = process
        elif pid not in self._known and (data := self._processes.get(_NUMBER.pack(pid))):
            self._born(data)  # the ring buffer was full
        return self._known.get(pid)

    def _grown(self, key: bytes, now: tuple[int, int], at: float) -> tuple[int, int] | None:
        before = self._counted.get(key, (0, 0))
        if now == before:
            return None
        self._counted[key], self._last_grown[key] = now, at
        return now[0] - before[0], now[1] - before[1]

    def _forget(self, now: float) -> None:
        """Make room: drop what dead processes had once nothing more comes."""
        idle = [key for key, at in self._last_grown.items() if now - at > _IDLE_S]
        pids = {_KEY.unpack(key)[1] for key in idle} - {0}
        dead = {pid for pid in pids if not (owners.PROC / str(pid)).exists()}
        for key in idle:
            if _KEY.unpack(key)[1] in dead:
                self._traffic.delete(key)
                del self._counted[key], self._last_grown[key]
        for pid in dead:
            self._processes.delete(_NUMBER.pack(pid))
            self._known.pop(pid, None)

    def _look_around(self, index: int) -> None:
        networks, gateways = neighbourhood(index)
        near = Neighbourhood(frozenset(networks), frozenset(gateways))
        if near == self._near:
            return
        for network, _ in self._near.prefixes():
            self._nearby.delete(_address(network))
        for network, remote in near.prefixes():
            self._nearby.set(_address(network), bytes([_REMOTES.index(remote)]))
        self._near = near


def cgroup_root(mounts: Path = Path("/proc/self/mountinfo")) -> Path:
    """Return where cgroup2 is mounted. Raises ``SimdiagError`` where it is not."""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        words = line.split()
        if words[words.index("-") + 1] == "cgroup2":
            return Path(words[4])
    raise SimdiagError(
        message(
            N_("cgroup v2 is not mounted: mount it with `mount -t cgroup2 none /sys/fs/cgroup`")
        )
    )


def _code() -> bytes:
    if sys.byteorder == "big":
        raise SimdiagError(message(N_("the counting program is for little-endian computers only")))
    return resources.files(__package__).joinpath("usage.bpf.o").read_bytes()


def _load(library: Library, code: bytes) -> Object:
    for variant in _VARIANTS:
        try:
            return Object(library, code, "usage", struct.pack("=??", *variant))
        except OSError as problem:
            refused = problem
    if refused.errno in (errno.EPERM, errno.EACCES) and os.geteuid():
        raise SimdiagError(message(N_("counting in the kernel needs root")))
    why = message(str(refused.strerror))
    text = N_("this kernel ({release}) does not take the counting program: {why}")
    raise SimdiagError(message(text, release=platform.release(), why=why))


def _amount(outgoing: bool, octets: int, packets: int) -> Amount:
    return Amount(0, octets, 0, packets) if outgoing else Amount(octets, 0, packets, 0)


def _address(network: Network) -> bytes:
    """Return a network as the program's key: IPv4 as ::ffff:a.b.c.d."""
    if isinstance(network, IPv4Network):
        mapped = bytes(10) + b"\xff\xff" + network.network_address.packed
        return _ADDRESS.pack(96 + network.prefixlen, mapped)
    return _ADDRESS.pack(network.prefixlen, network.network_address.packed)


def _gone(cgroup: int, uid: int, name: bytes) -> Process:
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


def _namespace_link(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115
    except OSError:
        return ""
