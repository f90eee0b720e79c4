"""Steps that change something for a moment to tell causes apart: asked first, then undone.

What an examination may do without asking is to read. Where that leaves causes open that one step
by a program would separate, the step is offered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simdiag.collect.at import AtExamination
from simdiag.driver import Layer
from simdiag.message import N_

_DETACH_S = 2.0
_REGISTERED = (1, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One step: the question to the user, the causes it can separate, and how it is done."""

    name: str
    question: str
    causes: frozenset[str]
    run: Callable[[AtExamination], None]


def _radio_cycle(examination: AtExamination) -> None:
    """Switch the radio off and on: the modem registers anew, and the network says why not."""
    session, evidence = examination.session, examination.evidence
    if evidence.value("device.functionality") != 1:
        return
    session.change("AT+CEREG=3", f"AT+CEREG={evidence.value('registration.eps.mode', 0)}")
    try:
        session.carry_out("AT+CFUN=4")
        session.listen(_DETACH_S)
    finally:
        session.carry_out("AT+CFUN=1")
    session.listen(
        examination.wait_s,
        until=lambda: evidence.value("registration.eps.status") in (*_REGISTERED, 3),
    )
    for layer in (Layer.REGISTRATION, Layer.RADIO, Layer.DATA):
        examination.read(layer)


def _automatic_selection(examination: AtExamination) -> None:
    """Let the modem choose the network itself; that is what should stay."""
    examination.session.carry_out("AT+COPS=0", timeout_s=120)
    examination.session.listen(examination.wait_s)
    for layer in (Layer.REGISTRATION, Layer.RADIO, Layer.DATA):
        examination.read(layer)


EXPERIMENTS = (
    Experiment(
        "radio-cycle",
        N_(
            "Switch the radio off and on once, so that the network says why it refuses? "
            "A running connection is interrupted for some seconds."
        ),
        frozenset({"network_refused", "searching", "sim_not_activated", "inconclusive"}),
        _radio_cycle,
    ),
    Experiment(
        "automatic-selection",
        N_("Set the network selection to automatic, and leave it there?"),
        frozenset({"operator_selection_wrong"}),
        _automatic_selection,
    ),
)


def fitting(cause: str) -> list[Experiment]:
    """Return the experiments that could tell more about a cause."""
    return [e for e in EXPERIMENTS if cause in e.causes]
