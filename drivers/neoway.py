"""Neoway N58, N75, N510, N720 and the older M590.

Facts from the Neoway N58 and N75 AT commands manuals, where no other source stands beside a
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
    Probe,
    Reply,
    addresses_in,
    decode_iccid,
    usb,
)


def card_number(reply: Reply) -> Iterator[Fact]:
    """$MYCCID: the ICCID in quotes."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def card_slot(reply: Reply) -> Iterator[Fact]:
    """+SIMCROSS?: the slot in use, 1 or 2."""
    if "=?" not in reply.command and (slot := reply.fields().integer(0)) in (1, 2):
        yield Fact("sim.slot", slot)


_SYSTEMS = {2: "GSM", 3: "UMTS", 4: "LTE"}


def system(reply: Reply) -> Iterator[Fact]:
    """$MYSYSINFO: technology (2 GSM, 3 UMTS, 4 LTE), then a number for the operator."""
    if (technology := reply.fields().integer(0)) in _SYSTEMS:
        yield Fact("cell.technology", _SYSTEMS[technology])


def cell(reply: Reply) -> Iterator[Fact]:
    """+NETDMSGEX: technology, MCC+MNC, band, channel, then by technology; levels in tenths.

    LTE: area, cell, PCI, two more, RSRP, RSRQ, SINR. NR: cell, PCI, RSRP, RSRQ, SINR. The order
    is as open tools read it.
    """
    values = reply.fields()
    technology = (values.text(0) or "").upper()
    new = "NR" in technology or "5G" in technology
    if not new and "LTE" not in technology:
        return
    if plmn := re.fullmatch(r"([2-7]\d\d)\+?(\d{2,3})", values.text(1) or ""):
        yield Fact("operator.plmn", plmn[1] + plmn[2])
    if band := re.fullmatch(r"(?:BAND ?|[BN])?([1-9]\d{0,2})", (values.text(2) or "").upper()):
        yield Fact("cell.band", ("n" if new else "B") + band[1])
    if (channel := values.integer(3)) is not None and channel > 0:
        yield Fact("cell.earfcn", channel)
    yield from _levels(values, first=6 if new else 9)
    if (pci := values.integer(5 if new else 6)) is not None and 0 <= pci <= 1007:
        yield Fact("cell.pci", pci)


def _levels(values: Fields, *, first: int) -> Iterator[Fact]:
    for index, (name, lowest, highest) in enumerate(
        (("signal.rsrp_dbm", -157, -31), ("signal.rsrq_db", -43, -1), ("signal.sinr_db", -23, 40))
    ):
        level = values.integer(first + index)
        if level is not None and lowest <= level / 10 <= highest:
            yield Fact(name, level / 10)


def link(reply: Reply) -> Iterator[Fact]:
    """$MYNETACT? and, unasked, $MYURCACT: link, 1 when active, its address (an M590's capture)."""
    found = {}
    for values in reply.each():
        number, address = values.integer(0), values.text(2) or ""
        if number is not None and values.integer(1) == 1 and address.strip("0.:"):
            found[number] = [address]
    if found:
        yield Fact("data.addresses", found)


def dialled(reply: Reply) -> Iterator[Fact]:
    """+XIIC?: 1 when PPP stands inside the module, its address."""
    values = reply.fields()
    if values.integer(0) == 1 and (found := addresses_in(values[1:2])):
        yield Fact("data.addresses", {1: found})


DRIVER = ModemDriver(
    family="neoway",
    vendor="Neoway",
    match=usb(0x2949, 0x8700),
    identify=r"\bNEOWAY\b",
    dialect=Dialect(urc_prefixes=("+PBREADY", "+SIGNAL:")),
    probes=(
        Probe("AT$MYCCID", Layer.SIM, unless="sim.iccid"),
        Probe("AT+SIMCROSS?", Layer.SIM),
        Probe("AT+WS46?", Layer.REGISTRATION),
        Probe("AT$MYSYSINFO", Layer.RADIO),
        Probe("AT+NETDMSGEX", Layer.RADIO),
        Probe("AT$MYNETACT?", Layer.DATA),
    ),
    readers={
        "$MYCCID:": card_number,
        "+SIMCROSS:": card_slot,
        "$MYSYSINFO:": system,
        "+NETDMSGEX:": cell,
        "$MYNETACT:": link,
        "$MYURCACT:": link,
        "+XIIC:": dialled,
    },
)
