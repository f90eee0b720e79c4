"""The JSON of ``simdiag usage reconcile``: models, and the schema of ``simdiag schema``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simdiag.message import Translate
from simdiag.reconcile.compare import Result
from simdiag.report.usage_sides import sides_of


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SideJson(_Model):
    """What one side counted, both directions; ``low`` and ``high`` where it is not certain."""

    name: Literal["processes", "forwarded", "unattributed", "interface", "device", "operator"]
    since: str = Field(description="ISO 8601 with offset")
    until: str
    low_bytes: int
    high_bytes: int
    may_be_low_bytes: int | None = Field(
        default=None, description="The least that honest counting may come to"
    )
    may_be_high_bytes: int | None = Field(
        default=None, description="The most: headers, losses and rounding included"
    )
    method: str = Field(description="How it was come by: kernel, shares, sockets, interface, …")


class FindingJson(_Model):
    """What a rule found."""

    code: str
    severity: Literal["ok", "info", "warning", "fault"]
    text: str
    confidence: float | None = None


class ReconcileJson(_Model):
    """All sides of one period, and what follows."""

    schema_: Literal["simdiag/reconcile/1"] = Field(default="simdiag/reconcile/1", alias="schema")
    since: str
    until: str
    recorded_percent: int = Field(description="How much of the period a recorder was running")
    sides: list[SideJson]
    background_percent: int | None = Field(description="An estimate")
    unbilled_bytes: int = Field(description="To the device itself or others on the link")
    verdict: Literal[
        "usage_mismatch", "background_usage", "quota_exhausted", "consistent", "inconclusive"
    ]
    confidence: float = Field(ge=0, le=1)
    inflated_by: Literal["device", "operator", "both"] | None
    findings: list[FindingJson]
    next_steps: list[str]


def reconcile_json(result: Result, translate: Translate) -> str:
    """Return one line of JSON."""
    sides = result.sides
    return ReconcileJson(
        since=_time(sides.since),
        until=_time(sides.until),
        recorded_percent=sides.host.recorded_percent,
        sides=[
            SideJson(
                name=side.kind, since=_time(side.since), until=_time(side.until),
                low_bytes=side.counted.low, high_bytes=side.counted.high, method=side.method,
                may_be_low_bytes=side.may_be.low if side.may_be else None,
                may_be_high_bytes=side.may_be.high if side.may_be else None,
            )
            for side in sides_of(result)
        ],
        background_percent=sides.programs.share("background_bytes"),
        unbilled_bytes=sides.host.unbilled.high,
        verdict=result.verdict,
        confidence=result.confidence,
        inflated_by=result.inflated_by,
        findings=[
            FindingJson(
                code=f.code, severity=f.severity.value, text=f.text.render(translate),
                confidence=f.confidence or None,
            )
            for f in result.findings
        ],
        next_steps=[text.render(translate) for text in result.next_steps],
    ).model_dump_json(by_alias=True)  # fmt: skip


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``--json`` prints."""
    return ReconcileJson.model_json_schema(by_alias=True)


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
