"""A USB device that is, or may be, a modem, and its serial ports."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from simdiag.discovery.products import MAKERS
from simdiag.driver import PortRole


class Kind(enum.StrEnum):
    """What a plugged-in device is, as far as its USB side tells."""

    MODEM = "modem"
    """A modem or a portable WiFi device."""
    SERIAL_ADAPTER = "serial-adapter"
    """A USB-UART adapter; a modem may be behind it (``--port`` would say so)."""
    UNKNOWN = "unknown"
    """Looks like a modem (CDC-ACM, RNDIS) but so do development boards and phones."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port of a USB device.

    ``interface`` is its bInterfaceNumber, ``kernel_driver`` the driver of that interface
    (``option``, ``cdc_acm``). ``by_id`` is udev's lasting name; it often contains the device's
    serial number, so it is not part of ``repr``.
    """

    path: str
    interface: int | None = None
    role: PortRole | None = None
    by_id: str | None = field(default=None, repr=False)
    kernel_driver: str | None = None


@dataclass(frozen=True, slots=True)
class UsbModem:
    """A physical USB device that is, or may be, a modem or portable WiFi device.

    ``id`` names the socket it is plugged into, the same after a replug or a mode switch: udev's
    ``ID_PATH``, or one made like it, or the sysfs name (``1-2.3``). ``serial`` is sensitive and
    not part of ``repr``. ``family`` is the driver that claims the USB id. ``composition`` says in
    words why there is no AT port, and is ``None`` where one is possible. ``storage`` means that a
    drive is all the device offers. ``plugged_in_s`` counts seconds since udev first saw it,
    time asleep left out; ``None`` without udev. ``bus_node`` is the device's node on the bus
    (``/dev/bus/usb/001/005``), another one after every plug-in.
    """

    id: str
    vid: int
    pid: int
    kind: Kind = Kind.MODEM
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = field(default=None, repr=False)
    sys_path: str = ""
    kernel_drivers: tuple[str, ...] = ()
    ports: tuple[SerialPort, ...] = ()
    network_interfaces: tuple[str, ...] = ()
    cdc_wdm: tuple[str, ...] = ()
    family: str | None = None
    composition: str | None = None
    storage: bool = False
    plugged_in_s: float | None = None
    bus_node: str | None = None

    @property
    def usb_id(self) -> str:
        """Vendor and product id as ``lsusb`` prints them: ``2c7c:0125``."""
        return f"{self.vid:04x}:{self.pid:04x}"

    @property
    def name(self) -> str:
        """Maker and product in the device's own words, or the USB id."""
        maker = self.manufacturer or MAKERS.get(self.vid)
        product = self.product or ""
        if maker and maker.lower() in product.lower():
            maker = None
        return " ".join(filter(None, (maker, product))) or self.usb_id
