"""Telit LE910, LE910Cx, LM9xx, LN9xx, FN9xx, ME910/ME310 and the older HE910, UE910, GE910.

Facts from the AT reference guides of LE910 V2 and ME910C1, where no other source stands beside a
reader.
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
    decode_iccid,
    usb,
)


# ---- device ------------------------------------------------------------------------------
def sensors(reply: Reply) -> Iterator[Fact]:
    """#TEMPSENS=2: a line for each sensor, its name and degrees; TSENS is the module itself."""
    found = {values.text(0): values.number(1) for values in reply.each()}
    degrees = found.get("TSENS")
    if degrees is not None and -40 <= degrees <= 150:
        yield Fact("device.temperature_c", degrees)


def temperature(reply: Reply) -> Iterator[Fact]:
    """#TEMPMEAS, to #TEMPMON=1 and unasked: level of warning (-2 to 2), degrees Celsius."""
    values = reply.fields()
    level, degrees = values.integer(0), values.integer(1)
    if level is not None and degrees is not None and -40 <= degrees <= 150:
        yield Fact("device.temperature_c", degrees)


def supply(reply: Reply) -> Iterator[Fact]:
    """#CBC: state of the charger, supply voltage in hundredths of a volt.

    The cards of the family live on 3.3 V, the modules on 3.8 V; between 3.1 and 3.3 V the one is
    well and the other is not, so that is left out.
    """
    hundredths = reply.fields().integer(1)
    if hundredths is not None and (200 <= hundredths < 310 or 330 <= hundredths <= 600):
        yield Fact("device.voltage_mv", hundredths * 10)


# ---- SIM ---------------------------------------------------------------------------------
def card_switch(reply: Reply) -> Iterator[Fact]:
    """#QSS: report setting (not in the unsolicited line), 0 no card, 1 to 3 inserted to ready."""
    values = reply.fields()
    state = values.integer(1 if len(values) > 1 else 0)
    if state in (0, 1, 2, 3):
        yield Fact("sim.inserted", state != 0)


def card_number(reply: Reply) -> Iterator[Fact]:
    """#CCID: the number of the card."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


# ---- registration ------------------------------------------------------------------------
_REJECTED = (2, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 22)
_SESSION = (26, 27, 28, 29, 30, 31, 32, 33, 34, 50, 51)


def network_error(reply: Reply) -> Iterator[Fact]:
    """#CEERNET: the last cause that the network gave, of registration or of a connection.

    Both numberings of TS 24.008 share the one field. 8 is in both with another meaning and left
    out, as are the technical ones.
    """
    cause = reply.fields().integer(0)
    if cause in _REJECTED:
        yield Fact("registration.reject_cause", cause)
    elif cause in _SESSION:
        yield Fact("data.last_error", cause)


# ---- radio -------------------------------------------------------------------------------
def network_status(reply: Reply) -> Iterator[Fact]:
    """#RFSTS on LTE: PLMN, EARFCN, RSRP, RSSI, RSRQ, TAC and more, IMSI, name, domain, band.

    What stands between TAC and IMSI differs by module; 2G and 3G print other fields in front,
    which shows in that the levels are not all negative there.
    """
    values = reply.fields()
    rsrp, rssi, rsrq = values.integer(2), values.integer(3), values.integer(4)
    plmn = re.fullmatch(r"([1-9]\d\d) (\d{2,3})", values.text(0) or "")
    if plmn:
        yield Fact("operator.plmn", plmn[1] + plmn[2])
    if rsrp is None or rssi is None or rsrq is None or not (rsrp < rssi < 0 and -43 <= rsrq < 0):
        return
    if plmn and (channel := values.integer(1)) is not None and channel > 0:
        yield Fact("cell.technology", "LTE")
        yield Fact("cell.earfcn", channel)
        yield from _band(values)
    if rsrp > -140:
        yield Fact("signal.rsrp_dbm", rsrp)
        yield Fact("signal.rsrq_db", rsrq)
    if rssi > -113:
        yield Fact("signal.rssi_dbm", rssi)


def _band(values: Fields) -> Iterator[Fact]:
    """Find the band three fields behind the IMSI."""
    for index, value in enumerate(values):
        if index > 5 and re.fullmatch(r"\d{15}", value):
            if (band := values.integer(index + 3)) is not None and 0 < band <= 88:
                yield Fact("cell.band", f"B{band}")
            return


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """#SERVINFO: channel, RSSI, name, PLMN and more; on LTE nine fields, the last of them RSRP."""
    values = reply.fields()
    if plmn := re.fullmatch(r"[1-9]\d{4,5}", values.text(3) or ""):
        yield Fact("operator.plmn", plmn[0])
    level, rsrp = values.integer(1), values.integer(8)
    if len(values) == 9 and level and rsrp and -140 < rsrp < 0 and -113 < level < 0:
        yield Fact("signal.rsrp_dbm", rsrp)
        yield Fact("signal.rssi_dbm", level)


def monitor(reply: Reply) -> Iterator[Fact]:
    """#MONI on LTE: ``RSRP:-92 RSRQ:-17 TAC:… EARFCN:800 PWR:-54dbm``; the first line serves."""
    line = reply.lines[0]
    for name, pattern in (
        ("signal.rsrp_dbm", r"\bRSRP:\s*(-\d{2,3})\b"),
        ("signal.rsrq_db", r"\bRSRQ:\s*(-\d{1,2})\b"),
        ("signal.rssi_dbm", r"\bEARFCN:\d+ PWR:\s*(-\d{2,3})\s*dbm"),
        ("cell.earfcn", r"\bEARFCN:\s*(\d{1,6})\b"),
    ):
        if found := re.search(pattern, line, re.IGNORECASE):
            yield Fact(name, int(found[1]))


def own_address(reply: Reply) -> Iterator[Fact]:
    """#SGACT=1,1: the address of the context; #CGPADDR=1: context and address."""
    asked = re.search(r"=\s?(\d{1,2})", reply.command)
    if found := addresses_in(reply.fields()):
        yield Fact("data.addresses", {int(asked[1]) if asked else 1: found})


def functionality(reply: Reply) -> Iterator[Fact]:
    """+CFUN?: 5 is full functionality with power saving (the family's AT manual)."""
    value = reply.fields().integer(0)
    if value is not None:
        yield Fact("device.functionality", 1 if value == 5 else value)


_FORMS = (
    "#RFSTS: {mcc} {mnc},{earfcn},{rsrp},{rssi},{rsrq},{tac},{rac},[{small},"
    "]{milliseconds},{small*2},{cell},{imsi},{name},{state},{band}[,{small}]*2",
    "#RFSTS: {mcc} {mnc},{uarfcn},{psc},{ecio},{rscp},{rssi},{lac},{rac},{small*6},{cell},"
    "{imsi},{name},{state},{small}[,{small}]",
    "#RFSTS: {mcc} {mnc},{arfcn},{rxlev},{lac},{rac},{small*4},{cell},{imsi},{name},{state},{band}",
    "{plmn},{earfcn},{rsrp},{rssi},{rsrq},{tac},{small*4},{cell},{digits15},{name},{state},"
    "{band},{sinr}",
    "#SERVINFO: {earfcn},{rssi},{name},{plmn},{place},{tac},{milliseconds},{state},{rsrp}",
    "#MONI: {name} RSRP:{rsrp} RSRQ:{rsrq} TAC:{tac} Id:{cell} EARFCN:{earfcn} "
    "PWR:{rssi}dbm DRX:{milliseconds}",
    "#MONI: S {bsic} {lac} {cell} {arfcn} {rxlev}dbm {small} {small} {small} {small} {name}",
    "#MONI: N{state} {bsic} {lac} {cell} {arfcn} {rxlev}dbm {small} {small}",
    "M0{name}.{build}",
    "#BND: {small*2}[,{bitmask}]",
    "#SCFG: {small},{cid},{frequency},{seconds*3}",
)
"""AT reference guides of LE910 V2, ME910C1 and LN940; the firmware of the ME910."""

DRIVER = ModemDriver(
    family="telit-le910",
    vendor="Telit",
    attempts=("AT#SGACT=", "AT#NCM=1"),
    match=usb(0x1BC7, 0x1040, 0x1050, 0x1101, 0x110A, 0x1201),
    identify=r"\b(?:[GHLMNU]E9[1-4]0|[GU]E866|LN9[24]\d|LM9[4-6]\d|FN9[89]0|ME310|[MU]L865)",
    ports={
        0: PortRole.DIAG,
        1: PortRole.AT_PRIMARY,  # ME910 and ME310; no serial port on the others
        2: PortRole.AT_SECONDARY,
        3: PortRole.GNSS,
        4: PortRole.AT_PRIMARY,
        5: PortRole.AT_SECONDARY,
        6: PortRole.OTHER,
    },
    dialect=Dialect(urc_prefixes=("#QSS:", "#PSNT:", "#TEMPMEAS:", "#NITZ:", "#STN:")),
    probes=(
        Probe("AT#TEMPSENS=2", Layer.DEVICE, reads_by_set=True),
        Probe(
            "AT#TEMPMON=1",
            Layer.DEVICE,
            prefixes=("#TEMPMEAS:",),
            unless="device.temperature_c",
            reads_by_set=True,
        ),
        Probe("AT#CBC", Layer.DEVICE),
        Probe("AT#QSS?", Layer.SIM),
        Probe("AT#CCID", Layer.SIM, unless="sim.iccid"),
        # Asked before the registration: a cause from before must not outlive it.
        Probe("AT#CEERNET", Layer.SIM),
        Probe("AT+WS46?", Layer.REGISTRATION),
        Probe("AT#RFSTS", Layer.RADIO),
        Probe("AT#SERVINFO", Layer.RADIO, unless="signal.rsrp_dbm"),
    ),
    readers={
        "#TEMPSENS:": sensors,
        "#TEMPMEAS:": temperature,
        "#CBC:": supply,
        "#QSS:": card_switch,
        "#CCID:": card_number,
        "#CEERNET:": network_error,
        "#RFSTS:": network_status,
        "#SERVINFO:": serving_cell,
        "#MONI:": monitor,
        "#SGACT:": own_address,
        "#CGPADDR:": own_address,
    },
    overrides={"+CFUN:": functionality},
    forms=_FORMS,
)
