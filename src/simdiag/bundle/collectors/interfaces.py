"""Network interfaces: the modem's, and those that traffic leaves by."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import psutil

from simdiag.bundle.collector import Collector, Subject
from simdiag.bundle.fields import DriverName, Event, InterfaceName, Ip, Mac, SmallInt, Word
from simdiag.host.network import network_facts

_SYS = Path("/sys/class/net")


class NetworkInterface(Event):
    """An interface: its state (``operstate`` of the kernel), its addresses, its counters."""

    name: InterfaceName
    of_device: bool
    state: Word
    mtu: SmallInt | None
    driver: DriverName | None
    mac: Mac | None
    addresses: tuple[Ip, ...]
    carries_default_route: bool


def _collect(subject: Subject) -> Iterator[NetworkInterface]:
    default = network_facts([]).default_interface
    addresses = psutil.net_if_addrs()
    for name in sorted({*subject.interfaces, *([default] if default else [])}):
        folder = _SYS / name
        if not folder.exists():
            continue
        texts = [a.address.partition("%")[0] for a in addresses.get(name, ())]
        driver = folder / "device/driver"
        yield NetworkInterface(
            name=name,
            of_device=name in subject.interfaces,
            state=(folder / "operstate").read_text().strip(),
            mtu=int((folder / "mtu").read_text()),
            driver=driver.resolve().name if driver.exists() else None,
            mac=(folder / "address").read_text().strip() or None,
            addresses=tuple(text for text in texts if _is_address(text)),
            carries_default_route=name == default,
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


COLLECTOR = Collector(NetworkInterface, _collect)
