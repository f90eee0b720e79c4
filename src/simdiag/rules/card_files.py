"""What the card itself remembers and allows: no causes, but facts that a desk should know."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Finding, Severity, note, rule
from simdiag.rules.view import home_plmns, registration


@rule
def card_for_tests(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """EF_AD says that the card is for test equipment (TS 31.102 clause 4.2.18)."""
    mode = evidence.last("sim.operation_mode")
    if mode is not None and mode.value != "normal":
        text = message(
            N_("The card is made for tests ({mode}): public networks refuse it."), mode=mode.value
        )
        yield note(Severity.WARNING, "test_card", text, mode)


@rule
def access_class(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """A card without a class from 0 to 9 is barred from access (TS 22.011 clause 4.2)."""
    classes = evidence.last("sim.access_classes")
    if classes is not None and not any(c < 10 for c in classes.value):
        text = message(N_("The card holds no ordinary access class: cells may turn it away."))
        yield note(Severity.WARNING, "no_access_class", text, classes)


@rule
def own_network_forbidden(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """A refusal with cause 11 puts a network on the card's list; it stays until chosen by hand."""
    forbidden = evidence.last("sim.forbidden_plmns")
    if forbidden is None or registration(evidence):
        return
    own = [plmn for plmn in home_plmns(evidence) if plmn in forbidden.value]
    if own:
        text = message(
            N_(
                "The card lists its own network {plmn} as forbidden: that network refused it before."
            ),
            plmn=own[0],
        )
        yield note(Severity.WARNING, "own_network_forbidden", text, forbidden)
