"""Counts what this computer forwards over the modem's link for other devices, by their address.

No socket here has part in it, so that the cgroup program cannot see it. An nftables table of our
own counts it, and does nothing else: the forward hook is where the client's own address is still
(or again) in the packet, whatever is translated afterwards. The table is owned by a netlink socket
(``NFT_TABLE_F_OWNER``, Linux 5.12): nobody else can change it, and the kernel removes it when the
socket closes, however this process ends. Older kernels refuse it, and nothing is counted.

A packet longer than the link can carry stands for several, which the kernel has joined and will
separate again. They are counted apart, and the headers that they will get are added by the link's
MTU: an estimate that is off by 0.2 % of these bytes where the connection's segments are a tenth
shorter.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from simdiag.usage import nft
from simdiag.usage.records import Amount, protocol_name

_PRIORITY = 300
"""Behind the filters of the forward hook: what they drop is not forwarded."""
_SIZE = 32_768
"""Addresses and protocols at a time; one that was idle for an hour makes room."""
_IDLE_MS = 3_600_000
_GONE_S = 60.0
"""Who is not in the table for so long has made room."""
_LOST = "lost"


@dataclass(frozen=True, slots=True)
class _Family:
    """An IP version: where its header has the addresses, and how long its headers are."""

    number: int
    source: int
    target: int
    length: int
    kind: int
    """nft's number for the type of address, for those who list the table."""
    header: int


_FAMILIES = (_Family(2, 12, 16, 4, 7, 20), _Family(10, 8, 24, 16, 8, 40))
_HEADERS = {"tcp": 32, "udp": 8}
"""Bytes of a layer 4 header; TCP's with the time stamps that nearly everybody sends."""

Client = tuple[str, str]
"""Address and protocol."""


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of counters: one family, one direction, and long packets apart from the others."""

    family: _Family
    outgoing: bool
    long: bool

    @property
    def name(self) -> str:
        """Return its name in the table."""
        way = "up" if self.outgoing else "down"
        return f"{way}{4 if self.family.length == 4 else 6}{'_long' * self.long}"


_SETS = [_Set(f, out, long) for f in _FAMILIES for out in (True, False) for long in (True, False)]


class Forwarding:
    """The counters of one interface; gone when closed. Raises ``OSError`` where refused."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._before: dict[str, dict[bytes, tuple[int, int, float]]] = {}
        self._lost = 0
        self._table = nft.Table(f"simdiag_{os.getpid()}")
        try:
            self._table.make(list(self._parts()))
        except BaseException:
            self._table.close()
            raise

    @property
    def interface(self) -> str:
        """Return the name of the interface whose traffic is counted."""
        return self._interface

    def read(self) -> Mapping[Client, Amount]:
        """Return what was forwarded for each client since the last call. Raises ``OSError``."""
        found: dict[Client, Amount] = defaultdict(Amount)
        mtu = _mtu(self._interface)
        for group in _SETS:
            for key, octets, packets in self._grown(group.name):
                address = str(ipaddress.ip_address(key[: group.family.length]))
                protocol = protocol_name(key[group.family.length])
                grown = octets, packets
                if group.long:
                    grown = _separated(group.family, protocol, mtu, *grown)
                found[address, protocol] += Amount.of(*grown, outgoing=group.outgoing)
        self._lost += sum(packets for _, _, packets in self._grown(_LOST))
        return found

    def _grown(self, name: str) -> Iterator[tuple[bytes, int, int]]:
        """Yield key, bytes and packets since the last time of each element of a set that grew.

        While others change tables, the kernel may pass over an element or tell of it twice.
        """
        now = time.monotonic()
        there = {key: counted for key, *counted in self._table.elements(name)}
        known = self._before.setdefault(name, {})
        for key, (octets, packets) in there.items():
            before = known.get(key, (0, 0, now))
            if octets < before[0]:  # it was idle for so long that the kernel began anew
                before = (0, 0, now)
            known[key] = (octets, packets, now)
            if packets > before[1]:
                yield key, octets - before[0], packets - before[1]
        for key in [key for key, (_, _, at) in known.items() if now - at > _GONE_S]:
            del known[key]

    def losses(self) -> int:
        """Return the packets of clients for whom the table had no room."""
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        """Count no more."""
        self._table.close()

    def _parts(self) -> Iterator[nft.Request]:
        table, name = self._table, self._interface
        yield table.new_chain("forwarded", hook=nft.FORWARD, priority=_PRIORITY)
        for group in _SETS:
            family = group.family
            yield table.new_set(
                group.name, (family.kind << 6) | nft.PROTOCOL, family.length + 4, _SIZE, _IDLE_MS
            )
        yield table.new_set(_LOST, nft.PROTOCOL, 4, 256, _IDLE_MS)
        mtu = _mtu(name)
        for group in _SETS:
            family = group.family
            where = family.source if group.outgoing else family.target
            yield table.new_rule(
                "forwarded",
                *nft.family_is(family.number),
                *nft.interface_is(name, outgoing=group.outgoing),
                *(nft.longer_than(mtu) if group.long else ()),
                nft.load_address(where, family.length),
                nft.load_protocol(family.length),
                nft.count_in(group.name),
                nft.done(),
            )
        for outgoing in (True, False):  # whoever comes here found no room
            matches = nft.interface_is(name, outgoing=outgoing)
            yield table.new_rule(
                "forwarded", *matches, nft.load_protocol(0), nft.count_in(_LOST), nft.done()
            )


def _separated(
    family: _Family, protocol: str, mtu: int, octets: int, packets: int
) -> tuple[int, int]:
    """Return bytes and packets on the wire of joined packets: each but the first gets headers."""
    headers = family.header + _HEADERS.get(protocol, 0)
    payload = octets - packets * headers
    segments = max(packets, -(-payload // (mtu - headers)))
    return octets + (segments - packets) * headers, segments


def forwards(settings: Path = Path("/proc/sys/net")) -> bool:
    """Whether this computer forwards anything at all (ip-sysctl.rst, forwarding)."""
    for file in settings.glob("ipv[46]/conf/*/forwarding"):
        try:
            if file.read_text("ascii").strip() not in ("", "0"):
                return True
        except OSError:
            continue
    return False


def _mtu(name: str) -> int:
    try:
        return max(int(Path("/sys/class/net", name, "mtu").read_text("ascii")), 576)
    except (OSError, ValueError):
        return 1500
