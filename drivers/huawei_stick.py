"""Huawei USB sticks of the E series in modem ("stick") mode: E1xx, E3131, E3372, E398 and kin.

Facts from the ME909s AT command interface specification, where no other source stands beside a
reader; the sticks use the same commands. These readers serve the Huawei modules too.
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
    rsrp_level,
    rsrq_level,
    split,
    usb,
)

# ---- device ------------------------------------------------------------------------------


def temperature(reply: Reply) -> Iterator[Fact]:
    """^CHIPTEMP?: sensors in tenths of a degree; 65535 is no sensor.

    Real lines hold small numbers beside the tenths (``391,391,65535,31,65535``). Alone they could
    be either unit, so only what must be tenths counts.
    """
    values = reply.fields()
    found = [n for n in (values.integer(i) for i in range(len(values))) if n and 150 < n <= 1500]
    if found:
        yield Fact("device.temperature_c", max(found) / 10)


def radio_switch(reply: Reply) -> Iterator[Fact]:
    """^RFSWITCH?: switch by command, switch by the W_DISABLE pin; 1 is on."""
    values = reply.fields()
    software, hardware = values.integer(0), values.integer(1)
    if software in (0, 1) and hardware in (0, 1):
        yield Fact("radio.switch", {"software": software == 1, "hardware": hardware == 1})


_LOCKS = {1: "locked", 2: "open", 3: "locked for ever"}


def card_lock(reply: Reply) -> Iterator[Fact]:
    """^CARDLOCK?: 1 the card in it needs an unlock code, 2 none, 3 no code is taken any more.

    Tries left and the lock's number follow. From open code that unlocks these sticks, and threads
    that show all three values.
    """
    if (lock := reply.fields().integer(0)) in _LOCKS:
        yield Fact("device.network_lock", _LOCKS[lock])


# ---- SIM ---------------------------------------------------------------------------------
def card_number(reply: Reply) -> Iterator[Fact]:
    """^ICCID?: older firmware leaves the nibbles exchanged (begins 98), newer does not."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """^CPIN?: state, tries for what is asked now, then tries left of PUK, PIN, PUK2, PIN2."""
    values = reply.fields()
    if values.text(0) in ("SIM PIN", "SIM PUK"):  # READY says less than what was read of the card
        yield Fact("sim.state", values[0])
    for name, index in (("sim.puk_retries", 2), ("sim.pin_retries", 3)):
        if (left := values.integer(index)) is not None and 0 <= left <= 10:
            yield Fact(name, left)


_CARD = {
    0: "invalid", 1: "valid", 2: "invalid cs", 3: "invalid ps", 4: "invalid cs and ps",
    255: "no card",
}  # fmt: skip
"""What the network thinks of the card. 0 is also a card that waits for its PIN."""


def card_event(reply: Reply) -> Iterator[Fact]:
    """^SIMST, unsolicited: the card's state has changed."""
    if (state := reply.fields().integer(0)) in _CARD:
        yield Fact("sim.service", _CARD[state])


# ---- registration ------------------------------------------------------------------------
def system_information(reply: Reply) -> Iterator[Fact]:
    """^SYSINFOEX: service, domain, roaming, card, reserved, system mode and its name, submode."""
    values = reply.fields()
    yield from _service(values, card=3)
    name = values.text(6)
    if name and re.fullmatch(r"[A-Z0-9_ /-]{2,12}", name) and name not in ("NO SERVICE", "NULL"):
        yield Fact("cell.technology", name)


_OLD_SYSTEMS = {3: "GSM", 5: "WCDMA", 15: "TD-SCDMA"}


def old_system_information(reply: Reply) -> Iterator[Fact]:
    """^SYSINFO: service, domain, roaming, system mode, card, lock, submode (before LTE)."""
    values = reply.fields()
    yield from _service(values, card=4)
    if (system := values.integer(3)) in _OLD_SYSTEMS:
        yield Fact("cell.technology", _OLD_SYSTEMS[system])


_SERVICES = {0: "no service", 1: "limited", 2: "camped", 3: "limited"}
"""None, restricted, valid, restricted here; 4 is sleep, which says nothing."""


def service_event(reply: Reply) -> Iterator[Fact]:
    """^SRVST, unsolicited: the service has changed; values as in ^SYSINFO."""
    if reply.unsolicited and (service := reply.fields().integer(0)) in _SERVICES:
        yield Fact("cell.state", _SERVICES[service])


def _service(values: Fields, *, card: int) -> Iterator[Fact]:
    """Service, and domain where there is none: 4 is searching."""
    service, domain = values.integer(0), values.integer(1)
    if service == 0 and domain == 4:
        yield Fact("cell.state", "searching")
    elif service in _SERVICES:
        yield Fact("cell.state", _SERVICES[service])
    if (state := values.integer(card)) in _CARD:
        yield Fact("sim.service", _CARD[state])


_TECHNOLOGIES = {"01": "GSM", "02": "WCDMA", "03": "LTE", "04": "CDMA", "08": "NR"}


def configuration(reply: Reply) -> Iterator[Fact]:
    """^SYSCFGEX?: technologies in their order ("00" automatic), bands, roaming allowed, domain."""
    if "=?" in reply.command:
        return
    values = reply.fields()
    order = values.text(0) or ""
    codes = re.findall(r"\d\d", order) if re.fullmatch(r"(?:\d\d)+", order) else []
    if order == "00" or (codes and all(code in _TECHNOLOGIES for code in codes)):
        free = order == "00" or len(set(codes)) > 2
        words = ", ".join(_TECHNOLOGIES.get(code, code) for code in codes)
        yield Fact("radio.mode_restricted", not free)
        yield Fact("radio.mode", "automatic" if free else f"{words} only")
    if (roaming := values.integer(2)) in (0, 1):
        yield Fact("radio.roaming_enabled", roaming == 1)


def rejected(reply: Reply) -> Iterator[Fact]:
    """^REJINFO, unsolicited: PLMN, domain, cause, technology, kind of the request."""
    cause = reply.fields().integer(2)
    if cause is not None and 0 < cause <= 111:
        yield Fact("registration.reject_cause", cause)


# ---- radio -------------------------------------------------------------------------------
def signal(reply: Reply) -> Iterator[Fact]:
    """^HCSQ: technology and its levels as indices; 255 is unknown.

    LTE: RSSI, RSRP, SINR, RSRQ. WCDMA: RSSI, RSCP, Ec/Io. GSM: RSSI. NR: RSRP, SINR, RSRQ.
    Values as in ModemManager's tests; NR from the MT5700 manual.
    """
    values = reply.fields()
    technology = (values.text(0) or "").upper()
    if technology == "NOSERVICE":
        yield Fact("cell.state", "no service")
    elif technology in ("LTE", "WCDMA", "GSM"):
        yield from _dbm("signal.rssi_dbm", values.integer(1))
        if technology == "WCDMA":
            yield from _dbm("signal.rscp_dbm", values.integer(2))
        elif technology == "LTE":
            yield from _quality("signal.", values.integer(2), values.integer(3), values.integer(4))
    elif technology == "NR":
        yield from _quality("signal.ss_", values.integer(1), values.integer(2), values.integer(3))


def _dbm(name: str, index: int | None) -> Iterator[Fact]:
    if index is not None and 0 <= index <= 96:
        yield Fact(name, index - 121)


def _quality(prefix: str, rsrp: int | None, sinr: int | None, rsrq: int | None) -> Iterator[Fact]:
    if (level := rsrp_level(rsrp)) is not None:
        yield Fact(f"{prefix}rsrp_dbm", level)
    if sinr is not None and 0 <= sinr <= 251:
        yield Fact(f"{prefix}sinr_db", round(sinr / 5 - 20.2, 1))
    if (ratio := rsrq_level(rsrq)) is not None:
        yield Fact(f"{prefix}rsrq_db", ratio)


def frequency(reply: Reply) -> Iterator[Fact]:
    """^HFREQINFO?: report setting, system (6 LTE, 7 NR), band, downlink channel, kHz and so on."""
    values = reply.fields()
    prefix = {6: "B", 7: "n"}.get(values.integer(1) or 0)
    band, channel = values.integer(2), values.integer(3)
    if prefix is None or band is None or not 0 < band <= 512:
        return
    yield Fact("cell.band", f"{prefix}{band}")
    if channel is not None and channel > 0:
        yield Fact("cell.earfcn", channel)


# ---- data --------------------------------------------------------------------------------
def link(reply: Reply) -> Iterator[Fact]:
    """^NDISSTATQRY?: state (1 connected), error, reserved, "IPV4", then the same for IPv6.

    Where it is not connected the error is the session cause of TS 24.008. Of four values before
    the family the first is the number of the connection, if a state follows it. Old firmware
    prints the state alone.
    """
    values = reply.fields()
    families = [i for i, v in enumerate(values) if v.upper() in ("IPV4", "IPV6")]
    starts = [0, *(i + 1 for i in families[:-1])]
    groups = [values[start:end] for start, end in zip(starts, families, strict=False)]
    if not families and len(values) == 1:
        groups = [values]
    states = [group[len(group) == 4 and group[1] != ""] for group in groups if group]
    cause = values.integer(1)
    named = families and families[0] == 3
    if named and values.integer(0) == 0 and cause is not None and 0 < cause < 128:
        yield Fact("data.last_error", cause)
    if states and states[0] in ("0", "1"):
        yield Fact("data.link_up", "1" in states)


def address(reply: Reply) -> Iterator[Fact]:
    """^DHCP?: address, mask, gateway and so on as hex, lowest byte first (ModemManager's test)."""
    digits = re.sub("^0[xX]", "", reply.fields().text(0) or "")
    if re.fullmatch(r"[0-9A-Fa-f]{1,8}", digits) and digits.strip("0"):
        octets = bytes.fromhex(digits.zfill(8))[::-1]
        yield Fact("data.addresses", {1: [".".join(str(octet) for octet in octets)]})


def counters(reply: Reply) -> Iterator[Fact]:
    """^DSFLOWQRY: seconds, sent, received of the last connection, then of all; hex.

    Some firmware puts the values on a line of their own, some leaves the totals out.
    """
    values = split(",".join(reply.lines).partition(":")[2].lstrip(" ,"))
    start = 4 if len(values) >= 6 else 1
    for name, index in (("counter.tx_bytes", start), ("counter.rx_bytes", start + 1)):
        if (count := values.hexadecimal(index)) is not None:
            yield Fact(name, count)


_PRODUCTS = (
    0x1001, 0x1003, 0x140C, 0x1436, 0x1442, 0x1465, 0x14AC, 0x1506, 0x155E, 0x1C05,
)  # fmt: skip
_ROUTER = N_(
    "HiLink router mode: the stick offers a network link with its own web page and no AT port; "
    "open the web page, or switch the stick to modem mode"
)
_STORAGE = N_(
    "storage mode: the stick still shows its drive with Windows drivers and has not switched to "
    "modem mode (usb_modeswitch does that)"
)

_FORMS = (
    "^HCSQ: {name}[,{small}[,{small*2}[,{small}]]]",
    "^HFREQINFO: {state},{count},{band},{earfcn},{frequency*2},{earfcn},{frequency*2}[,"
    "{band},{earfcn},{frequency*2},{earfcn},{frequency*2}]",
    "^SYSINFOEX: {state*3},{small},{state},{small},{name},{small},{name}",
    "^SYSCFGEX: {name},{mask},{state*2},{mask}[,,]",
    "^CINIT: {count},{milliseconds},{seconds}",
    "^DHCP: {address*6},{speed*2}",
    "^DSFLOWRPT: {bytes_hex*7}",
    "^DSFLOWQRY: {bytes_hex*6}",
    "^MONSC: LTE,{mcc},{mnc},{earfcn},{cell},{place},{tac},{rsrp},{rsrq},{rssi}",
    "^MONSC: WCDMA,{mcc},{mnc},{uarfcn},{psc},{cell},{lac},{rscp},{rxlev},{ecio},{small},{name}",
    "^MONSC: GSM,{mcc},{mnc},{small},{arfcn},{place},{cell},{lac},{rxlev},{small*2}",
    "^LTERSRP: {rsrp},{rsrq}",
    "^CHIPTEMP: {temperature_tenths*3},{temperature*2}",
)
"""ME909s and ME906 AT command interface specifications."""

DRIVER = ModemDriver(
    family="huawei-stick",
    vendor="Huawei",
    attempts=("AT^NDISDUP=",),
    match=usb(0x12D1, *_PRODUCTS),
    identify=r"huawei.*(?<![A-Z0-9])(?:[EK]\d{3,4}|MS\d{4})",
    ports={0: PortRole.PPP, 2: PortRole.AT_PRIMARY},
    dialect=Dialect(urc_prefixes=("^REJINFO:", "^STIN:", "^CSNR:")),
    probes=(
        Probe("AT^RFSWITCH?", Layer.DEVICE),
        Probe("AT^CHIPTEMP?", Layer.DEVICE),
        Probe("AT^CARDLOCK?", Layer.DEVICE),
        Probe("AT^CPIN?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT^ICCID?", Layer.SIM, unless="sim.iccid"),
        Probe("AT^SYSINFOEX", Layer.REGISTRATION),
        Probe("AT^SYSINFO", Layer.REGISTRATION, unless="sim.service"),
        Probe("AT^SYSCFGEX?", Layer.REGISTRATION),
        Probe("AT^HCSQ?", Layer.RADIO),
        Probe("AT^HFREQINFO?", Layer.RADIO),
        Probe("AT^NDISSTATQRY?", Layer.DATA),
        Probe("AT^DHCP?", Layer.DATA),
        Probe("AT^DSFLOWQRY", Layer.COUNTERS),
    ),
    readers={
        "^RFSWITCH:": radio_switch,
        "^CHIPTEMP:": temperature,
        "^CARDLOCK:": card_lock,
        "^ICCID:": card_number,
        "^CPIN:": pin_counter,
        "^SIMST:": card_event,
        "^SRVST:": service_event,
        "^SYSINFOEX:": system_information,
        "^SYSINFO:": old_system_information,
        "^SYSCFGEX:": configuration,
        "^REJINFO:": rejected,
        "^HCSQ:": signal,
        "^HFREQINFO:": frequency,
        "^NDISSTATQRY:": link,
        "^NDISSTAT:": link,
        "^DHCP:": address,
        "^DSFLOWQRY:": counters,
    },
    compositions={
        (0x12D1, 0x14DB): _ROUTER,
        (0x12D1, 0x14DC): _ROUTER,
        (0x3566, 0x2001): _ROUTER,
        (0x12D1, 0x1446): _STORAGE,
        (0x12D1, 0x14FE): _STORAGE,
        (0x12D1, 0x1505): _STORAGE,
        (0x12D1, 0x157D): _STORAGE,
        (0x12D1, 0x1F01): _STORAGE,
    },
    forms=_FORMS,
)
