"""A triage for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simdiag.triage.case import Refused
from simdiag.triage.table import Group, Key, Trend
from simdiag.triage.unusual import Unusual


class _Json(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RefusedJson(_Json):
    """A file that is no sound bundle, and why."""

    file: str
    why: str


class GroupJson(_Json):
    """The bundles that share a value."""

    value: str
    cases: int
    cards: int = Field(description="Each card once")
    faults: int
    leading: str = Field(description="The most frequent cause")
    recent: int = Field(description="In the last seven days before the newest bundle")
    before: int = Field(description="In the seven days before those")
    trend: Trend


class UnusualJson(_Json):
    """A cause that stands out among the bundles with a value."""

    cause: str
    key: str
    value: str
    cases: int
    of: int
    usual: float = Field(description="Its rate elsewhere, from 0 to 1")
    chance: float = Field(description="The probability, corrected, that it means nothing")


class TriageJson(_Json):
    """What many bundles have in common."""

    schema_: Literal["simdiag/triage/1"] = Field(default="simdiag/triage/1", alias="schema")
    bundles: int
    refused: list[RefusedJson]
    groups: dict[Key, list[GroupJson]]
    unusual: list[UnusualJson]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a triage."""
    return TriageJson.model_json_schema(by_alias=True)


def as_json(
    bundles: int,
    refused: Iterable[Refused],
    groups: Mapping[Key, Sequence[Group]],
    found: Iterable[Unusual],
) -> dict[str, Any]:
    """Return the triage as JSON's types; rates are between 0 and 1."""
    return TriageJson(
        bundles=bundles,
        refused=[RefusedJson(file=one.file, why=one.why.render()) for one in refused],
        groups={
            key: [GroupJson(**asdict(group), trend=group.trend) for group in rows]
            for key, rows in groups.items()
        },
        unusual=[UnusualJson(**asdict(one)) for one in found],
    ).model_dump(mode="json", by_alias=True)
