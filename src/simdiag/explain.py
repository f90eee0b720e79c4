"""Explains a cause code, a network's reject cause or an error of the modem."""

from __future__ import annotations

import re
from dataclasses import dataclass

from simdiag.at.codes import CME, MM, SM, cause_of_cme, cme_code
from simdiag.causes import CAUSES, Cause
from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.rules import Alternative
from simdiag.rules.network_causes import HARMLESS_SESSION, MOBILITY, SESSION, NetworkCause


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


_MOBILITY = re.compile(r"^(?:EMM|GMM|MM|5GMM)(?:\s*cause)?\W*(\d{1,3})$", re.IGNORECASE)
_SESSION = re.compile(r"^(?:ESM|SM|5GSM)(?:\s*cause)?\W*(\d{1,3})$", re.IGNORECASE)
_EQUIPMENT = re.compile(r"^\+?CME(?:\s+ERROR)?\s*:?\s*(.+)$", re.IGNORECASE)

_COMMAND_ONLY = N_(
    "The device refuses or does not know the command; that says nothing of the card."
)
_EQUIPMENT_CAUSES: dict[int, str] = {
    0: "modem_fault", 5: "device_network_locked", 6: "device_network_locked",
    7: "device_network_locked", 10: "sim_not_detected", 11: "sim_pin_required",
    12: "sim_puk_required", 13: "sim_failure", 14: "modem_not_ready", 15: "sim_failure",
    30: "searching", 31: "searching", 32: "network_refused", 53: "radio_off", 54: "network_refused",
    55: "radio_off",
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
}  # fmt: skip


def explain(term: str) -> Explanation:
    """Explain ``sim_not_activated``, ``EMM 8``, ``ESM 33``, ``+CME ERROR: 13`` or its words."""
    text = term.strip()
    code = text.lower().replace("-", "_")
    if code in CAUSES:
        return Explanation(code, code, Message(CAUSES[code].title), CAUSES[code])
    if (match := _MOBILITY.match(text)) and int(match[1]) in MM:
        return _of_network(text, MM[int(match[1])], MOBILITY.get(int(match[1])))
    if (match := _SESSION.match(text)) and int(match[1]) in SM:
        number = int(match[1])
        return _of_network(text, SM[number], SESSION.get(number), number in HARMLESS_SESSION)
    match = _EQUIPMENT.match(text)
    words = match[1] if match else text
    equipment = int(words) if words.isascii() and words.isdigit() else cme_code(words)
    if equipment is not None and equipment in CME:
        return _of_equipment(text, equipment)
    raise UnknownTerm(message(_UNKNOWN, term=term[:60], causes=", ".join(CAUSES)))


_UNKNOWN = N_(
    "{term} is not known. Ask for a cause ({causes}), a network's cause such as 'EMM 8' or "
    "'ESM 33', or an error such as '+CME ERROR: 13'."
)


def _of_network(
    term: str, name: str, known: NetworkCause | None, harmless: bool = False
) -> Explanation:
    if known is None:
        text = (
            N_("The connection was ended in the regular way.")
            if harmless
            else N_("The network refused the card.")
        )
        return Explanation(term, name, Message(text))
    return Explanation(term, name, Message(known.meaning), CAUSES[known.cause], known.alternatives)


def _of_equipment(term: str, number: int) -> Explanation:
    name = f"+CME ERROR: {number} ({CME[number]})"
    if (network := cause_of_cme(number)) is not None:
        kind, cause = network
        table = MOBILITY if kind == "mm" else SESSION
        return _of_network(term, name, table.get(cause))
    code = _EQUIPMENT_CAUSES.get(number)
    meaning = _EQUIPMENT_MEANINGS.get(number) or (CAUSES[code].title if code else _COMMAND_ONLY)
    return Explanation(term, name, Message(meaning), CAUSES[code] if code else None)
