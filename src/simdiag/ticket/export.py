"""Tickets as JSON: ``ticket list --json`` prints a line for each, ``ticket show --json`` one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simdiag.ticket import ladder, moment
from simdiag.ticket.draft import Draft
from simdiag.ticket.entry import Entry
from simdiag.ticket.history import Ticket
from simdiag.ticket.states import Kind, Stage


class _Json(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PromiseJson(_Json):
    """What the other side promised."""

    number: int
    made: str
    who: str
    channel: str
    what: str
    by: str
    kept: bool | None = Field(description="null as long as that is open")
    due: bool
    overdue: bool


class WindowJson(_Json):
    """Until when a card can be given back."""

    kind: str
    until: str
    days_left: int = Field(description="0 on the last day, negative when it is over")


class MissingJson(_Json):
    """A field that the desk has not kept as it was sent."""

    field: str
    sent: str
    kept: str


class EventJson(_Json):
    """What happened; each kind has facts of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    event: int
    at: str
    kind: Kind


class CaseJson(_Json):
    """A ticket as it stands. Times in ISO 8601 with their offset, durations in seconds."""

    schema_: Literal["simdiag/case/1"] = Field(alias="schema")
    id: str = Field(description="Its short name on this computer")
    key: str
    desk: str
    rung: str = Field(description="Whose desk it is on the ladder")
    stage: Stage
    number: str | None = Field(description="At the desk")
    staff: str | None = Field(description="Who was spoken to last")
    summary: str
    created: str
    outbox: str | None = Field(description="How far sending has come")
    problem: str | None = Field(description="Why it waits, or was refused, in English")
    next_attempt: str | None = Field(description="When it is sent again; null: nothing waits")
    next_attempt_s: int | None = Field(description="The same, from now; 0 is now")
    answer_due: str | None
    response_s: int | None
    solution_s: int | None
    pending: int = Field(description="Events that are still to go to the desk")
    promises: list[PromiseJson]
    windows: list[WindowJson]
    escalates: str | None = Field(description="Key of the ticket below")
    escalated_to: list[str]
    next_rung: str | None
    draft: Draft | None = Field(default=None, description="`ticket show` only, as what follows")
    missing: list[MissingJson] | None = None
    history: list[EventJson] | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a ticket."""
    return CaseJson.model_json_schema(by_alias=True)


def as_json(ticket: Ticket, entry: Entry | None, now: datetime, *, whole: bool) -> dict[str, Any]:
    """Return a ticket; with its draft and its history if ``whole``. Durations are seconds."""
    draft, following = ticket.draft, ladder.following(ticket)
    left = entry.left(moment.now()) if entry else None
    found: dict[str, Any] = {
        "schema": "simdiag/case/1",
        "id": ticket.name,
        "key": ticket.key,
        "desk": ticket.desk,
        "rung": ticket.rung,
        "stage": ticket.stage.value,
        "number": ticket.number or None,
        "staff": ticket.staff or None,
        "summary": draft.summary,
        "created": draft.created.isoformat(),
        "outbox": entry.state if entry else None,
        "problem": _problem(entry),
        "next_attempt": _iso(now + timedelta(seconds=left) if left is not None else None),
        "next_attempt_s": round(left) if left is not None else None,
        "answer_due": _iso(ladder.due(ticket)),
        "response_s": _seconds(ticket.response()),
        "solution_s": _seconds(ticket.solution()),
        "pending": len(ticket.pending()),
        "promises": [
            {"number": p.number, "made": p.made.isoformat(), "who": p.who, "channel": p.channel,
             "what": p.what, "by": p.by.isoformat(), "kept": p.kept, "due": p.is_due(now),
             "overdue": p.is_overdue(now)}
            for p in ticket.promises
        ],
        "windows": [
            {"kind": left.window.kind, "until": left.until.isoformat(), "days_left": left.days}
            for left in ladder.windows(draft, now.date())
        ],
        "escalates": ticket.previous or None,
        "escalated_to": ticket.escalated_to(),
        "next_rung": following.role if following else None,
    }  # fmt: skip
    if whole:
        found["draft"] = draft
        found["missing"] = [
            {"field": m.field, "sent": m.sent, "kept": m.kept}
            for m in (entry.missing if entry else ())
        ]
        found["history"] = [
            {"event": e.number, "at": e.at.isoformat(), "kind": e.kind.value, **_data(e.data)}
            for e in ticket.events
        ]
    return CaseJson(**found).model_dump(mode="json", by_alias=True, exclude_unset=True)


def _data(data: dict[str, Any]) -> dict[str, Any]:
    """What an event holds; the draft stands beside the history already."""
    return {k: v for k, v in data.items() if k != "draft"}


def _problem(entry: Entry | None) -> str | None:
    found = entry.trouble if entry else None
    return found.render() if found else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())
