"""Interfaces, default routes and resolvers, as this computer knows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_STUB_RESOLVER = "127.0.0.53"
_UPSTREAM_RESOLVERS = "/run/systemd/resolve/resolv.conf"
_RTF_UP, _RTF_REJECT = 0x0001, 0x0200  # linux/route.h


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of this computer.

    ``exists`` is ``None`` where this could not be read. ``up`` means enabled and with a
    carrier (or one that cannot tell); ``ipv4`` and ``ipv6`` that it
    has an address that is more than link-local. ``rx_bytes`` and ``tx_bytes`` are the kernel's
    counters since the interface appeared, link-layer headers included as the driver counts
    them. ``default_metric`` is the metric of its best default route (lower wins; the IPv4
    one where there is one), ``None`` without a default route.
    """

    name: str
    exists: bool | None
    up: bool = False
    ipv4: bool = False
    ipv6: bool = False
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    default_metric: int | None = None


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The network as this computer sees it, no packet sent.

    ``default_interface`` is where unspecific traffic leaves (any interface, not only those
    asked for); ``nameservers`` counts the resolvers that are configured, not those that answer.
    """

    interfaces: tuple[Interface, ...]
    default_interface: str | None
    nameservers: int

    @property
    def has_resolver(self) -> bool:
        """Whether any name server is configured."""
        return self.nameservers > 0

    def __getitem__(self, name: str) -> Interface:
        return next((i for i in self.interfaces if i.name == name), Interface(name, exists=False))


def network_facts(interfaces: Iterable[str]) -> HostNetwork:
    """Return what this computer knows of some interfaces, and of its routes and resolvers."""
    routes4 = default_routes4(_text("/proc/net/route"))
    routes6 = default_routes6(_text("/proc/net/ipv6_route"))
    metrics = routes6 | routes4
    preferred = routes4 or routes6
    return HostNetwork(
        interfaces=_interfaces(list(interfaces), metrics),
        default_interface=min(preferred, key=lambda name: preferred[name], default=None),
        nameservers=_nameservers(),
    )


def default_routes4(table: str) -> dict[str, int]:
    """Parse ``/proc/net/route``: the metric of the best default route, by interface."""
    found: dict[str, int] = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        try:
            name, target, flags, metric, mask = (fields[i] for i in (0, 1, 3, 6, 7))
            is_default = int(target, 16) == int(mask, 16) == 0
            usable = int(flags, 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
            cost = int(metric)
        except (ValueError, IndexError):
            continue
        if is_default and usable:
            found[name] = min(cost, found.get(name, cost))
    return found


def default_routes6(table: str) -> dict[str, int]:
    """Parse ``/proc/net/ipv6_route`` likewise; reject routes on ``lo`` do not count."""
    found: dict[str, int] = {}
    for line in table.splitlines():
        fields = line.split()
        try:
            target, length, metric, flags, name = (fields[i] for i in (0, 1, 5, 8, 9))
            is_default = int(target, 16) == int(length, 16) == 0
            usable = int(flags, 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
            cost = int(metric, 16)
        except (ValueError, IndexError):
            continue
        if is_default and usable:
            found[name] = min(cost, found.get(name, cost))
    return found


def _interfaces(names: list[str], metrics: dict[str, int]) -> tuple[Interface, ...]:
    if not names:
        return ()
    import psutil  # slow to import, and few runs come here

    try:
        states = psutil.net_if_stats()
        addresses = psutil.net_if_addrs()
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
    except (OSError, psutil.Error):  # a sandbox without /proc or netlink
        return tuple(Interface(name, exists=None) for name in names)
    found = []
    for name in names:
        state, counter = states.get(name), counters.get(name)
        texts = [address.address for address in addresses.get(name, ())]
        interface = Interface(
            name,
            exists=state is not None,
            up=state is not None and state.isup,
            ipv4=any(_is_usable_address(text, 4) for text in texts),
            ipv6=any(_is_usable_address(text, 6) for text in texts),
            rx_bytes=counter.bytes_recv if counter else None,
            tx_bytes=counter.bytes_sent if counter else None,
            default_metric=metrics.get(name),
        )
        found.append(interface)
    return tuple(found)


def _is_usable_address(text: str, version: int) -> bool:
    """Whether the text is an address of this IP version that reaches beyond the link."""
    import ipaddress

    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a hardware address
        return False
    return address.version == version and not (address.is_link_local or address.is_unspecified)


def _nameservers() -> int:
    """Count the resolvers; behind systemd's local stub, those that it asks in turn."""
    servers = nameservers(_text("/etc/resolv.conf"))
    upstream = _text(_UPSTREAM_RESOLVERS)
    if servers == [_STUB_RESOLVER] and upstream:
        servers = nameservers(upstream)
    return len(servers)


def nameservers(text: str) -> list[str]:
    """Parse the ``nameserver`` lines of a ``resolv.conf``."""
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
