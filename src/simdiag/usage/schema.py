"""The tables of the database of recorded traffic, and which files they are in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message

VERSION = 2
APPLICATION = 0x51D1A605  # tells our files from other SQLite databases

_LABEL = """
    id INTEGER PRIMARY KEY,
    link INTEGER NOT NULL REFERENCES link,
    method TEXT NOT NULL,
    program TEXT NOT NULL,
    user TEXT NOT NULL,
    uid INTEGER NOT NULL,
    unit TEXT NOT NULL,
    container TEXT NOT NULL,
    protocol TEXT NOT NULL,
    remote TEXT NOT NULL,
    state TEXT NOT NULL,
    client TEXT NOT NULL,
    UNIQUE (link, method, program, user, uid, unit, container, protocol, remote, state, client)
"""
_RECORDING = """
CREATE TABLE recording (           -- when it was recorded at all, from the start of a recorder on
    link INTEGER NOT NULL REFERENCES link,
    start INTEGER NOT NULL,        -- Unix time
    until INTEGER NOT NULL,
    PRIMARY KEY (link, start)
) WITHOUT ROWID;
"""
_SCHEMA = f"""
CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    driver TEXT NOT NULL,
    boot TEXT NOT NULL,            -- the last reading of its counters
    interface INTEGER NOT NULL,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL,
    rx_packets INTEGER NOT NULL, tx_packets INTEGER NOT NULL
);
CREATE TABLE label ({_LABEL});
CREATE TABLE traffic (
    span INTEGER NOT NULL,         -- seconds: five minutes, an hour or a day
    start INTEGER NOT NULL,        -- Unix time
    label INTEGER NOT NULL REFERENCES label,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL,
    rx_packets INTEGER NOT NULL, tx_packets INTEGER NOT NULL,
    PRIMARY KEY (span, start, label)
) WITHOUT ROWID;
{_RECORDING}
CREATE TABLE loss (                -- what a method saw, but could not file
    start INTEGER NOT NULL,
    what TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (start, what)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
_UPGRADE = f"""
CREATE TABLE new_label ({_LABEL});
INSERT INTO new_label SELECT *, '' FROM label; -- version 1 knew no clients
DROP TABLE label;
ALTER TABLE new_label RENAME TO label;
{_RECORDING}
PRAGMA user_version = {VERSION};
"""  # noqa: S608


def foreign(path: Path) -> SimdiagError:
    """Return what to raise for what is no database of ours."""
    text = N_("{path} is not a database of simdiag's: name another file with --db")
    return SimdiagError(message(text, path=path))


def prepare(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring those of an older version up to date, all of it or nothing.

    Raises ``SimdiagError``, ``sqlite3.DatabaseError``.
    """
    if not is_new(database):
        check(database, path, upgradable=True)
    database.execute("PRAGMA journal_mode = WAL")
    if is_new(database):
        database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    elif version(database) < VERSION:
        database.executescript(f"BEGIN IMMEDIATE; {_UPGRADE} COMMIT;")


def is_new(database: sqlite3.Connection) -> bool:
    """Whether nothing was ever written into this file."""
    return not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def version(database: sqlite3.Connection) -> int:
    """Return the version of the file's tables."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def check(database: sqlite3.Connection, path: Path, *, upgradable: bool = False) -> None:
    """Raise ``SimdiagError`` unless the file is a database of ours that this program knows.

    An older one will do if it is ``upgradable`` now, since it may be written.
    """
    application = database.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise foreign(path)
    if version(database) > VERSION:
        text = N_(
            "{path} was written by a newer simdiag: update this one, or name another file with --db"
        )
        raise SimdiagError(message(text, path=path))
    if version(database) < VERSION and not upgradable:
        text = N_("{path} was written by an older simdiag: start the recorder, which updates it")
        raise SimdiagError(message(text, path=path))
