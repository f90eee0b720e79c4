"""Luat Air720, Air724UG, Air780 and kin (Unisoc 8910 and ASR), with Luat's AT firmware.

Facts from the Luat Air724UG AT commands manual and from logs of the modules.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Dialect,
    Fact,
    Fields,
    Layer,
    ModemDriver,
    PortRole,
    Probe,
    Reply,
    rsrp_level,
    rsrq_level,
    split,
    usb,
)


def cells(reply: Reply) -> Iterator[Fact]:
    """+CCED=0,1: the current cell, after words that name its technology.

    LTE: MCC, MNC, IMSI (not read here), roaming, band, bandwidth, EARFCN, cell, RSRP and RSRQ as
    indices, area, Srxlev, PCI. GSM: MCC, MNC first.
    """
    for line in reply.lines:
        match = re.match(r"\+CCED:\s*(LTE|GSM) current cell[a-z ]*:(.*)", line, re.IGNORECASE)
        if match is None:
            continue
        values = split(match[2])
        mcc, mnc = values.text(0) or "", values.text(1) or ""
        if re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{2,3}", mnc):
            yield Fact("operator.plmn", mcc + mnc)
            yield Fact("cell.technology", match[1].upper())
        if match[1].upper() == "LTE":
            yield from _lte(values)


def _lte(values: Fields) -> Iterator[Fact]:
    if (band := values.integer(4)) is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")
    if (channel := values.integer(6)) is not None and 0 < channel < 0x40000 and channel != 0xFFFF:
        yield Fact("cell.earfcn", channel)
    if (level := rsrp_level(values.integer(8))) is not None:
        yield Fact("signal.rsrp_dbm", level)
        if (ratio := rsrq_level(values.integer(9))) is not None:
            yield Fact("signal.rsrq_db", ratio)
    if (pci := values.integer(12)) is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)


_NETWORK_MODES = {1: "RNDIS", 2: "ECM"}


def network_mode(reply: Reply) -> Iterator[Fact]:
    """+SETUSB?: the kind of network device, 1 RNDIS, 2 ECM."""
    if "=?" not in reply.command and (mode := reply.fields().integer(0)) in _NETWORK_MODES:
        yield Fact("usb.network_mode", _NETWORK_MODES[mode])


DRIVER = ModemDriver(
    family="unisoc-air724",
    vendor="Luat",
    match=usb(0x1782, 0x4E00),
    identify=r"(?<![A-Z0-9])Air7[0-9]\d|AirM2M|UIS8910|Luat",
    ports={2: PortRole.AT_PRIMARY, 3: PortRole.PPP, 4: PortRole.DIAG},
    dialect=Dialect(
        urc_prefixes=("+EEMLTESVC:", "+EEMLTEINTER:", "+EEMLTEINTRA:", "+NITZ:", "+E_UTRAN")
    ),
    probes=(
        Probe("AT+SETUSB?", Layer.DEVICE),
        Probe("AT*BAND?", Layer.REGISTRATION),
        Probe("AT+CCED=0,1", Layer.RADIO, timeout_s=10, reads_by_set=True),
        Probe("AT*BANDIND?", Layer.RADIO),
        Probe("AT+EEMGINFO?", Layer.RADIO, prefixes=("+EEMGINFO :",), linger_s=0.5),
    ),
    readers={
        "+CCED:": cells,
        "+SETUSB:": network_mode,
    },
)
