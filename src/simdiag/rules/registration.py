"""Refusals: what the network said to the card, and what it means for the person in front."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.view import (
    PACKET_DOMAINS,
    REGISTERED,
    data_up,
    denied,
    home_plmns,
    is_newer,
    radio_is_off,
    refused,
    registration,
    serving_cell,
    status,
    statuses,
)

_SWAP = message(N_("Put this card into another device at the same place: is it refused there too?"))
_ASK_SELLER = message(N_("Ask the seller whether this card (by its ICCID) is activated and paid."))
_ELSEWHERE = message(N_("Try at another place or with another network chosen by hand."))
_AGAIN = message(N_("Wait ten minutes, start the device again and see whether the refusal stays."))

_CAUSES: dict[int, tuple[str, float, tuple[tuple[str, Message], ...], str]] = {
    2: ("sim_not_activated", 0.9, (("network_refused", _ASK_SELLER),),
        N_("The operator's register does not know this subscription: never activated, or cancelled.")),
    3: ("sim_not_activated", 0.65, (("network_refused", _SWAP), ("device_not_allowed", _SWAP)),
        N_("The network rejects the card's identity: cancelled, or its keys are not accepted.")),
    4: ("network_refused", 0.5, (("roaming_not_allowed", _ELSEWHERE),),
        N_("The visited register does not know this subscription.")),
    5: ("device_not_allowed", 0.9, (), N_("The network does not accept the device's IMEI.")),
    6: ("device_not_allowed", 0.9, (), N_("The network refuses the device as blocked or not allowed.")),
    7: ("data_not_subscribed", 0.8, (("sim_not_activated", _ASK_SELLER),),
        N_("The subscription may not use packet data on this technology.")),
    8: ("sim_not_activated", 0.85, (("data_barred", _ASK_SELLER), ("network_refused", _SWAP)),
        N_("The subscription may use nothing: not active yet, or suspended.")),
    9: ("network_refused", 0.45, (("searching", _AGAIN),), N_("The network lost track of the card; that passes.")),
    10: ("network_refused", 0.45, (("searching", _AGAIN),), N_("The network detached the card; that passes.")),
    11: ("roaming_not_allowed", 0.8, (("network_refused", _ELSEWHERE), ("sim_not_activated", _ASK_SELLER)),
         N_("This network does not serve this card.")),
    12: ("network_refused", 0.6, (("roaming_not_allowed", _ELSEWHERE),), N_("The card is not allowed in this area.")),
    13: ("roaming_not_allowed", 0.85, (), N_("Roaming is not allowed in this area.")),
    14: ("roaming_not_allowed", 0.75, (("data_not_subscribed", _ASK_SELLER),),
         N_("Packet data is not allowed for this card in this network.")),
    15: ("network_refused", 0.6, (("roaming_not_allowed", _ELSEWHERE), ("band_or_mode_restricted", _SWAP),
                                  ("data_not_subscribed", _ASK_SELLER)),
         N_("No cell in this area may serve this card on this technology.")),
    17: ("network_refused", 0.65, (("searching", _AGAIN),), N_("The network itself failed.")),
    19: ("apn_wrong", 0.6, (("data_not_subscribed", _ASK_SELLER),),
         N_("The network refused the first data connection; its APN is the usual reason.")),
    22: ("network_refused", 0.75, (("searching", _AGAIN),), N_("The network is congested.")),
    25: ("network_refused", 0.6, (), N_("The card may not use this private cell.")),
    27: ("band_or_mode_restricted", 0.6, (("data_not_subscribed", _ASK_SELLER),),
         N_("The subscription may not use 5G standalone.")),
    35: ("data_not_subscribed", 0.6, (), N_("The subscription is not authorised for the service.")),
    72: ("network_refused", 0.6, (), N_("Access to the 5G core is not allowed this way.")),
}  # fmt: skip
"""Mobility cause (TS 24.301 clause 9.9.3.9 and kin): cause code, confidence, alternatives, text."""


@rule
def reject_cause(evidence: Evidence, profile: CarrierProfile | None) -> Iterator[Finding]:
    """The network gave a reason."""
    reason = evidence.last("registration.reject_cause")
    if reason is None or radio_is_off(evidence):
        return
    if _packet_service_after(evidence, reason):
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
    at_home = _at_home(evidence)
    code, confidence, others, text = _CAUSES.get(
        reason.value, ("network_refused", 0.6, (), N_("The network refused the card."))
    )
    if reason.value == 18 and registration(evidence):
        return
    if reason.value == 11 and at_home:
        code, confidence = "network_refused", 0.6
        others = (("sim_not_activated", _ASK_SELLER), ("device_not_allowed", _SWAP))
    cites = (reason, denied(evidence), evidence.last("operator.plmn"))
    yield fault(
        code,
        confidence,
        message(
            N_("{meaning} (reject cause {number})"), meaning=Message(text), number=reason.value
        ),
        *cites,
        alternatives=tuple(Alternative(c, t) for c, t in others),
    )


def _packet_service_after(evidence: Evidence, reason: Observation) -> Observation | None:
    served = (status(evidence, d) for d in PACKET_DOMAINS)
    found = next(
        (o for o in served if o is not None and o.value in REGISTERED and is_newer(o, reason)), None
    )
    if found is None and is_newer(up := data_up(evidence), reason):
        return up
    return found


def _at_home(evidence: Evidence) -> bool:
    plmn = str(evidence.value("operator.plmn") or "")
    return bool(plmn) and plmn in home_plmns(evidence)


@rule
def refused_without_reason(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Denied, and the modem keeps the reason to itself."""
    refusal = denied(evidence)
    if refusal is None or "registration.reject_cause" in evidence or radio_is_off(evidence):
        return
    card = evidence.last("sim.eps_update_status")
    others = (
        Alternative("sim_not_activated", _ASK_SELLER),
        Alternative("roaming_not_allowed", _ELSEWHERE),
        Alternative("device_not_allowed", _SWAP),
    )
    if card is not None and card.value == "roaming not allowed":
        yield fault(
            "roaming_not_allowed",
            0.65,
            message(N_("The card itself notes that roaming was not allowed here.")),
            refusal,
            card,
            alternatives=others[:1],
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
    if registration(evidence) or denied(evidence) or "registration.reject_cause" in evidence:
        return
    limited = next((o for o in statuses(evidence) if o.value == 8), None)
    service, cell = evidence.last("registration.service"), evidence.last("cell.state")
    if limited is None and service is not None and service.value == "emergency only":
        limited = service
    if limited is None and cell is not None and cell.value == "limited":
        limited = cell
    if limited is not None and not radio_is_off(evidence):
        yield fault(
            "network_refused",
            0.55,
            message(N_("A network is heard, but it lets this card make emergency calls only.")),
            limited,
            alternatives=(
                Alternative("sim_not_activated", _ASK_SELLER),
                Alternative("roaming_not_allowed", _ELSEWHERE),
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
        alternatives=(Alternative("network_refused", _SWAP),),
    )


@rule
def roaming_switched_off(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The modem's own roaming switch keeps a foreign card off every network."""
    switch = evidence.last("radio.roaming_enabled")
    if switch is None or switch.value or registration(evidence) or radio_is_off(evidence):
        return
    visited = str(evidence.value("operator.plmn") or "")
    abroad = (
        bool(visited) and bool(home_plmns(evidence)) and visited[:3] != home_plmns(evidence)[0][:3]
    )
    if abroad:
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
