"""Method ``sockets``: the kernel's statistics of TCP sockets (sock_diag(7)). Needs no rights.

Polled, and told of each socket's end by the kernel, so that a connection shorter than the interval
counts in full. Whose it was is not in that message (``inet_diag_handler_get_info`` leaves user and
inode empty): it is taken for theirs who talked to the same service, if all of them are one user's.
The payload is exact; headers are estimated from the number of segments.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simdiag.errors import SimdiagError
from simdiag.host.holders import pids
from simdiag.message import N_, Message, message
from simdiag.usage import owners
from simdiag.usage.links import Address, Interface, local_addresses, neighbourhood
from simdiag.usage.netlink import SOCK_DIAG, Netlink, attributes, messages
from simdiag.usage.owners import Process
from simdiag.usage.records import NOBODY, Amount, Label, Method, Owner, State
from simdiag.usage.remotes import Neighbourhood

_BY_FAMILY = 20  # linux/sock_diag.h: SOCK_DIAG_BY_FAMILY
_DESTROYED = (1, 3)  # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
_REQUEST = struct.Struct("=BBBxI48s")  # struct inet_diag_req_v2, its socket id left empty
_MESSAGE = struct.Struct("=BBBB4s16s16sIQIIIII")  # struct inet_diag_msg
_INFO = 2  # INET_DIAG_INFO
_STATES = 0xFFF & ~(1 << 10 | 1 << 6)  # all but listening and TIME-WAIT, which count nothing
_TCP_INFO = struct.Struct("=120xQQII")  # bytes acked and received, segments out and in
_BYTES_SENT = struct.Struct("=200xQ")  # with what was sent again; Linux 4.19
_HEADERS = {4: 20 + 20 + 12, 6: 40 + 20 + 12}
"""Bytes of IP and TCP header in a segment, with the time stamps that Linux negotiates."""
_SOL_NETLINK, _ADD_MEMBERSHIP, _SO_RCVBUFFORCE = 270, 1, 33
_BUFFER = 16 << 20
_REMEMBERED_S = 300.0
"""How long it is known who talked to a service, or twice that."""


Service = tuple[Address | None, int]
"""The end that waits for others, which has the lower port: elsewhere by address, or here."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP socket: who it is and what it carried so far."""

    cookie: int
    inode: int
    uid: int
    local: Address
    remote: Address
    service: Service
    amount: Amount


def connections() -> Iterator[Connection]:
    """Yield the TCP sockets of this network namespace. Raises ``OSError``."""
    with Netlink(SOCK_DIAG) as netlink:
        for family in (socket.AF_INET, socket.AF_INET6):
            body = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _STATES, bytes(48))
            for answer in netlink.dump(_BY_FAMILY, body):
                if connection := _parse(answer):
                    yield connection


def _parse(body: bytes) -> Connection | None:
    """Read a ``struct inet_diag_msg`` and what follows; ``None`` without TCP statistics."""
    family, _, _, _, ports, source, target, _, cookie, _, _, _, uid, inode = _MESSAGE.unpack_from(
        body
    )
    info = attributes(body[_MESSAGE.size :]).get(_INFO, b"")
    if len(info) < _TCP_INFO.size:
        return None
    sent, received, segments_out, segments_in = _TCP_INFO.unpack_from(info)
    if len(info) >= _BYTES_SENT.size:
        (sent,) = _BYTES_SENT.unpack_from(info)
    local, remote = _address(family, source), _address(family, target)
    headers = _HEADERS[local.version]
    amount = Amount(
        received + headers * segments_in, sent + headers * segments_out, segments_in, segments_out
    )
    near, far = struct.unpack(">HH", ports)
    service = (remote, far) if far <= near else (None, near)
    return Connection(cookie, inode, uid, local, remote, service, amount)


def _address(family: int, raw: bytes) -> Address:
    if family == socket.AF_INET:
        return ipaddress.IPv4Address(raw[:4])
    address = ipaddress.IPv6Address(raw)
    return address.ipv4_mapped or address


class Endings:
    """Tells of every TCP socket that is destroyed, with its last statistics.

    ``missed`` counts how often the kernel had more to tell than there was room for.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, SOCK_DIAG
        )
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind((0, 0))  # one without an address is passed over
        for group in _DESTROYED:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def within(self, seconds: float) -> Iterator[Connection]:
        """Yield the sockets that end within a time; those that ended before come first."""
        until = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(until - time.monotonic(), 0))
            try:
                data = self._socket.recv(1 << 16)
            except (BlockingIOError, TimeoutError):
                return
            except OSError as problem:
                if problem.errno != errno.ENOBUFS:
                    raise
                self.missed += 1
                continue
            for _, _, body in messages(data):
                if connection := _parse(body):
                    yield connection


class SocketMeter:
    """Counts TCP by program where the process may be looked at, by user otherwise.

    Raises ``SimdiagError`` where socket statistics are refused.
    """

    method = Method.SOCKETS

    def __init__(self) -> None:
        try:
            self._endings = Endings()
            self._before = {c.cookie: c.amount for c in connections()}
        except OSError as problem:
            text = N_("the kernel does not tell of its sockets: {why}")
            raise SimdiagError(message(text, why=message(str(problem.strerror)))) from problem
        self._users: dict[int, int] = {}  # cookie to uid
        self._processes: dict[int, int | None] = {}  # cookie to pid
        self._known: dict[int, Process] = {}
        self._grown: dict[tuple[Address, Address, Owner, State], Amount] = defaultdict(Amount)
        self._ended: list[tuple[Connection, Amount]] = []  # whose is not known yet
        self._talkers: dict[Service, set[Process]] = {}
        self._talkers_before: dict[Service, set[Process]] = {}
        self._rotated = time.monotonic()
        self._addresses: set[Address] = set()
        self._near = Neighbourhood()

    @property
    def blind_spots(self) -> tuple[Message, ...]:
        """Return what socket statistics do not tell."""
        always = N_(
            "UDP (QUIC, name look-ups), ICMP and traffic that is forwarded for other devices or "
            "containers are not seen by this method: they are part of what is unattributed."
        )
        short = N_(
            "Connections shorter than half a second are filed by who else talked to the same "
            "server: an estimate. Where nobody did, or several users, whose they were is not known."
        )
        others = N_("Connections of other users are filed by user, not by program.")
        return (
            message(always), message(short), *([message(others)] if os.geteuid() else [])
        )  # fmt: skip

    def wait(self, seconds: float) -> None:
        """Note the last statistics of sockets that end, and poll."""
        self._listen(seconds)
        self._poll()

    def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
        """Return what went over the interface: sockets are told by its addresses."""
        self._listen(0)
        self._poll()
        if interface is not None:
            self._addresses = local_addresses(interface.index)
            networks, gateways = neighbourhood(interface.index)
            self._near = Neighbourhood(frozenset(networks), frozenset(gateways))
        for connection, amount in self._ended:
            self._grow(connection, self._guessed(connection.service), amount)
        self._ended.clear()
        self._forget_talkers()
        found: dict[Label, Amount] = defaultdict(Amount)
        for (local, remote, owner, state), amount in self._grown.items():
            if local in self._addresses:
                label = Label(self.method, owner, "tcp", self._near.remote(remote), state)
                found[label] += amount
        self._grown.clear()
        return found

    def losses(self) -> Mapping[str, int]:
        """Return how often the kernel could not tell of endings; their last bytes are missing."""
        missed, self._endings.missed = self._endings.missed, 0
        return {"socket_endings": missed}

    def close(self) -> None:
        """Listen no more."""
        self._endings.close()

    def _listen(self, seconds: float) -> None:
        for ended in self._endings.within(seconds):
            self._note(ended)
            self._before.pop(ended.cookie, None)
            self._users.pop(ended.cookie, None)
            self._processes.pop(ended.cookie, None)

    def _poll(self) -> None:
        there = list(connections())
        self._find_processes(there)
        for connection in there:
            if connection.cookie in self._users:  # else its end tells all of it
                self._note(connection)

    def _note(self, connection: Connection) -> None:
        before = self._before.get(connection.cookie, Amount())
        self._before[connection.cookie] = connection.amount
        if grown := connection.amount - before:
            if process := self._process(connection):
                self._talkers.setdefault(connection.service, set()).add(process)
                self._grow(connection, process, grown)
            else:
                self._ended.append((connection, grown))

    def _grow(self, connection: Connection, process: Process, amount: Amount) -> None:
        key = (connection.local, connection.remote, process.owner, process.state)
        self._grown[key] += amount

    def _process(self, connection: Connection) -> Process | None:
        pid = self._processes.get(connection.cookie)
        known = self._known.get(pid) if pid is not None else None
        uid = self._users.get(connection.cookie)
        return known or (_user(uid) if uid is not None else None)

    def _guessed(self, service: Service) -> Process:
        """Return who talked to a service: one program, or programs of one user."""
        talkers = self._talkers.get(service, set()) | self._talkers_before.get(service, set())
        users = {process.owner.uid for process in talkers}
        if len(users) != 1:
            return Process(NOBODY, State.UNKNOWN)
        named = [process for process in talkers if process.owner.program]
        return named[0] if len({process.owner for process in named}) == 1 else _user(users.pop())

    def _forget_talkers(self) -> None:
        if time.monotonic() - self._rotated > _REMEMBERED_S:
            self._talkers_before, self._talkers = self._talkers, {}
            self._rotated = time.monotonic()

    def _find_processes(self, there: list[Connection]) -> None:
        """Look up who has the sockets that are new; once, also if nobody shows them.

        One that no file refers to (not accepted yet, or closed) has neither inode nor user: root
        is what the kernel then says.
        """
        self._users.update({c.cookie: c.uid for c in there if c.inode})
        new = {c.inode: c.cookie for c in there if c.inode and c.cookie not in self._processes}
        if new:
            self._processes.update(dict.fromkeys(new.values()))
            for pid in pids():
                for _, inode in owners.sockets_of(pid):
                    if inode in new:
                        self._processes[new[inode]] = pid
        alive = {pid for pid in self._processes.values() if pid is not None}
        seen = {pid: owners.look_at(pid) or self._known.get(pid) for pid in alive}
        self._known = {pid: process for pid, process in seen.items() if process}


def _user(uid: int) -> Process:
    return Process(Owner(user=owners.user_name(uid), uid=uid), State.UNKNOWN)
