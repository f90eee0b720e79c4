"""What TS 27.007 defines for every modem: the fall-back family and the template to copy.

Other families add to these probes and readers; see ``docs/add-a-driver.md``.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Error,
    Fact,
    Fields,
    Layer,
    ModemDriver,
    Probe,
    Reader,
    Reply,
    cause_of_cme,
    cme_code,
    cme_of_cms,
    cms_code,
    decode_file,
    decode_iccid,
    decode_imsi,
    fields,
    mm_cause,
    rsrp_level,
    rsrq_level,
    sm_cause,
)

_SIM_COMMANDS = re.compile(r"^AT\+(CPIN\?|CIMI|Q?C?CC?ID|ICCID|CSMP|CMGF|CMGS|CPBS|CNUM|CMGL|CSCA)")
"""Questions to the card: errors of a general kind to one of them tell of the card's state."""
_SIM_STATE = {
    5: "PH-SIM PIN", 6: "PH-FSIM PIN", 7: "PH-FSIM PUK", 10: "not inserted", 11: "SIM PIN",
    12: "SIM PUK", 13: "failure", 14: "busy", 15: "wrong", 40: "PH-NET PIN", 41: "PH-NET PUK",
    42: "PH-NETSUB PIN", 43: "PH-NETSUB PUK", 44: "PH-SP PIN", 45: "PH-SP PUK", 46: "PH-CORP PIN",
    47: "PH-CORP PUK", 262: "blocked", 515: "busy", 524: "not inserted", 770: "wrong",
}  # fmt: skip


_NO_CARD = re.compile(r"\bSIM\b.*\b(?:NOT INSERTED|ABSENT)|\bNO SIM\b", re.IGNORECASE)
_GENERAL = (13, 14, 15, 262, 515, 524)
"""Failure, busy and wrong may also be said of what was asked for; the rest only of the card."""
_DEVICE_COMMANDS = re.compile(r"^AT\+(?:CGSN|GSN|CGMR|CGMM|CFUN=1)")
_DEVICE_ERRORS = (0, 20, 23, 60)
"""Phone, memory and system failure: where they answer a question to the device itself."""


# ---- device ------------------------------------------------------------------------------
def _words(name: str) -> Reader:
    label = re.compile(name.removeprefix("device.") + r"\s*:\s*", re.IGNORECASE)

    def read(reply: Reply) -> Iterator[Fact]:
        """+CGMI, +CGMM, +CGMR (TS 27.007 clauses 5.1 to 5.3): bare, prefixed or labelled text."""
        found = label.match(reply.text)
        text = reply.text[found.end() if found else 0 :]
        if text and not reply.error:
            yield Fact(name, text[:100])

    return read


def imei(reply: Reply) -> Iterator[Fact]:
    """+CGSN (clause 5.4): 15 digits of the IMEI or 16 of the IMEISV; zeros where it is lost."""
    for line in reply.lines:
        match = re.search(r"(?<![0-9A-Za-z*])\d{2}[0-9*Xx]{12,14}(?![0-9A-Za-z*])", line)
        if match:
            yield Fact("device.imei", match[0])


_IDENTITY = ("manufacturer", "model", "revision")


def identification(reply: Reply) -> Iterator[Fact]:
    """ATI (V.250 clause 6.1.3): labelled lines, or maker, model and revision in this order."""
    bare = []
    for line in reply.lines:
        label, colon, value = line.partition(":")
        key = label.strip().lower()
        if colon and key == "imei":
            yield from imei(Reply(reply.command, (value,)))
        elif key in _IDENTITY and value.strip():
            yield Fact(f"device.{key}", value.strip()[:100])
        elif not colon:
            bare.append(line.strip().strip('"')[:100])
    for name, value in zip(_IDENTITY, bare, strict=False):
        if len(bare) > 1 and value:
            yield Fact(f"device.{name}", value)


def functionality(reply: Reply) -> Iterator[Fact]:
    """+CFUN (clause 8.2): the first number counts; some print a second."""
    value = reply.fields().integer(0)
    if value is not None:
        yield Fact("device.functionality", value)


def _set_functionality(reply: Reply) -> Iterator[Fact]:
    """A +CFUN= that was answered with OK; ``<rst>`` 1 resets the module."""
    if match := re.search(r"CFUN\s*=\s*(\d+)(?:\s*,\s*(\d))?", reply.command, re.IGNORECASE):
        yield Fact("device.functionality", int(match[1]))
        if match[2] == "1":
            yield Fact("device.reset_asked", True)


def battery(reply: Reply) -> Iterator[Fact]:
    """+CBC (clause 8.4): state, charge in per cent, and from most makers the voltage in mV."""
    voltage = reply.fields().number(2)
    if voltage is None and re.search(r"\d\.\d+V", reply.text):
        voltage = float(re.sub(r"[^\d.]", "", reply.text))
    if voltage is not None and voltage < 10:
        voltage *= 1000
    if voltage is not None and 2000 <= voltage <= 60000:
        yield Fact("device.voltage_mv", round(voltage))


def operator_reply(reply: Reply) -> Iterator[Fact]:
    """+CUSD (clause 7.15): state of the talk, the text or its hex digits, the coding scheme."""
    found = reply.fields()
    if found.integer(0) is not None:
        words = {"status": found.integer(0), "text": found.text(1), "coding": found.integer(2)}
        yield Fact("operator.reply", words)


# ---- SIM ---------------------------------------------------------------------------------
def pin_state(reply: Reply) -> Iterator[Fact]:
    """+CPIN (clause 8.3): what the module waits for; vendors add NOT INSERTED and the like."""
    text = reply.text.upper()
    code = re.sub(r"[ _]+", " ", text.replace("PH_", "PH-"))
    if re.search(r"NOT INSERTED|REMOVED|ABSENT|NO SIM", text):
        yield Fact("sim.state", "not inserted")
    elif re.search(r"NOT READY|BUSY", text):
        yield Fact("sim.state", "busy")
    elif "READY" in text:
        yield Fact("sim.state", "READY")
    elif "EUICC" in text:
        yield Fact("sim.state", "no profile")
    elif match := re.match(r"PH-[A-Z]+ P(?:IN|UK)|SIM P(?:IN|UK)2?", code):
        yield Fact("sim.state", match[0])
    elif re.search(r"SIM (?:CRASH|ERROR|FAIL)", text):
        yield Fact("sim.state", "failure")
    elif "BLOCKED" in text:
        yield Fact("sim.state", "blocked")


def _pin_entered(reply: Reply) -> Iterator[Fact]:
    """A PIN that somebody gave and the card took: it waits for none any more."""
    yield Fact("sim.state", "READY")


def pin_retries(reply: Reply) -> Iterator[Fact]:
    """+CPINR (clause 8.65): code name, tries left, tries at most."""
    names = {"SIM PIN": "sim.pin_retries", "SIM PUK": "sim.puk_retries"}
    for values in reply.each():
        name = names.get((values.text(0) or "").upper())
        left = values.integer(1)
        if name and left is not None:
            yield Fact(name, left)


def iccid(reply: Reply) -> Iterator[Fact]:
    """The number of the card, in any of the forms that families print."""
    for line in reply.lines:
        for values in (line.partition(":")[2] or line).split(","):
            number = decode_iccid(values)
            if number:
                yield Fact("sim.iccid", number)
                return


def imsi(reply: Reply) -> Iterator[Fact]:
    """+CIMI (clause 5.6): bare digits; some print the prefix."""
    for line in reply.lines:
        number = decode_imsi(line.rpartition(":")[2])
        if number:
            yield Fact("sim.imsi", number)


def card_file(reply: Reply) -> Iterator[Fact]:
    """+CRSM (clause 8.18): status words (90 00 is success) and the file's bytes in hex."""
    request = re.search(r"CRSM\s*=\s*176\s*,\s*(\d+)", reply.command, re.IGNORECASE)
    values = reply.fields()
    if request is None or values.integer(0) != 0x90:
        return
    payload = re.sub(r"[^0-9A-Fa-f*]", "", values.text(2) or "")
    for name, value in decode_file(int(request[1]), payload):
        yield Fact(name, value)


# ---- registration ------------------------------------------------------------------------
_AREA = {"cs": "lac", "ps": "lac", "eps": "tac", "5gs": "tac"}


def _registration(domain: str) -> Reader:
    def read(reply: Reply) -> Iterator[Fact]:
        """+CREG, +CGREG, +CEREG, +C5GREG (clauses 7.2, 10.1.20, 10.1.22, 10.1.47)."""
        for line in reply.lines:
            yield from _registration_line(domain, line, answer=not reply.unsolicited)

    return read


_WITH_MODE = re.compile(
    r"[^:]*:\s*(?:00\d\s*,\s*00\d\s*(?:,|$)|\d\s*,\s*(?:\d\s*(?:,|$)|\d\d\s*(?:,\s*\"|$)))"
)
"""``<n>,<stat>``: the second field is a bare status, not an area (which has more digits, and
quotes from most modems). Iridium prints both with three digits."""


def _registration_line(domain: str, line: str, *, answer: bool) -> Iterator[Fact]:
    """Read ``[<n>,]<stat>[,<area>,<ci>[,<AcT>...][,<cause_type>,<reject_cause>]]``.

    An answer begins with ``<n>``, an unsolicited line does not, and a log may hide which it is:
    the second field tells.
    """
    values = fields(line)
    with_mode = _WITH_MODE.match(line) is not None
    if not with_mode and answer and len(values) > 1:
        with_mode = re.fullmatch(r"\d{1,2}", values[1]) is not None
    start = 1 if with_mode else 0
    status = values.integer(start)
    if (
        start == 0
        and len(values) > 1
        and values.hexadecimal(1) is None
        and (values[1] or not values[2:])
    ):
        return  # what follows a status is an area
    if status is None or not (0 <= status <= 11 or status == 90):
        return
    yield Fact(f"registration.{domain}.status", status)
    if with_mode and (mode := values.integer(0)) is not None:
        yield Fact(f"registration.{domain}.mode", mode)
    rest = _without_routing_area(Fields(values[start + 1 :]))
    area, cell = rest.hexadecimal(0), rest.hexadecimal(1)
    if area not in (None, 0xFFFE, 0xFFFF, 0):
        yield Fact(f"registration.{domain}.{_AREA[domain]}", rest[0].upper())
    if cell not in (None, 0xFFFFFFFF, 0xFFFFFFF, 0):
        yield Fact(f"registration.{domain}.cell_id", rest[1].upper())
    access = rest.integer(2)
    if access is not None and 0 <= access <= 13 and (area or cell):
        yield Fact(f"registration.{domain}.access_technology", access)
    if status not in (1, 5, 6, 7, 9, 10):
        yield from _reject_cause(rest)


def _without_routing_area(rest: Fields) -> Fields:
    """Some Novatel modems put a RAC between area and cell, which leaves AcT in the fourth place."""
    shifted = len(rest) == 4 and 0 < len(rest[1]) <= 2 < len(rest[2])
    return Fields((rest[0], *rest[2:])) if shifted and rest.integer(3) is not None else rest


def _reject_cause(rest: Fields) -> Iterator[Fact]:
    """``<cause_type>,<reject_cause>`` follow AcT; cause type 0 is a 3GPP cause.

    Between AcT and them stand a RAC (GPRS, and EPS of some makers) or, for 5GS, two fields more.
    """
    for start in (3, 4, 5):
        cause = rest.text(start + 1) or ""
        if rest.integer(start) == 0 and re.fullmatch(r"[1-9]\d{0,2}", cause):
            yield Fact("registration.reject_cause", int(cause))
            return


def extended_error(reply: Reply) -> Iterator[Fact]:
    """+CEER (clause 6.10): free form; a cause is a number after words that name its kind."""
    yield from _cause_in_words(reply.text)


_CAUSE = re.compile(
    r"#\s?(\d{1,3})\b|(?:cause|reject)\W{0,4}(\d{1,3})\b", re.IGNORECASE
)  # fmt: skip
_OF_SESSIONS = re.compile(r"\b(?:ESM|SM|PDN|PDP|bearer|session|APN)\b", re.IGNORECASE)
_OF_MOBILITY = re.compile(r"\b(?:EMM|GMM|MM|5GMM|attach|regist\w+|PLMN)\b", re.IGNORECASE)


def _cause_in_words(text: str) -> Iterator[Fact]:
    """Find a network cause in words: ``PLMN not allowed (#11)``, ``"EMM reject",19``."""
    number = _CAUSE.search(text)
    value = int(number[1] or number[2]) if number else None
    session, mobility = _OF_SESSIONS.search(text), _OF_MOBILITY.search(text)
    if value is not None and session and not mobility:
        yield Fact("data.last_error", value)
    elif value is not None:
        # A number without such words is the release cause of a call (16, 17 …).
        if mobility or (number and number[1]):
            yield Fact("registration.reject_cause", value)
    else:
        # Some words stand in both tables; which is meant, the state of the registration tells.
        if (cause := sm_cause(text)) is not None:
            yield Fact("data.last_error", cause)
        if (cause := mm_cause(text)) is not None and not session:
            yield Fact("registration.reject_cause", cause)


def _plain(name: str | None) -> str | None:
    """A name in the characters that +CSCS="UCS2" has the modem write: four hex digits each."""
    if name and re.fullmatch(r"(?:[0-9A-Fa-f]{4}){2,}", name):
        text = bytes.fromhex(name).decode("utf-16-be", "replace")
        return text if text.isprintable() and "\ufffd" not in text else name
    return name


def operator(reply: Reply) -> Iterator[Fact]:
    """+COPS? (clause 7.3): mode, format, name, access technology."""
    if "=?" in reply.command or reply.text.startswith("("):
        return
    values = reply.fields()
    mode, form, name = values.integer(0), values.integer(1), _plain(values.text(2))
    if mode is not None and 0 <= mode <= 4:
        yield Fact("operator.mode", mode)
        yield Fact("operator.selected", name is not None)
    if form in (0, 1, 2):
        yield Fact("operator.format", form)
    if name and re.fullmatch(r"\d{5,6}", name):
        yield Fact("operator.plmn", name)
    elif name and form in (0, 1):
        yield Fact("operator.name", name[:60])
    access = values.integer(3)
    if name and access is not None and 0 <= access <= 13:
        yield Fact("operator.access_technology", access)


_TECHNOLOGIES = {
    12: "GSM only", 22: "WCDMA only", 25: "automatic", 28: "LTE only", 29: "GSM and WCDMA only",
    30: "GSM and LTE only", 31: "WCDMA and LTE only", 36: "NR only", 37: "LTE and NR only",
    38: "automatic",
}  # fmt: skip
_NO_LTE = (12, 22, 29)
_ALL = (25, 31, 37, 38)


def technologies(reply: Reply) -> Iterator[Fact]:
    """+WS46? (TS 27.007 clause 5.9): which technologies may be used.

    28 and 30 are all that some modules can, so of them it is not said whether they restrict.
    """
    if "=?" in reply.command or (mode := reply.fields().integer(0)) not in _TECHNOLOGIES:
        return
    yield Fact("radio.mode", _TECHNOLOGIES[mode])
    if mode in _NO_LTE or mode in _ALL:
        yield Fact("radio.mode_restricted", mode in _NO_LTE)


# ---- radio -------------------------------------------------------------------------------
def signal_quality(reply: Reply) -> Iterator[Fact]:
    """+CSQ (clause 8.5): 0..31 is -113..-51 dBm, 99 not known; 100..191 are 3G levels."""
    if "=?" in reply.command:
        return
    level = reply.fields().integer(0)
    if level is None:
        return
    if 0 <= level <= 31:
        yield Fact("signal.rssi_dbm", 2 * level - 113)
    elif 100 <= level <= 191:
        yield Fact("signal.rscp_dbm", level - 216)
    yield Fact("signal.detected", level not in (99, 199))


def extended_signal_quality(reply: Reply) -> Iterator[Fact]:
    """+CESQ (clause 8.69): rxlev, ber, rscp, ecno, rsrq, rsrp and for NR three more."""
    if "=?" in reply.command:
        return
    values = reply.fields()
    rsrq, rsrp = rsrq_level(values.integer(4)), rsrp_level(values.integer(5))
    if rsrp is not None:
        yield Fact("signal.rsrp_dbm", rsrp)
    if rsrq is not None:
        yield Fact("signal.rsrq_db", rsrq)
    rxlev, rscp, nr = values.integer(0), values.integer(2), values.integer(7)
    if rscp is not None and 0 <= rscp <= 96:
        yield Fact("signal.rscp_dbm", rscp - 121)
    if nr is not None and 0 <= nr <= 126:
        yield Fact("signal.ss_rsrp_dbm", nr - 157)
    known = [v is not None and v not in (99, 255) for v in (rxlev, rscp, values.integer(5), nr)]
    if len(values) >= 6:
        yield Fact("signal.detected", any(known))


# ---- data --------------------------------------------------------------------------------
def attached(reply: Reply) -> Iterator[Fact]:
    """+CGATT (clause 10.1.9)."""
    value = reply.fields().integer(0)
    if value in (0, 1) and "=?" not in reply.command:
        yield Fact("data.attached", value == 1)


_OPERATOR = re.compile(r"\.mnc\d{2,3}\.mcc\d{3}\.gprs$", re.IGNORECASE)


def contexts(reply: Reply) -> Iterator[Fact]:
    """+CGDCONT (clause 10.1.1): the defined contexts.

    An address stands there too, be it one that was asked for; behind an APN with the operator
    identifier of TS 23.003 clause 9.1.2, which the network adds, it was given.
    """
    if "=?" in reply.command:
        return
    found, given = [], {}
    for values in reply.each():
        cid = values.integer(0)
        if cid is not None and values.text(1):
            found.append({"cid": cid, "type": values[1], "apn": values.text(2) or ""})
            if _OPERATOR.search(values.text(2) or "") and _is_address(values.text(3) or ""):
                given[cid] = [values[3]]
    if found:
        yield Fact("data.defined_contexts", found)
    if given:
        yield Fact("data.addresses", given)


def active_contexts(reply: Reply) -> Iterator[Fact]:
    """+CGACT (clause 10.1.10): which contexts are active."""
    if "=?" in reply.command:
        return
    states = {v.integer(0): v.integer(1) == 1 for v in reply.each() if v.integer(0) is not None}
    if states:
        yield Fact("data.active_contexts", sorted(cid for cid, on in states.items() if on and cid))


def addresses(reply: Reply) -> Iterator[Fact]:
    """+CGPADDR (clause 10.1.14): cid and up to two addresses; all zeros means none."""
    if "=?" in reply.command:
        return
    found: dict[int, list[str]] = {}
    for values in reply.each():
        cid = values.integer(0)
        if cid is None:
            continue
        text = re.sub(r"IPV[46]:", "", " ".join(values[1:]), flags=re.IGNORECASE)
        found[cid] = [a for a in re.findall(r"[0-9A-Fa-f:.]{2,}", text) if _is_address(a)]
    if found:
        yield Fact("data.addresses", found)


def _is_address(text: str) -> bool:
    digits = re.sub(r"[.:]", "", text)
    return (text.count(".") >= 3 or text.count(":") >= 2) and digits.strip("0") != ""


def granted(reply: Reply) -> Iterator[Fact]:
    """+CGCONTRDP (clause 10.1.23): cid, bearer, granted APN, address, gateway, DNS servers.

    A context with IPv4 and IPv6 has a line for each.
    """
    names: dict[int, str] = {}
    found: dict[int, list[str]] = {}
    for values in reply.each():
        cid, apn = values.integer(0), values.text(2)
        if cid is None or apn is None or values.text(1) == "":
            continue
        names[cid] = _OPERATOR.sub("", apn)
        address = _without_mask(values.text(3) or "")
        if _is_address(address):
            found.setdefault(cid, []).append(address)
    if names:
        yield Fact("data.granted_apns", names)
    if found:
        yield Fact("data.addresses", found)


def _without_mask(address: str) -> str:
    """The older form appends the subnet mask in the same notation; emulators do as a length."""
    address = address.partition("/")[0]
    octets = address.split(".")
    return ".".join(octets[: len(octets) // 2]) if len(octets) in (8, 32) else address


def authentication(reply: Reply) -> Iterator[Fact]:
    """+CGAUTH (clause 10.1.31): cid, 0 none 1 PAP 2 CHAP, user name (left out here)."""
    for values in reply.each():
        kind = values.integer(1)
        if kind in (0, 1, 2):
            yield Fact("data.auth", ("none", "pap", "chap")[kind])
            return


# ---- errors ------------------------------------------------------------------------------
def equipment_error(reply: Reply) -> Iterator[Fact]:
    """+CME ERROR (clause 9.2): the state of the card, or a cause that the network gave."""
    error = reply.error or _error_of_line(reply.lines)
    if error is None:
        return
    code = error.code
    if error.result == "+CMS ERROR":
        number = cms_code(error.text or "") if code is None else code
        code = None if number is None else cme_of_cms(number)
    elif code is None and error.text:
        code = cme_code(error.text.partition("(")[0])
    if code == 13 and reply.command.upper().startswith("AT+CCHO"):
        yield Fact("sim.channel_refused", code)
    asked_of_card = (
        not reply.command
        or error.result == "+CMS ERROR"
        or _SIM_COMMANDS.match(reply.command.upper().replace(" ", ""))
    )
    if code is None and re.search(r"\bSIM\b.*\bBLOCKED", (error.text or "").upper()):
        yield Fact("sim.state", "blocked")
    elif code is None and asked_of_card and _NO_CARD.search(error.text or ""):
        yield Fact("sim.state", "not inserted")
    elif code in _SIM_STATE and (asked_of_card or code not in _GENERAL):
        yield Fact("sim.state", _SIM_STATE[code])
    elif code in _DEVICE_ERRORS and _DEVICE_COMMANDS.match(reply.command.upper()):
        yield Fact("device.error", code)
    elif code in (30, 32):
        yield Fact("registration.service", "none" if code == 30 else "emergency only")
    elif code is not None and (cause := cause_of_cme(code)):
        yield Fact("registration.reject_cause" if cause[0] == "mm" else "data.last_error", cause[1])
    elif error.text and error.result != "+CMS ERROR":
        yield from _cause_in_words(error.text)


def _error_of_line(lines: tuple[str, ...]) -> Error | None:
    """An error that nobody asked for stands in an unsolicited line."""
    text = lines[0].partition(":")[2].strip() if lines else ""
    if not text:
        return None
    return Error("+CME ERROR", int(text) if text.isdigit() and len(text) < 7 else None, text)


def _bare_error(reply: Reply) -> Iterator[Fact]:
    """A bare ERROR (error reports off) tells that something failed, not why; words may."""
    words = reply.error.text if reply.error else None
    if words and cme_code(words) is not None:
        yield from equipment_error(reply)
        return
    command = reply.command.upper().replace(" ", "")
    if re.match(r"AT\+(CPIN\?|CIMI)$", command):
        yield Fact("sim.state", "error")


# ---- boot and power ----------------------------------------------------------------------
def _power_warning(reply: Reply) -> Iterator[Fact]:
    """Supply warnings that modules print before they switch themselves off."""
    yield Fact("device.power_event", reply.lines[0][:100])


def _booted(reply: Reply) -> Iterator[Fact]:
    """The banner of a module that has just started."""
    yield Fact("device.boot_event", reply.lines[0][:100])


_FORMS = (
    "+COPS: {state},2,{plmn}[,{count}]",
    "+COPN: {plmn},{name}",
    "+CPOL: {small},2,{plmn}[,{state*3}[,{state}]]",
    "+CEREG: [{state},]{state},{tac},{cell},{count},{state},{reject_cause},{bits*2}",
    "+CPSMS: {state}[,{bits*4}]",
    "+CEDRXRDP: {state}[,{bits}[,{bits*2}]]",
    "+CEDRXS: {state},{bits}",
    "+CESQ: {count*2},{small*4}[,{small*3}]",
    "+CPMS: [{name},]{small*2},[{name},]{small*2}[,[{name},]{small*2}]",
    "+CBC: {voltage}V",
    "+CGCONTRDP: {cid},{small},{rest}",
    "+CGDCONT: {cid},{rest},{small*6},,{small*3}",
    "+CGDCONT: {cid},{rest}",
    "+CGPADDR: {cid},{rest}",
    "+CSMP: {small*4}",
    "+CGQREQ: {cid},{small*5}",
    "+CGQMIN: {cid},{small*5}",
    "+CGEQOS: {cid},{small}[,{speed*4}]",
    "+CMUX: {small*3}[,{seconds},{small*5}]",
    "+CRLP: {small*4}[,{small}]*2",
    "+IPR: {seconds}",
    "+CLCC: {small*5},{number},{small}",
    "*PSUTTZ: {year},{count*5},{small},{state}",
)
"""TS 27.007 clauses 6.20 to 8.69 and 10.1, TS 27.005 clause 3, V.250 clause 6; ``+CMUX`` and
the like whole, ``*PSUTTZ`` of those that have no ``+CTZV``.
"""

DRIVER = ModemDriver(
    family="generic-3gpp",
    vendor="any",
    attempts=("AT+CGATT=1", "AT+CGACT=1", "ATD*99"),
    probes=(
        Probe("AT+CFUN?", Layer.DEVICE),
        Probe("AT+CBC", Layer.DEVICE),
        Probe("AT+CPIN?", Layer.SIM, timeout_s=5),
        Probe("AT+CPINR", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+CCID", Layer.SIM, prefixes=("+ICCID:", "+QCCID:"), unless="sim.iccid"),
        Probe("AT+ICCID", Layer.SIM, prefixes=("+CCID:",), unless="sim.iccid"),
        Probe("AT+CRSM=176,12258,0,0,10", Layer.SIM, unless="sim.iccid"),
        Probe("AT+CIMI", Layer.SIM, timeout_s=5),
        Probe("AT+CRSM=176,28486,0,0,17", Layer.SIM, unless="sim.service_provider"),
        Probe("AT+CREG?", Layer.REGISTRATION),
        Probe("AT+CGREG?", Layer.REGISTRATION),
        Probe("AT+CEREG?", Layer.REGISTRATION),
        Probe("AT+C5GREG?", Layer.REGISTRATION),
        Probe("AT+COPS?", Layer.REGISTRATION, timeout_s=10),
        Probe("AT+CEER", Layer.REGISTRATION),
        Probe("AT+CSQ", Layer.RADIO),
        Probe("AT+CESQ", Layer.RADIO),
        Probe("AT+CGATT?", Layer.DATA, timeout_s=10),
        Probe("AT+CGDCONT?", Layer.DATA),
        Probe("AT+CGACT?", Layer.DATA),
        Probe("AT+CGPADDR", Layer.DATA),
        Probe("AT+CGCONTRDP", Layer.DATA),
        Probe("AT+CGAUTH?", Layer.DATA),
        # the card's files EF_FPLMN, AD, EPSLOCI, PSLOCI, LOCI, ACC and UST
        Probe("AT+CRSM=176,28539,0,0,12", Layer.REASONS),
        Probe("AT+CRSM=176,28589,0,0,4", Layer.REASONS),
        Probe("AT+CRSM=176,28643,0,0,18", Layer.REASONS),
        Probe("AT+CRSM=176,28531,0,0,14", Layer.REASONS),
        Probe("AT+CRSM=176,28542,0,0,11", Layer.REASONS),
        Probe("AT+CRSM=176,28536,0,0,2", Layer.REASONS),
        Probe("AT+CRSM=176,28472,0,0,11", Layer.REASONS),
    ),
    readers={
        "ATI": identification,
        "AT+CGMI": _words("device.manufacturer"),
        "AT+CGMM": _words("device.model"),
        "AT+CGMR": _words("device.revision"),
        "+CGMI:": _words("device.manufacturer"),
        "+CGMM:": _words("device.model"),
        "+CGMR:": _words("device.revision"),
        "AT+GMI": _words("device.manufacturer"),
        "AT+GMM": _words("device.model"),
        "AT+GMR": _words("device.revision"),
        "AT+CGSN": imei,
        "AT+GSN": imei,
        "+CGSN:": imei,
        "+GSN:": imei,
        "AT+CIMI": imsi,
        "+CIMI:": imsi,
        "+CFUN:": functionality,
        "AT+CFUN=": _set_functionality,
        "+CBC:": battery,
        "+CUSD:": operator_reply,
        "+CPIN:": pin_state,
        "AT+CPIN=": _pin_entered,
        "+CPINR:": pin_retries,
        "+CCID:": iccid,
        "+ICCID:": iccid,
        "AT+CCID": iccid,
        "AT+CCID?": iccid,
        "AT+ICCID": iccid,
        "+CRSM:": card_file,
        "+CREG:": _registration("cs"),
        "+CGREG:": _registration("ps"),
        "+CEREG:": _registration("eps"),
        "+C5GREG:": _registration("5gs"),
        "+COPS:": operator,
        "+CEER:": extended_error,
        "+WS46:": technologies,
        "+CSQ:": signal_quality,
        "+CESQ:": extended_signal_quality,
        "+CGATT:": attached,
        "+CGDCONT:": contexts,
        "+CGACT:": active_contexts,
        "+CGPADDR:": addresses,
        "+CGCONTRDP:": granted,
        "+CGAUTH:": authentication,
        "+CME ERROR:": equipment_error,
        "+CMS ERROR:": equipment_error,
        "ERROR": _bare_error,
        "UNDER-VOLTAGE": _power_warning,
        "UNDER_VOLTAGE": _power_warning,
        "OVER-VOLTAGE": _power_warning,
        "OVER_VOLTAGE": _power_warning,
        "NORMAL POWER DOWN": _power_warning,
        "POWERED DOWN": _power_warning,
        "STARTING POWER OFF": _power_warning,
        "RDY": _booted,
        "*ATREADY": _booted,
        "^SYSSTART": _booted,
    },
    forms=_FORMS,
)
