"""What only the user knows about a fault: asked by ``ticket new``, or read from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.report.hostile import shown
from simdiag.ticket import times
from simdiag.ticket.draft import Category, Complexity, Line, Story, Urgency
from simdiag.validation import first_fault

_MOST_BYTES = 1 << 20


class Answers(BaseModel):
    """What the user says. ``null``, or left out, is what was not said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["simdiag/ticket-answers/1"] = Field(
        default="simdiag/ticket-answers/1", alias="schema"
    )
    category: Category | None = Field(default=None, description="What kind of request it is")
    urgency: Urgency | None = Field(default=None, description="Else judged by the diagnosis")
    complexity: Complexity | None = Field(default=None, description="Else judged as well")
    happened: Line | None = Field(
        default=None,
        description="Since when: a day, a time, or a span (2026-10-01 .. 2026-10-15); local time "
        "unless it names a zone",
    )
    place: Line | None = Field(default=None, description="Where: city, street, indoors or not")
    seen: Story | None = Field(default=None, description="Facts: words on the screen, numbers")
    steps: tuple[Line, ...] | None = Field(
        default=None,
        max_length=20,
        description="What was tried already, each with how it ended",
    )
    wish: Line | None = Field(
        default=None, description="Repair, replacement, refund, explanation, correction …"
    )
    seller: Line | None = None
    order: Line | None = Field(default=None, description="Number of the order")
    bought: date | None = Field(default=None, description="Day of the order")
    plan: Line | None = None
    account: Line | None = Field(
        default=None,
        description="Number at the operator, or of the card; it leaves the computer as it stands",
    )

    def said(self) -> dict[str, Any]:
        """Return what was said, by name."""
        return self.model_dump(exclude_none=True, exclude={"schema_"})


class NoAnswer(SimdiagError):
    """An answer is none: of which field, and what it may be."""

    def __init__(self, problem: ValidationError) -> None:
        where, self.why = first_fault(problem)
        self.field = shown(where, 80) or "JSON"
        super().__init__(Message("{field}: {why}", {"field": self.field, "why": self.why}))


def of(said: Mapping[str, Any], now: datetime) -> Answers:
    """Return answers, with the zone in every time.

    Raises ``NoAnswer`` for one that is none, ``SimdiagError`` for what is no day or time.
    """
    values = dict(said)
    if isinstance(values.get("bought"), str):
        values["bought"] = times.day(values["bought"], now)
    if isinstance(values.get("happened"), str):
        values["happened"] = times.period(values["happened"], now)
    try:
        return Answers(**values)
    except ValidationError as problem:
        raise NoAnswer(problem) from problem


def read(path: Path) -> Answers:
    """Return the answers of a JSON file; raises ``SimdiagError`` with a sentence."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            text = N_("{path} is too large for answers: {most} bytes are allowed")
            raise SimdiagError(message(text, path=path, most=_MOST_BYTES))
        return Answers.model_validate_json(content)
    except OSError as problem:
        why = message(problem.strerror or str(problem))
        raise SimdiagError(
            message(N_("{path} cannot be read: {why}"), path=path, why=why)
        ) from problem
    except (ValidationError, RecursionError) as problem:
        deep = message(N_("it is nested too deeply"))
        why = NoAnswer(problem).message if isinstance(problem, ValidationError) else deep
        text = N_("{path} holds no answers (`simdiag schema ticket`): {why}")
        raise SimdiagError(message(text, path=path, why=why)) from problem


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of answers."""
    return Answers.model_json_schema(by_alias=True)
