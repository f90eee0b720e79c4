"""The name servers of this computer; no name is asked for, and search domains are only counted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import Event, Ip, SmallInt
from simdiag.host.network import nameservers

_FILES: dict[Literal["resolv.conf", "systemd-resolved"], str] = {
    "resolv.conf": "/etc/resolv.conf",
    "systemd-resolved": "/run/systemd/resolve/resolv.conf",
}


class Resolver(Event):
    """What one file says: its name servers in order, and how many search domains it has."""

    file: Literal["resolv.conf", "systemd-resolved"]
    servers: tuple[Ip, ...]
    search_domains: SmallInt


def _collect(_: Subject) -> Iterator[Resolver]:
    found = False
    for name, path in _FILES.items():
        try:
            text = Path(path).read_text("utf-8", "replace")
        except FileNotFoundError:
            continue
        found = True
        words = [line.split() for line in text.splitlines()]
        domains = sum(len(w) - 1 for w in words if w and w[0] in ("search", "domain"))
        servers = tuple(s for s in map(_address, nameservers(text)) if s)
        yield Resolver(file=name, servers=servers, search_domains=domains)
    if not found:
        raise Skipped


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


COLLECTOR = Collector(Resolver, _collect)
