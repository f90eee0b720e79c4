"""Questions that several rules ask of the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.rules.contexts import address_in_use

PACKET_DOMAINS = ("eps", "5gs", "ps")
DOMAINS = (*PACKET_DOMAINS, "cs")
REGISTERED = (1, 5, 6, 7, 9, 10)
"""Home, roaming, and the kinds for short messages or CSFB only, all of which carry LTE data."""
SERVED_STATES = ("camped", "connected")
_LTE, _NR = 7, 11
"""Access technologies of TS 27.007 clause 7.3: E-UTRAN, and NR with a 5G core."""


def status(evidence: Evidence, domain: str) -> Observation | None:
    """Return the newest registration status of a domain (``cs``, ``ps``, ``eps``, ``5gs``)."""
    return evidence.last(f"registration.{domain}.status")


def statuses(evidence: Evidence, domains: tuple[str, ...] = DOMAINS) -> Iterator[Observation]:
    """Yield the newest status of each domain that is known."""
    for domain in domains:
        if (observation := status(evidence, domain)) is not None:
            yield observation


def registration(evidence: Evidence) -> Observation | None:
    """Return the observation that shows a registration for data.

    A packet domain's goes first. The voice domain alone stands for it (2G, or a log that shows no
    more) unless a packet domain is refused.
    """
    packet = list(statuses(evidence, PACKET_DOMAINS))
    served = next((o for o in packet if o.value in REGISTERED), None)
    if served is not None or any(o.value == 3 for o in packet):
        return served
    voice = status(evidence, "cs")
    return voice if voice is not None and voice.value in REGISTERED else None


def in_service(evidence: Evidence) -> Observation | None:
    """Return what shows that a network serves the device: a registration, or an address in use.

    An address proves it whatever voice, levels or settings say; only a packet domain that is not
    registered any more, by a newer word, takes it back.
    """
    if (served := registration(evidence)) is not None:
        return served
    up = given_by_network(evidence)
    lost = any(is_newer(o, up) for o in statuses(evidence, PACKET_DOMAINS))
    return None if lost else up


def card_state(evidence: Evidence) -> Observation | None:
    """Return what is to be believed of the card's state.

    The word of ``+CPIN`` goes before errors that other questions met with: a card that waits for
    its PIN fails those in many ways. They count where it is ready and they say something else, or
    where there is no such word.
    """
    states = [o for o in evidence.newest_first("sim.state") if o.value is not None]
    words = next((o for o in states if not _is_error_of_another_question(o)), None)
    newest = next((o for o in states if words is None or o.value != "error"), None)
    if words is None or (words.value in ("READY", "busy", "error") and is_newer(newest, words)):
        return newest
    return words


def _is_error_of_another_question(state: Observation) -> bool:
    asked = state.source.command.upper()
    return bool(asked) and "CPIN" not in asked and "ERROR" in state.source.line.upper()


def denied(evidence: Evidence) -> Observation | None:
    """Return the denial that stands: no registration since, though the modem may search on.

    That voice is denied says nothing where data works, and nothing is denied to who has an address.
    """
    if registration(evidence) or given_by_network(evidence):
        return None
    domains = PACKET_DOMAINS if data_works(evidence) else DOMAINS
    for domain in domains:
        statuses = evidence.newest_first(f"registration.{domain}.status")
        last_word = next((o for o in statuses if o.value in (*REGISTERED, 3)), None)
        if last_word is not None and last_word.value == 3:
            return last_word
    return None


def data_works(evidence: Evidence) -> Observation | None:
    """Return what shows packet service, whatever the voice domain says."""
    attached = evidence.last("data.attached")
    if attached is not None and attached.value:
        return attached
    return given_by_network(evidence) or serving_cell(evidence)


def refused(evidence: Evidence) -> Observation | None:
    """Return the refusal that stands: a reject cause given since, or a denied registration."""
    reason = evidence.last("registration.reject_cause")
    if reason is not None and served_in_spite_of(evidence, reason) is None:
        return reason
    return denied(evidence)


def served_in_spite_of(evidence: Evidence, reason: Observation) -> Observation | None:
    """Return what shows that a reject cause is past, or of a domain that is not needed.

    One domain may refuse while another serves: only within a domain, or where it is not known
    which one refused, does it count what came later.
    """
    served = registration(evidence)
    if served is not None:
        domain = _domain_of(reason)
        elsewhere = domain is not None and domain != _domain_of(served)
        if elsewhere or from_memory(reason) or is_newer(served, reason):
            return served
    up = given_by_network(evidence)
    if is_newer(up, reason):
        return up
    return data_works(evidence) if _domain_of(reason) == "cs" else None


_REPORTS = {"CREG": "cs", "CGREG": "ps", "CEREG": "eps", "C5GREG": "5gs"}


def _domain_of(observation: Observation) -> str | None:
    """The domain whose report (``+CEREG:`` and its like) an observation was read from."""
    report = re.match(r"\+(C(?:5G|E|G)?REG)\b", observation.source.line)
    return _REPORTS[report[1]] if report else None


def refusal_on_card(evidence: Evidence) -> Observation | None:
    """Return the card's own note of a refusal (the update status in EF_EPSLOCI and its like)."""
    notes = (evidence.last(f"sim.{area}_update_status") for area in ("eps", "rai", "lai"))
    return next((o for o in notes if o is not None and "not allowed" in o.value), None)


def serving_cell(evidence: Evidence) -> Observation | None:
    """Return the observation of a cell that serves the modem.

    +COPS? names an operator together with the technology only while one serves (TS 27.007
    clause 7.3); on LTE that says more than a missing voice registration.
    """
    access = evidence.last("operator.access_technology")
    only_voice = all(o.name == "registration.cs.status" for o in statuses(evidence))
    if access is not None and access.value >= _LTE and only_voice:
        return access
    state = evidence.last("cell.state")
    if state is not None:
        return state if state.value in SERVED_STATES else None
    if not only_voice:
        return None
    band = evidence.last("cell.band")
    seen = evidence.last("operator.plmn") or level(evidence)
    return band if seen is not None else None


def data_up(evidence: Evidence) -> Observation | None:
    """Return the observation of an address in use: the data connection stands.

    The contexts of the operator's own services (IMS, emergency) are none that carry data.
    """
    if (given := given_by_network(evidence)) is not None:
        return given
    interface = evidence.last("host.interface")
    return interface if interface is not None and interface.value.get("address") else None


def given_by_network(evidence: Evidence) -> Observation | None:
    """Return the modem's own word that it is connected: an address, or the state of its link.

    What the computer has from the device proves less: a router in a stick gives addresses always.
    """
    if (address := address_in_use(evidence)) is not None:
        return address
    link, attempt = evidence.last("data.link_up"), evidence.last("data.attempt")
    done = attempt is not None and attempt.value == "accepted" and attempt.source.line != "OK"
    if done and is_newer(attempt, link):  # OK says that it is tried, another word that it is done
        return attempt
    return link if link is not None and link.value else None


def address_type(address: str) -> str:
    """``IPv4`` or ``IPv6``; +CGPADDR may print the latter as sixteen numbers with dots."""
    return "IPv6" if ":" in address or address.count(".") > 3 else "IPv4"


def from_memory(observation: Observation) -> bool:
    """Whether this is the modem's memory of its last error, of no known age (``AT+CEER``)."""
    return "CEER" in observation.source.command.upper()


def is_newer(first: Observation | None, second: Observation | None) -> bool:
    """Whether ``first`` was made after ``second`` (or there is no second)."""
    if first is None:
        return False
    return second is None or first.source.exchange > second.source.exchange


_ENOUGH = 5


def refused_as_unknown(evidence: Evidence) -> list[Observation]:
    """Return the refusals of a device that took none of the commands of TS 27.007, if it is one.

    That is an ordinary telephone modem, a WiFi module, or a mobile modem's port for other things;
    what it refuses says nothing of a card.
    """
    answered = (str(o.value).upper() for o in evidence.history("at.answered"))
    if any(text.startswith(("AT+C", "+C")) for text in answered):
        return []
    refusals = [o for o in evidence.history("at.error") if str(o.value).upper().startswith("AT+C")]
    without_reason = all(str(o.error).startswith("ERROR") for o in refusals)
    return refusals if len(refusals) >= _ENOUGH and without_reason else []


def radio_is_off(evidence: Evidence) -> Observation | None:
    """Return the observation that the radio is off, by command or by a power state."""
    functionality = evidence.last("device.functionality")
    off = functionality is not None and functionality.value in (0, 2, 3, 4, 7)
    if off and not is_newer(registration(evidence), functionality):
        return functionality
    mode = evidence.last("device.mode")
    if mode is not None and mode.value == "low power":
        return mode
    switch = evidence.last("radio.switch")
    if switch is not None and not all(switch.value.values()) and not registration(evidence):
        return switch
    return None


def level(evidence: Evidence) -> Observation | None:
    """Return the newest level; of the same exchange RSRP goes before RSSI."""
    kinds = ("rsrp", "ss_rsrp", "rscp", "rssi")
    found = [o for k in kinds if (o := evidence.last(f"signal.{k}_dbm")) is not None]
    return max(found, key=lambda o: o.source.exchange, default=None)


_EMERGENCY = (8, 11)
"""Attached for emergency services, and for restricted local ones (TS 27.007 clause 10.1.22)."""


def limited(evidence: Evidence) -> Observation | None:
    """Return what shows a network that is heard and offers no ordinary service."""
    attached = next((o for o in statuses(evidence) if o.value in _EMERGENCY), None)
    if attached is not None:
        return attached
    for name, value in (("registration.service", "emergency only"), ("cell.state", "limited")):
        word = evidence.last(name)
        if word is not None and word.value == value:
            return word
    return None


def hears_nothing(evidence: Evidence) -> Observation | None:
    """Return the observation that no cell is heard, unless a level says otherwise."""
    silence = evidence.last("signal.detected")
    if silence is None or silence.value or in_service(evidence):
        return None
    if any(evidence.last(f"signal.{k}_dbm") for k in ("rsrp", "ss_rsrp")):
        return None
    if refused(evidence):  # only a network that is heard can refuse
        return None
    cell = serving_cell(evidence)
    if cell is not None and cell.name == "operator.access_technology" and cell.value >= _NR:
        return None  # +CSQ has no value for it
    levels = (evidence.last(f"signal.{k}_dbm") for k in ("rssi", "rscp"))
    return None if any(is_newer(o, silence) for o in levels) else silence


def home_plmns(evidence: Evidence) -> tuple[str, ...]:
    """Return the home PLMN in both lengths that the IMSI allows, none if there is no IMSI."""
    imsi = str(evidence.value("sim.imsi") or "")
    length = evidence.value("sim.mnc_length")
    if not imsi[:6].isdigit():
        return (imsi[:5],) if imsi[:5].isdigit() else ()
    return (imsi[: 3 + length],) if length else (imsi[:5], imsi[:6])
