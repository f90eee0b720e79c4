"""The JSON that ``--json`` prints: models, and the schema published by ``simdiag schema``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simdiag.diagnose import Diagnosis
from simdiag.evidence import Evidence, Observation
from simdiag.message import Message, Translate
from simdiag.redact import Redactor
from simdiag.report.json_text import visible
from simdiag.rules import Finding

SCHEMA: Literal["simdiag/diagnosis/1"] = "simdiag/diagnosis/1"
_PER_NAME = 20
"""Observations of one name that are printed: the newest, equal neighbours counted once."""
"""Control characters that JSON would let through to a terminal."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceJson(_Model):
    """Where a fact comes from."""

    exchange: int = Field(
        description="Number of the exchange, from 0; -1 where nothing was exchanged"
    )
    command: str = Field(description="The command; empty for unsolicited lines")
    line: str = Field(description="The line, identifiers hidden unless revealed")


class ObservationJson(_Model):
    """One fact."""

    name: str
    value: Any
    unit: str | None
    source: SourceJson
    time: float = Field(description="Seconds since the examination began")
    error: str | None = Field(default=None, description="Why it could not be read")


class FindingJson(_Model):
    """What a rule found."""

    code: str
    severity: Literal["ok", "info", "warning", "fault"]
    text: str
    confidence: float | None = Field(default=None, ge=0, le=1)
    cites: list[SourceJson]


class AlternativeJson(_Model):
    """Another cause that the evidence allows."""

    cause: str
    test: str = Field(description="What would tell it apart from the primary cause")


class DiagnosisJson(_Model):
    """The result of one examination or one log."""

    schema_: Literal["simdiag/diagnosis/1"] = Field(default=SCHEMA, alias="schema")
    file: str | None = None
    device: str | None = None
    cause: str
    confidence: float = Field(ge=0, le=1)
    summary: str = Field(description="The verdict in a sentence")
    alternatives: list[AlternativeJson]
    findings: list[FindingJson]
    observations: list[ObservationJson]
    responsible: str
    next_steps: list[str]
    profile: str | None = Field(default=None, description="Id of the carrier profile used")
    elapsed_s: float
    error: str | None = Field(default=None, description="Why nothing could be examined")


def _source(observation: Observation, redactor: Redactor) -> SourceJson:
    source = observation.source
    return SourceJson(
        exchange=source.exchange,
        command=redactor.text(source.command),
        line=redactor.text(source.line),
    )


def _finding(finding: Finding, redactor: Redactor, translate: Translate) -> FindingJson:
    return FindingJson(
        code=finding.code,
        severity=finding.severity.value,
        text=redactor.text(finding.text.render(translate)),
        confidence=finding.confidence or None,
        cites=[_source(o, redactor) for o in finding.cites],
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Message):
        return value.render()
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def _observations(evidence: Evidence, redactor: Redactor) -> list[ObservationJson]:
    by_name: dict[str, list[Observation]] = {}
    for observation in evidence:
        kept = by_name.setdefault(observation.name, [])
        if kept and (kept[-1].value, kept[-1].error) == (observation.value, observation.error):
            kept[-1] = observation
        else:
            kept.append(observation)
    return [
        ObservationJson(
            name=o.name, value=redactor.value(o._replace(value=_plain(o.value))), unit=o.unit,
            source=_source(o, redactor), time=round(o.time, 3),
            error=None if o.error is None else redactor.text(o.error),
        )
        for name, kept in by_name.items() if name != "at.answered"
        for o in kept[-_PER_NAME:]
    ]  # fmt: skip


def to_json(
    diagnosis: Diagnosis,
    evidence: Evidence,
    redactor: Redactor,
    translate: Translate,
    *,
    file: str | None = None,
    device: str | None = None,
    elapsed_s: float = 0.0,
    error: str | None = None,
) -> str:
    """Return one line of JSON."""
    result = DiagnosisJson(
        file=file,
        device=device,
        cause=diagnosis.cause,
        confidence=diagnosis.confidence,
        summary=translate(diagnosis.entry.title),
        alternatives=[
            AlternativeJson(cause=a.cause, test=a.test.render(translate))
            for a in diagnosis.alternatives
        ],
        findings=[_finding(f, redactor, translate) for f in diagnosis.findings],
        observations=_observations(evidence, redactor),
        responsible=diagnosis.responsible.value,
        next_steps=[s.render(translate) for s in diagnosis.next_steps],
        profile=diagnosis.profile.id if diagnosis.profile else None,
        elapsed_s=round(elapsed_s, 3),
        error=None if error is None else redactor.text(error),
    )
    return visible(result.model_dump_json(by_alias=True))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``--json`` prints."""
    return DiagnosisJson.model_json_schema(by_alias=True)
