"""ZTE and other sticks and portable routers with ZXIC chips (ZX297520) that do open an AT port.

Most of them show a network link and a web page only; the AT port comes with the factory mode.
Commands and field orders as an open router firmware reads them on the ZX297520 (LandOS, ZTE 7520).
"""

import re
from collections.abc import Iterator

from simdiag.driver import N_, Dialect, Fact, Layer, ModemDriver, Probe, Reply, usb


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """+ZEMSCIQ=1: status, technology, cell, RAC, area, PLMN, PCI, channel, band."""
    values = reply.fields()
    plmn = re.fullmatch(r"\d{5,6}", values.text(5) or "")
    if not plmn or values.integer(1) != 7:
        return
    yield Fact("operator.plmn", plmn[0])
    if (cell := values.integer(6)) is not None and 0 <= cell <= 503:
        yield Fact("cell.pci", cell)
    if (channel := values.integer(7)) is not None and channel > 0:
        yield Fact("cell.earfcn", channel)
    if (band := values.integer(8)) is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")


_MODES = {2: "automatic", 13: "GSM only", 14: "WCDMA only", 15: "TD-SCDMA only", 17: "LTE only"}


def configuration(reply: Reply) -> Iterator[Fact]:
    """^SYSCONFIG?: technologies, which of them first, roaming allowed, domain."""
    values = reply.fields()
    if (mode := values.integer(0)) in _MODES:
        yield Fact("radio.mode_restricted", mode != 2)
        yield Fact("radio.mode", _MODES[mode])
    if (roaming := values.integer(2)) in (0, 1):
        yield Fact("radio.roaming_enabled", roaming == 1)


_ROUTER = N_(
    "router mode: the device offers a network link with its own web page and no AT port; open the "
    "web page"
)
_STORAGE = N_(
    "storage mode: the stick still shows its drive with Windows drivers and has not switched over"
)

DRIVER = ModemDriver(
    family="zte-mifi",
    vendor="ZTE",
    match=usb(0x19D2, 0x0579),
    identify=r"\b(?:MF79\w?|MF83\d\w*|MF9[0-3]\d\w*|ME3760|ML7810)\b|ZX297520|\bZXIC\b",
    dialect=Dialect(urc_prefixes=("+ZMSRI", "+ZURDY:", "+ZUSLOT:", "+ZMMI:", "+ZGIPDNS:")),
    probes=(
        Probe("AT+ZICCID?", Layer.SIM, prefixes=("^ICCID:",), unless="sim.iccid"),
        Probe("AT^SYSCONFIG?", Layer.REGISTRATION),
        Probe("AT+ZEMSCIQ=1", Layer.RADIO, reads_by_set=True),
    ),
    readers={"+ZEMSCIQ:": serving_cell, "^SYSCONFIG:": configuration},
    compositions={
        (0x19D2, 0x1225): _STORAGE,
        (0x19D2, 0x1403): _ROUTER,
        (0x19D2, 0x1405): _ROUTER,
    },
)
