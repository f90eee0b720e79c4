"""SIMCom SIM7500/SIM7600/SIM7906, SIM8200 and the kindred SIM5360, SIM7000 and SIM7070 (Qualcomm).

Facts from the SIM7500/SIM7600 AT command manual, where no other source stands beside a reader.
The readers serve every SIMCom family: the scale of ``+CPSI`` is told by its values.
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
    addresses_in,
    rsrp_level,
    rsrq_level,
    usb,
)


def system_information(reply: Reply) -> Iterator[Fact]:
    """+CPSI?: system mode, operation mode, MCC-MNC, area, cell and then by system mode.

    EN-DC adds a line for NR; ``NOT IN EN-DC CONNECTED MODE`` is such a line without news.
    """
    if "=?" in reply.command:
        return
    for values in reply.each():
        system = (values.text(0) or "").upper()
        if system == "NR5G_NSA" or (system == "NR5G" and values.integer(1) is not None):
            yield from _second_leg(values)
        elif system and values.text(1):
            yield from _serving(system, values)


def _serving(system: str, values: Fields) -> Iterator[Fact]:
    """Read ``Online``, ``Low Power Mode`` and the like, and the cell where there is one."""
    yield Fact("device.mode", re.sub(r" mode$", "", values[1].lower()))
    if system == "NO SERVICE":
        yield Fact("cell.state", "no service")
        return
    if plmn := re.fullmatch(r"(\d{3})-(\d{2,3})", values.text(2) or ""):
        yield Fact("operator.plmn", plmn[1] + plmn[2])
        yield Fact("cell.technology", system)
    if system.startswith("LTE"):
        yield from _lte(values)
    elif system.startswith("NR5G"):
        yield from _nr(values)


def _lte(values: Fields) -> Iterator[Fact]:
    """Area, cell, PCI, band, EARFCN, two bandwidths, then RSRQ, RSRP, RSSI, RSSNR."""
    yield from _place(values, pci=5, band=6, channel=7)
    rsrp, rssi, snr = values.integer(11), values.integer(12), values.integer(13)
    yield from _levels(rsrq=values.integer(10), rsrp=rsrp)
    if rsrp is None or rsrp >= 0:
        return  # what the other two mean beside an index is in no source
    if rssi is not None:
        yield from _in_range("signal.rssi_dbm", rssi / _scale(rsrp), -120, -20)
    if snr is not None:
        yield from _in_range("signal.sinr_db", snr, -20, 40)


def _nr(values: Fields) -> Iterator[Fact]:
    """Standalone: area, cell, PCI, band, channel, then RSRP before RSRQ (SIM8200 manual).

    The SNR after them is in tenths, which shows only where it is too large for dB.
    """
    shift = 0 if "BAND" in (values.text(6) or "").upper() else -1
    yield from _place(values, pci=5, band=6, channel=7 + shift)
    yield from _levels(rsrp=values.integer(8 + shift), rsrq=values.integer(9 + shift))
    yield from _snr("signal.sinr_db", values.integer(10 + shift))


def _second_leg(values: Fields) -> Iterator[Fact]:
    """EN-DC: PCI, channel, RSRQ before RSRP, SNR (SIM8200 manual)."""
    for fact in _levels(rsrq=values.integer(3), rsrp=values.integer(4)):
        yield Fact(fact.name.replace("signal.", "signal.ss_"), fact.value)
    yield from _snr("signal.ss_sinr_db", values.integer(5))


def _place(values: Fields, *, pci: int, band: int, channel: int) -> Iterator[Fact]:
    if (cell := values.integer(pci)) is not None and 0 <= cell <= 1007:
        yield Fact("cell.pci", cell)
    name = re.fullmatch(r"(EUTRAN|NR5G)[-_]BAND(\d+)", (values.text(band) or "").upper())
    if name:
        yield Fact("cell.band", f"{'B' if name[1] == 'EUTRAN' else 'n'}{name[2]}")
    if (number := values.integer(channel)) is not None and number > 0:
        yield Fact("cell.earfcn", number)


def _levels(*, rsrp: int | None, rsrq: int | None) -> Iterator[Fact]:
    """RSRP tells the scale: -987 is tenths, -98 is dBm, 50 is the index of TS 27.007 (A76xx).

    Zero is what some print for a level not measured, so it counts as unknown.
    """
    if not rsrp:
        return
    if rsrp > 0:
        level, quality = rsrp_level(rsrp), rsrq_level(rsrq)
        if level is not None:
            yield Fact("signal.rsrp_dbm", level)
        if quality is not None:
            yield Fact("signal.rsrq_db", quality)
        return
    yield from _in_range("signal.rsrp_dbm", rsrp / _scale(rsrp), -157, -31)
    if rsrq:
        yield from _in_range("signal.rsrq_db", rsrq / _scale(rsrp), -43, 20)


def _scale(rsrp: int) -> int:
    return 10 if rsrp < -200 else 1


def _snr(name: str, snr: int | None) -> Iterator[Fact]:
    if snr is not None and abs(snr) > 40:
        yield from _in_range(name, snr / 10, -23, 40)


def _in_range(name: str, value: float, lowest: int, highest: int) -> Iterator[Fact]:
    if lowest <= value <= highest:
        yield Fact(name, value)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+SPIC: tries left for PIN, PUK, PIN2, PUK2; the SIM800 prints PIN, PIN2, PUK, PUK2.

    A PIN has three tries and a PUK ten, so a number above three shows which order it is.
    """
    values = reply.fields()
    pin, second, third = values.integer(0), values.integer(1), values.integer(2)
    if pin is not None and 0 <= pin <= 3:
        yield Fact("sim.pin_retries", pin)
    puk = next((n for n in (second, third) if n is not None and 3 < n <= 10), None)
    if puk is not None:
        yield Fact("sim.puk_retries", puk)


def temperature(reply: Reply) -> Iterator[Fact]:
    """+CPMUTEMP: degrees Celsius."""
    degrees = reply.fields().integer(0)
    if degrees is not None and -40 <= degrees <= 150:
        yield Fact("device.temperature_c", degrees)


_MODES = {
    2: "automatic", 9: "CDMA only", 10: "EVDO only", 13: "GSM only", 14: "WCDMA only",
    19: "GSM and WCDMA only", 22: "CDMA and EVDO only", 38: "LTE only",
    39: "GSM, WCDMA and LTE", 48: "everything but LTE", 51: "GSM and LTE only",
    54: "WCDMA and LTE only", 55: "WCDMA, LTE and NR", 71: "NR only", 109: "LTE and NR only",
}  # fmt: skip
_UNRESTRICTED = (2, 39, 55)


def preferred_mode(reply: Reply) -> Iterator[Fact]:
    """+CNMP?: 2 automatic, 13 GSM, 38 LTE, 51 GSM and LTE, 71 NR, and further combinations."""
    mode = reply.fields().integer(0)
    if mode in _MODES:
        yield Fact("radio.mode_restricted", mode not in _UNRESTRICTED)
        yield Fact("radio.mode", _MODES[mode])


def module_information(reply: Reply) -> Iterator[Fact]:
    """+SIMCOMATI: labelled lines as from ATI, with a few of the firmware's parts."""
    names = {"Manufacturer": "manufacturer", "Model": "model", "Revision": "revision"}
    for line in reply.lines:
        label, _, value = line.partition(":")
        if label.strip() in names and value.strip():
            yield Fact(f"device.{names[label.strip()]}", value.strip()[:100])


def opened(reply: Reply) -> Iterator[Fact]:
    """+NETOPEN: 0 or an error's number, after the OK to AT+NETOPEN; to AT+NETOPEN? 1 when open."""
    number = reply.fields().integer(0)
    if number is None:
        return
    if not reply.command.rstrip().endswith("?"):
        yield Fact("data.outcome", "failed" if number else "accepted")
    elif number in (0, 1):
        yield Fact("data.link_up", number == 1)


def own_address(reply: Reply) -> Iterator[Fact]:
    """+IPADDR: the address that AT+NETOPEN got."""
    if found := addresses_in(reply.fields()):
        yield Fact("data.addresses", {1: found})


def socket_opened(reply: Reply) -> Iterator[Fact]:
    """+CIPOPEN: number of the connection and 0, or an error: a server was reached."""
    values = reply.fields()
    if len(values) == 2 and values.integer(1) == 0:
        yield Fact("data.link_up", True)


def closed(reply: Reply) -> Iterator[Fact]:
    """+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY."""
    if "NETWORK CLOSED" in reply.text.upper():
        yield Fact("data.link_up", False)


def already(reply: Reply) -> Iterator[Fact]:
    """+IP ERROR: Network is already opened, before the ERROR to AT+NETOPEN."""
    if "already" in reply.text.lower():
        yield Fact("data.outcome", "accepted")


_FORMS = (
    "+CPSI: {name*2},{mcc}-{mnc},{tac},{cell},{pci},EUTRAN-BAND{band},{earfcn},"
    "{bandwidth*2},{rsrq_tenths},{rsrp_tenths},{rssi_tenths},{sinr}",
    "+CPSI: {name*2},{mcc}-{mnc},{lac},{cell},{arfcn} {name} {frequency},{rxlev},{small},"
    "{small}-{small}",
    "+CPSI: {name*2},{mcc}-{mnc},{lac},{cell},{name},{psc},{uarfcn},{small},{ecio},"
    "{small*3},{frequency}",
    "+CPSI: {name*2},{mcc}-{mnc},{tac},{cell},{pci},NR5G_BAND{band},{earfcn},{rsrp_tenths},"
    "{rsrq_tenths},{sinr_tenths}",
    "+CPSI: {name},{pci},NR5G_BAND{band},{earfcn},{rsrp_tenths},{rsrq_tenths},{sinr_tenths}",
    "+CMGRMI: Main_Info,{small*5},{place},{small*3}",
    "+CMGRMI: Serving_Cell,{earfcn},{mcc},{mnc},{tac},{small},{cell},{small*4},{pci},"
    "{rsrq_tenths},{rsrp_tenths},{rssi_tenths},{small}",
    "+CMGRMI: LTE_Intra,{small},{earfcn},{pci},{small}",
    "+CMGRMI: LTE_Intra_Cell{state},{neighbour},{rsrq_tenths},{rsrp_tenths},{rssi_tenths},{small}",
    "+CMGRMI: CA_Scell,{small},{earfcn},{small*10}",
    "+CMGRMI: {name},{small},Freq{state},{small*5},Freq{state},{small*5}",
    "+CMGRMI: {name},{small},Freq_Group{state},{small*5},Freq_Group{state},{small*5}",
    "+CMGRMI: {name},{small},Freq{state},{small*3},Freq{state},{small*3}",
    "+CMGRMI: CDrx_Cfg,{small*9}",
    "+CMGRMI: Cqi_Cfg,{small*16}",
    "+CMGRMI: Ant_Cfg,{small},{mask},{small*2}",
    "+CMGRMI: Idle_Drx_Cfg,{frequency},{small*2}",
)
"""SIM7500/SIM7600, SIM8200 and SIM7906 AT command manuals: ``+CPSI``; ``+CMGRMI``, whose cell
and area stand in ``+CPSI`` as well.
"""

DRIVER = ModemDriver(
    family="simcom-sim7600",
    vendor="SIMCom",
    attempts=("AT+NETOPEN", "AT$QCRMCALL=1"),
    match=usb(0x1E0E, 0x9001, 0x9003),
    identify=r"(?<![A-Z])(SIM5360|SIM7[1256]00|SIM7906|SIM8[23]\d\d)",
    ports={
        0: PortRole.DIAG,
        1: PortRole.GNSS,
        2: PortRole.AT_PRIMARY,
        3: PortRole.AT_SECONDARY,
        4: PortRole.OTHER,
    },
    dialect=Dialect(urc_prefixes=("+NETOPEN:", "+CIPEVENT", "PB DONE", "SMS DONE")),
    probes=(
        Probe("AT+CPMUTEMP", Layer.DEVICE),
        Probe("AT+SPIC", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+CICCID", Layer.SIM, prefixes=("+ICCID:",), unless="sim.iccid"),
        Probe("AT+CNMP?", Layer.REGISTRATION),
        Probe("AT+CPSI?", Layer.RADIO),
    ),
    readers={
        "+CPSI:": system_information,
        "+SPIC:": pin_counter,
        "+CPMUTEMP:": temperature,
        "+CNMP:": preferred_mode,
        "+NETOPEN:": opened,
        "+IPADDR:": own_address,
        "+CIPOPEN:": socket_opened,
        "+CIPEVENT:": closed,
        "+IP ERROR:": already,
        "AT+SIMCOMATI": module_information,
    },
    forms=_FORMS,
)
