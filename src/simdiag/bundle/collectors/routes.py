"""The routes of this computer (``/proc/net/route`` and ``/proc/net/ipv6_route``, proc(5))."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from simdiag.bundle.collector import Collector, Subject
from simdiag.bundle.fields import Event, InterfaceName, Ip, SmallInt

_UP, _REJECT = 0x0001, 0x0200  # linux/route.h


class Route(Event):
    """A route: where to (address and prefix length), by which gateway, over which interface."""

    target: Ip
    prefix: SmallInt
    gateway: Ip | None
    interface: InterfaceName
    metric: int


def _collect(subject: Subject) -> Iterator[Route]:
    for route in (
        *_version4(_lines("/proc/net/route")[1:]),
        *_version6(_lines("/proc/net/ipv6_route")),
    ):
        local = ipaddress.ip_address(route.target)
        if route.interface in subject.interfaces or route.prefix == 0 or local.is_private:
            yield route


def _lines(path: str) -> list[list[str]]:
    try:
        return [line.split() for line in Path(path).read_text("ascii", "replace").splitlines()]
    except FileNotFoundError:  # a kernel without IPv6
        return []


def _version4(rows: list[list[str]]) -> Iterator[Route]:
    for name, target, gateway, flags, _, _, metric, mask, *_ in rows:
        if int(flags, 16) & (_UP | _REJECT) == _UP:
            yield Route(
                target=_dotted(target),
                prefix=int(mask, 16).bit_count(),
                gateway=_dotted(gateway) if int(gateway, 16) else None,
                interface=name,
                metric=int(metric),
            )


def _dotted(word: str) -> str:
    """The kernel prints the four bytes as a number in its own byte order."""
    return str(ipaddress.IPv4Address(int(word, 16).to_bytes(4, sys.byteorder)))


def _version6(rows: list[list[str]]) -> Iterator[Route]:
    for target, prefix, _, _, gateway, metric, _, _, flags, name in rows:
        address = ipaddress.IPv6Address(int(target, 16))
        if name == "lo" or address.is_multicast or not int(flags, 16) & _UP:
            continue
        yield Route(
            target=str(address),
            prefix=int(prefix, 16),
            gateway=str(ipaddress.IPv6Address(int(gateway, 16))) if int(gateway, 16) else None,
            interface=name,
            metric=int(metric, 16),
        )


COLLECTOR = Collector(Route, _collect)
