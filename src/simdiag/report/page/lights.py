"""One light per layer of the stack, from the findings: which works, which fails, which is open."""

from __future__ import annotations

from simdiag.causes import CAUSES, CauseLayer
from simdiag.diagnose import Diagnosis
from simdiag.message import N_, Message, message
from simdiag.report.page.view import State
from simdiag.rules import Finding, Severity

LAYERS = {
    CauseLayer.HOST: N_("Computer and USB"),
    CauseLayer.DEVICE: N_("Device"),
    CauseLayer.SIM: N_("SIM card"),
    CauseLayer.RADIO: N_("Radio"),
    CauseLayer.SUBSCRIPTION: N_("Registration and subscription"),
    CauseLayer.DATA: N_("Data connection"),
    CauseLayer.USAGE: N_("Data usage"),
}

_LAYER_OF = {
    "at": CauseLayer.HOST, "host": CauseLayer.HOST, "usb": CauseLayer.HOST,
    "device.answers": CauseLayer.HOST, "device": CauseLayer.DEVICE, "sim": CauseLayer.SIM,
    "cell": CauseLayer.RADIO, "radio": CauseLayer.RADIO, "signal": CauseLayer.RADIO,
    "operator": CauseLayer.SUBSCRIPTION, "registration": CauseLayer.SUBSCRIPTION,
    "data": CauseLayer.DATA, "counter": CauseLayer.USAGE, "usage": CauseLayer.USAGE,
}  # fmt: skip
"""Where an observation belongs, by its whole name or by the first word of it."""
_CARRIERS = {
    CauseLayer.HOST: range(CauseLayer.DEVICE, CauseLayer.USAGE),
    CauseLayer.DEVICE: range(CauseLayer.SUBSCRIPTION, CauseLayer.USAGE),
    CauseLayer.SIM: range(CauseLayer.SUBSCRIPTION, CauseLayer.USAGE),
    CauseLayer.RADIO: range(CauseLayer.SUBSCRIPTION, CauseLayer.USAGE),
}
"""Which layers prove one below them: a device that tells of itself has a port that works, and who
is registered or connected has a device, a card and a radio that do."""
_CARRIED = N_("The layers above it show that it works.")
_OPEN = N_("Not ruled out: {cause}")


def layer_of(finding: Finding) -> CauseLayer:
    """Return the layer that a finding is about: its cause's, else that of what it cites."""
    if finding.code in CAUSES:
        return CAUSES[finding.code].layer
    names = [o.name for o in finding.cites[:1]]
    return next(
        (_LAYER_OF[n] for name in names for n in (name, name.partition(".")[0]) if n in _LAYER_OF),
        CauseLayer.NONE,
    )


def light(layer: CauseLayer, diagnosis: Diagnosis) -> tuple[State, Message | None]:
    """Return a layer's state and the sentence that tells most of it, if there is one."""
    here = [f for f in diagnosis.findings if layer_of(f) is layer]
    text = {s: next((f.text for f in here if f.severity is s), None) for s in Severity}
    primary = diagnosis.entry.layer
    if primary is layer:
        return State.FAULT, next((f.text for f in diagnosis.proof), text[Severity.FAULT])
    others = [a.cause for a in diagnosis.alternatives if CAUSES[a.cause].layer is layer]
    if others:
        open_still = message(_OPEN, cause=Message(CAUSES[others[0]].title))
        return State.OPEN, text[Severity.FAULT] or text[Severity.WARNING] or open_still
    if text[Severity.WARNING]:
        return State.OPEN, text[Severity.WARNING]
    if text[Severity.OK]:
        return State.GOOD, text[Severity.OK]
    if _is_carried(layer, diagnosis):
        return State.GOOD, Message(_CARRIED)
    if CauseLayer.NONE < primary < layer < CauseLayer.USAGE:
        return State.WAITS, None
    return State.UNKNOWN, None


def _is_carried(layer: CauseLayer, diagnosis: Diagnosis) -> bool:
    carriers = _CARRIERS.get(layer, ())
    return any(f.severity is Severity.OK and layer_of(f) in carriers for f in diagnosis.findings)
