"""Puts the sides together as observations, and says what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simdiag.causes import CAUSES
from simdiag.evidence import Evidence, Observation, Source
from simdiag.message import Message
from simdiag.profile import CarrierProfile
from simdiag.reconcile.claim import Claim
from simdiag.rules import Finding, Severity, all_rules
from simdiag.sizes import Range, size
from simdiag.usage.bounds import device_may_show, operator_may_count
from simdiag.usage.budget import Standing
from simdiag.usage.ledger import Report
from simdiag.usage.readings import Growth
from simdiag.usage.totals import Totals

_HOUR_S = 3600.0
_TOP = 5


@dataclass(frozen=True, slots=True)
class Sides:
    """All that is known of one period (Unix times).

    ``host`` is what passed here; ``device`` what the modem's counter grew by, and ``device_host``
    what passed here meanwhile; ``alone`` whether nothing else used device and card, ``None`` where
    nobody said. ``programs`` is the report by process.
    """

    since: float
    until: float
    host: Totals
    programs: Report
    device: Growth | None = None
    device_host: Totals | None = None
    claim: Claim | None = None
    alone: bool | None = None
    standing: Standing | None = None

    @property
    def sessions(self) -> int:
        """Return how many sessions are known of: each time the counter began anew is one more."""
        return 1 + (self.device.resets if self.device else 0)


@dataclass(frozen=True, slots=True)
class Result:
    """What follows: ``verdict`` is a cause's code, ``consistent`` or ``inconclusive``.

    ``inflated_by`` is ``device``, ``operator``, ``both`` or ``None``; ``questions`` are what to do
    or to find out next.
    """

    sides: Sides
    evidence: Evidence
    verdict: str
    confidence: float
    inflated_by: str | None
    findings: tuple[Finding, ...]
    questions: tuple[Finding, ...]

    @property
    def next_steps(self) -> tuple[Message, ...]:
        """Return what to find out, then what to do."""
        wanted = [question.text for question in self.questions]
        wanted += [other.test for finding in self.findings for other in finding.alternatives]
        if self.verdict not in ("consistent", "inconclusive"):
            wanted += map(Message, CAUSES[self.verdict].steps)
        return tuple({step.text: step for step in wanted}.values())


def reconcile(sides: Sides, profile: CarrierProfile | None = None) -> Result:
    """Run the rules over the sides."""
    evidence = Evidence(_observations(sides))
    findings = [finding for rule in all_rules() for finding in rule(evidence, profile)]
    faults = [finding for finding in findings if finding.severity is Severity.FAULT]
    questions = tuple(finding for finding in findings if finding.code == "usage_question")
    agree = any(finding.code == "usage_consistent" for finding in findings)
    verdict = faults[0].code if faults else "consistent" if agree else "inconclusive"
    names = {o.name for f in faults if f.code == "usage_mismatch" for o in f.cites}
    inflated = [
        who
        for who, name in (("device", "usage.device_bytes"), ("operator", "usage.claim_bytes"))
        if name in names
    ]
    return Result(
        sides, evidence, verdict, faults[0].confidence if faults else 0.8 if agree else 0.1,
        "both" if len(inflated) > 1 else next(iter(inflated), None),
        tuple(f for f in findings if f.code != "usage_question"), questions,
    )  # fmt: skip


def _observations(sides: Sides) -> Iterator[Observation]:
    for name, value in _values(sides):
        said = _words(value)
        yield Observation(f"usage.{name}", value, Source(-1, "", f"usage.{name}: {said}"))


def _values(sides: Sides) -> Iterator[tuple[str, Any]]:
    host, device, claim = sides.host, sides.device, sides.claim
    yield "period", f"{_moment(sides.since)} – {_moment(sides.until)}"
    gap = _unrecorded(sides)
    if gap is not None:
        yield "unrecorded", gap
    yield "recorded_percent", host.recorded_percent
    yield "method", sides.programs.method.value
    yield "host_bytes", _range(host.billed)
    if sides.alone is not None:
        yield "alone", sides.alone
    if device is not None and sides.device_host is not None:
        passed = sides.device_host
        yield "device_bytes", _range(device.counted)
        if passed.recorded_percent:
            may_show = device_may_show(passed.billed, passed.packets)
            yield "device_expected_bytes", _range(may_show)
    if claim is not None and claim.used is not None:
        yield "claim_bytes", _range(claim.used)
        if gap is None:
            yield "claim_expected_bytes", _range(operator_may_count(host.billed, sides.sessions))
    if claim is not None and claim.left is not None:
        yield "claim_left_bytes", _range(claim.left)
    yield from _programs(sides)


def _programs(sides: Sides) -> Iterator[tuple[str, Any]]:
    share = sides.programs.share("background_bytes")
    if share is not None:
        yield "background_percent", share
    rows = sorted(sides.programs.rows, key=lambda row: row.background_bytes, reverse=True)
    if rows:
        yield (
            "top_programs",
            [{"program": row.key["program"], "bytes": row.bytes} for row in rows[:_TOP]],
        )
    if sides.standing is not None:
        yield "budget", sides.standing.budget.used(sides.standing.used_bytes)


def _unrecorded(sides: Sides) -> str | None:
    """Return the part of the period before the recording began, if that is more than an hour."""
    first = sides.host.first
    if first is None:
        return "–"
    late = first - sides.since > _HOUR_S
    return f"{_moment(sides.since)} – {_moment(first)}" if late else None


def _range(found: Range) -> dict[str, int]:
    return {"low": found.low, "high": found.high}


def _words(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"low", "high"}:
        low, high = size(value["low"]), size(value["high"])
        return low if low == high else f"{low} – {high}"
    return str(value)


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M")
