"""u-blox SARA-R4/R5/U2/N4, LARA-R2/R6/L6, TOBY-L2/L4/R2 and LISA-U2.

Field orders as ubxlib and ModemManager's tests have them, where no other source stands beside a
reader. ``+UTEMP`` is not read: it may be in Celsius or in Fahrenheit, which does not show.
"""

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
    split,
    usb,
)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+UPINCNT: tries left of PIN, PIN2, PUK, PUK2 (ModemManager's test)."""
    values = reply.fields()
    for name, index, most in (("sim.pin_retries", 0, 3), ("sim.puk_retries", 2, 10)):
        if (left := values.integer(index)) is not None and 0 <= left <= most:
            yield Fact(name, left)


_TECHNOLOGIES = {
    0: "GSM", 1: "GSM, WCDMA", 2: "WCDMA", 3: "LTE", 4: "GSM, WCDMA, LTE", 5: "GSM, LTE",
    6: "WCDMA, LTE", 7: "LTE-M", 8: "NB-IoT", 9: "GSM",
}  # fmt: skip


def technologies(reply: Reply) -> Iterator[Fact]:
    """+URAT?: the technologies in use; SARA-R4/R5 list them, the others give one of 0 to 6.

    The number 9 is GPRS. Only what leaves neither LTE nor 3G is called a restriction: what a
    module can at most differs by model.
    """
    values = reply.fields()
    numbers = [n for n in (values.integer(i) for i in range(len(values))) if n is not None]
    if "=?" in reply.command or not numbers or any(n not in _TECHNOLOGIES for n in numbers):
        return
    if numbers[0] < 7:
        numbers = numbers[:1]  # the second is the preferred one of a combination
    yield Fact("radio.mode", ", ".join(_TECHNOLOGIES[n] for n in numbers))
    yield Fact("radio.mode_restricted", all(n in (0, 9) for n in numbers))


def operator_profile(reply: Reply) -> Iterator[Fact]:
    """+UMNOPROF?: number of the profile (0 none, 1 by the card, 2 AT&T, 3 Verizon, 100 Europe)."""
    if (number := reply.fields().integer(0)) is not None:
        yield Fact("device.operator_profile", number)


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """+UCGED: 2, then a line with technology, service, MCC, MNC, then one with the LTE cell.

    EARFCN, band, two bandwidths, TAC, cell, PCI, M-TMSI, MME group and code, RSRP and RSRQ as
    indices, SINR in dB (SARA-R5 in ubxlib). 65535, 255 and ``fff`` are unknown.
    """
    if len(reply.lines) < 3 or reply.fields().integer(0) != 2:
        return
    network, cell = split(reply.lines[1]), split(reply.lines[2])
    mcc, mnc = network.text(2) or "", network.text(3) or ""
    if (mcc + mnc).isdecimal() and len(mcc) == 3 and 2 <= len(mnc) <= 3:
        yield Fact("operator.plmn", mcc + mnc)
    if len(cell) >= 14:
        yield from _lte(cell)


def _lte(cell: Fields) -> Iterator[Fact]:
    channel, band, pci = cell.integer(0), cell.integer(1), cell.integer(6)
    rsrp, rsrq = rsrp_level(cell.integer(10)), rsrq_level(cell.integer(11))
    if channel is not None and 0 < channel < 65535 and band is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")
        yield Fact("cell.earfcn", channel)
    if pci is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    if rsrp is None:
        return
    yield Fact("signal.rsrp_dbm", rsrp)
    if rsrq is not None:
        yield Fact("signal.rsrq_db", rsrq)
    if (sinr := cell.number(12)) is not None and -23 <= sinr <= 40:
        yield Fact("signal.sinr_db", sinr)


def counters(reply: Reply) -> Iterator[Fact]:
    """+UGCNTRD: context, sent and received now, sent and received in all; the totals are added."""
    totals = [(v.integer(3), v.integer(4)) for v in reply.each() if len(v) >= 5]
    sent = [tx for tx, rx in totals if tx is not None and rx is not None]
    received = [rx for tx, rx in totals if tx is not None and rx is not None]
    if sent:
        yield Fact("counter.tx_bytes", sum(sent))
        yield Fact("counter.rx_bytes", sum(received))


def profile(reply: Reply) -> Iterator[Fact]:
    """+UPSND=0,8: profile, what was asked for, value: 0 is the address, 8 is 1 when active."""
    values = reply.fields()
    number, asked = values.integer(0), values.integer(1)
    if number is None:
        return
    if asked == 0 and (found := addresses_in(values[2:3])):
        yield Fact("data.addresses", {number: found})
    elif asked == 8 and values.integer(2) in (0, 1):
        yield Fact("data.link_up", values.integer(2) == 1)


def profile_activated(reply: Reply) -> Iterator[Fact]:
    """+UUPSDA, unasked: what came of AT+UPSDA=0,3: 0 and the address, or an error's number."""
    values = reply.fields()
    if (result := values.integer(0)) is None:
        return
    yield Fact("data.outcome", "failed" if result else "accepted")
    if found := addresses_in(values[1:2]):
        yield Fact("data.addresses", {0: found})


def usb_mode(reply: Reply) -> Iterator[Fact]:
    """+UUSBCONF?: number of the setting, name of the network function, and more."""
    if (name := (reply.fields().text(1) or "").upper()) in ("RNDIS", "ECM", "NCM", "MBIM"):
        yield Fact("usb.network_mode", name)


_FORMS = (
    "{earfcn},{band},{bandwidth*2},{tac},{cell},{pci},{tmsi},{place*2},{small*12}[,{small}]*3",
    "M0.{count}.{count}[,A.{count}.{count}]",
    "L0.0.00.00.{count}.{count}[,A.{count}.{count}]",
    "+UBANDMASK: {state},{bitmask}[,{bitmask}][,{state},{bitmask}[,{bitmask}]]",
)
"""SARA-R4/N4 and R5 AT commands manuals: ``+UCGED`` on LTE, a band mask as a number; ``ATI9``."""

DRIVER = ModemDriver(
    family="ublox-sara",
    vendor="u-blox",
    attempts=("AT+UPSDA=0,3",),
    match=usb(0x1546, 0x1102, 0x1107, 0x110A),
    identify=r"\b(?:SARA-[A-Z]\d|LARA-[A-Z]\d|TOBY-[A-Z]\d|LISA-[A-Z]\d|MPCI-L2)",
    ports={
        0: PortRole.AT_PRIMARY,
        2: PortRole.AT_SECONDARY,
        4: PortRole.AT_SECONDARY,
        6: PortRole.GNSS,
        8: PortRole.OTHER,
        10: PortRole.OTHER,
    },
    dialect=Dialect(urc_prefixes=("+UUPSDA:", "+UUPSDD:", "+UUSIMSTAT:", "+UUSTS:", "+READY")),
    probes=(
        Probe("AT+UMNOPROF?", Layer.DEVICE),
        Probe("AT+UUSBCONF?", Layer.DEVICE),
        Probe("AT+UPINCNT", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+URAT?", Layer.REGISTRATION),
        Probe("AT+UCGED?", Layer.RADIO),
        Probe("AT+UGCNTRD", Layer.COUNTERS),
    ),
    readers={
        "+UPINCNT:": pin_counter,
        "+URAT:": technologies,
        "+UMNOPROF:": operator_profile,
        "+UCGED:": serving_cell,
        "+UGCNTRD:": counters,
        "+UUSBCONF:": usb_mode,
        "+UPSND:": profile,
        "+UUPSDA:": profile_activated,
    },
    forms=_FORMS,
)
