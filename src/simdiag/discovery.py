"""Which modems, portable WiFi devices and serial adapters are plugged in, and through which ports.

:func:`read_nodes` asks udev and does nothing else; :func:`group` makes devices of the answer and
touches neither the machine nor the clock, so that tests feed it any device.
"""

from __future__ import annotations

import contextlib
import enum
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simdiag import host
from simdiag.driver import ModemDriver, PortRole
from simdiag.message import N_
from simdiag.registry import Drivers, drivers

SUBSYSTEMS = ("usb", "tty", "net", "usbmisc")
"""Those of the kernel's subsystems to which a modem and its ports belong."""

# ---- what is known of makers and products ------------------------------------------------
# USB vendor ids of makers of modems and portable WiFi devices, a fact each. A driver file
# claims products; this table only says that an unclaimed product may well be a modem.
_MAKERS = {
    0x05C6: "Qualcomm", 0x0AF0: "Option", 0x0BDB: "Ericsson", 0x0F3D: "AirPrime",
    0x1199: "Sierra Wireless", 0x12D1: "Huawei", 0x1410: "Novatel", 0x1508: "Fibocom",
    0x1546: "u-blox", 0x1782: "Unisoc", 0x19D2: "ZTE", 0x1BBB: "Alcatel", 0x1BC7: "Telit",
    0x1C9E: "Longcheer", 0x1E0E: "SIMCom", 0x1E2D: "Cinterion", 0x2949: "Neoway",
    0x2C7C: "Quectel", 0x2CB7: "Fibocom", 0x2DEE: "MeiG", 0x2ECC: "ASR", 0x305A: "GosuncnWelink",
    0x33F8: "Rolling Wireless", 0x3566: "Huawei (Brovi)",
    0x0E8D: "MediaTek", 0x1004: "LG", 0x07D1: "D-Link", 0x2001: "D-Link", 0x2357: "TP-Link",
}  # fmt: skip

# Of these, makers whose ids mostly stand for phones, WiFi and Ethernet adapters or drives: only
# a kernel driver that serves nothing but modems shows that a product of theirs is one.
_MIXED_MAKERS = {0x0E8D, 0x1004, 0x07D1, 0x2001, 0x2357}

# u-blox satellite receivers: CDC-ACM, and the id of a modem maker, but no modem.
_NOT_MODEMS = {(0x1546, pid) for pid in range(0x01A4, 0x01AA)}

_WEB_UI = N_(
    "router mode: the device offers a network link with its own web page and no AT port; "
    "open the web page, or switch the device to modem mode"
)
_STORAGE = N_(
    "storage mode: the device still shows its drive with Windows drivers and has not switched to "
    "modem mode (usb_modeswitch does that)"
)
_ANDROID = N_(
    "Android stick in USB tethering mode: a network link with its own web page and no AT port"
)
_DOWNLOAD = N_(
    "emergency download mode: the firmware did not start, so the device waits for a flashing tool "
    "and answers no AT command"
)

_UNBOUND = N_(
    "the kernel has no serial driver for this product: its serial interfaces are there, but "
    "unused (write its vendor and product id to /sys/bus/usb-serial/drivers/option1/new_id)"
)
_CONTROL_ONLY = N_("QMI or MBIM only: a control channel and a network link, but no AT port")
_NO_AT = N_("only diagnostic or GNSS ports")
_NOTHING = N_("no serial port and no network link")

# Products without an AT port in the mode that this id stands for. A driver file's own
# ``compositions`` go first; this is for what no driver file covers.
_COMPOSITIONS = {
    (0x19D2, 0x1403): _WEB_UI,
    (0x19D2, 0x1405): _WEB_UI,
    (0x19D2, 0x1225): _STORAGE,
    (0x19D2, 0x2000): _STORAGE,
    (0x1BBB, 0xF000): _STORAGE,
    (0x2ECC, 0x3012): _WEB_UI,
    (0x05C6, 0x9024): _ANDROID,
    (0x05C6, 0x9025): _ANDROID,
    (0x05C6, 0xF000): _STORAGE,
}

# Boot loaders: they may have a serial port (qcserial binds 05c6:9008), but not for AT commands.
_DOWNLOAD_MODES = {(0x05C6, 0x9008), (0x19D2, 0x0076), (0x1782, 0x4D00)}
_COMPOSITIONS |= dict.fromkeys(_DOWNLOAD_MODES, _DOWNLOAD)

# Kernel drivers, as an interface's ``driver`` link names them. The first serve nothing but modems.
MODEM_DRIVERS = {
    "option", "qcserial", "sierra", "hso", "sierra_net",
    "qmi_wwan", "cdc_mbim", "huawei_cdc_ncm",
}  # fmt: skip
_CLASS_DRIVERS = {"cdc_acm", "cdc_wdm", "cdc_ether", "cdc_ncm", "rndis_host"}  # any maker's device
_UART_MAKERS = {0x0403, 0x067B, 0x10C4, 0x1A86, 0x04E2}  # FTDI, Prolific, SiLabs, WCH, MaxLinear

_STORAGE_CLASS, _VENDOR_CLASS = "08", "ff"
_TEXT_LIMIT = 100


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
        maker = self.manufacturer or _MAKERS.get(self.vid)
        product = self.product or ""
        if maker and maker.lower() in product.lower():
            maker = None
        return " ".join(filter(None, (maker, product))) or self.usb_id


@dataclass(frozen=True, slots=True)
class Node:
    """A device as udev lists it. Ancestors are told by ``sys_path``, which nests like sysfs."""

    subsystem: str
    sys_path: str
    device_type: str = ""
    dev_node: str | None = None
    driver: str | None = None
    links: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def sys_name(self) -> str:
        """The last part of the path: ``1-2.3``, ``1-2.3:1.2``, ``ttyUSB2``."""
        return self.sys_path.rpartition("/")[2]


def discover() -> list[UsbModem]:
    """Return what is plugged in, modems first; empty where there is no udev, sysfs or USB."""
    nodes = read_nodes()
    return group(nodes, drivers(), time.monotonic()) if nodes else []


# ---- which port to talk to ---------------------------------------------------------------
def best_at_port(modem: UsbModem, held: Collection[str] | None = None) -> SerialPort | None:
    """Return the port to ask first, or ``None`` where no port can be an AT port.

    If every candidate is held by other programs, the best one is returned nevertheless: to open
    it then fails with the holder's name.
    """
    return next(iter(candidates(modem, held)), None)


def candidates(modem: UsbModem, held: Collection[str] | None = None) -> list[SerialPort]:
    """Return the ports that may speak AT, in the order of trying.

    Ports known for AT go first: primary, secondary, the PPP port; then those of unknown role by
    interface. Among either, free ports come before ``held`` ones (paths that other processes
    have open; looked up if left out). Diagnostic and GNSS ports are never asked: they answer
    nothing, and a probe costs its whole deadline.
    """
    ports = [p for p in modem.ports if p.role not in (PortRole.DIAG, PortRole.GNSS)]
    if held is None:
        # A single port is returned either way, so the walk through /proc would be in vain.
        held = _held(ports) if len(ports) > 1 else ()
    return sorted(
        ports,
        key=lambda port: (
            port.role not in _AT_ROLES,
            port.path in held,
            _AT_ROLES.index(port.role) if port.role in _AT_ROLES else port.role is not None,
        ),
    )


_AT_ROLES = (PortRole.AT_PRIMARY, PortRole.AT_SECONDARY, PortRole.PPP)


def _held(ports: list[SerialPort]) -> set[str]:
    found = host.holders(port.path for port in ports)
    return {path for path, by_whom in found.items() if by_whom}


# ---- reading udev ------------------------------------------------------------------------
def read_nodes() -> list[Node]:
    """Return the USB devices and interfaces, and the ports that hang below them."""
    try:
        import pyudev  # loads libudev, which a container need not have

        context = pyudev.Context()
    except (ImportError, OSError):
        return []
    nodes: list[Node] = []
    # Of all terminals of a computer few are USB: only what hangs below a root hub is looked at.
    for hub in context.list_devices(subsystem="usb", sys_name="usb[0-9]*"):
        with contextlib.suppress(OSError):  # the rest of what can be read is still of use
            below = context.list_devices(parent=hub)
            for subsystem in SUBSYSTEMS:
                below.match_subsystem(subsystem)
            nodes.extend(node for device in below if (node := _read(device)))
    return nodes


def _read(device: Any) -> Node | None:
    """Copy what matters of a ``pyudev.Device``; ``None`` if it has just vanished."""
    try:
        subsystem, kind = device.subsystem, device.device_type or ""
        what = kind if subsystem == "usb" else subsystem
        properties = ((name, device.properties.get(name)) for name in _PROPERTIES.get(what, ()))
        return Node(
            subsystem,
            device.sys_path,
            kind,
            device.device_node,
            device.driver,
            tuple(device.device_links),
            {name: value for name, value in properties if value is not None},
            dict(_attributes(device, what)),
        )
    except (OSError, LookupError, ValueError):
        return None


_MM_ROLES = {
    "ID_MM_PORT_TYPE_AT_PRIMARY": PortRole.AT_PRIMARY,
    "ID_MM_PORT_TYPE_AT_SECONDARY": PortRole.AT_SECONDARY,
    "ID_MM_PORT_TYPE_AT_PPP": PortRole.PPP,
    "ID_MM_PORT_TYPE_QCDM": PortRole.DIAG,
    "ID_MM_PORT_TYPE_GPS": PortRole.GNSS,
    "ID_MM_PORT_TYPE_AUDIO": PortRole.OTHER,
    "ID_MM_PORT_IGNORE": PortRole.OTHER,
}
# What is read of which kind of node: each costs a system call or two, also where there is none.
_PROPERTIES = {
    "usb_device": ("ID_PATH", "USEC_INITIALIZED", "PRODUCT"),
    "tty": ("ID_USB_INTERFACE_NUM", *_MM_ROLES),
}
_ATTRIBUTES = {
    "usb_device": ("idVendor", "idProduct", "manufacturer", "product", "serial"),
    "usb_interface": ("bInterfaceNumber", "bInterfaceClass", "bInterfaceSubClass", "interface"),
}


def _attributes(device: Any, what: str) -> Iterator[tuple[str, str]]:
    for name in _ATTRIBUTES.get(what, ()):
        value = device.attributes.get(name)
        if value is not None:
            yield name, value.decode("utf-8", "replace")


# ---- from nodes to devices ---------------------------------------------------------------
def group(nodes: Iterable[Node], known: Drivers, now_s: float | None = None) -> list[UsbModem]:
    """Return the devices that the nodes make up, modems first, then by id.

    ``now_s`` is the monotonic clock in seconds, the one udev's time stamps are of.
    """
    nodes = list(nodes)
    devices = {node.sys_path: node for node in nodes if node.device_type == "usb_device"}
    members: dict[str, list[Node]] = {path: [] for path in devices}
    for node in nodes:
        owner = _nearest(node.sys_path, devices)
        if owner and node.device_type != "usb_device":  # a device below a hub is its own owner
            members[owner.sys_path].append(node)
    found = [
        modem
        for path, device in devices.items()
        if (unit := _Unit.of(device, members[path], known)) and (modem := _modem(unit, now_s))
    ]
    order = list(Kind)
    return sorted(_distinct(found), key=lambda m: (order.index(m.kind), _natural(m.id)))


@dataclass(slots=True)
class _Unit:
    """A USB device with all that hangs below it, while it is being judged."""

    device: Node
    vid: int
    pid: int
    interfaces: dict[str, Node]
    nodes: list[Node]
    driver: ModemDriver | None
    claimed_by_pid: bool
    listed_composition: str | None

    @classmethod
    def of(cls, device: Node, nodes: list[Node], known: Drivers) -> _Unit | None:
        ids = _usb_ids(device)
        if ids is None:
            return None
        driver, composition = known.for_usb(*ids), _COMPOSITIONS.get(ids)
        for other in known:
            if ids in other.compositions:
                driver, composition = driver or other, other.compositions[ids]
                break
        return cls(
            device,
            *ids,
            {node.sys_path: node for node in nodes if node.device_type == "usb_interface"},
            nodes,
            driver,
            driver is not None and any((m.vid, m.pid) == ids for m in driver.match),
            composition,
        )

    def children(self, subsystem: str, prefix: str = "") -> list[Node]:
        """Return the nodes of a subsystem, in natural order."""
        found = (n for n in self.nodes if n.subsystem == subsystem)
        return sorted(
            (n for n in found if n.sys_name.startswith(prefix)), key=lambda n: _natural(n.sys_name)
        )

    @property
    def bound(self) -> set[str]:
        """The kernel drivers of the interfaces."""
        return {node.driver for node in self.interfaces.values() if node.driver}

    @property
    def has_storage(self) -> bool:
        return any(_class(node) == _STORAGE_CLASS for node in self.interfaces.values())

    @property
    def has_unbound(self) -> bool:
        """Whether the kernel left vendor-specific interfaces alone that may be serial ports."""
        return any(_may_be_serial(node) for node in self.interfaces.values() if not node.driver)


def _modem(unit: _Unit, now_s: float | None) -> UsbModem | None:
    kind = _kind(unit)
    if kind is None:
        return None
    text = unit.device.attributes.get
    network = tuple(node.sys_name for node in unit.children("net"))
    wdm = tuple(_dev_path(node) for node in unit.children("usbmisc", "cdc-wdm"))
    ports = tuple(sorted(_ports(unit), key=_port_order))
    modem = UsbModem(
        id=_identity(unit.device),
        vid=unit.vid,
        pid=unit.pid,
        kind=kind,
        manufacturer=_clean(text("manufacturer")),
        product=_clean(text("product")),
        serial=_clean(text("serial")),
        sys_path=unit.device.sys_path,
        kernel_drivers=tuple(sorted(unit.bound)),
        ports=ports,
        network_interfaces=network,
        cdc_wdm=wdm,
        family=unit.driver.family if unit.driver else None,
        storage=unit.has_storage and not (ports or network or wdm or unit.has_unbound),
        plugged_in_s=_age(unit.device, now_s),
        bus_node=unit.device.dev_node,
    )
    return replace(modem, composition=_composition(modem, unit))


def _kind(unit: _Unit) -> Kind | None:
    """Say what the device is; ``None`` for what is of no interest (a mouse, a phone's charger)."""
    ids = (unit.vid, unit.pid)
    if unit.claimed_by_pid or unit.listed_composition or unit.bound & MODEM_DRIVERS:
        return Kind.MODEM
    ttys = unit.children("tty")
    vendor_known = unit.vid in _MAKERS.keys() - _MIXED_MAKERS or unit.driver is not None
    if vendor_known and ids not in _NOT_MODEMS:
        link = unit.bound & _CLASS_DRIVERS
        return Kind.MODEM if ttys or link or unit.has_storage or unit.has_unbound else None
    if ttys and ("cdc_acm" not in unit.bound or unit.vid in _UART_MAKERS):
        return Kind.SERIAL_ADAPTER
    return Kind.UNKNOWN if ttys or "rndis_host" in unit.bound else None


def _ports(unit: _Unit) -> Iterator[SerialPort]:
    for node in unit.children("tty"):
        interface = _nearest(node.sys_path, unit.interfaces)
        number = _interface_number(node, interface)
        yield SerialPort(
            path=_dev_path(node),
            interface=number,
            role=_role(unit, node, number),
            by_id=next((link for link in node.links if "/by-id/" in link), None),
            kernel_driver=interface.driver if interface else None,
        )


def _role(unit: _Unit, node: Node, interface: int | None) -> PortRole | None:
    if (unit.vid, unit.pid) in _DOWNLOAD_MODES:
        return PortRole.DIAG  # the boot loader's own protocol
    if unit.driver and interface is not None and interface in unit.driver.ports:
        return unit.driver.ports[interface]
    # ModemManager's udev rules, where installed, know the products of many makers.
    tags = (role for name, role in _MM_ROLES.items() if node.properties.get(name) == "1")
    return next(tags, None)


def _composition(modem: UsbModem, unit: _Unit) -> str | None:
    """Say why there is no AT port: the driver file's words, the table's, or what can be seen."""
    if candidates(modem, held=()):
        return None
    if unit.listed_composition:
        return unit.listed_composition
    if modem.storage:
        return _STORAGE
    if unit.has_unbound:
        return _UNBOUND
    if modem.cdc_wdm:
        return _CONTROL_ONLY
    if modem.network_interfaces:
        return _WEB_UI
    return _NO_AT if modem.ports else _NOTHING


# ---- small readings ----------------------------------------------------------------------
def _nearest(sys_path: str, among: Mapping[str, Node]) -> Node | None:
    """Return the closest ancestor (not the node itself) that is in a set."""
    while sys_path := sys_path.rpartition("/")[0]:
        if sys_path in among:
            return among[sys_path]
    return None


def _usb_ids(device: Node) -> tuple[int, int] | None:
    """Return vendor and product id; from the kernel's event data if sysfs cannot be read."""
    vid, pid = device.attributes.get("idVendor"), device.attributes.get("idProduct")
    if vid is None or pid is None:
        vid, pid, *_ = (*device.properties.get("PRODUCT", "").split("/"), "", "")
    try:
        return int(vid, 16), int(pid, 16)
    except ValueError:
        return None


def _interface_number(port: Node, interface: Node | None) -> int | None:
    """Return bInterfaceNumber: hexadecimal in sysfs and udev, decimal in the name ``1-2:1.10``."""
    if interface is None:
        return None
    for text, base in (
        (interface.attributes.get("bInterfaceNumber"), 16),
        (port.properties.get("ID_USB_INTERFACE_NUM"), 16),
        (interface.sys_name.rpartition(".")[2], 10),
    ):
        try:
            return int(text or "", base)
        except ValueError:
            continue
    return None


def _identity(device: Node) -> str:
    """Return udev's ID_PATH, or the same made of sysfs: udev leaves it out on most USB devices."""
    if path := device.properties.get("ID_PATH"):
        return path
    controller = re.search(r"/([^/]+)/usb\d+/", device.sys_path)
    _, dash, socket = device.sys_name.partition("-")
    if not (controller and dash):
        return device.sys_name
    is_pci = re.fullmatch(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]", controller[1])
    return f"{'pci' if is_pci else 'platform'}-{controller[1]}-usb-0:{socket}"


def _distinct(modems: list[UsbModem]) -> list[UsbModem]:
    """Add the sysfs name to ids that occur twice: a controller's USB 2 and 3 buses number alike."""
    count = Counter(modem.id for modem in modems)
    return [
        replace(m, id=f"{m.id}@{m.sys_path.rpartition('/')[2]}") if count[m.id] > 1 else m
        for m in modems
    ]


def _age(device: Node, now_s: float | None) -> float | None:
    try:
        seen_s = int(device.properties["USEC_INITIALIZED"]) / 1e6
    except (KeyError, ValueError):
        return None
    return max(0.0, now_s - seen_s) if now_s is not None and seen_s else None


def _class(interface: Node) -> str:
    return interface.attributes.get("bInterfaceClass", "").strip().lower()


def _may_be_serial(interface: Node) -> bool:
    """Whether the class is vendor-specific and it is not the debug or file access of a phone."""
    label = interface.attributes.get("interface", "").upper()
    is_adb = interface.attributes.get("bInterfaceSubClass", "").strip() == "42"
    return _class(interface) == _VENDOR_CLASS and not (is_adb or "ADB" in label or "MTP" in label)


def _dev_path(node: Node) -> str:
    return node.dev_node or f"/dev/{node.sys_name}"


def _clean(text: str | None) -> str | None:
    """Bound a text that the device made up, and take control characters and escapes out."""
    shown = "".join(c if c.isprintable() else " " for c in text or "")[:_TEXT_LIMIT]
    return " ".join(shown.split()) or None


def _port_order(port: SerialPort) -> tuple[object, ...]:
    number = port.interface
    return (number is None, number or 0, _natural(port.path))


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort key that counts: ttyUSB10 after ttyUSB9."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]
