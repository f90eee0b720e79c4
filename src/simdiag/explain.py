"""Explains a cause code, a network's reject cause or an error of the modem."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from simdiag.at.codes import (
    CME,
    CMS,
    MOBILITY_PROTOCOLS,
    PROTOCOLS,
    SESSION_PROTOCOLS,
    TREATED_AS,
    cause_of_cme,
    cme_code,
    cme_of_cms,
    cms_code,
    mm_cause,
    sm_cause,
)
from simdiag.causes import CAUSES, Cause
from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.rules import Alternative
from simdiag.rules.network_causes import (
    HARMLESS_SESSION,
    MOBILITY,
    OF_PROTOCOL,
    SESSION,
    NetworkCause,
)


class UnknownTerm(SimdiagError):
    """What was asked for is neither a cause code nor an error that the standards define."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What something is called, what it means, and the cause that it points to, if any."""

    term: str
    name: str
    meaning: Message
    cause: Cause | None = None
    alternatives: tuple[Alternative, ...] = ()


_KINDS = {"reject": MOBILITY_PROTOCOLS, "session": SESSION_PROTOCOLS}
"""What a diagnosis calls a cause whose protocol the device did not tell."""
_NUMBERED = re.compile(
    rf"^({'|'.join((*PROTOCOLS, *_KINDS))})(?:\W*(?:reject\W+)?cause)?\W*(\d{{1,3}})$",
    re.IGNORECASE,
)
_LARGEST = 255
"""A cause is one octet."""
_ERROR = re.compile(r"^\+?(CM[ES])(?:\s+ERROR)?\s*:?\s*(.+)$", re.IGNORECASE)

_COMMAND_ONLY = N_(
    "The device refuses or does not know the command; that says nothing of the card."
)
_EQUIPMENT_CAUSES: dict[int, str] = {
    0: "modem_fault", 5: "device_network_locked", 6: "device_network_locked",
    7: "device_network_locked", 10: "sim_not_detected", 11: "sim_pin_required",
    12: "sim_puk_required", 13: "sim_failure", 14: "modem_not_ready", 15: "sim_failure",
    30: "searching", 31: "searching", 32: "network_refused", 53: "radio_off", 54: "network_refused",
    55: "radio_off", 148: "data_not_connected", 182: "network_refused",
} | dict.fromkeys(range(40, 48), "device_network_locked")  # fmt: skip
_EQUIPMENT_MEANINGS: dict[int, str] = {
    0: N_("The device failed in a way that it does not name."),
    13: N_(
        "The card was seen but does not answer properly: contact, supply voltage, a card that "
        "is still starting, a radio that is off, or a broken card."
    ),
    14: N_("The card is being read: normal for some seconds after the start."),
    16: N_("The PIN or password was wrong. Mind the tries left."),
    17: N_("PIN2 is asked for, which data does not need."),
    18: N_("PUK2 is asked for, which data does not need."),
    100: N_("The device failed in a way that it does not name."),
    148: N_("A data connection failed, and the device does not say why."),
    182: MOBILITY[22].meaning,
    183: OF_PROTOCOL["GMM"][28].meaning,
} | dict.fromkeys(
    (146, 147, 172, 173, 174, 175, 176, 186, 187, 208, 209), SESSION[111].meaning
)  # fmt: skip
_REGULAR = N_("The connection was ended in the regular way.")
_TEXT_MESSAGES = N_("This is about text messages only; data does not depend on it.")


def explain(term: str) -> Explanation:
    """Explain ``sim_not_activated``, ``EMM 8``, ``reject cause 8``, ``+CME ERROR: 13`` or words."""
    text = term.strip()
    code = text.lower().replace("-", "_")
    if code in CAUSES:
        return Explanation(code, code, Message(CAUSES[code].title), CAUSES[code])
    found = _of_number(text) or _of_error(text) or _of_words(text)
    if found is None:
        raise UnknownTerm(message(_UNKNOWN, term=term[:60], causes=", ".join(CAUSES)))
    return found


_UNKNOWN = N_(
    "{term} is not known. Ask for a cause ({causes}), a network's cause such as 'EMM 8' or "
    "'ESM 33', or an error such as '+CME ERROR: 13'."
)


def _of_number(term: str) -> Explanation | None:
    match = _NUMBERED.match(term)
    if match is None:
        return None
    protocols = _KINDS.get(match[1].lower()) or (match[1].upper(),)
    return _of_cause(term, protocols, int(match[2]))


def _of_cause(term: str, protocols: tuple[str, ...], number: int) -> Explanation | None:
    using = [protocol for protocol in protocols if number in PROTOCOLS[protocol]]
    if not using:
        return _of_undefined(term, protocols[0], number) if number <= _LARGEST else None
    names = " / ".join(dict.fromkeys(PROTOCOLS[protocol][number] for protocol in using))
    name = f"{'/'.join(using)} {number} ({names})"
    special = OF_PROTOCOL.get(using[0], {}).get(number)
    return _of_network(term, name, using[0] in MOBILITY_PROTOCOLS, number, special)


def _of_undefined(term: str, protocol: str, number: int) -> Explanation | None:
    treated = _of_cause(term, (protocol,), TREATED_AS[protocol])
    if treated is None:
        return None
    text = N_("{protocol} does not define {number}: a device takes it as {name}. {meaning}")
    meaning = message(
        text, protocol=protocol, number=number, name=treated.name, meaning=treated.meaning
    )
    return replace(treated, name=f"{protocol} {number}", meaning=meaning)


def _of_network(
    term: str, name: str, mobility: bool, number: int, known: NetworkCause | None = None
) -> Explanation:
    if not mobility and number in HARMLESS_SESSION:
        return Explanation(term, name, Message(_REGULAR))
    known = known or (MOBILITY if mobility else SESSION)[number]
    return Explanation(term, name, Message(known.meaning), CAUSES[known.cause], known.alternatives)


def _of_error(term: str) -> Explanation | None:
    match = _ERROR.match(term)
    if match is None:
        return _of_equipment_error(term, int(term)) if _is_number(term) else None
    words = match[2]
    if match[1].upper() == "CMS":
        return _of_message_error(term, int(words) if _is_number(words) else cms_code(words))
    return _of_equipment_error(term, int(words) if _is_number(words) else cme_code(words))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def _of_message_error(term: str, number: int | None) -> Explanation | None:
    if number is None or number not in CMS:
        return None
    name = f"+CMS ERROR: {number} ({CMS[number]})"
    same = cme_of_cms(number)
    if same is None:
        return Explanation(term, name, Message(_TEXT_MESSAGES))
    return replace(_of_equipment(term, same), name=name)


def _of_equipment_error(term: str, number: int | None) -> Explanation | None:
    return _of_equipment(term, number) if number is not None and number in CME else None


def _of_words(term: str) -> Explanation | None:
    if (number := mm_cause(term)) is not None:
        return _of_cause(term, MOBILITY_PROTOCOLS, number)
    if (number := sm_cause(term)) is not None:
        return _of_cause(term, SESSION_PROTOCOLS, number)
    return _of_equipment_error(term, cme_code(term)) or _of_message_error(term, cms_code(term))


def _of_equipment(term: str, number: int) -> Explanation:
    name = f"+CME ERROR: {number} ({CME[number]})"
    if (network := cause_of_cme(number)) is not None:
        kind, cause = network
        return _of_network(term, name, kind == "mm", cause)
    code = _EQUIPMENT_CAUSES.get(number)
    meaning = _EQUIPMENT_MEANINGS.get(number) or (CAUSES[code].title if code else _COMMAND_ONLY)
    return Explanation(term, name, Message(meaning), CAUSES[code] if code else None)
