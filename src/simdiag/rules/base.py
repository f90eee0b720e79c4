"""What a rule is and what it returns."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simdiag.evidence import Evidence, Observation
from simdiag.message import Message
from simdiag.profile import CarrierProfile


class Severity(enum.StrEnum):
    """How a finding bears on the verdict."""

    OK = "ok"
    """Something was checked and is in order: it rules causes out."""
    INFO = "info"
    WARNING = "warning"
    FAULT = "fault"
    """A candidate for the cause."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another cause that the same evidence allows, and the test that would tell them apart."""

    cause: str
    test: Message


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found. A fault's ``code`` is a cause code; ``confidence`` is 0 to 1."""

    code: str
    severity: Severity
    text: Message
    cites: tuple[Observation, ...] = ()
    confidence: float = 0.0
    alternatives: tuple[Alternative, ...] = ()


Rule = Callable[[Evidence, CarrierProfile | None], Iterable[Finding]]
RULES: list[Rule] = []
"""Every rule, in the order of definition; filled by :func:`rule`."""


def rule(function: Rule) -> Rule:
    """Register a rule. It must be pure: no I/O, no clock, no driver names."""
    RULES.append(function)
    return function


def cited(*observations: Observation | None) -> tuple[Observation, ...]:
    """Return the observations that exist, as citations."""
    return tuple(o for o in observations if o is not None)


def fault(
    code: str,
    confidence: float,
    text: Message,
    *cites: Observation | None,
    alternatives: tuple[Alternative, ...] = (),
) -> Finding:
    """Return a candidate for the cause."""
    return Finding(code, Severity.FAULT, text, cited(*cites), confidence, alternatives)


def fine(code: str, text: Message, *cites: Observation | None) -> Finding:
    """Return something that was checked and is in order."""
    return Finding(code, Severity.OK, text, cited(*cites))


def note(severity: Severity, code: str, text: Message, *cites: Observation | None) -> Finding:
    """Return a remark that is no candidate for the cause."""
    return Finding(code, severity, text, cited(*cites))
