"""A ticket as its history tells: what happened is kept, all else follows from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from simdiag.ticket.draft import Draft
from simdiag.ticket.states import Kind, Stage, after

SOON = timedelta(days=2)
"""How long before its time a promise is called due."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``number`` counts from 1 over all tickets."""

    number: int
    at: datetime
    kind: Kind
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promise:
    """What the other side promised. ``kept`` is none as long as that is open."""

    number: int
    """From 1 within the ticket."""
    made: datetime
    who: str
    channel: str
    what: str
    by: datetime
    kept: bool | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time has passed and nobody has said that it was kept."""
        return self.kept is None and now > self.by

    def is_due(self, now: datetime) -> bool:
        """Whether its time is near or has passed."""
        return self.kept is None and now + SOON > self.by


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket and all that happened to it."""

    id: int
    """Short name of the ticket on this computer: ``T1`` and so on."""
    draft: Draft
    desk: str
    rung: str
    """Whose desk it is on the ladder (:data:`simdiag.profile.Role`)."""
    stage: Stage = Stage.NEW
    number: str = ""
    """At the desk."""
    staff: str = ""
    """Who was spoken to last."""
    previous: str = ""
    """Key of the ticket that this one escalates."""
    events: tuple[Event, ...] = ()
    promises: tuple[Promise, ...] = ()

    @property
    def key(self) -> str:
        """What tells the ticket from every other."""
        return self.draft.key

    @property
    def name(self) -> str:
        """What users call it."""
        return f"T{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether something remains to be done."""
        return self.stage is not Stage.CLOSED

    def pending(self) -> list[Event]:
        """Return what is to go to the desk and is not there yet, in order."""
        done = {e.data["of"] for e in self.events if e.kind is Kind.DELIVERED}
        return [e for e in self.events if e.data.get("to_desk") and e.number not in done]

    def heard(self) -> set[str]:
        """Return the desk's names of the answers that were fetched."""
        return {e.data["id"] for e in self.events if e.kind is Kind.ANSWER and e.data.get("id")}

    def response(self) -> timedelta | None:
        """Return how long the desk took for its first answer."""
        return self._from_sent(_FROM_DESK)

    def solution(self) -> timedelta | None:
        """Return how long it took until it was closed for good."""
        return self._from_sent({Kind.CLOSED}, last=True) if self.stage is Stage.CLOSED else None

    def escalation(self, keys: Collection[str]) -> Event | None:
        """Return the escalation that was begun and whose ticket is not among these keys."""
        begun = (e for e in self.events if e.kind is Kind.ESCALATED and e.data["to"] not in keys)
        return next(begun, None)

    def escalated_to(self) -> list[str]:
        """Return the rungs that it was escalated to."""
        return [e.data["rung"] for e in self.events if e.kind is Kind.ESCALATED]

    def _from_sent(self, kinds: set[Kind], *, last: bool = False) -> timedelta | None:
        sent = next((e.at for e in self.events if e.kind is Kind.SENT), None)
        times = [_when(e) for e in self.events if e.kind in kinds]
        if sent is None or not times:
            return None
        return max(timedelta(), times[-1 if last else 0] - sent)


_FROM_DESK = {Kind.ANSWER, Kind.DESK_OPEN, Kind.DESK_WAITING, Kind.DESK_SOLVED}


def _when(event: Event) -> datetime:
    """The desk's own time of an answer, where it tells one; else when it was noticed."""
    told = event.data.get("when")
    return min(event.at, datetime.fromisoformat(told)) if told else event.at


def told(id_: int, events: Iterable[Event]) -> Ticket:
    """Return the ticket that a history tells; raises ``Refused`` where it cannot have happened."""
    first, *rest = events
    data = first.data
    ticket = Ticket(
        id_, Draft.model_validate(data["draft"]), data["desk"], data["rung"],
        previous=data.get("previous", ""), events=(first,),
    )  # fmt: skip
    for event in rest:
        ticket = happened(ticket, event)
    return ticket


def happened(ticket: Ticket, event: Event) -> Ticket:
    """Return the ticket after one more event; raises ``Refused``."""
    data = event.data
    return replace(
        ticket,
        stage=after(ticket.stage, event.kind),
        number=data.get("number") or ticket.number,
        staff=data.get("staff") or ticket.staff,
        events=(*ticket.events, event),
        promises=_promises(ticket.promises, event),
    )


def _promises(promises: tuple[Promise, ...], event: Event) -> tuple[Promise, ...]:
    data = event.data
    if event.kind is Kind.PROMISE:
        made = Promise(
            len(promises) + 1, event.at, data["who"], data["channel"], data["what"],
            datetime.fromisoformat(data["by"]),
        )  # fmt: skip
        return (*promises, made)
    if event.kind in (Kind.PROMISE_KEPT, Kind.PROMISE_BROKEN):
        kept = event.kind is Kind.PROMISE_KEPT
        return tuple(replace(p, kept=kept) if p.number == data["promise"] else p for p in promises)
    return promises
