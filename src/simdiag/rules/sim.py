"""Faults of the card and its contacts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.view import (
    card_state,
    data_up,
    in_service,
    is_newer,
    radio_is_off,
    refused_as_unknown,
    registration,
    statuses,
)

_OTHER_DEVICE = message(N_("Put this card into another device: does it work there?"))
_OTHER_CARD = message(N_("Put another card into this device: is it seen?"))
_CARD_OUT = message(N_("Take the card out and ask AT+CPIN? again: does the answer change?"))


def _read_after(evidence: Evidence, state: Observation) -> Observation | None:
    """Return a reading of the card that is newer than a bad state."""
    for name in ("sim.iccid", "sim.imsi"):
        observation = evidence.last(name)
        if is_newer(observation, state):
            return observation
    return None


@rule
def card(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """What +CPIN? and the other questions to the card came to; the newest counts."""
    state = card_state(evidence)
    service = evidence.last("sim.service")
    if (
        service is not None
        and service.value == "no card"
        and (state is None or state.value == "error")
    ):
        yield _not_detected(evidence, service)
        return
    if state is None:
        yield from _card_switch(evidence)
        return
    if state.value == "READY" or "PIN2" in state.value or "PUK2" in state.value:
        yield from _numbers_unread(evidence, state)
        yield fine("sim_ready", message(N_("The card is ready.")), state)
    elif state.value == "SIM PIN":
        yield fault(
            "sim_pin_required",
            0.95,
            message(N_("The card asks for its PIN.")),
            state,
            evidence.last("sim.pin_retries"),
        )
    elif state.value == "SIM PUK":
        yield fault(
            "sim_puk_required",
            0.95,
            message(N_("The card asks for its PUK.")),
            state,
            evidence.last("sim.puk_retries"),
        )
    elif not state.value.startswith("PH-"):
        yield from _unusable(evidence, state)


_SECONDARY = re.compile(r"AT\+(?:CNUM|CPB|CSMP|CMG|CSCA)")
"""Questions to phone book and messages, which a card may refuse while all else works."""


def _disproof(evidence: Evidence, state: Observation) -> Observation | None:
    """Return what shows that one failed question does not make the card unusable."""
    if is_newer(served := in_service(evidence), state):
        return served  # it was read since
    asked = state.source.command.upper().replace(" ", "")
    if not asked or "CPIN" in asked or _answer_to_cpin(evidence) not in (None, "READY"):
        return None
    served = registration(evidence) or data_up(evidence)
    if served is None and _SECONDARY.match(asked):
        states = evidence.newest_first("sim.state")
        return next((o for o in states if o.value == "READY"), None)
    return served


def _answer_to_cpin(evidence: Evidence) -> str | None:
    """The newest state that the question for it (+CPIN?) gave."""
    states = evidence.newest_first("sim.state")
    return next((o.value for o in states if "CPIN" in o.source.command.upper()), None)


def _unusable(evidence: Evidence, state: Observation) -> Iterator[Finding]:
    """The card does not answer; with the radio off that may be for want of power."""
    off = radio_is_off(evidence)
    read = _read_after(evidence, state) or _disproof(evidence, state)
    if off is not None and state.value in ("failure", "error", "busy", "not inserted"):
        yield note(
            Severity.INFO,
            "sim_without_power",
            message(
                N_(
                    "With the radio off the card may have no power, so this says nothing of the card."
                )
            ),
            state,
            off,
        )
    elif read is not None:
        yield note(
            Severity.WARNING,
            "sim_unsteady",
            message(N_("One question to the card failed, yet it works otherwise.")),
            state,
            read,
        )
    elif state.value == "not inserted":
        yield _not_detected(evidence, state)
    elif state.value == "busy":
        yield fault(
            "modem_not_ready",
            0.65,
            message(N_("The device is still reading the card.")),
            state,
            evidence.last("device.boot_event"),
            alternatives=(Alternative("sim_failure", _CARD_OUT),),
        )
    elif state.value == "error":
        yield from _without_reason(evidence, state)
    elif state.value == "no profile" or _no_profile(evidence):
        yield fault(
            "sim_profile_missing",
            0.6,
            message(
                N_("The card answers, but holds neither a number (IMSI) nor an active profile.")
            ),
            state,
            alternatives=(Alternative("sim_failure", _OTHER_DEVICE),),
        )
    else:
        text = N_("The card was seen but does not answer properly ({state}).")
        yield fault(
            "sim_failure",
            0.8,
            message(text, state=state.value),
            state,
            evidence.last("sim.inserted"),
            alternatives=(
                Alternative("sim_not_detected", _OTHER_CARD),
                Alternative("modem_fault", _OTHER_DEVICE),
            ),
        )


def _not_detected(evidence: Evidence, state: Observation) -> Finding:
    inserted = evidence.last("sim.inserted")
    sure = 0.9 if inserted is None or not inserted.value else 0.7
    return fault(
        "sim_not_detected",
        sure,
        message(N_("The device sees no card in its slot.")),
        state,
        inserted,
        alternatives=(
            Alternative("sim_failure", _OTHER_DEVICE),
            Alternative("modem_fault", _OTHER_CARD),
        ),
    )


def _without_reason(evidence: Evidence, state: Observation) -> Iterator[Finding]:
    """A bare ERROR: error reports are off, so all that is known is that the card is unusable."""
    if evidence.last("sim.iccid") or evidence.last("sim.imsi") or registration(evidence):
        return
    if refused_as_unknown(evidence):
        return
    ask = message(N_("Send AT+CMEE=1 and ask AT+CPIN? again: 10 means no card, 13 a failing one."))
    yield fault(
        "sim_not_detected",
        0.6,
        message(N_("The card cannot be used, and the device does not say why.")),
        state,
        evidence.last("sim.inserted"),
        alternatives=(Alternative("sim_failure", ask),),
    )


def _numbers_unread(evidence: Evidence, state: Observation) -> Iterator[Finding]:
    """Ready, and yet its numbers cannot be read: too little to say more."""
    failed = next((o for o in evidence.newest_first("sim.state") if o.value == "error"), None)
    if not is_newer(failed, state) or _read_after(evidence, state) or registration(evidence):
        return
    text = N_("The card is said to be ready, but does not tell its numbers.")
    yield fault("sim_failure", 0.35, message(text), state, failed)


def _no_profile(evidence: Evidence) -> bool:
    """Whether the card says READY, and it is only its numbers that cannot be read."""
    unread = evidence.last("sim.imsi") is None and evidence.last("sim.iccid") is None
    return _answer_to_cpin(evidence) == "READY" and unread


def _card_switch(evidence: Evidence) -> Iterator[Finding]:
    """Only the slot's switch or the registration tells of the card."""
    inserted = evidence.last("sim.inserted")
    if inserted is not None and not inserted.value and not registration(evidence):
        yield fault(
            "sim_not_detected",
            0.7,
            message(N_("The slot's switch says that no card is in.")),
            inserted,
            alternatives=(Alternative("sim_failure", _OTHER_CARD),),
        )
    for observation in statuses(evidence):
        if observation.value == 90:
            yield fault(
                "sim_failure",
                0.8,
                message(N_("The modem reports that the card failed.")),
                observation,
            )
            return
    read = evidence.last("sim.imsi") or evidence.last("sim.iccid")
    if read is not None:
        yield fine("sim_read", message(N_("The card can be read.")), read)


@rule
def optional_application(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """An ordinary card refuses the channel to an eUICC application that it does not have."""
    refused = evidence.last("sim.channel_refused")
    if refused is not None:
        yield fine(
            "card_without_euicc",
            message(N_("The card answers; it merely has no eSIM application, as most cards.")),
            refused,
        )
