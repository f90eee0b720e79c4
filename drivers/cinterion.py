"""Cinterion (Siemens, Gemalto, Thales, now Telit) BGS, EHS, ELS, EXS, PHS, PLS, TX and kin.

Facts from ModemManager's tests and open code for these modules, as noted at the readers.
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
    mm_cause,
    sm_cause,
    usb,
)


# ---- device ------------------------------------------------------------------------------
def temperature(reply: Reply) -> Iterator[Fact]:
    """^SCTM?: report setting, level of warning (-2 to 2), degrees Celsius where switched on.

    ``^SCTM: 0,0,41``: real lines in code for phones and alarm systems.
    """
    values = reply.fields()
    level, degrees = values.integer(1), values.integer(2)
    if level is not None and -2 <= level <= 2 and degrees is not None and -40 <= degrees <= 150:
        yield Fact("device.temperature_c", degrees)


def supply(reply: Reply) -> Iterator[Fact]:
    """^SBV: supply voltage in millivolts (``^SBV: 4249``, a real line)."""
    if (voltage := reply.fields().integer(0)) is not None and 2000 <= voltage <= 6000:
        yield Fact("device.voltage_mv", voltage)


# ---- SIM ---------------------------------------------------------------------------------
def card_switch(reply: Reply) -> Iterator[Fact]:
    """^SCKS: report setting (not in the unsolicited line), 0 no card, 1 card in."""
    values = reply.fields()
    state = values.integer(1 if len(values) > 1 else 0)
    if state in (0, 1):
        yield Fact("sim.inserted", state == 1)


def card_number(reply: Reply) -> Iterator[Fact]:
    """^SCID: the number of the card."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """^SPIC="SC": tries left of the PIN (ofono); without "SC" of whatever is asked for now."""
    left = reply.fields().integer(0)
    if '"SC"' in reply.command.upper() and left is not None and 0 <= left <= 3:
        yield Fact("sim.pin_retries", left)


# ---- registration ------------------------------------------------------------------------
_MODES = {
    0: "GSM only", 1: "GSM and WCDMA", 2: "WCDMA only", 3: "LTE only", 4: "WCDMA and LTE",
    5: "GSM and LTE", 6: "automatic",
}  # fmt: skip


def technologies(reply: Reply) -> Iterator[Fact]:
    """^SXRAT?: technologies allowed, which of them is preferred.

    1 and 3 are all that some modules can, so of them it is not said whether they restrict.
    """
    if "=?" in reply.command or (mode := reply.fields().integer(0)) not in _MODES:
        return
    yield Fact("radio.mode", _MODES[mode])
    if mode not in (1, 3):
        yield Fact("radio.mode_restricted", mode in (0, 2))


_MOBILITY_PLACES, _SESSION_PLACE = (4, 6, 48), 50


def extended_error(reply: Reply) -> Iterator[Fact]:
    """+CEER: place, reason, and release cause of a supplementary service; 0,0,0 is no error.

    Places 4 and 6 are causes of MM, 48 of GMM, 50 of SM (manuals of BGS2 and L55); the others are
    of calls or proprietary. Newer modules use words: ``"SM activation error",33,"Requested …"``.
    """
    values = reply.fields()
    place, reason = values.integer(0), values.integer(1)
    if place is None:
        yield from _error_in_words(reply.text)
    elif reason and place in _MOBILITY_PLACES:
        yield Fact("registration.reject_cause", reason)
    elif reason and place == _SESSION_PLACE:
        yield Fact("data.last_error", reason)


def _error_in_words(text: str) -> Iterator[Fact]:
    """Some words stand in both tables; those of an activation are of the session."""
    if (cause := sm_cause(text)) is not None:
        yield Fact("data.last_error", cause)
    if (cause := mm_cause(text)) is not None and not re.search(r"\bESM\b|activation", text):
        yield Fact("registration.reject_cause", cause)


# ---- radio -------------------------------------------------------------------------------
_STATES = {"SEARCH": "searching", "LIMSRV": "limited", "NOCONN": "camped", "CONN": "connected"}


def serving_cell(reply: Reply) -> Iterator[Fact]:
    """^SMONI: generation, then by generation the cell and its levels, last the state.

    Fields as in the samples of ModemManager's tests; ``--`` is not known.
    """
    values = reply.fields()
    words = [value.upper() for value in values]
    if any(word in ("SEARCH", "SEARCHING") for word in words):
        yield Fact("cell.state", "searching")
        return
    if state := _STATES.get(words[-1]):
        yield Fact("cell.state", state)
    if words[0] == "2G":
        yield from _network(values, technology="GSM", mcc=3)
        yield from _level("signal.rssi_dbm", values.number(2), -113, -20)
    elif words[0] == "3G":
        yield from _network(values, technology="WCDMA", mcc=5)
        yield from _level("signal.rscp_dbm", values.number(4), -121, -20)
    elif words[0] == "4G":
        yield from _network(values, technology="LTE", mcc=6)
        yield from _lte(values)


def _network(values: Fields, *, technology: str, mcc: int) -> Iterator[Fact]:
    plmn = (values.text(mcc) or "") + (values.text(mcc + 1) or "")
    if re.fullmatch(r"\d{5,6}", plmn):
        yield Fact("operator.plmn", plmn)
        yield Fact("cell.technology", technology)


def _lte(values: Fields) -> Iterator[Fact]:
    """EARFCN, band, two bandwidths, FDD/TDD, MCC, MNC, TAC, cell, PCI, margin, RSRP, RSRQ."""
    channel, band, pci = values.integer(1), values.integer(2), values.integer(10)
    if band is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")
    if channel is not None and channel > 0:
        yield Fact("cell.earfcn", channel)
    if pci is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    yield from _level("signal.rsrp_dbm", values.number(12), -140, -30)
    yield from _level("signal.rsrq_db", values.number(13), -43, 20)


def _level(name: str, value: float | None, lowest: int, highest: int) -> Iterator[Fact]:
    if value is not None and lowest <= value <= highest:
        yield Fact(name, int(value) if value == int(value) else value)


def functionality(reply: Reply) -> Iterator[Fact]:
    """+CFUN?: 7 to 9 are full functionality with cyclic sleep (the family's AT manuals)."""
    value = reply.fields().integer(0)
    if value is not None:
        yield Fact("device.functionality", 1 if 7 <= value <= 9 else value)


_FORMS = (
    "^SMONI: 4G,{earfcn},{band},{bandwidth*2},{name},{mcc},{mnc},{tac},{cell},{pci},"
    "{small},{rsrp},{rsrq},{name}",
    "^SMONI: 3G,{uarfcn},{psc},{ecio},{rscp},{mcc},{mnc},{lac},{cell},{small*2},{name*2}",
    "^SMONI: 2G,{arfcn},{rxlev},{mcc},{mnc},{lac},{cell},{small*2},{state*3},{name}",
)
"""AT command sets of EHS, PLS and ELS: ``AT^SMONI``."""

DRIVER = ModemDriver(
    family="cinterion",
    vendor="Cinterion",
    attempts=("AT^SICA=1", "AT^SWWAN=1"),
    match=usb(0x1E2D, 0x005B, 0x005D, 0x0061, 0x006F),
    identify=r"\b(?:[AEP]HS\d|[EP]LS\d|BGS\d|BG2|EGS\d|EXS\d|PDS\d|PXS8|PLPS9|ALAS\d|TX[68][12]\b"
    r"|MC[57]5i?\b|TC[36]5i?\b)",
    ports={
        0: PortRole.AT_PRIMARY,
        2: PortRole.AT_SECONDARY,
        4: PortRole.GNSS,
        6: PortRole.DIAG,
        8: PortRole.DIAG,
    },
    dialect=Dialect(urc_prefixes=("^SCKS:", "^SCTM_B:", "^SBC:", "^SYSLOADING", "^EXIT")),
    probes=(
        Probe("AT^SCTM?", Layer.DEVICE),
        Probe("AT^SBV", Layer.DEVICE),
        Probe("AT^SCKS?", Layer.SIM),
        Probe('AT^SPIC="SC"', Layer.SIM, unless="sim.pin_retries", reads_by_set=True),
        Probe("AT^SCID", Layer.SIM, unless="sim.iccid"),
        Probe("AT^SXRAT?", Layer.REGISTRATION),
        Probe("AT^SMONI", Layer.RADIO),
    ),
    readers={
        "^SCTM:": temperature,
        "^SBV:": supply,
        "^SCKS:": card_switch,
        "^SCID:": card_number,
        "^SPIC:": pin_counter,
        "^SXRAT:": technologies,
        "^SMONI:": serving_cell,
    },
    overrides={"+CEER:": extended_error, "+CFUN:": functionality},
    forms=_FORMS,
)
