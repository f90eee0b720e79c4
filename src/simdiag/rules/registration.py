"""Refusals: what the network said to the card, and what it means for the person in front."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.network_causes import (
    ASK_SELLER,
    ELSEWHERE,
    MOBILITY,
    SWAP,
    NetworkCause,
)
from simdiag.rules.view import (
    REGISTERED,
    denied,
    home_plmns,
    in_service,
    limited,
    radio_is_off,
    refusal_on_card,
    refused,
    registration,
    served_in_spite_of,
    serving_cell,
    status,
    statuses,
)


@rule
def reject_cause(evidence: Evidence, profile: CarrierProfile | None) -> Iterator[Finding]:
    """The network gave a reason."""
    reason = evidence.last("registration.reject_cause")
    if reason is None or radio_is_off(evidence):
        return
    if served_in_spite_of(evidence, reason):
        yield note(
            Severity.INFO,
            "refused_before",
            message(
                N_("A network refused the card earlier (cause {number}); it is served now."),
                number=reason.value,
            ),
            reason,
        )
        return
    if reason.value == 18 and registration(evidence):
        return
    known = MOBILITY.get(reason.value, _UNKNOWN)
    if reason.value == 11 and _at_home(evidence, profile):
        known = _REFUSED_AT_HOME
    text = N_("{meaning} (reject cause {number})")
    yield fault(
        known.cause,
        known.confidence,
        message(text, meaning=Message(known.meaning), number=reason.value),
        reason,
        denied(evidence),
        evidence.last("operator.plmn"),
        alternatives=known.alternatives,
    )


_UNKNOWN = NetworkCause("network_refused", 0.6, N_("The network refused the card."))
_REFUSED_AT_HOME = NetworkCause(
    "network_refused",
    0.6,
    N_("The card's own network does not serve it here."),
    (Alternative("sim_not_activated", ASK_SELLER), Alternative("device_not_allowed", SWAP)),
)


def _at_home(evidence: Evidence, profile: CarrierProfile | None) -> bool:
    return _is_own(str(evidence.value("operator.plmn") or ""), evidence, profile)


def _is_own(plmn: str, evidence: Evidence, profile: CarrierProfile | None) -> bool:
    """Whether a network is the card's own; an operator may have several PLMNs."""
    own = set(home_plmns(evidence))
    if profile is not None and own & set(profile.plmns):
        own |= set(profile.plmns)
    return plmn in own


def _in_foreign_network(evidence: Evidence, profile: CarrierProfile | None) -> bool:
    """Whether the network, or the last one that the card noted, is not the card's own."""
    network = evidence.value("operator.plmn") or evidence.value("sim.last_plmn")
    return bool(network and home_plmns(evidence)) and not _is_own(network, evidence, profile)


@rule
def refused_without_reason(evidence: Evidence, profile: CarrierProfile | None) -> Iterator[Finding]:
    """Denied, and the modem keeps the reason to itself."""
    refusal = denied(evidence)
    if refusal is None or "registration.reject_cause" in evidence or radio_is_off(evidence):
        return
    card = refusal_on_card(evidence)
    others = (
        Alternative("sim_not_activated", ASK_SELLER),
        Alternative("roaming_not_allowed", ELSEWHERE),
        Alternative("device_not_allowed", SWAP),
    )
    if (
        card is not None
        and card.value == "roaming not allowed"
        and _in_foreign_network(evidence, profile)
    ):
        yield fault(
            "roaming_not_allowed",
            0.65,
            message(N_("The card notes that it was refused, and it is in a foreign network.")),
            refusal,
            card,
            alternatives=others[:1],
        )
        return
    voice = status(evidence, "cs")
    if voice is not None and voice.value in REGISTERED:
        yield fault(
            "data_not_subscribed",
            0.6,
            message(N_("The network serves the card for voice and refuses it for data.")),
            refusal,
            voice,
            alternatives=(
                Alternative("network_refused", SWAP),
                Alternative("band_or_mode_restricted", SWAP),
            ),
        )
        return
    only_voice = all(o.name == "registration.cs.status" for o in statuses(evidence))
    yield fault(
        "network_refused",
        0.45 if only_voice else 0.6,
        message(N_("The network denies registration and no cause was reported.")),
        refusal,
        card,
        alternatives=others,
    )


@rule
def emergency_only(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The modem hears a network that lets it make emergency calls alone."""
    if in_service(evidence) or denied(evidence) or "registration.reject_cause" in evidence:
        return
    heard = limited(evidence)
    if heard is not None and not radio_is_off(evidence):
        yield fault(
            "network_refused",
            0.55,
            message(N_("A network is heard, but it lets this card make emergency calls only.")),
            heard,
            alternatives=(
                Alternative("sim_not_activated", ASK_SELLER),
                Alternative("roaming_not_allowed", ELSEWHERE),
            ),
        )


@rule
def operator_says_invalid(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Some modems report whether the network takes the card as valid."""
    service = evidence.last("sim.service")
    if service is None or registration(evidence) or not str(service.value).startswith("invalid"):
        return
    if evidence.value("sim.state", "READY") != "READY":
        return
    yield fault(
        "sim_not_activated",
        0.6,
        message(N_("The network takes this card as invalid.")),
        service,
        alternatives=(Alternative("network_refused", SWAP),),
    )


def _is_abroad(evidence: Evidence) -> bool:
    """Whether the network is of another country than the card (TS 23.003 clause 2.2: the MCC)."""
    visited, home = str(evidence.value("operator.plmn") or ""), home_plmns(evidence)
    return bool(visited and home) and visited[:3] != home[0][:3]


@rule
def roaming_switched_off(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The modem's own roaming switch keeps a foreign card off every network."""
    switch = evidence.last("radio.roaming_enabled")
    if switch is None or switch.value or registration(evidence) or radio_is_off(evidence):
        return
    if _is_abroad(evidence):
        yield fault(
            "roaming_not_allowed",
            0.8,
            message(N_("Roaming is switched off in the device, and the card is abroad.")),
            switch,
        )


@rule
def registered(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Served: by which domain, at home or roaming."""
    served = registration(evidence)
    voice = status(evidence, "cs")
    cell = serving_cell(evidence)
    if served is None:
        if cell is not None and refused(evidence) is None:
            yield fine("cell_serves", message(N_("A cell serves the device.")), cell)
        return
    roaming = served.value in (5, 7, 10)
    text = (
        N_("Registered in a foreign network (roaming).")
        if roaming
        else N_("Registered in the home network.")
    )
    yield fine(
        "registered",
        message(text),
        served,
        evidence.last("operator.name") or evidence.last("operator.plmn"),
    )
    if voice is not None and voice.value in (0, 2, 3) and served is not voice:
        yield note(
            Severity.INFO,
            "data_only_registration",
            message(N_("Voice service is not available; for data that does not matter.")),
            voice,
            served,
        )
