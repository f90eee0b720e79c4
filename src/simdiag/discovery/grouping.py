"""Makes devices of what udev lists.

It touches neither the machine nor the clock, so that tests feed it any device.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from simdiag.discovery.devices import Kind, SerialPort, UsbModem
from simdiag.discovery.ports import candidates
from simdiag.discovery.products import (
    CLASS_DRIVERS,
    COMPOSITIONS,
    CONTROL_ONLY,
    DOWNLOAD_MODES,
    MAKERS,
    MIXED_MAKERS,
    MODEM_DRIVERS,
    NO_AT,
    NOT_MODEMS,
    NOTHING,
    STORAGE,
    UART_MAKERS,
    UNBOUND,
    WEB_UI,
)
from simdiag.discovery.udev import MM_ROLES, Node
from simdiag.driver import ModemDriver, PortRole
from simdiag.registry import Drivers

_STORAGE_CLASS, _VENDOR_CLASS = "08", "ff"
_TEXT_LIMIT = 100


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
        driver, composition = known.for_usb(*ids), COMPOSITIONS.get(ids)
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
    vendor_known = unit.vid in MAKERS.keys() - MIXED_MAKERS or unit.driver is not None
    if vendor_known and ids not in NOT_MODEMS:
        link = unit.bound & CLASS_DRIVERS
        return Kind.MODEM if ttys or link or unit.has_storage or unit.has_unbound else None
    if ttys and ("cdc_acm" not in unit.bound or unit.vid in UART_MAKERS):
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
    if (unit.vid, unit.pid) in DOWNLOAD_MODES:
        return PortRole.DIAG  # the boot loader's own protocol
    if unit.driver and interface is not None and interface in unit.driver.ports:
        return unit.driver.ports[interface]
    # ModemManager's udev rules, where installed, know the products of many makers.
    tags = (role for name, role in MM_ROLES.items() if node.properties.get(name) == "1")
    return next(tags, None)


def _composition(modem: UsbModem, unit: _Unit) -> str | None:
    """Say why there is no AT port: the driver file's words, the table's, or what can be seen."""
    if candidates(modem, held=()):
        return None
    if unit.listed_composition:
        return unit.listed_composition
    if modem.storage:
        return STORAGE
    if unit.has_unbound:
        return UNBOUND
    if modem.cdc_wdm:
        return CONTROL_ONLY
    if modem.network_interfaces:
        return WEB_UI
    return NO_AT if modem.ports else NOTHING


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
