"""China Mobile ML302, ML305, ML307, ML551 and MN31x, over UART or USB.

Facts from the ML307 and MN31x AT commands manuals of China Mobile IoT.
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
    decode_iccid,
)


def card_number(reply: Reply) -> Iterator[Fact]:
    """+MCCID: the ICCID."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def frequency_lock(reply: Reply) -> Iterator[Fact]:
    """+MLOCKFREQ?: 0 no lock, 1 a lock to the channel that follows, 2 a preference for it."""
    if "=?" not in reply.command and (mode := reply.fields().integer(0)) in (0, 1, 2):
        yield Fact("radio.cell_locked", mode == 1)


_TECHNOLOGIES = {4: "LTE", 5: "LTE-M", 6: "NB-IoT"}


def statistics(reply: Reply) -> Iterator[Fact]:
    """+MUESTATS: a line for each subject; of the serving cell, and the band.

    "scell": technology (4 LTE, 5 LTE-M, 6 NB-IoT), MCC, MNC, EARFCN, offset, PCI, then RSRP,
    RSRQ, RSSI and SINR in tenths.
    """
    for values in reply.each():
        subject = values.text(0)
        if subject == "scell" and values.integer(1) in _TECHNOLOGIES:
            yield from _serving(values)
        elif subject == "sband" and (band := values.integer(1)) is not None and 0 < band <= 88:
            yield Fact("cell.band", f"B{band}")


def _serving(values: Fields) -> Iterator[Fact]:
    mcc, mnc = values.text(2) or "", values.text(3) or ""
    if re.fullmatch(r"[2-7]\d\d", mcc) and re.fullmatch(r"\d{2,3}", mnc):
        yield Fact("operator.plmn", mcc + mnc)
        yield Fact("cell.technology", _TECHNOLOGIES[int(values[1])])
    if (channel := values.integer(4)) is not None and 0 < channel < 0x40000 and channel != 0xFFFF:
        yield Fact("cell.earfcn", channel)
    if (pci := values.integer(6)) is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    for index, (name, lowest, highest) in enumerate(
        (
            ("signal.rsrp_dbm", -157, -31),
            ("signal.rsrq_db", -43, -1),
            ("signal.rssi_dbm", -120, -20),
            ("signal.sinr_db", -23, 40),
        )
    ):
        level = values.integer(7 + index)
        if level is not None and lowest <= level / 10 <= highest:
            yield Fact(name, level / 10)


def link(reply: Reply) -> Iterator[Fact]:
    """+MIPCALL?: context, 1 when active, its addresses."""
    found = {}
    for values in reply.each():
        number = values.integer(0)
        addresses = [a for a in values[2:] if re.fullmatch(r"[0-9A-Fa-f.:]{7,}", a)]
        if number is not None and values.integer(1) == 1 and any(a.strip("0.:") for a in addresses):
            found[number] = addresses
    if found and "=?" not in reply.command:
        yield Fact("data.addresses", found)


def booted(reply: Reply) -> Iterator[Fact]:
    """+MATREADY, unsolicited: the module has just started."""
    yield Fact("device.boot_event", reply.lines[0][:100])


DRIVER = ModemDriver(
    family="ml307",
    vendor="China Mobile",
    identify=r"(?<![A-Z0-9])(ML30[257]|ML551|MN31\d)",
    dialect=Dialect(urc_prefixes=("+MATREADY", "+MIPURC:")),
    probes=(
        Probe("AT+MCCID", Layer.SIM, unless="sim.iccid"),
        Probe("AT+MLOCKFREQ?", Layer.REGISTRATION),
        Probe('AT+MUESTATS="cell"', Layer.RADIO, reads_by_set=True),
        Probe('AT+MUESTATS="sband"', Layer.RADIO, reads_by_set=True),
        Probe("AT+MIPCALL?", Layer.DATA),
    ),
    readers={
        "+MCCID:": card_number,
        "+MLOCKFREQ:": frequency_lock,
        "+MUESTATS:": statistics,
        "+MIPCALL:": link,
        "+MATREADY": booted,
        "+MATREADY:": booted,
    },
)
