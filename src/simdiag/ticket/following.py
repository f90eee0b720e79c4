"""Follows tickets up: sends what is due, fetches what desks say, brings them what was added.

What goes to a desk after the ticket itself (a note, a bundle, a state) is an event of the casebook
with ``to_desk``. It is noted as tried before it is sent and as delivered after; in between, the
desk is asked first, and not before a late request has had time to arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from simdiag.message import N_, Message, message
from simdiag.report.hostile import shown
from simdiag.ticket import ladder, moment
from simdiag.ticket.casebook import Casebook
from simdiag.ticket.desk import (
    Case,
    Desk,
    DeskError,
    File,
    Guard,
    NotDone,
    State,
    Unknown,
    understood,
)
from simdiag.ticket.draft import Draft
from simdiag.ticket.entry import Step
from simdiag.ticket.history import Event, Ticket
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import Patience, reconcile, send_due
from simdiag.ticket.settings import DeskSettings, connect
from simdiag.ticket.states import Kind, Stage

_AT_THE_DESK = (Step.CREATED, Step.ATTACHED, Step.VERIFIED, Step.CLOSED)
_OF_STATE = {
    State.OPEN: Kind.DESK_OPEN,
    State.WAITING: Kind.DESK_WAITING,
    State.SOLVED: Kind.DESK_SOLVED,
    State.CLOSED: Kind.DESK_SOLVED,
}
_OVER = (State.SOLVED, State.CLOSED)
_MOST_TEXT, _MOST_ID = 20_000, 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """What could not be done at a desk, for one ticket or (none) for all of them."""

    desk: str
    ticket: Ticket | None
    problem: Message
    passes: bool = False
    """Whether the next try may well succeed, without anybody's doing; so nobody need be told."""

    @classmethod
    def of(cls, desk: str, ticket: Ticket | None, problem: DeskError) -> Trouble:
        """Return the trouble that a failed fetch or delivery is."""
        return cls(desk, ticket, problem.message, isinstance(problem, NotDone | Unknown))


@dataclass(frozen=True, slots=True)
class Following:
    """The two books and the desks that a user has."""

    book: Casebook
    outbox: Outbox
    desks: Mapping[str, DeskSettings]
    now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    open_desk: Callable[[DeskSettings], Desk] = connect
    patience: Patience = field(default_factory=Patience)

    def adopt(self) -> None:
        """Make the two books agree: each may have been lost, or be a step behind, by itself."""
        tickets = {t.key: t for t in self.book.tickets()}
        entries = self.outbox.entries()
        for key in tickets.keys() - {entry.key for entry in entries}:
            self._restore(tickets[key])
        for entry in entries:
            ticket = tickets.get(entry.key) or self._begin(entry.draft, entry.desk, tickets)
            sent = entry.step in _AT_THE_DESK and entry.number
            if sent and ticket.stage is Stage.NEW and not self.by_hand(entry.desk):
                self.book.note(ticket, Kind.SENT, self.now(), number=entry.number)

    def _restore(self, ticket: Ticket) -> None:
        """Give a ticket back to the outbox; whether its desk has it is asked before sending."""
        self.outbox.restore(ticket.draft, ticket.desk)
        if ticket.number:
            self.outbox.receipt(ticket.key, ticket.number)
        if not ticket.is_open:
            self.outbox.closed(ticket.key)

    def by_hand(self, desk: str) -> bool:
        """Whether the user goes to a desk himself, so that nobody else knows what came of it."""
        return self._guard(desk) is Guard.FOLDER

    def takes_more(self, desk: str) -> bool:
        """Whether a desk can be written to after the ticket itself."""
        return self._guard(desk) not in _MUTE

    def _guard(self, desk: str) -> Guard | None:
        """Return how a desk keeps tickets apart; none where it cannot even be opened now."""
        settings = self.desks.get(desk)
        try:
            if settings is None:
                return None
            with closing(self.open_desk(settings)) as found:
                return found.capabilities.guard
        except DeskError:
            return None

    def sync(self, only: Ticket | None = None) -> Iterator[Trouble]:
        """Send, fetch and deliver; yield what could not be done."""
        results = send_due(
            self.outbox, self.desks, patience=self.patience, open_desk=self.open_desk
        )
        self.adopt()
        tickets = self.book.tickets()
        for result in results:
            if result.problem is not None:
                key = result.entry.key if result.entry else ""
                ticket = next((t for t in tickets if t.key == key), None)
                yield Trouble(result.desk, ticket, result.problem, result.passes)
        if only is None:
            chosen = [t for t in tickets if t.is_open or t.pending()]
        else:
            chosen = [t for t in tickets if t.id == only.id]
        for desk in dict.fromkeys(t.desk for t in chosen if t.number):
            yield from self._desk(desk, [t for t in chosen if t.desk == desk and t.number])

    def hurry(self) -> None:
        """Let everything be tried now: its user asks, who may have put a desk or a link right."""
        for desk in self.outbox.desks():
            self.outbox.release(desk)

    def next_attempt(self, only: Ticket | None = None) -> float | None:
        """Return in how many seconds something is to be sent; none where nothing waits."""
        now = moment.now()
        waits = (e.left(now) for e in self.outbox.entries() if only is None or e.key == only.key)
        return min((left for left in waits if left is not None), default=None)

    def _begin(self, draft: Draft, desk: str, tickets: Mapping[str, Ticket]) -> Ticket:
        """Take a ticket over from the outbox; what was escalated to it says on which rung it is."""
        for ticket in tickets.values():
            for event in ticket.events:
                if event.kind is Kind.ESCALATED and event.data["to"] == draft.key:
                    rung = event.data["rung"]
                    return self.book.open_ticket(draft, desk, rung, self.now(), ticket.key)
        return self.book.open_ticket(draft, desk, ladder.first_rung(draft), self.now())

    def _desk(self, name: str, tickets: list[Ticket]) -> Iterator[Trouble]:
        settings = self.desks.get(name)
        if settings is None:
            text = N_("desks.toml has no desk {desk}, so its answers cannot be fetched")
            yield Trouble(name, None, message(text, desk=name))
            return
        with self.outbox.sending(name) as alone:
            if not alone:
                return
            try:
                with closing(self.open_desk(settings)) as desk:
                    if not desk.capabilities.reads_back or desk.capabilities.guard in _MUTE:
                        return
                    with understood():
                        desk.probe()
                    yield from self._tickets(desk, name, tickets)
            except DeskError as problem:
                yield Trouble.of(name, None, problem)

    def _tickets(self, desk: Desk, name: str, tickets: list[Ticket]) -> Iterator[Trouble]:
        for ticket in tickets:
            try:
                with understood():
                    ticket = self.book.again(ticket)  # another program was at it until now
                    reconcile(desk, ticket.draft, ticket.number)
                    case = desk.case(ticket.number)
                ticket = self._fetched(ticket, case)
                for event in ticket.pending():
                    if not self._is_on_its_way(ticket, event):
                        with understood():
                            ticket = self._deliver(desk, ticket, event, case)
            except DeskError as problem:
                yield Trouble.of(name, ticket, problem)

    def _fetched(self, ticket: Ticket, case: Case) -> Ticket:
        """Note the answers and the state that are new."""
        heard = ticket.heard()
        for post in case.posts:
            id_ = shown(post.id, _MOST_ID)
            if post.ours or id_ in heard:
                continue
            when = post.when and (post.when if post.when.tzinfo else post.when.replace(tzinfo=UTC))
            ticket = self.book.note(
                ticket, Kind.ANSWER, self.now(), id=id_, author=shown(post.author, 200),
                when=when.isoformat() if when else "", text=shown(post.text, _MOST_TEXT),
            )  # fmt: skip
        if any(e.kind in (Kind.REOPENED, Kind.CLOSED) for e in ticket.pending()):
            return ticket  # the state there is older than what the user says
        kind = _OF_STATE.get(case.state)
        told = [e.kind for e in ticket.events if e.kind in _OF_STATE.values()]
        if kind is not None and kind is not (told[-1] if told else None):
            word = shown(case.desk_state, 80)
            ticket = self.book.note(ticket, kind, self.now(), word=word)
        return ticket

    def _is_on_its_way(self, ticket: Ticket, event: Event) -> bool:
        """Whether it was sent so lately that it may still arrive."""
        tried = [e.at for e in ticket.events
                 if e.kind is Kind.TRIED and e.data["of"] == event.number]  # fmt: skip
        settle = timedelta(seconds=self.patience.settle_s)
        return bool(tried) and timedelta() <= self.now() - tried[-1] < settle

    def _deliver(self, desk: Desk, ticket: Ticket, event: Event, case: Case) -> Ticket:
        """Bring an event to the desk, each part of it unless it is there."""
        again = any(e.kind is Kind.TRIED and e.data["of"] == event.number for e in ticket.events)
        ticket = self.book.note(ticket, Kind.TRIED, self.now(), of=event.number)
        data = event.data
        if data.get("text") and not (again and _is_there(ticket, event, case)):
            desk.comment(ticket.number, data["text"])
        if data.get("bundle"):
            file = self._file(ticket, data["bundle"])
            if file.name not in [found.name for found in desk.attachments(ticket.number)]:
                desk.attach(ticket.number, file)
        if event.kind is Kind.REOPENED and case.state in _OVER:
            desk.set_state(ticket.number, State.OPEN)
        if event.kind is Kind.CLOSED and case.state not in _OVER:
            desk.set_state(ticket.number, State.SOLVED)
        return self.book.note(ticket, Kind.DELIVERED, self.now(), of=event.number)

    def _file(self, ticket: Ticket, bundle: dict[str, Any]) -> File:
        settings = self.desks[ticket.desk]
        sha256: str = bundle["sha256"]
        path = self.outbox.folder / "files" / sha256
        return File(f"simdiag-{sha256}{settings.extension}", path, sha256, bundle["size"])


_MUTE = (Guard.FOLDER, Guard.MESSAGE_ID)
"""What keeps tickets apart at desks that cannot be asked."""


def _is_there(ticket: Ticket, event: Event, case: Case) -> bool:
    """Whether the desk shows the text once more than was delivered before."""
    done = {e.data["of"] for e in ticket.events if e.kind is Kind.DELIVERED}
    text = _plain(event.data["text"])
    delivered = (_plain(e.data.get("text", "")) for e in ticket.events if e.number in done)
    shown_there = sum(text == _plain(post.text) for post in case.posts)
    return shown_there > sum(text == other for other in delivered)


def _plain(text: str) -> str:
    return " ".join(text.split())
