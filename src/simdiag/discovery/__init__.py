"""Which modems, portable WiFi devices and serial adapters are plugged in, and through which ports.

:mod:`simdiag.discovery.udev` asks udev, :mod:`simdiag.discovery.grouping` makes devices of the
answer with what :mod:`simdiag.discovery.products` knows, and :mod:`simdiag.discovery.ports` says
which port to talk to.
"""

from __future__ import annotations

import time

from simdiag.discovery.devices import Kind, SerialPort, UsbModem
from simdiag.discovery.grouping import group
from simdiag.discovery.ports import best_at_port, candidates
from simdiag.discovery.products import MODEM_DRIVERS
from simdiag.discovery.udev import SUBSYSTEMS, Node, read_nodes
from simdiag.registry import drivers

__all__ = [
    "MODEM_DRIVERS",
    "SUBSYSTEMS",
    "Kind",
    "Node",
    "SerialPort",
    "UsbModem",
    "best_at_port",
    "candidates",
    "discover",
    "group",
    "read_nodes",
]


def discover() -> list[UsbModem]:
    """Return what is plugged in, modems first; empty where there is no udev, sysfs or USB."""
    nodes = read_nodes()
    return group(nodes, drivers(), time.monotonic()) if nodes else []
