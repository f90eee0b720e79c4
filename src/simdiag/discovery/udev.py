"""What udev says is plugged in: asks it and does nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simdiag.driver import PortRole

SUBSYSTEMS = ("usb", "tty", "net", "usbmisc")
"""Those of the kernel's subsystems to which a modem and its ports belong."""

MM_ROLES = {
    "ID_MM_PORT_TYPE_AT_PRIMARY": PortRole.AT_PRIMARY,
    "ID_MM_PORT_TYPE_AT_SECONDARY": PortRole.AT_SECONDARY,
    "ID_MM_PORT_TYPE_AT_PPP": PortRole.PPP,
    "ID_MM_PORT_TYPE_QCDM": PortRole.DIAG,
    "ID_MM_PORT_TYPE_GPS": PortRole.GNSS,
    "ID_MM_PORT_TYPE_AUDIO": PortRole.OTHER,
    "ID_MM_PORT_IGNORE": PortRole.OTHER,
}
"""What ModemManager's udev rules, where they are installed, say of a port."""

# What is read of which kind of node: each costs a system call or two, also where there is none.
_PROPERTIES = {
    "usb_device": ("ID_PATH", "USEC_INITIALIZED", "PRODUCT"),
    "tty": ("ID_USB_INTERFACE_NUM", *MM_ROLES),
}
_ATTRIBUTES = {
    "usb_device": ("idVendor", "idProduct", "manufacturer", "product", "serial"),
    "usb_interface": ("bInterfaceNumber", "bInterfaceClass", "bInterfaceSubClass", "interface"),
}


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


def _attributes(device: Any, what: str) -> Iterator[tuple[str, str]]:
    for name in _ATTRIBUTES.get(what, ()):
        value = device.attributes.get(name)
        if value is not None:
            yield name, value.decode("utf-8", "replace")
