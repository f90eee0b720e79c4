"""The device on the USB bus, with the hubs it hangs on and what the kernel has bound to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import (
    DriverName,
    Event,
    Hex,
    InterfaceName,
    PortName,
    SmallInt,
    UsbPath,
    UsbSerial,
    Word,
)

_MODEM, _HUB_LEVELS = "", 7  # USB 2.0 clause 4.1.1: seven tiers at most


class UsbNode(Event):
    """A device of the path from the root hub to the modem, or an interface of the modem.

    ``speed_mbit`` is the link's (a stick for 480 that runs at 12 has a bad contact), ``current_ma``
    what it asks for, ``over_current`` how often the hub's port was switched off for too much.
    """

    path: UsbPath
    vendor: Hex | None = None
    product: Hex | None = None
    usb_class: Hex | None = None
    speed_mbit: float | None = None
    current_ma: SmallInt | None = None
    configuration: SmallInt | None = None
    over_current: SmallInt | None = None
    power: Word | None = None
    serial: UsbSerial | None = None
    driver: DriverName | None = None
    ports: tuple[PortName, ...] = ()
    interfaces: tuple[InterfaceName, ...] = ()


def _collect(subject: Subject) -> Iterator[UsbNode]:
    if not subject.sys_path:
        raise Skipped
    device = Path(subject.sys_path)
    chain = [p for p in (device, *device.parents) if (p / "idVendor").exists()][:_HUB_LEVELS]
    if not chain:
        raise Skipped  # it was unplugged
    for node in reversed(chain):
        yield _device(node)
    for interface in sorted(device.glob(f"{device.name}:*")):
        yield _interface(interface)


def _device(node: Path) -> UsbNode:
    current, speed = _text(node / "bMaxPower"), _text(node / "speed")
    return UsbNode(
        path=node.name,
        vendor=_text(node / "idVendor"),
        product=_text(node / "idProduct"),
        usb_class=_text(node / "bDeviceClass"),
        speed_mbit=float(speed) if speed else None,
        current_ma=_number(current.removesuffix("mA") if current else None),
        configuration=_number(_text(node / "bConfigurationValue")),
        over_current=_number(_text(node / "port/over_current_count")),
        power=_text(node / "power/control"),
        serial=_text(node / "serial"),
    )


def _interface(node: Path) -> UsbNode:
    driver = node / "driver"
    ports = [p.name for p in (*node.glob("tty*"), *node.glob("tty/*"), *node.glob("usbmisc/*"))]
    return UsbNode(
        path=node.name,
        usb_class=_text(node / "bInterfaceClass"),
        driver=driver.resolve().name if driver.exists() else None,
        ports=tuple(sorted(name for name in ports if name != "tty")),
        interfaces=tuple(sorted(p.name for p in node.glob("net/*"))),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip() or None
    except OSError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


COLLECTOR = Collector(UsbNode, _collect)
