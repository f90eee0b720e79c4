"""Fibocom FM101 to FM190, FM350, FM650 and their FG kin, NL668 and NL678.

Facts from the Fibocom FM150/FM160 and FM350 AT commands manuals, where no other source stands
beside a reader. The base differs (Qualcomm, MediaTek, Unisoc) and with it the port that takes AT
commands; the commands are the same.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Fact,
    Fields,
    Layer,
    ModemDriver,
    Probe,
    Reader,
    Reply,
    rsrp_level,
    rsrq_level,
    usb,
)

# ---- device ------------------------------------------------------------------------------


def _identity(name: str) -> Reader:
    def read(reply: Reply) -> Iterator[Fact]:
        """+GMI, +GMM, +GMR with their prefix; the first value counts (L850: then a short name)."""
        if words := reply.fields().text(0):
            yield Fact(name, words[:100])

    return read


def temperature(reply: Reply) -> Iterator[Fact]:
    """+GTSENRDTEMP: sensor, thousandths of a degree; a line for each sensor."""
    found = [n for values in reply.each() if (n := values.integer(1)) and -40_000 <= n <= 150_000]
    if found:
        yield Fact("device.temperature_c", round(max(found) / 1000, 1))


def network_mode(reply: Reply) -> Iterator[Fact]:
    """+GTUSBMODE?: the number of the USB composition, which each platform counts its own way."""
    if "=?" not in reply.command and (mode := reply.fields().integer(0)) is not None:
        yield Fact("usb.network_mode", f"mode {mode}")


def regulatory_lock(reply: Reply) -> Iterator[Fact]:
    """+GTFCCEFFSTATUS?: lock mode (0 none, 1 once, 2 each power-on), status (1 unlocked).

    While locked, AT+CFUN=1 does not switch the radio on: the host must give the answer.
    """
    values = reply.fields()
    if values.integer(0) in (1, 2) and values.integer(1) == 0:
        yield Fact("radio.off_reason", "FCC lock")


# ---- SIM ---------------------------------------------------------------------------------
def card_slot(reply: Reply) -> Iterator[Fact]:
    """+GTDUALSIM?: the slot in use, counted from 0, and what the module calls it."""
    if "=?" not in reply.command and (slot := reply.fields().integer(0)) in (0, 1):
        yield Fact("sim.slot", slot + 1)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+EPINC?: tries left for PIN, PIN2, PUK, PUK2 (MediaTek)."""
    values = reply.fields()
    for name, index, most in (("sim.pin_retries", 0, 3), ("sim.puk_retries", 2, 10)):
        if (left := values.integer(index)) is not None and 0 <= left <= most:
            yield Fact(name, left)


# ---- registration ------------------------------------------------------------------------
_MODES = {
    1: "UMTS only", 2: "LTE only", 4: "UMTS and LTE", 10: "automatic", 14: "NR only",
    16: "UMTS and NR only", 17: "LTE and NR", 20: "UMTS, LTE and NR",
}  # fmt: skip


def technologies(reply: Reply) -> Iterator[Fact]:
    """+GTACT?: technologies, the one preferred, the next, then the bands."""
    mode = reply.fields().integer(0)
    if "=?" not in reply.command and mode in _MODES:
        yield Fact("radio.mode_restricted", mode in (1, 2, 14, 16))
        yield Fact("radio.mode", _MODES[mode])


def cell_lock(reply: Reply) -> Iterator[Fact]:
    """+GTCELLLOCK?: 0 no lock, 1 a lock to what follows."""
    if "=?" not in reply.command and (state := reply.fields().integer(0)) in (0, 1):
        yield Fact("radio.cell_locked", state == 1)


# ---- radio -------------------------------------------------------------------------------
def cells(reply: Reply) -> Iterator[Fact]:
    """+GTCCINFO?: lines that begin with 1 are of a serving cell, those with 2 of a neighbour.

    Then technology (4 LTE, 9 NR), MCC, MNC, area, cell, channel, PCI, band, bandwidth, SNR,
    rxlev, RSRP, RSRQ. Firmware that prints headings prints channel and PCI in hex.
    """
    headings = any(re.match(r"[A-Z].*cell", line, re.IGNORECASE) for line in reply.lines)
    for values in reply.each():
        if values.integer(0) != 1 or len(values) < 14:
            continue
        if (plmn := _plmn(values)) is not None:
            yield Fact("operator.plmn", plmn)
        if values.integer(1) == 4:
            yield from _place(values, 0x40000, 503, in_hex=headings)
            yield from _lte(values)
        elif values.integer(1) == 9 and plmn is not None:
            yield from _place(values, 0x400000, 1007, in_hex=headings)
            yield from _nr("signal.", values, scaled=headings)
        elif values.integer(1) == 9:
            yield from _nr("signal.ss_", values, scaled=headings)


def _plmn(values: Fields) -> str | None:
    mcc, mnc = values.text(2) or "", values.text(3) or ""
    fits = re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{1,3}", mnc)
    return mcc + mnc.zfill(2) if fits else None  # some print MNC 01 as 1


def _place(values: Fields, channels: int, cells: int, *, in_hex: bool) -> Iterator[Fact]:
    number = Fields.hexadecimal if in_hex else Fields.integer
    channel, pci = number(values, 6), number(values, 7)
    if channel is not None and 0 < channel < channels and channel != 0xFFFF:
        yield Fact("cell.earfcn", channel)
    if pci is not None and 0 <= pci <= cells:
        yield Fact("cell.pci", pci)
    if band := _band(values.text(8) or "", lte=values.integer(1) == 4):
        yield Fact("cell.band", band)


def _band(text: str, *, lte: bool) -> str | None:
    """LTE: 103 is B3, some print 3; NR: 50 before the number, so 5078 is n78."""
    if not re.fullmatch(r"\d{1,5}", text):
        return None
    if lte:
        number = int(text) - 100 if int(text) > 100 else int(text)
        return f"B{number}" if 0 < number <= 88 else None
    match = re.fullmatch(r"50([1-9]\d{0,2})", text)
    return f"n{match[1]}" if match else None


def _lte(values: Fields) -> Iterator[Fact]:
    if (level := rsrp_level(values.integer(12))) is None:
        return
    yield Fact("signal.rsrp_dbm", level)
    if (ratio := rsrq_level(values.integer(13))) is not None:
        yield Fact("signal.rsrq_db", ratio)
    if (snr := values.integer(10)) is not None and -46 <= snr <= 80:
        yield Fact("signal.sinr_db", snr / 2)


def _nr(prefix: str, values: Fields, *, scaled: bool) -> Iterator[Fact]:
    """Indices of TS 38.133: SS-RSRP, SS-RSRQ; the SNR is one too, but not on the FM350."""
    rsrp, rsrq, sinr = values.integer(12), values.integer(13), values.integer(10)
    if rsrp is None or not 0 <= rsrp <= 126:
        return
    yield Fact(f"{prefix}rsrp_dbm", rsrp - 157)
    if rsrq is not None and 0 <= rsrq <= 126:
        yield Fact(f"{prefix}rsrq_db", rsrq / 2 - 43.5)
    if scaled and sinr is not None and 0 <= sinr <= 126:
        yield Fact(f"{prefix}sinr_db", sinr / 2 - 23.5)


_FORMS = (
    "2,4,,,,,{earfcn_hex},{neighbour},,{small*3}",
    "PCC: {small},{pci},{earfcn},{bandwidth},{small*5}",
    "SCC{state}: {small*2},{pci},{earfcn},{bandwidth},{small*5}",
)
"""FM150 and FM350 AT commands manuals: the cells beside the serving one, and carriers."""

DRIVER = ModemDriver(
    family="fibocom-fm",
    vendor="Fibocom",
    attempts=("AT+MIPCALL=1",),
    match=usb(
        0x2CB7, 0x0104, 0x0105, 0x010B, 0x0111, 0x0115, 0x01A0, 0x01A2, 0x01A3, 0x01A4,
        0x0A04, 0x0A05, 0x0A06, 0x0A07,
    )
    + usb(0x0E8D, 0x7126, 0x7127),
    identify=r"(?<![A-Z0-9])(F[MG](1\d\d|350|621|650)|NL6[67]8)",
    probes=(
        Probe("AT+GTSENRDTEMP=1", Layer.DEVICE, reads_by_set=True),
        Probe("AT+MTSM=1", Layer.DEVICE, unless="device.temperature_c", reads_by_set=True),
        Probe("AT+GTUSBMODE?", Layer.DEVICE),
        Probe("AT+GTFCCEFFSTATUS?", Layer.DEVICE),
        Probe("AT+GTDUALSIM?", Layer.SIM),
        Probe("AT+EPINC?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+GTACT?", Layer.REGISTRATION),
        Probe("AT+GTCELLLOCK?", Layer.REGISTRATION),
        Probe("AT+GTCCINFO?", Layer.RADIO),
    ),
    readers={
        "+GMI:": _identity("device.manufacturer"),
        "+GMM:": _identity("device.model"),
        "+GMR:": _identity("device.revision"),
        "+GTSENRDTEMP:": temperature,
        "+GTUSBMODE:": network_mode,
        "+GTFCCEFFSTATUS:": regulatory_lock,
        "+GTDUALSIM:": card_slot,
        "+EPINC:": pin_counter,
        "+GTACT:": technologies,
        "+GTCELLLOCK:": cell_lock,
        "+GTCCINFO:": cells,
    },
    forms=_FORMS,
)  # fmt: skip
