"""MeiG SLM750, SLM770, SLM828, SRM815 and SRM825.

Facts from the MeiG SLM770A and SRM8xx AT commands manuals, where no other source stands beside a
reader; ^SYSINFOEX and ^DSFLOWQRY are Huawei's. Which port takes AT commands differs by product.
"""

import re
from collections.abc import Iterator

from simdiag.driver import Fact, Fields, Layer, ModemDriver, Probe, Reply, usb


def temperature(reply: Reply) -> Iterator[Fact]:
    """+TEMP: a line for each sensor, its name and degrees; on Unisoc thousandths of a degree."""
    found = []
    for values in reply.each():
        degrees = values.number(1)
        if values.text(0) and degrees is not None:
            found.append(degrees / 1000 if abs(degrees) > 1000 else degrees)
    if real := [degrees for degrees in found if -40 <= degrees <= 150 and degrees != 0]:
        yield Fact("device.temperature_c", round(max(real), 1))


def card_slot(reply: Reply) -> Iterator[Fact]:
    """^SIMSLOT?: the second value is the slot in use, "0" for the second."""
    slot = reply.fields().integer(1)
    if slot in (0, 1) and "=?" not in reply.command:
        yield Fact("sim.slot", 2 if slot == 0 else 1)


_TECHNOLOGIES = {"01": "GSM", "02": "WCDMA", "03": "LTE", "04": "NR"}


def configuration(reply: Reply) -> Iterator[Fact]:
    """^SYSCFGEX?: technologies in their order ("00" automatic), bands, roaming allowed.

    Huawei's command, but here 04 is NR.
    """
    if "=?" in reply.command:
        return
    values = reply.fields()
    order = values.text(0) or ""
    codes = re.findall(r"\d\d", order) if re.fullmatch(r"(?:\d\d)+", order) else []
    if order == "00":
        yield Fact("radio.mode_restricted", False)
        yield Fact("radio.mode", "automatic")
    elif codes and all(code in _TECHNOLOGIES for code in codes):
        words = list(dict.fromkeys(_TECHNOLOGIES[code] for code in codes))
        yield Fact("radio.mode_restricted", len(words) == 1)
        yield Fact("radio.mode", ", ".join(words) + (" only" if len(words) == 1 else ""))
    if (roaming := values.integer(2)) in (0, 1):
        yield Fact("radio.roaming_enabled", roaming == 1)


def cell(reply: Reply) -> Iterator[Fact]:
    """^CELLINFO=1: technology, then by technology (order as open tools read it).

    LTE: duplex, MCC, MNC, cell, PCI, ... field 9 the band, 14 to 16 RSRP, RSRQ, SINR in tenths.
    NR: field 5 the PCI, 7 the band, 14 to 16 as above.
    """
    for values in reply.each():
        kind = (values.text(0) or "").upper()
        if kind.startswith(("LTE", "EMTC", "NB-IOT")):
            yield from _serving(values, "B", band=9)
        elif kind.startswith("5G"):
            yield from _serving(values, "n", band=7)


def _serving(values: Fields, prefix: str, *, band: int) -> Iterator[Fact]:
    mcc, mnc = values.text(2) or "", values.text(3) or ""
    if re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{2,3}", mnc):
        yield Fact("operator.plmn", mcc + mnc)
    if (pci := values.integer(5)) is not None and 0 <= pci <= 1007:
        yield Fact("cell.pci", pci)
    number = re.fullmatch(rf"{prefix}?([1-9]\d{{0,2}})", values.text(band) or "", re.IGNORECASE)
    if number:
        yield Fact("cell.band", prefix + number[1])
    for name, index, scale, lowest, highest in (
        ("signal.rsrp_dbm", 14, 1, -157, -31),
        ("signal.rsrq_db", 15, 1, -43, -1),
        ("signal.sinr_db", 16, 10, -23, 40),
    ):
        level = values.number(index)
        if level is not None and lowest <= level / scale <= highest:
            yield Fact(name, round(level / scale, 1))


_FORMS = (
    "^CELLINFO: LTE,{name},{mcc},{mnc},{cell},{pci},{tac},{earfcn},{bandwidth},{band},"
    "{small*4},{rsrp},{rsrq},{sinr_tenths}",
)
"""SLM750 AT commands manual: ``^CELLINFO``."""

DRIVER = ModemDriver(
    family="meig",
    vendor="MeiG",
    match=usb(0x2DEE, 0x4D22, 0x4D57, 0x4D58) + usb(0x05C6, 0xF601),
    identify=r"\bMEIG|(?<![A-Z0-9])S[LR]M\d{3}",
    probes=(
        Probe("AT+TEMP", Layer.DEVICE),
        Probe("AT^SIMSLOT?", Layer.SIM),
        Probe("AT^SYSINFOEX", Layer.REGISTRATION),
        Probe("AT^SYSCFGEX?", Layer.REGISTRATION),
        Probe("AT^CELLINFO=1", Layer.RADIO, reads_by_set=True),
        Probe("AT^DSFLOWQRY", Layer.COUNTERS),
    ),
    readers={
        "+TEMP:": temperature,
        "^SIMSLOT:": card_slot,
        "^CELLINFO:": cell,
    },
    overrides={
        "^SYSCFGEX:": configuration,
    },
    forms=_FORMS,
)
