"""Portable WiFi sticks and modules with ASR 1802S or 1803, as far as they show an AT port.

Facts from logs and questions in ASR's and Luat's public documentation.
"""

from collections.abc import Iterator

from simdiag.driver import (
    Dialect,
    Fact,
    Fields,
    Layer,
    ModemDriver,
    Probe,
    Reply,
    rsrp_level,
    rsrq_level,
)

_MODES = {
    0: "GSM only", 1: "UMTS only", 2: "GSM and UMTS", 3: "GSM and UMTS", 4: "GSM and UMTS",
    5: "LTE only",
}  # fmt: skip


def bands(reply: Reply) -> Iterator[Fact]:
    """*BAND?: technologies (0 GSM, 1 UMTS, 5 LTE, above: several), then a mask for each kind.

    Many of these can nothing but LTE, so 5 does not count as a restriction.
    """
    values = reply.fields()
    mode = values.integer(0)
    if "=?" in reply.command or mode is None or not 0 <= mode <= 20 or len(values) < 4:
        return
    yield Fact("radio.mode_restricted", mode in (0, 1))
    if mode in _MODES:
        yield Fact("radio.mode", _MODES[mode])


def band(reply: Reply) -> Iterator[Fact]:
    """*BANDIND?: reports on, the band in use, technology (7 LTE)."""
    values = reply.fields()
    number = values.integer(1)
    if number is not None and values.integer(2) == 7 and 0 < number <= 88:
        yield Fact("cell.band", f"B{number}")


def serving(reply: Reply) -> Iterator[Fact]:
    """+EEMLTESVC, after +EEMGINFO?: MCC, length of MNC, MNC, area, PCI, channels, band, and more.

    MCC and MNC are numbers whose hex digits are meant (1120 is 460). RSRP and RSRQ are indices;
    newer firmware has one more field before them.
    """
    values = reply.fields()
    if len(values) < 27:
        return
    if plmn := _plmn(values):
        yield Fact("operator.plmn", plmn)
        yield Fact("cell.technology", "LTE")
    if (pci := values.integer(4)) is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    if (channel := values.integer(5)) is not None and 0 < channel < 0x40000 and channel != 0xFFFF:
        yield Fact("cell.earfcn", channel)
    if (number := values.integer(7)) is not None and 0 < number <= 88:
        yield Fact("cell.band", f"B{number}")
    first = 10 if len(values) == 27 else 11
    if (level := rsrp_level(values.integer(first))) is not None:
        yield Fact("signal.rsrp_dbm", level)
        if (ratio := rsrq_level(values.integer(first + 1))) is not None:
            yield Fact("signal.rsrq_db", ratio)


def _plmn(values: Fields) -> str | None:
    """Below 0x320 the number could be a MCC as it stands."""
    mcc, length, mnc = values.integer(0), values.integer(1), values.integer(2)
    if mcc is None or mnc is None or length not in (2, 3) or not 0x320 <= mcc <= 0x799:
        return None
    digits = f"{mcc:03X}{mnc:0{length}X}"
    return digits if digits.isdigit() and mnc >= 0 and len(digits) == 3 + length else None


_FORMS = (
    "*BAND: {count},{frequency*3},{bitmask},{small*3}",
    "+EEMLTESVC: {frequency},{state},{small},{tac},{pci},{earfcn*2},{band},{bandwidth},"
    "{cell},{small*15},{place*3}",
    "+EEMLTESVC: {frequency},{state},{small},{tac},{pci},{earfcn*2},{band},{bandwidth},"
    "{cell},{small*17},{place*3}",
)
"""AT command manual of the ASR modules: ``*BAND``; ``+EEMLTESVC``, which ends with the names of
the core network and of the subscriber there.
"""

DRIVER = ModemDriver(
    family="asr1803",
    vendor="ASR",
    identify=r"(?<![A-Z0-9_])ASR_?180[23]",
    dialect=Dialect(
        urc_prefixes=(
            "+EEMLTESVC:", "+EEMLTEINTER:", "+EEMLTEINTRA:", "+NITZ:",
            "*REGNOTIFY", "+MSTK:",
        )
    ),
    probes=(
        Probe("AT*BAND?", Layer.REGISTRATION),
        Probe("AT^SYSINFO", Layer.REGISTRATION),
        Probe("AT*BANDIND?", Layer.RADIO),
        Probe("AT+EEMGINFO?", Layer.RADIO, prefixes=("+EEMGINFO :",), linger_s=0.5),
    ),
    readers={
        "*BAND:": bands,
        "*BANDIND:": band,
        "+EEMLTESVC:": serving,
    },
    forms=_FORMS,
)  # fmt: skip
