"""A network interface: which device it is, what it counted, what lies next to it."""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.usage.netlink import ROUTE, Netlink, attribute, attributes
from simdiag.usage.records import Amount, Link, Reading

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_GETLINK, _GETADDR, _GETROUTE = 18, 22, 26  # linux/rtnetlink.h
_IFINFOMSG = struct.Struct("=BxHiII")  # family, type, index, flags, change
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_RTMSG = struct.Struct("=8BI")  # family, destination length, …, flags
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_STATS64, _IFLA_INFO_KIND = 3, 18, 23, 1
_STATS64 = struct.Struct("=4Q")  # packets and bytes, received first
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_GATEWAY = 4, 5
_ETHERNET, _PPP = 1, 512  # linux/if_arp.h
_SYS = Path("/sys/class/net")
_LOOK_S = 1.0

_FRAMING = {
    "cdc_ether": (0, 14),
    "cdc_ncm": (0, 14),
    "cdc_eem": (0, 20),
    "rndis_host": (0, 58),
    "tun": (0, 0),
    "veth": (14, 14),
}
"""Bytes per packet, received and sent, that a driver counts beyond the IP packet; measured.

usbnet counts what it receives after the Ethernet header is off, and what it sends as the URB that
leaves. veth with GRO counts what it receives as usbnet does.
"""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface that is there now. ``counters`` are as the driver counts them."""

    link: Link
    index: int
    hardware: int
    counters: Amount

    @property
    def framing(self) -> tuple[int, int]:
        """Return the bytes per packet to take off, received and sent.

        What was not measured is taken for Ethernet as it comes, or for bare IP.
        """
        plain = (14, 14) if self.hardware == _ETHERNET else (0, 0)
        return _FRAMING.get(self.link.driver, plain)

    @property
    def is_measured(self) -> bool:
        """Whether this driver's framing was measured, so that the totals are exact."""
        return self.link.driver in _FRAMING

    @property
    def reading(self) -> Reading:
        """Return the counters in L3 bytes."""
        rx, tx = self.framing
        raw = self.counters
        l3 = Amount(
            raw.rx_bytes - rx * raw.rx_packets,
            raw.tx_bytes - tx * raw.tx_packets,
            raw.rx_packets,
            raw.tx_packets,
        )
        return Reading(_boot_id(), self.index, l3)


def find(name: str) -> Interface | None:
    """Return the interface of that name in this network namespace; ``None`` if there is none.

    Raises ``OSError`` where netlink is refused.
    """
    try:
        wanted = attribute(_IFLA_IFNAME, name.encode() + b"\0")
        with Netlink(ROUTE) as netlink:
            return _interface(netlink.ask(_GETLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0) + wanted))
    except OSError as problem:
        if problem.errno in (errno.ENODEV, errno.ERANGE):  # ERANGE: longer than a name can be
            return None
        raise


def interfaces() -> list[Interface]:
    """Return every interface of this network namespace. Raises ``OSError``."""
    with Netlink(ROUTE) as netlink:
        return [_interface(m) for m in netlink.dump(_GETLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0))]


def choose(name: str | None) -> Interface:
    """Return the interface to record: the one named, else the modem's.

    Raises ``SimdiagError``: no such interface, no modem's, or several with no route to tell.
    """
    there = interfaces()
    if name is not None:
        found = [interface for interface in there if interface.link.name == name]
    else:
        found = [interface for interface in there if _is_modem(interface)]
    if len(found) > 1:
        routed = set(default_gateways())
        found = [interface for interface in found if interface.index in routed] or found
    if len(found) == 1:
        return found[0]
    if name is not None:
        text = N_("there is no network interface {name}; there are: {names}")
    elif found:
        text = N_("several modems are connected: choose one with --interface ({names})")
    else:
        text = N_("no modem's network interface was found: name one with --interface ({names})")
    names = ", ".join(interface.link.name for interface in found or there)
    raise SimdiagError(message(text, name=name, names=names))


def await_one(
    name: str | None, ended: Callable[[], bool], say: Callable[[Message], object]
) -> Interface | None:
    """Return the interface to record as soon as it is there; ``None`` if it ``ended()`` before.

    ``say`` is told once what is missing. Raises ``OSError`` where netlink is refused.
    """
    is_told = False
    before: Link | None = None
    while True:
        try:
            found = choose(name)
        except SimdiagError as problem:
            if not is_told:
                say(problem.message)
                say(message(N_("Recording begins as soon as it is there.")))
            is_told = True
        else:
            if found.link == before:  # udev gives a new one another name at once
                return found
            before = found.link
        if ended():
            return None
        time.sleep(_LOOK_S)


def is_replaced(link: Link) -> bool:
    """Whether another modem's interface is to be recorded now. Raises ``OSError``."""
    try:
        return choose(None).link.identity != link.identity
    except SimdiagError:
        return False


def present(link: Link) -> Interface | None:
    """Return the interface of a device if it is plugged in, whatever it is called now."""
    found = find(link.name)
    if found is not None and found.link.identity == link.identity:
        return found
    return next((i for i in interfaces() if i.link.identity == link.identity), None)


def local_addresses(index: int) -> set[Address]:
    """Return the addresses of an interface. Raises ``OSError``."""
    return {address for address, _ in _addresses(index)}


def neighbourhood(index: int) -> tuple[set[Network], set[Address]]:
    """Return the networks next to an interface, and the gateways there. Raises ``OSError``."""
    networks = {
        ipaddress.ip_network((address, length), strict=False)
        for address, length in _addresses(index)
        if not address.is_link_local and length < address.max_prefixlen
    }
    return networks, set(default_gateways().get(index, ()))


def default_gateways() -> dict[int, list[Address]]:
    """Return the gateways of the default routes by interface index; without one, an empty list."""
    found: dict[int, list[Address]] = {}
    with Netlink(ROUTE) as netlink:
        for body in netlink.dump(_GETROUTE, _RTMSG.pack(*[0] * 9)):
            parts = attributes(body[_RTMSG.size :])
            if body[1] == 0 and _RTA_OIF in parts:  # to everywhere
                gateways = found.setdefault(struct.unpack("=I", parts[_RTA_OIF])[0], [])
                if _RTA_GATEWAY in parts:
                    gateways.append(ipaddress.ip_address(parts[_RTA_GATEWAY]))
    return found


def _addresses(index: int) -> Iterator[tuple[Address, int]]:
    with Netlink(ROUTE) as netlink:
        for body in netlink.dump(_GETADDR, _IFADDRMSG.pack(0, 0, 0, 0, 0)):
            _, length, _, _, at = _IFADDRMSG.unpack_from(body)
            parts = attributes(body[_IFADDRMSG.size :])
            own = parts.get(_IFA_LOCAL, parts.get(_IFA_ADDRESS))
            if at == index and own is not None:
                yield ipaddress.ip_address(own), length


def _interface(body: bytes) -> Interface:
    _, hardware, _, _, _ = _IFINFOMSG.unpack_from(body)
    index, counters = counted(body)
    parts = attributes(body[_IFINFOMSG.size :])
    name = parts[_IFLA_IFNAME].rstrip(b"\0").decode("utf-8", "replace")
    kind = attributes(parts.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND, b"")
    driver = kind.rstrip(b"\0").decode("ascii", "replace") or _driver(name)
    return Interface(Link(identity(name, driver), name, driver), index, hardware, counters)


def counted(body: bytes) -> tuple[int, Amount]:
    """Return index and counters in what rtnetlink says of an interface, as its driver counts."""
    parts = attributes(body[_IFINFOMSG.size :])
    rx_packets, tx_packets, rx_bytes, tx_bytes = _STATS64.unpack_from(parts[_IFLA_STATS64])
    index = _IFINFOMSG.unpack_from(body)[2]
    return index, Amount(rx_bytes, tx_bytes, rx_packets, tx_packets)


def identity(name: str, driver: str) -> str:
    """Return what tells this device from others, the same after every replug.

    A USB device's ids, its serial number and the number of its USB interface; for others driver
    and name. The serial number may be an IMEI, so that only a hash of it is used, keyed with the
    id of this computer.
    """
    device = Path(os.path.realpath(_SYS / name / "device"))
    for folder in (device, *device.parents):
        if (folder / "idVendor").exists():
            ids = f"{_text(folder / 'idVendor')}:{_text(folder / 'idProduct')}"
            key = _text(Path("/etc/machine-id")).encode()[:32]
            serial = hashlib.blake2s(_text(folder / "serial").encode(), key=key, digest_size=6)
            return f"usb:{ids}:{serial.hexdigest()}:{_text(device / 'bInterfaceNumber')}"
    return f"{driver}:{name}"


def _is_modem(interface: Interface) -> bool:
    name = interface.link.name
    kind = _text(_SYS / name / "uevent")
    on_usb = interface.link.identity.startswith("usb:") and "DEVTYPE=wlan" not in kind
    return on_usb or "DEVTYPE=wwan" in kind or interface.hardware == _PPP


def _driver(name: str) -> str:
    path = _SYS / name / "device" / "driver"
    return Path(os.path.realpath(path)).name if path.exists() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _boot_id() -> str:
    return _text(Path("/proc/sys/kernel/random/boot_id"))
