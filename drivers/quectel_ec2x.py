"""Quectel EC21/EC25/EG25/EG91/EG95/EP06/EM05/EM06 (Qualcomm MDM9x), AT over ``option``.

Facts from the EC2x/EG9x AT commands manual, where no other source stands beside a reader.
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
    decode_iccid,
    usb,
)


def card_number(reply: Reply) -> Iterator[Fact]:
    """+QCCID: the ICCID, some firmware leaves the filler F behind it."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+QPINC: facility, PIN tries left, PUK tries left."""
    for values in reply.each():
        if values.text(0) == "SC":
            for name, index in (("sim.pin_retries", 1), ("sim.puk_retries", 2)):
                if (left := values.integer(index)) is not None:
                    yield Fact(name, left)


def card_switch(reply: Reply) -> Iterator[Fact]:
    """+QSIMSTAT: report setting, 0 removed 1 inserted 2 unknown."""
    value = reply.fields().integer(1)
    if value in (0, 1):
        yield Fact("sim.inserted", value == 1)


def card_detection(reply: Reply) -> Iterator[Fact]:
    """+QSIMDET: detection on, level of the pin with a card in."""
    values = reply.fields()
    if (enabled := values.integer(0)) in (0, 1):
        yield Fact("sim.detection", {"enabled": enabled == 1, "level": values.integer(1)})


def network(reply: Reply) -> Iterator[Fact]:
    """+QNWINFO: technology, PLMN (quoted or bare), band, channel."""
    values = reply.fields()
    if re.search(r"no service", reply.text, re.IGNORECASE):
        yield Fact("cell.state", "no service")
        return
    if plmn := re.fullmatch(r"\d{5,6}", values.text(1) or ""):
        yield Fact("operator.plmn", plmn[0])
    if values.text(2):
        yield Fact("cell.technology", values[0])
        number = re.search(r"\d+$", values[2])
        yield Fact(
            "cell.band",
            f"{'n' if 'NR' in values[2] else 'B'}{number[0]}" if number else values[2],
        )
    if (channel := values.integer(3)) is not None:
        yield Fact("cell.earfcn", channel)


_STATES = {"SEARCH": "searching", "LIMSRV": "limited", "NOCONN": "camped", "CONNECT": "connected"}


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """+QENG="servingcell": one line, or a line with the state and one for each leg (NSA)."""
    for values in reply.each():
        if values.text(0) == "servingcell":
            state = _STATES.get(values.text(1) or "")
            if state:
                yield Fact("cell.state", state)
            values = Fields(values[2:])
        kind = values.text(0) or ""
        if kind in ("LTE", "eMTC", "NBIoT"):
            yield from _lte(Fields(values[1:]))
        elif kind == "NR5G-SA":
            yield from _nr_sa(Fields(values[1:]))
        elif kind == "NR5G-NSA":
            yield from _nr_nsa(Fields(values[1:]))
        elif kind in ("WCDMA", "GSM"):
            yield from _network_code(values)
            if kind == "WCDMA":
                yield from _levels(values, rscp=8)


def _network_code(values: Fields) -> Iterator[Fact]:
    """MCC and MNC, the second and third value; a dash where no network is known."""
    mcc, mnc = values.text(1) or "", values.text(2) or ""
    if re.fullmatch(r"\d{3}", mcc) and re.fullmatch(r"\d{1,3}", mnc):
        yield Fact("operator.plmn", mcc + mnc.zfill(2))


def signal(reply: Reply) -> Iterator[Fact]:
    """+QCSQ: technology, then for LTE RSSI, RSRP, SINR as 0..250 and RSRQ; for GSM the RSSI."""
    values = reply.fields()
    kind = (values.text(0) or "").upper()
    if kind == "NOSERVICE":
        yield Fact("cell.state", "no service")
    elif kind in ("LTE", "EMTC", "CAT-M1", "NBIOT", "CAT-NB1"):
        yield from _levels(values, rssi=1, rsrp=2, rsrq=4)
        if (sinr := values.integer(3)) is not None and 0 <= sinr <= 250:
            yield Fact("signal.sinr_db", sinr / 5 - 20)
    elif kind in ("GSM", "WCDMA"):
        yield from _levels(values, rssi=1)


def _lte(values: Fields) -> Iterator[Fact]:
    """FDD/TDD, MCC, MNC, cell, PCI, EARFCN, band, two bandwidths, TAC, RSRP, RSRQ, RSSI, SINR."""
    yield from _network_code(values)
    yield from _place(values, pci=4, earfcn=5, band=6, prefix="B")
    yield from _levels(values, rsrp=10, rsrq=11, rssi=12)
    # Most firmware prints the SINR as 0..250 for -20..30 dB, some in dB: only a number too large
    # for dB shows which.
    if (sinr := values.integer(13)) is not None and 40 < sinr <= 250:
        yield Fact("signal.sinr_db", sinr / 5 - 20)


def _nr_sa(values: Fields) -> Iterator[Fact]:
    """FDD/TDD, MCC, MNC, cell, PCI, TAC, ARFCN, band, bandwidth, RSRP, RSRQ, SINR."""
    yield from _network_code(values)
    yield from _place(values, pci=4, earfcn=6, band=7, prefix="n")
    yield from _levels(values, rsrp=9, rsrq=10, sinr=11)


def _nr_nsa(values: Fields) -> Iterator[Fact]:
    """MCC, MNC, PCI, RSRP, SINR, RSRQ, ARFCN, band."""
    for name, index, lowest, highest in (
        ("signal.ss_rsrp_dbm", 3, -157, -31),
        ("signal.ss_sinr_db", 4, -23, 40),
        ("signal.ss_rsrq_db", 5, -43, 20),
    ):
        value = values.integer(index)
        if value is not None and lowest <= value <= highest:
            yield Fact(name, value)


def _place(values: Fields, *, pci: int, earfcn: int, band: int, prefix: str) -> Iterator[Fact]:
    if (cell := values.integer(pci)) is not None and 0 <= cell <= 1007:
        yield Fact("cell.pci", cell)
    if (channel := values.integer(earfcn)) is not None:
        yield Fact("cell.earfcn", channel)
    if (number := values.integer(band)) is not None:
        yield Fact("cell.band", f"{prefix}{number}")


_RANGES = {
    "rsrp": ("signal.rsrp_dbm", -157, -31),
    "rsrq": ("signal.rsrq_db", -43, 20),
    "rssi": ("signal.rssi_dbm", -120, -20),
    "rscp": ("signal.rscp_dbm", -121, -20),
    "sinr": ("signal.sinr_db", -23, 40),
}
"""What a level can be; 255, 32767 and -32768 are fillers."""


def _levels(values: Fields, **where: int) -> Iterator[Fact]:
    for kind, index in where.items():
        name, lowest, highest = _RANGES[kind]
        level = values.integer(index)
        if level is not None and lowest <= level <= highest:
            yield Fact(name, level)


def temperature(reply: Reply) -> Iterator[Fact]:
    """+QTEMP: three numbers, or a line for each sensor; 255 and the like mean no sensor."""
    found = [
        value
        for values in reply.each()
        for value in (values.integer(i) for i in range(len(values)))
        if value is not None and -40 <= value <= 150 and value != 0
    ]
    if found:
        yield Fact("device.temperature_c", max(found))


def counters(reply: Reply) -> Iterator[Fact]:
    """+QGDCNT: bytes sent, bytes received, since the counter was last cleared."""
    values = reply.fields()
    for name, index in (("counter.tx_bytes", 0), ("counter.rx_bytes", 1)):
        if (count := values.integer(index)) is not None:
            yield Fact(name, count)


_SCAN_MODES = {0: "automatic", 1: "GSM only", 2: "WCDMA only", 3: "LTE only"}
_NETWORK_MODES = {0: "QMI", 1: "ECM", 2: "MBIM", 3: "RNDIS", 5: "NCM"}


def setting(reply: Reply) -> Iterator[Fact]:
    """+QCFG: scan mode (0 automatic) and USB network mode."""
    values = reply.fields()
    if values.text(0) == "nwscanmode" and (mode := values.integer(1)) is not None:
        yield Fact("radio.mode_restricted", mode != 0)
        yield Fact("radio.mode", _SCAN_MODES.get(mode, str(mode)))
    elif values.text(0) == "usbnet" and (mode := values.integer(1)) is not None:
        yield Fact("usb.network_mode", _NETWORK_MODES.get(mode, str(mode)))


def lock(reply: Reply) -> Iterator[Fact]:
    """+QNWLOCK: a lock to a cell or frequency; 0 is none."""
    values = reply.fields()
    if values.text(0) and (number := values.integer(1)) is not None:
        yield Fact("radio.cell_locked", number != 0)


def contexts(reply: Reply) -> Iterator[Fact]:
    """+QIACT?: context, 1 when active, kind, address (the family's TCP/IP manual)."""
    found = {}
    for values in reply.each():
        cid, address = values.integer(0), values.text(3) or ""
        if cid is not None and values.integer(1) == 1 and address.strip("0.:"):
            found[cid] = [address]
    if found:
        yield Fact("data.addresses", found)


_FORMS = (
    "+QENG: [servingcell,{name},]LTE,{name},{mcc},{mnc},{cell},{pci},{earfcn},{band},"
    "{state*2},{tac},{rsrp},{rsrq},{rssi},{small}[,{small}]*3",
    "+QENG: [servingcell,{name},]eMTC,{name},{mcc},{mnc},{cell},{pci},{earfcn},{band},"
    "{state*2},{tac},{rsrp},{rsrq},{rssi},{small}[,{small}]*2",
    "+QENG: [servingcell,{name},]NBIoT,{name},{mcc},{mnc},{cell},{pci},{earfcn},{band},"
    "{state*2},{tac},{rsrp},{rsrq},{rssi},{small}[,{small}]*2",
    "+QENG: [servingcell,{name},]NR5G-SA,{name},{mcc},{mnc},{cell},{pci},{tac},{earfcn},"
    "{band},{bandwidth},{rsrp},{rsrq},{sinr}[,{small}]*2",
    "+QENG: NR5G-NSA,{mcc},{mnc},{pci},{rsrp},{sinr},{rsrq}[,{earfcn},{band}[,{bandwidth}[,"
    "{small}]]]",
    "+QENG: [servingcell,{name},]WCDMA,{mcc},{mnc},{lac},{cell},{uarfcn},{psc},{rac},"
    "{rscp},{ecio},{small*5}",
    "+QENG: [servingcell,{name},]GSM,{mcc},{mnc},{lac},{cell},{bsic},{arfcn},{small},"
    "{rxlev},{small*5},{state},{small},{state},{small*3},{rxlev*2},{state*2},{name}",
    "+QENG: neighbourcell intra,LTE,{earfcn},{neighbour},{rsrq},{rsrp},{rssi}[,{small}]*7",
    "+QENG: neighbourcell inter,LTE,{earfcn},{neighbour},{rsrq},{rsrp},{rssi}[,{small}]*7",
    "+QENG: neighbourcell inter,LTE,{earfcn},-,-,-,-,-,-,{small*3}",
    "+QENG: neighbourcell,LTE,{earfcn},{neighbour},{rsrp},{rsrq},{small}[,{small*3}]",
    "+QENG: neighbourcell,NR5G,{earfcn},{neighbour},{rsrp},{rsrq}[,{sinr}]",
    "+QENG: neighbourcell,WCDMA,{uarfcn},{small*3},{neighbour},{rscp},{ecio}[,{small}]*2",
    "+QENG: neighbourcell,GSM,{arfcn},{small*4},{name},{neighbour},{rxlev}[,{small}]",
    "+QCAINFO: {name},{earfcn},{bandwidth},LTE BAND {band},{state},{pci},{rsrp},{rsrq},"
    "{rssi},{sinr}[,{state},{small*2}]",
    "+QCAINFO: {name},{earfcn},{bandwidth},NR5G BAND {band}[,{state}],{pci}[,{state},"
    "{small*2}[,{rsrp},{rsrq}[,{sinr}]]]",
    "+QNWINFO: {name},{plmn},{name} BAND {band},{earfcn}",
    "+QSPN: {name*3},{state},{plmn}",
    "+QCSQ: {name}[,{rssi}[,{rsrp},{sinr_raw},{rsrq}]]",
    "+QRSRP: {rsrp*4}[,{name}]",
    "+QRSRQ: {rsrq*4}[,{name}]",
    "+QSINR: {sinr*4}[,{name}]",
    "+QCFG: band,{mask*2}[,{mask}]",
    "+QPING: {state},{host},{small},{seconds},{small}",
    "+QPING: {state},{count*3},{seconds*3}",
)
"""EC2x/EG9x, BG95/BG96 and RG50xQ AT commands manuals, chapters of network commands."""

DRIVER = ModemDriver(
    family="quectel-ec2x",
    vendor="Quectel",
    attempts=("AT+QIACT=",),
    match=usb(0x2C7C, 0x0121, 0x0125, 0x0191, 0x0195, 0x0296, 0x0306, 0x030B, 0x0435, 0x0512),
    identify=r"\b(EC2[015](?!\d)|EG2[15]|EG9[15](?!\d)|EP06|EM0[56]|EG06|EM12|EG12|EG18)",
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
        Probe('AT+QCFG="nwscanmode"', Layer.REGISTRATION, reads_by_set=True),
        Probe("AT+QNWINFO", Layer.RADIO),
        Probe('AT+QENG="servingcell"', Layer.RADIO, reads_by_set=True),
        Probe("AT+QGDCNT?", Layer.COUNTERS),
    ),
    readers={
        "+QIACT:": contexts,
        "+QCCID:": card_number,
        "+QPINC:": pin_counter,
        "+QSIMSTAT:": card_switch,
        "+QSIMDET:": card_detection,
        "+QNWINFO:": network,
        "+QENG:": serving_cell,
        "+QCSQ:": signal,
        "+QTEMP:": temperature,
        "+QGDCNT:": counters,
        "+QCFG:": setting,
        "+QNWLOCK:": lock,
    },
    forms=_FORMS,
)
