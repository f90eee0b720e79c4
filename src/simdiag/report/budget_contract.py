"""The JSON of ``simdiag usage budget``: the model, and the schema of ``simdiag schema``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from simdiag.usage.budget import Standing, zone_of


class BudgetJson(BaseModel):
    """How the stored plan stands; times in ISO 8601 with their offset."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["simdiag/budget/1"] = Field(default="simdiag/budget/1", alias="schema")
    limit_bytes: int
    reset_day: int
    thresholds: list[int]
    timezone: str = Field(description="IANA name; empty for this computer's")
    since: str
    until: str = Field(description="When the plan begins anew")
    used_bytes: int
    used_percent: int
    threshold_reached: int | None
    daily_bytes: int | None = Field(description="Mean of the last weeks")
    runs_out_earliest: str | None
    runs_out_latest: str | None = Field(description="Without one it may last until it begins anew")


def budget_json(found: Standing) -> str:
    """Return one line of JSON."""
    zone, foreseen = zone_of(found.budget.zone), found.forecast
    first, last = (foreseen.earliest, foreseen.latest) if foreseen else (None, None)
    return BudgetJson(
        limit_bytes=found.budget.limit_bytes,
        reset_day=found.budget.reset_day,
        thresholds=list(found.budget.thresholds),
        timezone=found.budget.zone,
        since=_time(found.since, zone),
        until=_time(found.until, zone),
        used_bytes=found.used_bytes,
        used_percent=found.percent,
        threshold_reached=found.reached,
        daily_bytes=round(foreseen.daily) if foreseen else None,
        runs_out_earliest=_time(first, zone) if first is not None else None,
        runs_out_latest=_time(last, zone) if last is not None else None,
    ).model_dump_json(by_alias=True)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``--json`` prints."""
    return BudgetJson.model_json_schema(by_alias=True)


def _time(moment: float, zone: ZoneInfo | None = None) -> str:
    return datetime.fromtimestamp(moment, zone).astimezone(zone).isoformat(timespec="seconds")
