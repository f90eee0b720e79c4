"""Quectel EC200, EC600, EC800, EG800, EG810, EG912, EG915 and EG916 (ASR or Unisoc).

Commands and answers are those of the EC2x, whose readers in ``quectel_ec2x.py`` serve here too;
only the SINR of ``+QENG`` is in dB. Which port takes AT commands differs by base.
"""

from collections.abc import Iterator

from simdiag.driver import Dialect, Fact, Fields, Layer, ModemDriver, Probe, Reply, usb

_STATES = {"SEARCH": "searching", "LIMSRV": "limited", "NOCONN": "camped", "CONNECT": "connected"}
_RANGES = (
    ("signal.rsrp_dbm", 10, -157, -31),
    ("signal.rsrq_db", 11, -43, 20),
    ("signal.rssi_dbm", 12, -120, -20),
    ("signal.sinr_db", 13, -20, 40),
)


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """+QENG="servingcell": fields as on the EC2x, SINR in dB (4IceG/luci-app-3ginfo-lite#43)."""
    for values in reply.each():
        if values.text(0) != "servingcell":
            continue
        if state := _STATES.get(values.text(1) or ""):
            yield Fact("cell.state", state)
        if values.text(2) == "LTE":
            yield from _lte(Fields(values[3:]))
        elif values.text(2) == "WCDMA" and -121 <= (values.integer(10) or 0) <= -20:
            yield Fact("signal.rscp_dbm", values.integer(10))


def _lte(values: Fields) -> Iterator[Fact]:
    """FDD/TDD, MCC, MNC, cell, PCI, EARFCN, band, two bandwidths, TAC, RSRP, RSRQ, RSSI, SINR."""
    if values.integer(1) is not None and values.integer(2) is not None:
        yield Fact("operator.plmn", values[1] + values[2].zfill(2))
    if (pci := values.integer(4)) is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    if (channel := values.integer(5)) is not None and 0 < channel < 0x40000:
        yield Fact("cell.earfcn", channel)
    if (band := values.integer(6)) is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")
    for name, index, lowest, highest in _RANGES:
        level = values.integer(index)
        if level is not None and lowest <= level <= highest:
            yield Fact(name, level)


def socket_opened(reply: Reply) -> Iterator[Fact]:
    """+QIOPEN: number of the connection and 0, or an error: a server was reached."""
    values = reply.fields()
    if len(values) == 2 and values.integer(1) == 0:
        yield Fact("data.link_up", True)


DRIVER = ModemDriver(
    family="quectel-ec200",
    vendor="Quectel",
    match=usb(0x2C7C, 0x0901, 0x6001, 0x6002, 0x6005, 0x6007, 0x6026),
    identify=r"(?<![A-Z0-9])(EC200|EC[68]00|EG8[01]0|EG91[256])",
    dialect=Dialect(urc_prefixes=("+QSIMSTAT URC",)),
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
    readers={"+QIOPEN:": socket_opened},
    overrides={"+QENG:": serving_cell},
)
