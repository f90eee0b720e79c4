"""ZTE USB sticks with Qualcomm chips: MF1xx, MF6xx, MF82x, K3xxx-Z, K4xxx-Z, and the MF2xx routers.

Field orders as ModemManager, ofono and router firmwares read them, where no other source stands
beside a reader. The sticks babble ``+ZUSIMR:`` until somebody asks ``+CPMS?``.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    N_,
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

_TECHNOLOGIES = {
    "GSM": "GSM", "GPRS": "GSM", "EDGE": "GSM", "GPRS/EDGE": "GSM", "3G": "WCDMA",
    "UMTS": "WCDMA", "HSDPA": "WCDMA", "HSUPA": "WCDMA", "HSPA": "WCDMA", "HSPA+": "WCDMA",
    "TD-SCDMA": "TD-SCDMA", "LTE": "LTE", "NR5G-SA": "NR",
}  # fmt: skip


def service(reply: Reply) -> Iterator[Fact]:
    """+ZPAS?, +ZPASR, +BEARTYPE (old firmware): technology, and the domain that serves."""
    values = reply.fields()
    technology = (values.text(0) or "").upper()
    domain = (values.text(1) or "").upper()
    if technology == "NO SERVICE":
        yield Fact("cell.state", "no service")
    elif technology == "LIMITED SERVICE":
        yield Fact("cell.state", "limited")
    elif technology in _TECHNOLOGIES:
        yield Fact("cell.technology", _TECHNOLOGIES[technology])
        if domain in ("CS_PS", "PS_ONLY", "CS_ONLY"):
            yield Fact("cell.state", "camped")


_MODES = {0: "automatic", 1: "GSM only", 2: "WCDMA only", 6: "LTE only"}


def network_mode(reply: Reply) -> Iterator[Fact]:
    """+ZSNT?: technologies, how the network is selected, which technology is tried first."""
    if "=?" not in reply.command and (mode := reply.fields().integer(0)) in _MODES:
        yield Fact("radio.mode_restricted", mode != 0)
        yield Fact("radio.mode", _MODES[mode])


def signal(reply: Reply) -> Iterator[Fact]:
    """+ZRSSI: on LTE RSRP, RSRQ, RSSI, SINR in dB; on 3G RSSI, Ec/Io, RSCP without their minus.

    The 3G levels after the first are in half decibels, and 1000 is unknown.
    """
    values = reply.fields()
    first, third = values.number(0), values.number(2)
    if first is None:
        return
    if first < 0:
        yield from _in_range("signal.rsrp_dbm", first, -140, -30)
        yield from _in_range("signal.rsrq_db", values.number(1), -43, -1)
        yield from _in_range("signal.rssi_dbm", third, -120, -20)
        yield from _in_range("signal.sinr_db", values.number(3), -23, 40)
        return
    yield from _in_range("signal.rssi_dbm", -first, -113, -20)
    if third is not None:
        yield from _in_range("signal.rscp_dbm", -third / 2, -121, -20)


def _in_range(name: str, value: float | None, lowest: int, highest: int) -> Iterator[Fact]:
    if value is not None and lowest <= value <= highest:
        yield Fact(name, int(value) if value == int(value) else value)


def cell(reply: Reply) -> Iterator[Fact]:
    """+ZCELLINFO?: numbers of the cell, then band (``LTE B3``) and channel.

    In front stand one to three numbers, which of them depends on the device; ``0XFFFE`` is no
    area. Gosuncn labels the values (``tac:…,cellid:…,pci:…,band:…``).
    """
    values = reply.fields()
    if values.hexadecimal(0) in (0xFFFE, 0xFFFF):
        return
    yield from _labelled(values)
    for index, value in enumerate(values):
        if band := re.fullmatch(r"LTE B(\d{1,2})", value):
            yield Fact("cell.band", f"B{band[1]}")
            if (channel := values.integer(index + 1)) is not None and channel > 0:
                yield Fact("cell.earfcn", channel)


def _labelled(values: Fields) -> Iterator[Fact]:
    for value in values:
        if (pci := re.fullmatch(r"pci:\s*(\d{1,3})", value)) and int(pci[1]) <= 503:
            yield Fact("cell.pci", int(pci[1]))
        elif band := re.fullmatch(r"band:\s*B?(\d{1,2})", value):
            yield Fact("cell.band", f"B{band[1]}")


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+ZPINPUK=?: tries left of PIN and PUK."""
    values = reply.fields()
    for name, index, most in (("sim.pin_retries", 0, 3), ("sim.puk_retries", 1, 10)):
        if (left := values.integer(index)) is not None and 0 <= left <= most:
            yield Fact(name, left)


def card_number(reply: Reply) -> Iterator[Fact]:
    """+ZICCID?, +ZGETICCID: the number of the card; some firmware prints it as ``^ICCID:``."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


_PRODUCTS = (
    0x0016, 0x0017, 0x0031, 0x0037, 0x0042, 0x0052, 0x0057, 0x0058, 0x0061, 0x0063, 0x0066, 0x0104,
    0x0117, 0x0124, 0x0128, 0x1007, 0x1008, 0x1010, 0x1254, 0x2002, 0x2003,
)  # fmt: skip
_STORAGE = N_(
    "storage mode: the stick still shows its drive with Windows drivers and has not switched to "
    "modem mode (usb_modeswitch does that)"
)

DRIVER = ModemDriver(
    family="zte-mf",
    vendor="ZTE",
    attempts=("AT+ZGACT=1",),
    match=usb(0x19D2, *_PRODUCTS),
    identify=r"(?:\bzte\b.*|^)\b(?:MF(?:1|2|6)\d\d|MF82\d|K[34]\d{3}-Z)",
    ports={1: PortRole.AT_PRIMARY},
    dialect=Dialect(
        urc_prefixes=("+ZUSIMR:", "+ZDONR:", "+ZPASR:", "+ZPSTM:", "+ZEND:", "+ZMTIME:")
    ),
    probes=(
        Probe("AT+CPMS?", Layer.SIM),
        Probe("AT+ZPINPUK=?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+ZICCID?", Layer.SIM, prefixes=("^ICCID:",), unless="sim.iccid"),
        Probe("AT+ZGETICCID", Layer.SIM, prefixes=("+ZICCID:",), unless="sim.iccid"),
        Probe("AT+ZSNT?", Layer.REGISTRATION),
        Probe("AT+ZPAS?", Layer.RADIO, prefixes=("+BEARTYPE:",)),
        Probe("AT+ZRSSI", Layer.RADIO),
        Probe("AT+ZCELLINFO?", Layer.RADIO),
    ),
    readers={
        "+ZPAS:": service,
        "+ZPASR:": service,
        "+BEARTYPE:": service,
        "+ZSNT:": network_mode,
        "+ZRSSI:": signal,
        "+ZCELLINFO:": cell,
        "+ZPINPUK:": pin_counter,
        "+ZICCID:": card_number,
        "+ZGETICCID:": card_number,
    },
    compositions={(0x19D2, 0x2000): _STORAGE},
)
