"""Where the other end of a conversation is, as far as its address tells.

The same decision as in ``kernel/usage.bpf.c``. That an address is private says little: a private
APN's servers are billed like any other. It is local only where it lies on the link.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from simdiag.usage.links import Address, Network
from simdiag.usage.records import Remote

_PRIVATE = [
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]


@dataclass(frozen=True)
class Neighbourhood:
    """The networks and gateways next to an interface."""

    networks: frozenset[Network] = frozenset()
    gateways: frozenset[Address] = frozenset()

    def prefixes(self) -> Iterable[tuple[Network, Remote]]:
        """Yield each network with what its addresses are; the longest that fits counts."""
        for network in self.networks:
            yield network, Remote.LOCAL
        for gateway in self.gateways:
            yield ipaddress.ip_network(gateway), Remote.DEVICE

    @lru_cache(maxsize=4096)  # noqa: B019 -- few are made, each lives as long as its recorder
    def remote(self, address: Address) -> Remote:
        """Return where an address is."""
        if isinstance(address, ipaddress.IPv4Address):
            if address.is_link_local or int(address) >> 29 == 0b111:  # multicast, broadcast
                return Remote.LOCAL
            if not any(address in network for network in _PRIVATE):
                return Remote.INTERNET
        elif address.is_link_local or address.is_multicast:
            return Remote.LOCAL
        if address in self.gateways:
            return Remote.DEVICE
        near = any(n.version == address.version and address in n for n in self.networks)
        return Remote.LOCAL if near else Remote.INTERNET
