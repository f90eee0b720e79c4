"""One SQLite file of ours: opened, checked, and its troubles turned into sentences."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message

_LITTLE = 64 * 1024
"""Bytes that SQLite needs beside the file (its -shm and -wal); without them it says "I/O error"."""

BUSY_S = 10.0
"""How long another program may hold the file."""


class Damaged(SimdiagError):
    """The file's contents make no sense; it stays as it is."""


class DiskFull(SimdiagError):
    """Nothing more can be written for now; what is stored stays, and it may be tried again."""


def connect(
    path: Path, application: int, version: int, schema: str, *, only_read: bool = False
) -> sqlite3.Connection:
    """Open a database, made with ``schema`` where it does not exist; each commit is synced.

    ``application`` tells our files from other databases, ``version`` is that of ``schema``. Raises
    ``SimdiagError`` with a sentence where the file is damaged, newer than this program, somebody
    else's, locked for long, or may not be written; with ``only_read`` that is not needed.
    """
    with plainly(path):
        if only_read:
            database = connect_to_read(path)
        else:
            database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            if only_read:
                _check(database, path, application, version)
            else:
                _prepare(database, path, application, version, schema)
        except BaseException:
            database.close()
            raise
    return database


def connect_to_read(path: Path, patience_s: float = BUSY_S) -> sqlite3.Connection:
    """Open a database that is there to read it, wherever it lies, while others may write to it.

    Raises ``sqlite3.DatabaseError``.
    """
    # Without a log beside it, or with an empty one, the file is complete. SQLite would want to make
    # one all the same, and in a folder of somebody else's, or on a full disk, it cannot.
    try:
        alone = not path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        alone = True
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    address = f"{path.absolute().as_uri()}?{options}"
    return sqlite3.connect(address, uri=True, timeout=patience_s)


def _prepare(
    database: sqlite3.Connection, path: Path, application: int, version: int, schema: str
) -> None:
    if not _is_new(database):
        _check(database, path, application, version)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    with transaction(database):  # two programs may make it at once
        if _is_new(database):
            for statement in schema.split("\n\n"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {application}")
            database.execute(f"PRAGMA user_version = {version}")


def _is_new(database: sqlite3.Connection) -> bool:
    """Whether nothing was ever written into this file."""
    return not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _check(database: sqlite3.Connection, path: Path, application: int, version: int) -> None:
    if database.execute("PRAGMA application_id").fetchone()[0] != application:
        text = N_("{path} is not a database of simdiag's: move it away and a new one is made")
        raise SimdiagError(message(text, path=path))
    if database.execute("PRAGMA user_version").fetchone()[0] > version:
        text = N_("{path} was written by a newer simdiag: update this one; nothing was changed")
        raise SimdiagError(message(text, path=path))


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Commit all that is done in the block, or nothing of it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise _explained(path, problem) from problem
    except UnicodeDecodeError as problem:  # a name or a text, also in SQLite's words about it
        raise damaged(path) from problem


def _explained(path: Path, problem: sqlite3.DatabaseError) -> SimdiagError:
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # without the extended part
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFull(message(N_("{path} cannot grow: the disk is full"), path=path))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        text = N_("{path} is locked by another program: end it, or try again")
        return SimdiagError(message(text, path=path))
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path)
    text = N_("{path} cannot be used: {why}")
    return SimdiagError(message(text, path=path, why=message(str(problem))))


def damaged(path: Path) -> Damaged:
    """Return what to raise for a file whose contents make no sense."""
    text = N_(
        "{path} is damaged: move it away and a new one is made, or save what is left with "
        "`sqlite3 {quoted} .recover`"
    )
    return Damaged(message(text, path=path, quoted=shlex.quote(str(path))))


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False
