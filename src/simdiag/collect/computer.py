"""What this computer knows of a device: its USB identity and its network interface."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.discovery import UsbModem
from simdiag.evidence import Observation, Source
from simdiag.host.network import network_facts


def _observation(name: str, value: object) -> Observation:
    return Observation(name, value, Source(-1, "", str(value)))


def usb_observations(device: UsbModem) -> Iterator[Observation]:
    """Yield ``usb.*``: ids, drivers and ports of the device."""
    yield _observation("usb.vid", f"{device.vid:04x}")
    yield _observation("usb.pid", f"{device.pid:04x}")
    yield _observation("usb.drivers", list(device.kernel_drivers))
    ports = [{"path": p.path, "interface": p.interface, "role": p.role} for p in device.ports]
    yield _observation("usb.ports", ports)


def interface_observation(device: UsbModem) -> Observation | None:
    """Return ``host.interface`` of a device whose network interface is up, else ``None``.

    An interface that is down is no fault: nobody has asked for a connection.
    """
    if not device.network_interfaces:
        return None
    network = network_facts(list(device.network_interfaces))
    for interface in network.interfaces:
        if interface.up:
            return _observation(
                "host.interface",
                {
                    "name": interface.name,
                    "address": bool(interface.ipv4 or interface.ipv6),
                    "name_servers": network.has_resolver,
                    "rx_bytes": interface.rx_bytes,
                    "tx_bytes": interface.tx_bytes,
                },
            )
    return None
