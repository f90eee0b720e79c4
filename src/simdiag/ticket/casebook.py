"""The casebook: what happened to every ticket, in one SQLite file beside the outbox.

It is only ever added to; the database itself refuses to change or forget an event. So a closed
ticket can be reopened with its history, and no promise gets lost. Tickets of the outbox that are
not here yet are taken over when the casebook is opened, so that being killed between the two
files loses nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from simdiag import database
from simdiag.closing import Closing
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.report.hostile import shown
from simdiag.ticket.draft import Draft
from simdiag.ticket.history import Event, Ticket, happened, told
from simdiag.ticket.states import Kind

VERSION = 1
APPLICATION = 0x51D1A608  # tells our files from other SQLite databases
FILE = "cases.db"

_SCHEMA = """
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
)

CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES ticket,
    at TEXT NOT NULL,              -- with its zone
    kind TEXT NOT NULL,
    data TEXT NOT NULL             -- JSON
)

CREATE INDEX event_of_ticket ON event (ticket, number)

CREATE TRIGGER event_unchanged BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'what happened is never changed'); END

CREATE TRIGGER event_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'what happened is never forgotten'); END

CREATE TRIGGER ticket_kept BEFORE DELETE ON ticket
BEGIN SELECT RAISE(ABORT, 'a ticket is never forgotten'); END
"""


class Casebook(Closing):
    """The casebook in a folder that exists. A context manager.

    Several programs may have it open. Raises ``SimdiagError`` with a sentence where it is damaged,
    newer than this program, or may not be written; with ``only_read`` that is not needed.
    """

    def __init__(self, folder: Path, *, only_read: bool = False) -> None:
        self._path = folder / FILE
        self._db = database.connect(self._path, APPLICATION, VERSION, _SCHEMA, only_read=only_read)
        with suppress(OSError):  # somebody else's file: SQLite has let us in
            self._path.chmod(0o600)

    def close(self) -> None:
        """Close the database; nothing is pending."""
        self._db.close()

    def open_ticket(
        self, draft: Draft, desk: str, rung: str, at: datetime, previous: str = ""
    ) -> Ticket:
        """Begin the history of a ticket; one that has begun already stays as it is."""
        data = {
            "draft": json.loads(draft.canonical()), "desk": desk, "rung": rung,
            "previous": previous,
        }  # fmt: skip
        with database.plainly(self._path), database.transaction(self._db):
            found = self._db.execute("SELECT id FROM ticket WHERE key = ?", (draft.key,)).fetchone()
            if found is None:
                self._db.execute("INSERT INTO ticket (key) VALUES (?)", (draft.key,))
                found = self._db.execute("SELECT last_insert_rowid()").fetchone()
                self._insert(found[0], at, Kind.OPENED, data)
            return self._told(found[0])

    def note(self, ticket: Ticket, kind: Kind, at: datetime, **data: Any) -> Ticket:
        """Add what happened; raises ``Refused`` where it cannot happen now. Durable on return."""
        with database.plainly(self._path), database.transaction(self._db):
            before = self._told(ticket.id)
            happened(before, Event(0, at, kind, data))
            self._insert(ticket.id, at, kind, data)
            return self._told(ticket.id)

    def again(self, ticket: Ticket) -> Ticket:
        """Return a ticket as it stands now."""
        with database.plainly(self._path):
            return self._told(ticket.id)

    def tickets(self) -> list[Ticket]:
        """Return all tickets, in the order of their making."""
        with database.plainly(self._path):
            found = self._db.execute("SELECT id FROM ticket ORDER BY id").fetchall()
            return [self._told(id_) for (id_,) in found]

    def find(self, name: str | None) -> Ticket:
        """Return one ticket: ``T1``, its key or the end of that, its number at the desk.

        Without a name, the only one that is open. Raises ``SimdiagError`` with a sentence.
        """
        tickets = self.tickets()
        if name is None:
            return _only([t for t in tickets if t.is_open])
        # what this computer calls a ticket goes before what its desk does
        found = [t for t in tickets if name.upper() == t.name or name == t.key]
        found = found or [t for t in tickets if _is_called(t, name)]
        if len(found) == 1:
            return found[0]
        text = N_("there is no ticket {name}: `simdiag ticket list` shows all")
        if found:
            text = N_("{name} means several tickets: `simdiag ticket list` shows all")
        raise SimdiagError(message(text, name=shown(name, 80)))

    def _insert(self, ticket: int, at: datetime, kind: Kind, data: dict[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO event (ticket, at, kind, data) VALUES (?, ?, ?, ?)",
            (ticket, at.isoformat(), kind, json.dumps(data, ensure_ascii=False)),
        )

    def _told(self, ticket: int) -> Ticket:
        rows = self._db.execute(
            "SELECT number, at, kind, data FROM event WHERE ticket = ? ORDER BY number", (ticket,)
        )
        try:
            return told(ticket, [_event(*row) for row in rows])
        except (ValueError, LookupError, TypeError, AttributeError) as problem:
            # also what pydantic and json raise
            raise sqlite3.DatabaseError(f"T{ticket}: {problem}"[:200]) from problem


def _event(number: int, at: str, kind: str, data: str) -> Event:
    return Event(number, datetime.fromisoformat(at), Kind(kind), json.loads(data))


def _is_called(ticket: Ticket, name: str) -> bool:
    if re.fullmatch(r"[tT]?\d{1,9}", name) and ticket.id == int(name.lstrip("tT")):
        return True
    # the end of a key may be digits only, too
    return ticket.number == name or (len(name) > 5 and ticket.key.endswith(name.lower()))


def _only(tickets: Sequence[Ticket]) -> Ticket:
    if len(tickets) == 1:
        return tickets[0]
    text = N_("no ticket is open: `simdiag ticket new` makes one")
    if tickets:
        text = N_("several tickets are open: say which, such as {name} (`simdiag ticket list`)")
    raise SimdiagError(message(text, name=tickets[0].name if tickets else ""))
