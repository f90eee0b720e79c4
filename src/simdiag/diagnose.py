"""Ranks what the rules found: one cause, its confidence, what else it may be, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simdiag.causes import CAUSES, Cause, Responsible
from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, LocalText, Message, message
from simdiag.profile import CarrierProfile
from simdiag.rules import Alternative, Finding, Severity, all_rules

FLOOR = 0.4
"""Below this a verdict would be a guess: it is ``inconclusive``, with the question to ask next."""
_EXPLAINS = 0.5
_MUCH_SURER = 0.25
"""From the first confidence on a fault explains the symptoms of the layers above it, unless one
of those is so much surer that it stands on its own."""

_QUESTIONS = (
    ("device.functionality", "AT+CFUN?"),
    ("sim.state", "AT+CPIN?"),
    ("registration.eps.status", "AT+CEREG?"),
    ("signal.", "AT+CSQ"),
    ("data.addresses", "AT+CGPADDR"),
)
"""What to ask next, in this order, when something is not known."""

_GOOD = {
    "data_up": 0.95, "registered": 0.87, "data_active": 0.8,
    "cell_serves": 0.72, "sim_ready": 0.62, "sim_read": 0.62,
    "card_without_euicc": 0.5,
}  # fmt: skip
"""How far a finding goes to show that all is well."""


_HIDES: dict[str, tuple[str, ...]] = {
    "data_up": (),
    "registered": ("data.",),
}
"""What may still be wrong, where one of these findings shows that the rest is well."""
_THE_CARD_ALONE = ("sim_ready", "sim_read")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result: one primary cause and all that stands behind it."""

    cause: str
    confidence: float
    proof: tuple[Finding, ...]
    """The findings that the verdict rests on."""
    alternatives: tuple[Alternative, ...]
    findings: tuple[Finding, ...]
    next_steps: tuple[Message, ...]
    profile: CarrierProfile | None = None

    @property
    def entry(self) -> Cause:
        """The cause with its texts."""
        return CAUSES[self.cause]

    @property
    def responsible(self) -> Responsible:
        """Who can act."""
        return self.entry.responsible

    @property
    def ruled_out(self) -> tuple[Finding, ...]:
        """What was checked and is in order."""
        return tuple(f for f in self.findings if f.severity is Severity.OK)


def diagnose(evidence: Evidence, profile: CarrierProfile | None = None) -> Diagnosis:
    """Run every rule over the evidence and rank the result."""
    findings = tuple(f for rule in all_rules() for f in rule(evidence, profile))
    faults = _unexplained([f for f in findings if f.severity is Severity.FAULT])
    if faults and faults[0].confidence >= FLOOR:
        first = faults[0]
        return Diagnosis(
            first.code,
            _confidence(faults),
            (first,),
            _alternatives(faults),
            findings,
            _steps(first.code, profile),
            profile,
        )
    return _without_fault(evidence, findings, faults, profile)


def _unexplained(faults: list[Finding]) -> list[Finding]:
    """Return the faults that no fault of a lower layer explains, the surest first."""
    remaining = [
        fault
        for fault in faults
        if not any(
            CAUSES[other.code].layer < CAUSES[fault.code].layer
            and other.confidence >= max(_EXPLAINS, fault.confidence - _MUCH_SURER)
            for other in faults
        )
    ]
    return sorted(remaining, key=lambda f: -f.confidence)


def _confidence(faults: list[Finding]) -> float:
    """A rival for the same place takes from the certainty."""
    rivals = [f for f in faults[1:] if f.code != faults[0].code]
    doubt = max((f.confidence for f in rivals), default=0.0) * 0.15
    return round(max(0.0, faults[0].confidence - doubt), 2)


def _alternatives(faults: list[Finding]) -> tuple[Alternative, ...]:
    """What the first finding leaves open, then the other faults with their own tests."""
    first = faults[0]
    found = {a.cause: a for a in first.alternatives}
    for other in faults[1:]:
        if other.code != first.code and other.code not in found:
            steps = CAUSES[other.code].steps
            found[other.code] = Alternative(other.code, Message(steps[0]))
    return tuple(found.values())


def _steps(code: str, profile: CarrierProfile | None) -> tuple[Message, ...]:
    """The cause's own steps, with what the operator's profile adds to them."""
    steps = tuple(Message(text) for text in CAUSES[code].steps)
    if profile is None:
        return steps
    if code == "sim_not_activated" and profile.activation:
        own = tuple(LocalText(step) for step in profile.activation.steps)
        steps = (steps[0], *own, *steps[1:])
    if code in ("apn_wrong", "apn_auth_rejected"):
        steps = (*_apn_steps(profile), *steps)
    if CAUSES[code].responsible in (Responsible.OPERATOR, Responsible.SELLER):
        steps = (*steps, *_contacts(profile))
    return steps


def _apn_steps(profile: CarrierProfile) -> tuple[Message, ...]:
    names = dict.fromkeys(a.name for a in profile.apns if a.use == "internet" and not a.plans)
    if not names:
        return ()
    text = N_("Known APNs of {operator}: {names}.")
    return (message(text, operator=LocalText(profile.name), names=", ".join(names)),)


def _contacts(profile: CarrierProfile) -> tuple[Message, ...]:
    first = next((c for c in profile.contacts if c.role == "operator"), None)
    if first is None:
        return ()
    text = N_("Reach {operator}: {address}")
    return (message(text, operator=LocalText(profile.name), address=first.address),)


def _without_fault(
    evidence: Evidence,
    findings: tuple[Finding, ...],
    weak: list[Finding],
    profile: CarrierProfile | None,
) -> Diagnosis:
    proof = sorted(
        (f for f in findings if f.severity is Severity.OK and f.code in _GOOD),
        key=lambda f: -_GOOD[f.code],
    )
    garbled = _garbled(evidence, proof[0].code if proof else "")
    if proof and not weak and garbled is None:
        return Diagnosis(
            "healthy", _GOOD[proof[0].code], tuple(proof), (), findings, _steps("healthy", profile),
            profile,
        )  # fmt: skip
    alternatives = _alternatives(weak) if weak else ()
    if weak:
        alternatives = (
            Alternative(weak[0].code, Message(CAUSES[weak[0].code].steps[0])),
            *alternatives,
        )
    return Diagnosis(
        "inconclusive",
        round(weak[0].confidence if weak else 0.1, 2),
        tuple(weak[:1]),
        alternatives,
        findings,
        (*_questions(evidence, garbled), *_steps("inconclusive", profile)),
        profile,
    )


def _garbled(evidence: Evidence, proof: str) -> Observation | None:
    """Return an answer that was not understood and may hide a fault in spite of the ``proof``.

    What was told since, unasked or to another question, makes up for it.
    """
    doubts = [*evidence.newest_first("at.garbled")]
    if proof in _THE_CARD_ALONE:
        doubts += evidence.newest_first("at.empty")
    for doubt in doubts:
        if proof in _HIDES and not doubt.value.startswith(_HIDES[proof]):
            continue
        told = evidence.last(doubt.value)
        if told is None or told.source.exchange < doubt.source.exchange:
            return doubt
    return None


def _questions(evidence: Evidence, garbled: Observation | None) -> Iterable[Message]:
    if garbled is not None:
        text = N_("The answer to {command} cannot be read: ask again.")
        yield message(text, command=garbled.source.command)
        return
    for name, command in _QUESTIONS:
        if not evidence.under(name):
            yield message(N_("Ask {command} and look at the answer."), command=command)
            return
