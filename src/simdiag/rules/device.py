"""Faults of the device itself: radio switch, power, firmware, temperature, network lock."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.view import (
    card_state,
    in_service,
    is_newer,
    radio_is_off,
    refused_as_unknown,
    registration,
)

_TOO_HOT_C = 95
_WARM_C = 80
_LOW_MV, _TOO_LOW_MV = 3300, 3100
"""A 3.8 V cellular module browns out below the first when it transmits; a card in a 3.3 V slot
(mPCIe, M.2) works down to about the second (vendors' hardware manuals)."""


_MATCH_IMAGE = message(
    N_("Firmware image and carrier settings do not match: load the image of this operator.")
)


@rule
def radio(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The radio is on, off, or in a test mode."""
    off = radio_is_off(evidence)
    functionality = evidence.last("device.functionality")
    mode = evidence.last("device.mode")
    in_use = registration(evidence)
    if functionality is not None and functionality.value == 5 and not in_use:
        yield fault(
            "modem_fault", 0.85, message(N_("The device is in factory test mode.")), functionality
        )
    elif mode is not None and mode.value == "factory test":
        yield fault("modem_fault", 0.8, message(N_("The device is in factory test mode.")), mode)
    elif mode is not None and mode.value == "powering off":
        yield fault("modem_fault", 0.6, message(N_("The device is switching itself off.")), mode)
    elif off is not None:
        told = off.name == "device.functionality" and "=" in off.source.command
        reason = evidence.last("radio.off_reason")
        text = message(N_("The radio is switched off."))
        if reason is not None:
            text = message(N_("The radio is kept off by: {reason}."), reason=reason.value)
        image = evidence.last("device.image_mismatch")
        other = Alternative("modem_fault", _MATCH_IMAGE)
        yield fault("radio_off", 0.6 if told else 0.92, text, off, reason, image,
                    alternatives=(other,) if image is not None else ())  # fmt: skip
    elif functionality is not None:
        yield fine("radio_on", message(N_("The radio is switched on.")), functionality)


@rule
def supply(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Warnings of low or high voltage, and the voltage itself."""
    warnings = evidence.history("device.power_event")
    event = next((e for e in reversed(warnings) if "VOLTAGE" in e.value.upper()), None)
    voltage = evidence.last("device.voltage_mv")
    low = voltage is not None and voltage.value < _LOW_MV
    if event is not None and is_newer(registration(evidence), event):
        text = N_("The supply voltage broke down earlier.")
        yield note(Severity.WARNING, "voltage_dip", message(text), event)
    elif event is not None:
        yield fault(
            "modem_fault",
            0.85,
            message(N_("The device reports that its supply voltage breaks down.")),
            event,
            voltage if low else None,
        )
    elif voltage is not None and voltage.value < _TOO_LOW_MV and not in_service(evidence):
        yield fault(
            "modem_fault",
            0.6,
            message(N_("The supply voltage of {mv} mV is too low."), mv=voltage.value),
            voltage,
        )
    elif low and voltage is not None:
        yield note(
            Severity.WARNING,
            "voltage_low",
            message(N_("The supply voltage of {mv} mV is low."), mv=voltage.value),
            voltage,
        )
    elif voltage is not None:
        yield fine(
            "voltage_good",
            message(N_("The supply voltage of {mv} mV is in order."), mv=voltage.value),
            voltage,
        )


@rule
def restarts(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """A module that starts anew while it is in use, unasked: its supply breaks down."""
    banners = [
        o
        for o in evidence.history("device.boot_event")
        if o.value.upper().startswith(("RDY", "^SYSSTART"))
    ]
    in_use = next(
        (o for o in evidence.history("sim.state") if o.value == "READY"), None
    ) or registration(evidence)
    unasked = [b for b in banners if in_use is not None and is_newer(b, in_use)]
    if evidence.last("device.reset_asked") is not None:
        return
    if len(banners) >= 3 or (unasked and not registration(evidence)):
        text = N_("The device restarted by itself while it was in use.")
        yield fault("modem_fault", 0.65, message(text), *banners[-3:])
    elif unasked:
        text = N_("The device restarted by itself while it was in use.")
        yield note(Severity.WARNING, "restarted", message(text), *unasked)


@rule
def refuses_everything(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """An error to every command says nothing of the card."""
    errors = evidence.recent("at.error", 5)
    if len(errors) == 5 and "at.answered" not in evidence:
        text = N_("The device answers every command with an error.")
        yield fault("modem_fault", 0.65, message(text), *errors[:2])
    elif refusals := refused_as_unknown(evidence):
        text = N_(
            "The device takes commands, but none of a mobile modem's: it may be another kind of "
            "device, or this port may be meant for something else."
        )
        yield note(Severity.WARNING, "no_mobile_commands", message(text), *refusals[:2])


@rule
def own_error(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Phone or memory failure where the device was asked of itself."""
    if (error := evidence.last("device.error")) is not None:
        text = N_("The device fails to read or to switch on its own parts.")
        yield fault("modem_fault", 0.6, message(text), error)


@rule
def temperature(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Modules throttle and then leave the network near 100 °C (vendors' hardware manuals)."""
    observation = evidence.last("device.temperature_c")
    if observation is None:
        return
    degrees = observation.value
    card_ready = evidence.value("sim.state", "READY") == "READY"
    if degrees >= _TOO_HOT_C and card_ready and not in_service(evidence):
        yield fault(
            "overheating",
            0.85,
            message(N_("The device is at {c} °C and off the network."), c=degrees),
            observation,
        )
    elif degrees >= _WARM_C:
        yield note(
            Severity.WARNING,
            "warm",
            message(N_("The device is hot: {c} °C."), c=degrees),
            observation,
        )
    else:
        yield fine(
            "temperature_good",
            message(N_("The temperature of {c} °C is in order."), c=degrees),
            observation,
        )


@rule
def network_lock(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Personalisation locks (TS 22.022): the device wants a code, not the card."""
    state = card_state(evidence)
    if state is not None and str(state.value).startswith("PH-"):
        yield fault(
            "device_network_locked",
            0.92,
            message(
                N_("The device asks for an unlock code ({state}): it is locked to an operator."),
                state=state.value,
            ),
            state,
        )
    lock = evidence.last("device.network_lock")
    usable = state is None or state.value == "READY"
    read = evidence.last("sim.imsi") or evidence.last("sim.iccid") or state
    if lock is not None and lock.value != "open" and usable and read and not in_service(evidence):
        text = N_("The device is locked to an operator, and not to this card's.")
        yield fault("device_network_locked", 0.85, message(text), lock)
