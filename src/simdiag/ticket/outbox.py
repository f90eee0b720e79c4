"""The outbox: tickets that wait to be sent, one SQLite file and the bundles beside it.

A ticket is durable when :meth:`Outbox.add` returns: its bundle is written and synced first, then
the row (write-ahead log, a sync at every commit). What was added is never changed again under its
key. A sender notes what it is about to send before it does, and what came of it after; one that is
killed in between leaves the note, so that the next one waits and looks before it sends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from simdiag import database
from simdiag.closing import Closing
from simdiag.errors import SimdiagError
from simdiag.files import state_folder
from simdiag.message import N_, Message, message
from simdiag.ticket.alone import alone
from simdiag.ticket.desk import Mismatch
from simdiag.ticket.draft import Draft, content_key
from simdiag.ticket.entry import (
    UNSENT,
    Entry,
    Payload,
    Step,
    of_row,
    packed,
    packed_mismatches,
)
from simdiag.ticket.moment import Moment, now
from simdiag.ticket.payload import cannot, kept, sweep

VERSION = 1
APPLICATION = 0x51D1A607  # tells our files from other SQLite databases

_SCHEMA = """
CREATE TABLE ticket (
    key TEXT PRIMARY KEY,
    desk TEXT NOT NULL,
    draft TEXT NOT NULL,           -- canonical JSON
    content TEXT NOT NULL,         -- equal for tickets of one meaning
    step TEXT NOT NULL,
    number TEXT NOT NULL DEFAULT '',
    rung INTEGER NOT NULL DEFAULT 0,
    doing TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    wait_s REAL NOT NULL DEFAULT 0,
    settle_s REAL NOT NULL DEFAULT 0, -- the part of it that nobody may cut short
    since_wall REAL NOT NULL,
    since_boot TEXT NOT NULL,
    since_ticks REAL NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    missing TEXT NOT NULL DEFAULT '[]'
)

CREATE TABLE file (
    key TEXT NOT NULL REFERENCES ticket,
    rung INTEGER NOT NULL,         -- 0 is the fullest
    sha256 TEXT NOT NULL,          -- its name in the folder of files
    size INTEGER NOT NULL,
    PRIMARY KEY (key, rung)
) WITHOUT ROWID

CREATE TABLE desk (
    name TEXT PRIMARY KEY,
    held TEXT NOT NULL             -- why nothing is sent to it
) WITHOUT ROWID

CREATE TRIGGER never_changed BEFORE UPDATE OF key, desk, draft, content ON ticket
BEGIN SELECT RAISE(ABORT, 'a ticket is never changed under its key'); END
"""
_ROWS = "SELECT ticket.*, held FROM ticket LEFT JOIN desk ON desk.name = ticket.desk"


class AlreadyThere(SimdiagError):
    """The same matter was reported before, on the same day; ``entry`` is that ticket."""

    def __init__(self, entry: Entry) -> None:
        text = N_(
            "this was reported that day already, as ticket {number} at {desk}: add a note to it, "
            "or say that this is another matter"
        )
        number = entry.number or entry.key
        super().__init__(message(text, number=number, desk=entry.desk))
        self.entry = entry


def default_folder() -> Path:
    """Return where the user's outbox is."""
    return state_folder() / "outbox"


class Outbox(Closing):
    """The outbox in a folder, which is made for its user alone. A context manager.

    Several programs may have it open. Raises ``SimdiagError`` with a sentence where the database
    is damaged, newer than this program, or may not be written, which ``only_read`` does not need;
    :class:`database.DiskFull` where there is no space: then nothing was changed.
    """

    def __init__(self, folder: Path, *, only_read: bool = False) -> None:
        self.folder = folder
        self._path = folder / "outbox.db"
        self._files = folder / "files"
        if not only_read:
            self._make_folders()
        self._db = database.connect(self._path, APPLICATION, VERSION, _SCHEMA, only_read=only_read)
        self._db.row_factory = sqlite3.Row

    def _make_folders(self) -> None:
        try:
            self._files.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
        except OSError as problem:
            raise cannot(self.folder, problem) from problem
        sweep(self._files)

    def close(self) -> None:
        """Close the database; nothing is pending."""
        self._db.close()

    # ---- for whoever makes tickets -------------------------------------------------------

    def add(
        self, draft: Draft, desk: str, files: Sequence[Path] = (), *, again: bool = False
    ) -> Entry:
        """Keep a ticket for a desk; it survives a power cut once this returns.

        ``files`` are the bundle, from the fullest to the smallest form, for desks that do not take
        the full one; the first must be the one that the draft names. Raises :class:`AlreadyThere`
        unless ``again``.
        """
        copies = [self.keep(path) for path in files]
        full = copies[0].sha256 if copies else ""
        if full != (draft.bundle.sha256 if draft.bundle else ""):
            text = N_("the bundle is not the one that the ticket names; make the ticket anew")
            raise SimdiagError(message(text))
        with self._transaction():
            where = "WHERE content = ? AND content != '' AND step != 'dead'"
            same = self._rows(where, content_key(draft))
            if same and not again:
                raise AlreadyThere(same[-1])
            self._insert(draft, desk, copies)
        return self.entry(draft.key)

    def restore(self, draft: Draft, desk: str) -> None:
        """Keep a ticket again that a lost database held, with its bundle if that is still here."""
        bundle = draft.bundle
        there = bundle is not None and (self._files / bundle.sha256).exists()
        copies = [self.keep(self._files / bundle.sha256)] if bundle and there else []
        with self._transaction():
            self._insert(draft, desk, copies)

    def entries(self) -> list[Entry]:
        """Return all tickets, in the order of their making."""
        with database.plainly(self._path):
            return self._rows("")

    def entry(self, key: str) -> Entry:
        """Return one ticket, by its key or the beginning of it, or by its number at the desk."""
        with database.plainly(self._path):
            found = self._rows("WHERE key = ?", key) or self._rows(
                "WHERE number = ?1 OR (length(?1) > 7 AND instr(key, ?1) = 1)", key
            )
        if len(found) == 1:
            return found[0]
        text = N_("there is no ticket {key}") if not found else N_("{key} means several tickets")
        raise SimdiagError(message(text, key=key))

    def receipt(self, key: str, number: str) -> None:
        """Note that a ticket reached its desk another way: by phone, in a shop, by a stick."""
        self._change(key, step=Step.VERIFIED, number=number, doing="", problem="")

    def closed(self, key: str) -> None:
        """Note that a ticket is over; how far it had come stays in ``doing``."""
        step = self.entry(key).step
        if step is not Step.CLOSED:
            self._change(key, step=Step.CLOSED, doing=step, problem="")

    def reopened(self, key: str) -> None:
        """Note that a closed ticket goes on from where it was; one that is refused tries again."""
        entry = self.entry(key)
        if entry.step is Step.CLOSED:
            came_to = Step(entry.doing)
            step = Step.QUEUED if came_to is Step.DEAD else came_to
            self._change(key, step=step, doing="")

    def release(self, desk: str) -> None:
        """Let tickets go to a desk now rather than after their wait, also to one that was held.

        What was sent and may still arrive there waits until that is settled.
        """
        with self._transaction():
            self._db.execute("DELETE FROM desk WHERE name = ?", (desk,))
            self._db.execute("UPDATE ticket SET wait_s = settle_s WHERE desk = ?", (desk,))

    def keep(self, path: Path) -> Payload:
        """Copy a file into the outbox under its digest, and see it on the disk.

        For a bundle that follows a ticket later, too.
        """
        return kept(path, self._files)

    # ---- for the sender ------------------------------------------------------------------

    def sending(self, desk: str) -> AbstractContextManager[bool]:
        """Be the only sender to a desk in the block; false where another one is at it."""
        return alone(self.folder / f"{desk}.lock")

    def unsent(self, desk: str) -> list[Entry]:
        """Return the tickets that are not yet wholly at a desk; none while it is held."""
        with database.plainly(self._path):
            marks = ", ".join("?" * len(UNSENT))
            where = f"WHERE desk = ? AND held IS NULL AND step IN ({marks})"
            return self._rows(where, desk, *UNSENT)

    def desks(self) -> list[str]:
        """Return the desks that have tickets here."""
        with database.plainly(self._path):
            return [row[0] for row in self._db.execute("SELECT DISTINCT desk FROM ticket")]

    def about_to(self, key: str, doing: str) -> None:
        """Note what is sent next; without this note nothing may be sent."""
        self._change(key, doing=doing)

    def progress(self, key: str, step: Step, number: str = "") -> None:
        """Note that a step succeeded."""
        values: dict[str, Any] = {"step": step, "doing": "", "attempts": 0, "problem": ""}
        self._change(key, **values, wait_s=0, **({"number": number} if number else {}))

    def failed(
        self, key: str, problem: Message, wait_s: float, since: Moment, settle_s: float = 0.0
    ) -> None:
        """Note that an attempt failed, and how long to wait from now; ``settle_s`` at least."""
        self._change(
            key, "attempts = attempts + 1", doing="", problem=packed(problem), wait_s=wait_s,
            settle_s=settle_s,
            since_wall=since.wall, since_boot=since.boot, since_ticks=since.ticks,
        )  # fmt: skip

    def smaller(self, key: str) -> None:
        """Note that the desk takes no file of this size or kind: the next smaller one is due."""
        self._change(key, "rung = rung + 1", doing="")

    def dead(self, key: str, problem: Message) -> None:
        """Note that the desk will never take a ticket."""
        self._change(key, step=Step.DEAD, doing="", problem=packed(problem))

    def verified(self, key: str, missing: list[Mismatch]) -> None:
        """Note that a ticket was read back, and what was not as it was sent."""
        self._change(key, missing=packed_mismatches(missing))
        self.progress(key, Step.VERIFIED)

    def hold(self, desk: str, why: Message) -> None:
        """Send nothing to a desk until it is released."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO desk VALUES (?, ?)", (desk, packed(why)))

    # ---- within --------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with database.plainly(self._path), database.transaction(self._db):
            yield

    def _insert(self, draft: Draft, desk: str, copies: Sequence[Payload]) -> None:
        since = now()
        self._db.execute(
            "INSERT INTO ticket (key, desk, draft, content, step, since_wall, since_boot, "
            "since_ticks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (draft.key, desk, draft.canonical(), content_key(draft), Step.QUEUED, since.wall,
             since.boot, since.ticks),
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO file VALUES (?, ?, ?, ?)",
            [(draft.key, rung, f.sha256, f.size) for rung, f in enumerate(copies)],
        )

    def _change(self, key: str, *more: str, **values: Any) -> None:
        changes = ", ".join((*more, *(f"{name} = :{name}" for name in values)))
        with self._transaction():
            self._db.execute(
                f"UPDATE ticket SET {changes} WHERE key = :key",  # noqa: S608  # names of ours
                {"key": key, **values},
            )

    def _rows(self, where: str, *values: str) -> list[Entry]:
        rows = self._db.execute(f"{_ROWS} {where} ORDER BY ticket.rowid", values).fetchall()
        try:
            return [of_row(dict(row), self._payloads(row["key"])) for row in rows]
        except (ValueError, LookupError, TypeError) as problem:  # also what pydantic and json raise
            raise sqlite3.DatabaseError(f"ticket: {problem}".split("\n")[0][:200]) from problem

    def _payloads(self, key: str) -> tuple[Payload, ...]:
        found = self._db.execute(
            "SELECT sha256, size FROM file WHERE key = ? ORDER BY rung", (key,)
        )
        return tuple(Payload(self._files / sha256, sha256, size) for sha256, size in found)
