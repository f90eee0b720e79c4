"""Quectel RM500Q/RM502Q/RM510Q/RM520N/RM530N, RG50xQ/RG520N and RM500U: 5G modules.

Facts from the RG50xQ&RM5xxQ AT commands manual, where no other source stands beside a reader.
The Unisoc based RM500U answers ``+CME ERROR: 4`` to some of these questions; that is no fault.
What these modules answer as the EC2x do (``+QNWINFO``, ``+QTEMP``, ``+QPINC``, ``+QSIMSTAT``,
``+QGDCNT``, ``+QCFG``) is read by ``quectel_ec2x.py``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from simdiag.driver import (
    Dialect,
    Fact,
    Fields,
    Layer,
    ModemDriver,
    PortRole,
    Probe,
    Reply,
    usb,
)


class _Level(NamedTuple):
    """Names of a level, and what it can be: 255, 32767 and -32768 are fillers."""

    lowest: int
    highest: int
    lte: str
    nr: str


_LEVELS = {
    "rsrp": _Level(-157, -31, "signal.rsrp_dbm", "signal.ss_rsrp_dbm"),
    "rsrq": _Level(-43, 20, "signal.rsrq_db", "signal.ss_rsrq_db"),
    "sinr": _Level(-23, 40, "signal.sinr_db", "signal.ss_sinr_db"),
    "rssi": _Level(-120, -20, "signal.rssi_dbm", ""),
    "rscp": _Level(-121, -20, "signal.rscp_dbm", ""),
}
_LAYOUTS: Mapping[str, Mapping[str, int]] = {
    "LTE": {
        "plmn": 2, "pci": 5, "channel": 6, "band": 7,
        "rsrp": 11, "rsrq": 12, "rssi": 13, "sinr": 14,
    },
    "NR5G-SA": {
        "plmn": 2, "pci": 5, "channel": 7, "band": 8,
        "rsrp": 10, "rsrq": 11, "sinr": 12,
    },
    "NR5G-NSA": {"rsrp": 4, "sinr": 5, "rsrq": 6},
    "WCDMA": {"rscp": 8},
}  # fmt: skip
"""Where a value stands behind the technology, which is number 0. ``plmn`` is MCC, then MNC."""
_STATES = {"SEARCH": "searching", "LIMSRV": "limited", "NOCONN": "camped", "CONNECT": "connected"}


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """+QENG="servingcell": one line, or a line with the state and one for each leg (NSA).

    Unlike on the EC2x the SINR of LTE is plain dB (QModem's and 3ginfo's parsers of this family).
    """
    for values in reply.each():
        if values.text(0) == "servingcell":
            if state := _STATES.get(values.text(1) or ""):
                yield Fact("cell.state", state)
            values = Fields(values[2:])
        technology = values.text(0) or ""
        if layout := _LAYOUTS.get(technology):
            yield from _place(values, layout, "B" if technology == "LTE" else "n")
            yield from _levels(values, layout, secondary=technology == "NR5G-NSA")


def _place(values: Fields, layout: Mapping[str, int], prefix: str) -> Iterator[Fact]:
    if "plmn" not in layout:
        return
    country, network = values.text(layout["plmn"]), values.text(layout["plmn"] + 1)
    if re.fullmatch(r"\d{3},\d{1,3}", f"{country},{network}"):
        yield Fact("operator.plmn", f"{country}{(network or '').zfill(2)}")
    if (cell := values.integer(layout["pci"])) is not None and 0 <= cell <= 1007:
        yield Fact("cell.pci", cell)
    if (channel := values.integer(layout["channel"])) is not None and channel >= 0:
        yield Fact("cell.earfcn", channel)
    if (band := values.integer(layout["band"])) is not None and 0 < band <= 512:
        yield Fact("cell.band", f"{prefix}{band}")


def _levels(values: Fields, layout: Mapping[str, int], *, secondary: bool) -> Iterator[Fact]:
    for kind, level in _LEVELS.items():
        value = values.integer(layout[kind]) if kind in layout else None
        if value is not None and level.lowest <= value <= level.highest:
            yield Fact(level.nr if secondary else level.lte, value)


def carriers(reply: Reply) -> Iterator[Fact]:
    """+QCAINFO: "PCC" or "SCC", channel, bandwidth, band in words; the rest differs by firmware."""
    bands = []
    for values in reply.each():
        match = re.fullmatch(r"(LTE|NR\w*) (?:BAND |N)(\d+)", (values.text(3) or "").upper())
        if match and (values.text(0) or "").upper() in ("PCC", "SCC"):
            bands.append(f"{'B' if match[1] == 'LTE' else 'n'}{match[2]}")
    if bands:
        yield Fact("cell.carriers", bands)


def preference(reply: Reply) -> Iterator[Fact]:
    """+QNWPREFCFG: ``mode_pref`` is AUTO or technologies joined by colons; bands likewise."""
    for values in reply.each():
        setting, chosen = values.text(0), values.text(1)
        if chosen is None:
            continue
        if setting == "mode_pref":
            modes = chosen.upper().split(":")
            everything = "AUTO" in modes or {"WCDMA", "LTE", "NR5G"} <= set(modes)
            yield Fact("radio.mode_restricted", not everything)
            yield Fact("radio.mode", "automatic" if everything else f"{', '.join(modes)} only")
        elif setting in ("lte_band", "nr5g_band") and re.fullmatch(r"\d+(?::\d+)*", chosen):
            yield Fact(f"radio.{setting}s", [int(band) for band in chosen.split(":")])


def nr_counters(reply: Reply) -> Iterator[Fact]:
    """+QGDNRCNT: bytes sent, bytes received over NR.

    +QGDCNT counts LTE. A module on both shows nearly the same in both with some firmware (a log of
    NSA), and not with other, so that they are not one counter, nor can they be added.
    """
    values = reply.fields()
    for name, index in (("counter.nr_tx_bytes", 0), ("counter.nr_rx_bytes", 1)):
        if (count := values.integer(index)) is not None:
            yield Fact(name, count)


DRIVER = ModemDriver(
    family="quectel-rm5xx",
    vendor="Quectel",
    match=usb(0x2C7C, 0x0800, 0x0801, 0x0900),
    identify=r"\bR[MG]5\d\d",
    ports={
        0: PortRole.DIAG,
        1: PortRole.GNSS,
        2: PortRole.AT_PRIMARY,
        3: PortRole.AT_SECONDARY,
    },
    dialect=Dialect(urc_prefixes=("+QIND:", "+QUSIM:", "+QSIMSTAT URC", "RDY", "POWERED DOWN")),
    probes=(
        Probe("AT+QTEMP", Layer.DEVICE),
        Probe('AT+QCFG="usbnet"', Layer.DEVICE, reads_by_set=True),
        Probe("AT+QSIMSTAT?", Layer.SIM),
        Probe("AT+QSIMDET?", Layer.SIM),
        Probe("AT+QPINC?", Layer.SIM),
        Probe("AT+QCCID", Layer.SIM, unless="sim.iccid"),
        Probe('AT+QNWPREFCFG="mode_pref"', Layer.REGISTRATION, reads_by_set=True),
        Probe('AT+QNWPREFCFG="lte_band"', Layer.REGISTRATION, reads_by_set=True),
        Probe('AT+QNWPREFCFG="nr5g_band"', Layer.REGISTRATION, reads_by_set=True),
        Probe("AT+QNWINFO", Layer.RADIO),
        Probe('AT+QENG="servingcell"', Layer.RADIO, reads_by_set=True),
        Probe("AT+QCAINFO", Layer.RADIO),
        Probe("AT+QGDCNT?", Layer.COUNTERS),
        Probe("AT+QGDNRCNT?", Layer.COUNTERS),
    ),
    readers={
        "+QCAINFO:": carriers,
        "+QNWPREFCFG:": preference,
        "+QGDNRCNT:": nr_counters,
    },
    overrides={
        "+QENG:": serving_cell,
    },
)
