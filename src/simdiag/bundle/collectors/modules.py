"""The kernel's modules that drive modems and their network links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import DriverName, Event, SmallInt, Version
from simdiag.discovery import MODEM_DRIVERS

_OTHERS = {
    "usbserial", "usb_wwan", "usbnet", "cdc_acm", "cdc_wdm", "cdc_ether", "cdc_ncm", "cdc_eem",
    "rndis_host", "rndis_wlan", "ppp_generic", "ppp_async", "wwan", "mhi", "mhi_wwan_ctrl",
    "mhi_net", "qrtr", "usb_storage", "uas", "xhci_hcd", "xhci_pci", "ehci_hcd", "uhci_hcd",
    "ohci_hcd", "dwc2", "dwc3",
}  # fmt: skip


class Module(Event):
    """A module that is loaded, by how many others it is used, and its version if it has one."""

    module: DriverName
    used_by: SmallInt
    version: Version | None = None


def _collect(_: Subject) -> Iterator[Module]:
    try:
        lines = Path("/proc/modules").read_text("ascii", "replace").splitlines()
    except FileNotFoundError as missing:  # a kernel that is in one piece
        raise Skipped from missing
    for words in sorted(line.split() for line in lines):
        if words[0] in MODEM_DRIVERS | _OTHERS:
            version = Path("/sys/module", words[0], "version")
            yield Module(
                module=words[0],
                used_by=int(words[2]),
                version=version.read_text().strip()[:40] if version.exists() else None,
            )


COLLECTOR = Collector(Module, _collect)
