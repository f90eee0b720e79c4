"""SIMCom SIM7000, SIM7070, SIM7080 and SIM7090 (LTE-M, NB-IoT, GSM).

Facts from the SIM7000 and SIM7070/SIM7080/SIM7090 AT command manuals, where no other source
stands beside a reader. ``+CPSI`` and ``+SPIC`` are read as on the SIM7600, whose USB id the
SIM7000 shares.
"""

import re
from collections.abc import Iterator

from simdiag.driver import Dialect, Fact, Layer, ModemDriver, Probe, Reply, usb

_MODES = {2: "automatic", 13: "GSM only", 38: "LTE only", 51: "GSM and LTE"}


def preferred_mode(reply: Reply) -> Iterator[Fact]:
    """+CNMP?: 2 automatic, 13 GSM, 38 LTE, 51 GSM and LTE, which is all these modules can."""
    if (mode := reply.fields().integer(0)) in _MODES and "=?" not in reply.command:
        yield Fact("radio.mode_restricted", mode == 13)
        yield Fact("radio.mode", _MODES[mode])


_KINDS = {1: "LTE-M only", 2: "NB-IoT only"}


def preferred_kind(reply: Reply) -> Iterator[Fact]:
    """+CMNB?: 1 LTE-M, 2 NB-IoT, 3 both."""
    if (kind := reply.fields().integer(0)) in _KINDS and "=?" not in reply.command:
        yield Fact("radio.mode_restricted", True)
        yield Fact("radio.mode", _KINDS[kind])


_BANDS = {"CAT-M": "radio.cat_m_bands", "NB-IOT": "radio.nb_iot_bands"}


def bands(reply: Reply) -> Iterator[Fact]:
    """+CBANDCFG?: a line for LTE-M and one for NB-IoT, each with the bands switched on."""
    if "=?" in reply.command:
        return
    for values in reply.each():
        name = _BANDS.get((values.text(0) or "").upper())
        numbers = [values.integer(i) for i in range(1, len(values))]
        if name and (found := [n for n in numbers if n is not None and 0 < n <= 88]):
            yield Fact(name, found)


def voltage(reply: Reply) -> Iterator[Fact]:
    """+CBC: state, charge, millivolts. The SIM7070 and kin run on 2.7 V, others need 3.3 V."""
    millivolts = reply.fields().integer(2)
    if millivolts is not None and (2000 <= millivolts < 2700 or 3300 < millivolts <= 6000):
        yield Fact("device.voltage_mv", millivolts)


def granted(reply: Reply) -> Iterator[Fact]:
    """+CGNAPN: 1 and the APN that the network gave in its answer to the attach."""
    values = reply.fields()
    if values.integer(0) == 1 and (apn := values.text(1)):
        yield Fact("data.granted_apns", {1: apn})


def link(reply: Reply) -> Iterator[Fact]:
    """+CNACT?: connection (left out by the SIM7000), 1 when active (2 in operation), address."""
    found = {}
    for values in reply.each():
        first = len(values) - 2
        number = values.integer(0) if first > 0 else 0
        address = values.text(first + 1) or ""
        if number is None or first < 0 or values.integer(first) not in (1, 2):
            continue
        if re.fullmatch(r"[0-9A-Fa-f.:]{7,}", address) and address.strip("0.:"):
            found[number] = [address]
    if found:
        yield Fact("data.addresses", found)


def link_changed(reply: Reply) -> Iterator[Fact]:
    """+APP PDP: connection (left out by the SIM7000), then ACTIVE or DEACTIVE."""
    values = reply.fields()
    state = (values.text(len(values) - 1) or "").upper()
    if state in ("ACTIVE", "DEACTIVE"):
        yield Fact("data.outcome", "accepted" if state == "ACTIVE" else "failed")


_FORMS = (
    "+CNBP: {mask*2}[,{mask}]*2",
    "+CENG: {count},{earfcn},{pci},{rsrp},{rssi},{rsrq},{sinr},{tac},{cell},{mcc},{mnc},{small}",
    "+CENG: {count},{earfcn},{neighbour},{rsrp},{rssi},{rsrq},{sinr}",
)
"""SIM7000 and SIM7070 AT command manuals."""

DRIVER = ModemDriver(
    family="simcom-sim7000",
    vendor="SIMCom",
    attempts=tuple(f"AT+CNACT={to}" for to in ("0,1", "1,1", "2,1", "3,1", '1,"')),
    match=usb(0x1E0E, 0x9205, 0x9206),
    identify=r"(?<![A-Z])SIM70[0789]0",
    dialect=Dialect(urc_prefixes=("+APP PDP:", "*PSUTTZ", "DST:")),
    probes=(
        Probe("AT+CNMP?", Layer.REGISTRATION),
        Probe("AT+CMNB?", Layer.REGISTRATION),
        Probe("AT+CBANDCFG?", Layer.REGISTRATION),
        Probe("AT+CPSI?", Layer.RADIO),
        Probe("AT+CGNAPN", Layer.DATA),
        Probe("AT+CNACT?", Layer.DATA),
    ),
    readers={
        "+CMNB:": preferred_kind,
        "+CBANDCFG:": bands,
        "+CGNAPN:": granted,
        "+CNACT:": link,
        "+APP PDP:": link_changed,
    },
    overrides={
        "+CBC:": voltage,
        "+CNMP:": preferred_mode,
    },
    forms=_FORMS,
)
