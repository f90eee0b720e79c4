"""Promises as a calendar that phones and computers read (iCalendar, RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from simdiag.message import N_, Translate, message
from simdiag.ticket.history import Promise, Ticket

_OCTETS = 74
"""Of a line, one less than the standard allows (section 3.1)."""


def calendar(tickets: Iterable[Ticket], now: datetime, translate: Translate) -> str:
    """Return the open promises as events with an alarm a day before."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//simdiag//tickets//EN"]
    for ticket in tickets:
        for promise in ticket.promises:
            if promise.kept is None:
                lines += _event(ticket, promise, now, translate)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(ticket: Ticket, promise: Promise, now: datetime, translate: Translate) -> list[str]:
    text = N_("{who} promised ({ticket}): {what}")
    summary = message(text, who=promise.who or ticket.desk, ticket=ticket.name, what=promise.what)
    return [
        "BEGIN:VEVENT",
        f"UID:{ticket.key}-{promise.number}@simdiag",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(promise.by)}",
        f"SUMMARY:{_escaped(summary.render(translate))}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-P1D",
        f"DESCRIPTION:{_escaped(promise.what)}",
        "END:VALARM",
        "END:VEVENT",
    ]


def _utc(moment: datetime) -> str:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # at an end of the calendar, an hour makes no difference
        moment = moment.replace(tzinfo=UTC)
    return f"{moment.year:04}{moment:%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for character in "\\;,":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def _folded(line: str) -> Iterator[str]:
    """Yield a line in pieces of so many octets; no character is cut (section 3.1)."""
    piece = ""
    for character in line:
        if len((piece + character).encode()) > _OCTETS:
            yield piece
            piece = " "
        piece += character
    yield piece
