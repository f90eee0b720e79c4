"""Counts in the kernel by process; see ``usage.bpf.c`` for what is counted and how."""

from __future__ import annotations

import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from simdiag.message import N_, Message, message
from simdiag.usage.forwarding import Client, Forwarding, forwards
from simdiag.usage.kernel import loading
from simdiag.usage.kernel.census import PROCESS, Census
from simdiag.usage.kernel.older import FIRST, OWNER, OlderSockets
from simdiag.usage.kernel.traffic import Traffic
from simdiag.usage.links import Interface, Network, neighbourhood
from simdiag.usage.namespaces import Namespaces
from simdiag.usage.owners import Process
from simdiag.usage.records import (
    FORWARDING_UNSEEN,
    NOBODY,
    Amount,
    Label,
    Method,
    Owner,
    Remote,
    State,
    protocol_name,
)
from simdiag.usage.remotes import Neighbourhood
from simdiag.usage.sharing import Flow, Flows, through_tunnel
from simdiag.usage.tunnels import served_by, tunnels

# The structures of usage.bpf.c; see also traffic, census and older.
_ADDRESS = struct.Struct("=I16s")  # prefix length, address
_NUMBER = struct.Struct("=I")
_REMOTES = (Remote.INTERNET, Remote.LOCAL, Remote.DEVICE)

_Place = tuple[int, int]
"""A network namespace by its cookie, and the index of an interface there."""


class KernelMeter:
    """Counts all traffic of this computer's sockets, exactly, by process.

    And what is forwarded over the interface ``name`` for other devices, by client, where the kernel
    takes a table for that. Raises ``SimdiagError``, saying why, where the kernel cannot or may not
    be used.
    """

    method = Method.KERNEL

    def __init__(self, name: str) -> None:
        loading.cgroup_root()  # else there is no need to load anything
        self._object = loading.load()
        self._forwarding: Forwarding | None = None
        try:
            self._traffic = Traffic(self._object)
            self._nearby = self._object.map("nearby", _ADDRESS.size, 1)
            self._namespaces = Namespaces()
            processes = self._object.map("processes", _NUMBER.size, PROCESS.size)
            self._census = Census(processes, self._namespaces)
            self._wait = self._object.listen("born", self._census.born)
            self._indexes: set[int] = set()
            self._near = Neighbourhood()
            loading.attach(self._object)
            self._older = OlderSockets(self._object.map("owners", _NUMBER.size, OWNER.size))
            self._namespace = self._older.namespace
            self.unseen = self._older.stamp(self._census)
            self._count_forwarded(name)
        except BaseException:
            self.close()
            raise

    @property
    def blind_spots(self) -> tuple[Message, ...]:
        """Return what is not counted, or whose owner is not known."""
        found = []
        if self._forwarding is None:
            text = N_(
                "Traffic that is forwarded for other devices or containers is part of what is "
                "unattributed, since this kernel does not count it: {why}."
            )
            found.append(message(text, why=message(self._why_not)))
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
        """Return what was sent and received over it, here and for others."""
        if interface is not None:
            self._indexes.add(interface.index)  # the kernel gives none twice
            self._look_around(interface.index)
            if self._forwarding and self._forwarding.interface != interface.link.name:
                self._count_forwarded(interface.link.name)
        self._wait(0)
        places = self._harvest()
        here: dict[Flow, Amount] = defaultdict(Amount)
        for index in self._indexes:
            for namespace in (self._namespace, 0):
                for flow, amount in places.pop((namespace, index), {}).items():
                    here[flow] += amount
        found: dict[Label, Amount] = defaultdict(Amount)
        seen: dict[int, Process] = {}
        for flow, method, amount in self._by_user(here, places):
            found[self._label(flow, method, seen)] += amount
        for whose, method, amount in self._forwarded(places):
            found[self._label(whose, method, seen)] += amount
        return found

    def losses(self) -> Mapping[str, int]:
        """Return the packets for which a table had no room, and whether some may be uncounted."""
        lost = self._traffic.overflow()
        clients = self._forwarding.losses() if self._forwarding else 0
        unseen = int(self._forwarding is None and forwards())
        return {"map_overflow": lost, "client_overflow": clients, FORWARDING_UNSEEN: unseen}

    def close(self) -> None:
        """Detach and unload; without it the kernel does so when the process ends."""
        if self._forwarding:
            self._forwarding.close()
        self._object.close()

    # ---- who it was ------------------------------------------------------------------------
    def _by_user(
        self, here: Flows, places: Mapping[_Place, Flows]
    ) -> Iterator[tuple[Flow, Method, Amount]]:
        """Yield what this computer's processes exchanged, a tunnel's by those who are in it."""
        inside = self._inside_tunnels(places)
        if not inside:
            yield from ((flow, Method.KERNEL, amount) for flow, amount in here.items())
            return
        carried: dict[int, dict[Flow, Amount]] = defaultdict(dict)
        for flow, amount in here.items():
            carried[flow.process][flow] = amount
        for pid, flows in carried.items():
            names = set(served_by(pid)) if pid else set()
            users: dict[Flow, Amount] = defaultdict(Amount)
            for name in names:
                for flow, amount in inside.get(name, {}).items():
                    if flow.process not in (pid, 0):
                        users[flow] += amount
            yield from through_tunnel(flows, users)

    def _inside_tunnels(self, places: Mapping[_Place, Flows]) -> dict[str, Flows]:
        """Return what was exchanged in tunnels, by the name of the interface."""
        elsewhere = {index for namespace, index in places if namespace == self._namespace}
        if not elsewhere:
            return {}
        return {
            name: places[self._namespace, index]
            for index, name in tunnels().items()
            if index in elsewhere
        }

    def _forwarded(
        self, places: Mapping[_Place, Flows]
    ) -> Iterator[tuple[Flow | Client, Method, Amount]]:
        """Yield what was forwarded: by process for the namespaces here, else by client."""
        if self._forwarding is None:
            return
        there: dict[int, dict[Flow, Amount]] = defaultdict(lambda: defaultdict(Amount))
        for (namespace, _), flows in places.items():
            if namespace not in (self._namespace, 0):
                for flow, amount in flows.items():
                    there[namespace][flow] += amount
        yield from self._namespaces.charge(there, self._forwarding.read())

    def _label(self, flow: Flow | Client, method: Method, seen: dict[int, Process]) -> Label:
        if not isinstance(flow, Flow):
            address, protocol = flow
            return Label(method, Owner(client=address), protocol)
        if flow.process not in seen:
            seen[flow.process] = self._process(flow.process) or _NO_PROCESS
        process = seen[flow.process]
        return Label(method, process.owner, flow.protocol, flow.remote, process.state)

    def _process(self, pid: int) -> Process | None:
        """Return who a process is or was; one that ended long ago is who has its sockets now."""
        found = self._census.process(pid)
        if pid and (found is None or pid == FIRST):
            found = self._census.process(self._older.heir(pid, self._census))
        return found

    # ---- counting --------------------------------------------------------------------------
    def _count_forwarded(self, name: str) -> None:
        """Count what is forwarded over an interface, if the kernel takes a table for that."""
        if self._forwarding:
            self._forwarding.close()
        try:
            self._forwarding = Forwarding(name)
        except OSError as problem:
            self._forwarding, self._why_not = None, str(problem.strerror)

    def _harvest(self) -> dict[_Place, dict[Flow, Amount]]:
        """Return what came since the last time, by place and flow."""
        places: dict[_Place, dict[Flow, Amount]] = {}
        for key, octets, packets in self._traffic.grown():
            flows = places.setdefault((key.namespace, key.interface), defaultdict(Amount))
            flow = Flow(key.process, protocol_name(key.protocol), _REMOTES[key.remote])
            flows[flow] += Amount.of(octets, packets, outgoing=bool(key.outgoing))
        if (left := self._traffic.forget()) is not None:
            self._census.forget_all_but(left)
        return places

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


_NO_PROCESS = Process(NOBODY, State.UNKNOWN)


def _address(network: Network) -> bytes:
    """Return a network as the program's key: IPv4 as ::ffff:a.b.c.d."""
    if isinstance(network, IPv4Network):
        mapped = bytes(10) + b"\xff\xff" + network.network_address.packed
        return _ADDRESS.pack(96 + network.prefixlen, mapped)
    return _ADDRESS.pack(network.prefixlen, network.network_address.packed)
