"""What can still be read of a damaged database: a copy of it, for a report that says so."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from simdiag.database import Damaged, connect_to_read, plainly
from simdiag.usage import schema
from simdiag.usage.records import Method
from simdiag.usage.store import reading

_TABLES = ("link", "label", "recording", "loss", "traffic")
_METHODS = ", ".join(f"'{method}'" for method in Method)


@contextmanager
def readable(path: Path) -> Iterator[tuple[Path, Damaged | None]]:
    """Yield the file to read, and what is wrong with it: of a damaged one, a copy of what is left.

    The file itself stays as it is. Raises ``SimdiagError``: ``Damaged`` where nothing is left.
    """
    try:
        with reading(path):
            pass
    except Damaged as problem:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "usage.db"
            if not _salvage(path, copy):
                raise
            yield copy, problem
    else:
        yield path, None


def _salvage(path: Path, copy: Path) -> int:
    """Copy what can be read of each table, from its begin and from its end; return how much.

    What lies between two damaged places is lost, and so is what makes no sense.
    """
    with plainly(copy), closing(sqlite3.connect(copy)) as target:
        schema.prepare(target, copy)
        with suppress(sqlite3.DatabaseError), closing(connect_to_read(path)) as source:
            source.text_factory = lambda data: data.decode("utf-8", "replace")
            for table in _TABLES:
                _copy(source, target, table)
        target.execute(f"DELETE FROM label WHERE method NOT IN ({_METHODS})")  # noqa: S608
        target.commit()
        both = "traffic JOIN label ON label.id = traffic.label"
        return int(target.execute(f"SELECT count(*) FROM {both}").fetchone()[0])  # noqa: S608


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
    columns = target.execute(f"PRAGMA table_info({table})").fetchall()
    names = ", ".join(name for _, name, *_ in columns)
    keys = [name for _, name, _, _, _, key in sorted(columns, key=lambda c: c[-1]) if key]
    places = ", ".join("?" * len(columns))
    for way in ("", " DESC"):
        order = ", ".join(key + way for key in keys)
        rows = _as_far_as_it_goes(source, f"SELECT {names} FROM {table} ORDER BY {order}")  # noqa: S608
        target.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)  # noqa: S608
    wrong = " OR ".join(f"typeof({name}) != '{kind.lower()}'" for _, name, kind, *_ in columns)
    target.execute(f"DELETE FROM {table} WHERE {wrong}")  # noqa: S608


def _as_far_as_it_goes(source: sqlite3.Connection, sql: str) -> Iterator[tuple[object, ...]]:
    with suppress(sqlite3.DatabaseError):
        yield from source.execute(sql)
