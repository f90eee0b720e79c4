"""Fibocom L850 and L860 (Intel XMM7360 and XMM7560), AT over ACM or MBIM.

Facts from the Fibocom L860 AT commands manual, where no other source stands beside a reader.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Fact,
    Layer,
    ModemDriver,
    PortRole,
    Probe,
    Reply,
    addresses_in,
    rsrp_level,
    rsrq_level,
    usb,
)


def temperature(reply: Reply) -> Iterator[Fact]:
    """+MTSM=1: degrees Celsius, once."""
    degrees = reply.fields().integer(0)
    if degrees is not None and "=?" not in reply.command and -40 <= degrees <= 125:
        yield Fact("device.temperature_c", degrees)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+XPINCNT: tries left for PIN, PIN2, PUK, PUK2."""
    values = reply.fields()
    for name, index, most in (("sim.pin_retries", 0, 3), ("sim.puk_retries", 2, 10)):
        if (left := values.integer(index)) is not None and 0 <= left <= most:
            yield Fact(name, left)


_MODES = {
    0: "GSM only", 1: "UMTS only", 2: "LTE only", 3: "GSM and UMTS only", 4: "UMTS and LTE",
    5: "GSM and LTE", 6: "GSM, UMTS and LTE",
}  # fmt: skip


def technologies(reply: Reply) -> Iterator[Fact]:
    """+XACT?: technologies, the one preferred, the next, then the bands (101 is LTE band 1)."""
    values = reply.fields()
    mode = values.integer(0)
    if "=?" in reply.command or mode not in _MODES:
        return
    yield Fact("radio.mode_restricted", mode <= 3)
    yield Fact("radio.mode", _MODES[mode])
    numbers = (values.integer(i) for i in range(3, len(values)))
    if bands := [number - 100 for number in numbers if number and 100 < number <= 188]:
        yield Fact("radio.lte_bands", bands)


def cell(reply: Reply) -> Iterator[Fact]:
    """+XCCINFO?: mode, MCC, MNC, cell, technology, band (101 is LTE band 1), then the area."""
    values = reply.fields()
    mcc, mnc, band = values.text(1) or "", values.text(2) or "", values.integer(5)
    if re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{1,3}", mnc):
        yield Fact("operator.plmn", mcc + mnc.zfill(2))
        yield from _band(band)


def carriers(reply: Reply) -> Iterator[Fact]:
    """+XLEC?: mode, number of carriers (0 none), a bandwidth for each, then ``BAND_LTE_n``."""
    if reply.fields().integer(1) and (name := re.search(r"BAND_LTE_(\d{1,2})\b", reply.lines[0])):
        yield Fact("cell.band", f"B{int(name[1])}")


def signal(reply: Reply) -> Iterator[Fact]:
    """+XCESQ?: mode, then as +CESQ: rxlev, ber, rscp, ecno, rsrq, rsrp; then RSSNR in halves."""
    values = reply.fields()
    yield from _levels(rsrp=values.integer(6), rsrq=values.integer(5), snr=values.integer(7))


def cells(reply: Reply) -> Iterator[Fact]:
    """+XMCI, in logs only: kind (4 serving LTE, 5 neighbour), MCC, MNC, area, cell, PCI, EARFCN.

    RSRP, RSRQ and RSSNR follow as fields 9 to 11; PCI and EARFCN are in hex.
    """
    for values in reply.each():
        if values.integer(0) != 4:
            continue
        mcc, mnc = values.text(1) or "", values.text(2) or ""
        if re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{1,3}", mnc):
            yield Fact("operator.plmn", mcc + mnc.zfill(2))
        pci, channel = values.hexadecimal(5), values.hexadecimal(6)
        if pci is not None and 0 <= pci <= 503:
            yield Fact("cell.pci", pci)
        if channel is not None and 0 < channel < 0x40000:
            yield Fact("cell.earfcn", channel)
        yield from _levels(rsrp=values.integer(9), rsrq=values.integer(10), snr=values.integer(11))


def link(reply: Reply) -> Iterator[Fact]:
    """+GTRNDIS?: 1 when active, context, its address, then name servers."""
    values = reply.fields()
    number = values.integer(1)
    if number is not None and values.integer(0) == 1 and (found := addresses_in(values[2:3])):
        yield Fact("data.addresses", {number: found})


def _band(number: int | None) -> Iterator[Fact]:
    if number is not None and 100 < number <= 188:
        yield Fact("cell.band", f"B{number - 100}")


def _levels(*, rsrp: int | None, rsrq: int | None, snr: int | None) -> Iterator[Fact]:
    if (level := rsrp_level(rsrp)) is None:
        return
    yield Fact("signal.rsrp_dbm", level)
    if (ratio := rsrq_level(rsrq)) is not None:
        yield Fact("signal.rsrq_db", ratio)
    if snr is not None and -46 <= snr <= 80:
        yield Fact("signal.sinr_db", snr / 2)


_FORMS = (
    "+XLEC: {state*2},{small}[,{small}]*3,BAND_LTE_{band}[,{small*4}]",
    "+RSRP: {pci},{earfcn},{rsrp}[,{neighbour},{earfcn},{rsrp}]*3",
    "+RSRQ: {pci},{earfcn},{rsrq}[,{neighbour},{earfcn},{rsrq}]*3",
    "+XMCI: {state},{mcc},{mnc},{tac},{cell},{neighbour},{earfcn_hex*2},{mask},{small*3},"
    "{bytes_hex*2}",
)
"""L850/L860 AT commands manual: the serving cell, and those beside it."""

DRIVER = ModemDriver(
    family="fibocom-l8xx",
    vendor="Fibocom",
    attempts=("AT+GTRNDIS=1",),
    match=usb(0x2CB7, 0x0007) + usb(0x8087, 0x095A),
    identify=r"\bL8[56]0\b|XMM7[35]60",
    ports={2: PortRole.AT_PRIMARY, 6: PortRole.AT_SECONDARY},
    probes=(
        Probe("AT+MTSM=1", Layer.DEVICE, reads_by_set=True),
        Probe("AT+GTFCCEFFSTATUS?", Layer.DEVICE),
        Probe("AT+XPINCNT", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+XACT?", Layer.REGISTRATION),
        Probe("AT+XCCINFO?", Layer.RADIO),
        Probe("AT+XLEC?", Layer.RADIO),
        Probe("AT+XCESQ?", Layer.RADIO),
    ),
    readers={
        "+MTSM:": temperature,
        "+XPINCNT:": pin_counter,
        "+XACT:": technologies,
        "+XCCINFO:": cell,
        "+XLEC:": carriers,
        "+XCESQ:": signal,
        "+XMCI:": cells,
        "+GTRNDIS:": link,
    },
    forms=_FORMS,
)
