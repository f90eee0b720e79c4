"""Ends a ticket, or opens it again: on the user's word, or on that of a new examination."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from simdiag.causes import CAUSES
from simdiag.errors import SimdiagError
from simdiag.i18n import choose
from simdiag.message import N_, Message, message
from simdiag.ticket import languages, times
from simdiag.ticket.facts import Facts
from simdiag.ticket.following import Following
from simdiag.ticket.history import Ticket
from simdiag.ticket.states import TABLE, Kind


def confirm(following: Following, ticket: Ticket, at: datetime, **data: Any) -> Ticket:
    """Note that it is solved, and close it; raises ``Refused`` where it is closed already."""
    ticket = following.book.note(ticket, Kind.CONFIRMED, at, **_to_desk(following, ticket, data))
    return close(following, ticket, at)


def close(following: Following, ticket: Ticket, at: datetime) -> Ticket:
    """Close what was confirmed; raises ``Refused`` where nobody has."""
    ticket = following.book.note(ticket, Kind.CLOSED, at, **_to_desk(following, ticket, {}))
    following.outbox.closed(ticket.key)
    return ticket


def reopen(following: Following, ticket: Ticket, at: datetime, **data: Any) -> Ticket:
    """Open it again; raises ``Refused`` where it is open."""
    ticket = following.book.note(ticket, Kind.REOPENED, at, **_to_desk(following, ticket, data))
    following.outbox.reopened(ticket.key)
    return ticket


def examined(following: Following, ticket: Ticket, facts: Facts, at: datetime) -> Ticket:
    """Close or reopen a ticket by what a new examination says; its bundle goes to the desk.

    Raises ``SimdiagError`` where that says nothing: it is the old one, or names no cause.
    """
    found, bundle = facts.diagnosis, facts.bundle
    if bundle is None or facts.path is None:
        raise ValueError("an examination without its bundle")
    if ticket.draft.bundle is not None and bundle.sha256 == ticket.draft.bundle.sha256:
        text = N_("that is the examination the ticket was made from: examine again, now")
        raise SimdiagError(message(text))
    if found.cause == "inconclusive":
        raise SimdiagError(message(N_("the examination does not say whether it is solved")))
    kept = following.outbox.keep(facts.path)
    data = {
        "text": _text(ticket, facts),
        "bundle": {"name": bundle.name, "sha256": kept.sha256, "size": kept.size},
        "cause": found.cause,
    }
    if found.cause == "healthy":
        return confirm(following, ticket, at, **data)
    if ticket.stage in TABLE[Kind.REOPENED]:
        return reopen(following, ticket, at, **data)
    return following.book.note(ticket, Kind.NOTE, at, **_to_desk(following, ticket, data))


def _to_desk(following: Following, ticket: Ticket, data: dict[str, Any]) -> dict[str, Any]:
    return data | {"to_desk": following.takes_more(ticket.desk)}


def _text(ticket: Ticket, facts: Facts) -> str:
    return languages.written([*_lines(facts)], [choose(tag) for tag in ticket.draft.languages])


def _lines(facts: Facts) -> Iterator[Message]:
    found = facts.diagnosis
    text = N_("The matter is not solved. A new examination says: {verdict} ({cause})")
    if found.cause == "healthy":
        text = N_("The matter is solved. A new examination says: {verdict} ({cause})")
    yield message(text, verdict=Message(CAUSES[found.cause].title), cause=found.cause)
    if facts.examined is not None:
        yield message(
            N_("Time of the examination: {time}"), time=times.shown(facts.examined.astimezone())
        )
    if facts.bundle is not None:
        yield message(
            N_("Evidence: {name}, {size} bytes, SHA-256 {sha256}"),
            name=facts.bundle.name, size=facts.bundle.size, sha256=facts.bundle.sha256,
        )  # fmt: skip
