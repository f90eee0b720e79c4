"""The database of recorded traffic: one SQLite file, written by one recorder, read by anybody.

Every amount of traffic is a row of ``traffic``: when, how long a time it stands for (``span``), and
what it is filed under (``label``). The interface's own total is such a row too, under the method
``interface``. Old rows are summed up, five minutes to hours and hours to days (local time). Nothing
is ever deleted, so that a clock that jumps can cost detail, but no bytes.

Write-ahead logging with a sync at every commit: a recorder that is killed, or a power cut, costs
what came after the last :meth:`Store.add`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from simdiag.closing import Closing
from simdiag.database import BUSY_S, connect_to_read, damaged, plainly, transaction
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.usage import schema
from simdiag.usage.records import Amount, Label, Link, Method, Reading

FIVE_MINUTES, HOUR, DAY = 300, 3600, 86400
_KEEP = ((FIVE_MINUTES, HOUR, 3), (HOUR, DAY, 62))
"""Which span is summed up into which, after how many days: an hourly plot of two bills back."""

_MIDNIGHT = """
SELECT CAST(strftime('%s', ?, 'unixepoch', 'localtime', 'start of day', ?, 'utc') AS INTEGER)
"""
_ADD = """
ON CONFLICT (span, start, label) DO UPDATE SET
    rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes,
    rx_packets = rx_packets + excluded.rx_packets, tx_packets = tx_packets + excluded.tx_packets
"""


class Store(Closing):
    """The database, open for the one recorder that may write it. A context manager.

    ``path`` is made, with its folder, where it does not exist. Raises ``SimdiagError`` with a
    sentence where the file is damaged, newer than this program, no such database, locked by
    another recorder, or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                _refuse_strange(path)
            # Held until the end, and let go after SQLite: closing it drops SQLite's own locks.
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as problem:
            raise _cannot(N_("{path} cannot be written: {why}"), path, problem) from problem
        try:
            self._take_lock()
            with plainly(path):
                self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise
        self._labels: dict[tuple[int, Label], int] = {}
        self._since: dict[int, int] = {}  # link to its first time

    def close(self) -> None:
        """Close the file; nothing is pending."""
        self._db.close()
        os.close(self._lock)

    def add(
        self,
        when: float,
        link: Link,
        reading: Reading | None,
        amounts: Mapping[Label, Amount],
        losses: Mapping[str, int] | None = None,
    ) -> None:
        """File traffic under a time (Unix seconds), all of it or, on an error, nothing.

        ``reading`` is that of the interface's counters, ``None`` while it is away; the store files
        what they grew by under :data:`~simdiag.usage.records.Method.INTERFACE`. ``losses`` counts
        what could not be filed, by a name. Raises ``DiskFull``, ``SimdiagError``.
        """
        start = int(when) // FIVE_MINUTES * FIVE_MINUTES
        with plainly(self._path), self._transaction():
            number = self._link(link)
            self._db.execute(
                "INSERT INTO recording VALUES (?, ?, ?) ON CONFLICT (link, start) "
                "DO UPDATE SET until = max(until, excluded.until)",
                (number, self._since.setdefault(number, int(when)), int(when)),
            )
            rows = dict(amounts)
            if reading is not None:
                rows[TOTAL] = self._read_on(number, reading)
            self._db.executemany(
                f"INSERT INTO traffic VALUES ({FIVE_MINUTES}, ?, ?, ?, ?, ?, ?) {_ADD}",  # noqa: S608
                [
                    (start, self._label(number, label), *amount.fields())
                    for label, amount in rows.items()
                    if amount
                ],
            )
            self._db.executemany(
                "INSERT INTO loss VALUES (?, ?, ?) ON CONFLICT (start, what) "
                "DO UPDATE SET amount = amount + excluded.amount",
                [(start, what, count) for what, count in (losses or {}).items() if count],
            )

    def interrupt(self) -> None:
        """What is added from now on was not recorded without a gap since before."""
        self._since.clear()

    def roll_up(self, now: float) -> None:
        """Sum up what is old enough. Raises ``DiskFull``, ``SimdiagError``."""
        with plainly(self._path), self._transaction():
            for narrow, wide, days in _KEEP:
                midnight = self._db.execute(_MIDNIGHT, (int(now), f"-{days} days")).fetchone()[0]
                old = {"narrow": narrow, "wide": wide, "before": midnight}
                self._db.execute(
                    f"""
                    INSERT INTO traffic
                    SELECT :wide, {bucket(wide)} AS start, label, sum(rx_bytes), sum(tx_bytes),
                        sum(rx_packets), sum(tx_packets)
                    FROM traffic WHERE span = :narrow AND traffic.start < :before
                    GROUP BY 2, label {_ADD}
                    """,  # noqa: S608
                    old,
                )
                self._db.execute(
                    "DELETE FROM traffic WHERE span = :narrow AND start < :before", old
                )

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            text = N_("another recorder is writing {path}: end it, or name another file with --db")
            raise SimdiagError(message(text, path=self._path)) from problem

    def _prepare(self) -> None:
        with plainly(self._path):
            # SQLite reads past much damage without a word, and would write beside it.
            if self._db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise damaged(self._path)
            schema.prepare(self._db, self._path)
            self._db.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._db):
                yield
        except BaseException:
            self._labels.clear()  # some may have been made just now
            raise

    def _link(self, link: Link) -> int:
        self._db.execute(
            "INSERT INTO link VALUES (NULL, ?, ?, ?, '', 0, 0, 0, 0, 0) ON CONFLICT (identity) "
            "DO UPDATE SET name = excluded.name, driver = excluded.driver",
            (link.identity, link.name, link.driver),
        )
        found = self._db.execute("SELECT id FROM link WHERE identity = ?", (link.identity,))
        return int(found.fetchone()[0])

    def _read_on(self, number: int, reading: Reading) -> Amount:
        boot, index, *counters = self._db.execute(
            "SELECT boot, interface, rx_bytes, tx_bytes, rx_packets, tx_packets FROM link "
            "WHERE id = ?",
            (number,),
        ).fetchone()
        self._db.execute(
            "UPDATE link SET boot = ?, interface = ?, rx_bytes = ?, tx_bytes = ?, rx_packets = ?, "
            "tx_packets = ? WHERE id = ?",
            (reading.boot, reading.index, *reading.counters.fields(), number),
        )
        return reading.since(Reading(boot, index, Amount(*counters)) if boot else None)

    def _label(self, link: int, label: Label) -> int:
        known = self._labels.get((link, label))
        if known is not None:
            return known
        owner = label.owner
        values = (
            link, label.method, owner.program, owner.user, owner.uid, owner.unit, owner.container,
            label.protocol, label.remote, label.state, owner.client,
        )  # fmt: skip
        self._db.execute(
            "INSERT OR IGNORE INTO label VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
        )
        found = self._db.execute(
            "SELECT id FROM label WHERE link = ? AND method = ? AND program = ? AND user = ? AND "
            "uid = ? AND unit = ? AND container = ? AND protocol = ? AND remote = ? AND state = ? "
            "AND client = ?",
            values,
        )
        number = self._labels[link, label] = int(found.fetchone()[0])
        return number


@contextmanager
def reading(
    path: Path, patience_s: float = BUSY_S, *, whole: bool = True
) -> Iterator[sqlite3.Connection]:
    """Open the database for reading only, as any user who may read the file.

    A recorder may write at the same time; ``patience_s`` is how long one that holds all of the file
    is waited for. The file is looked through first, unless it need not be ``whole``. Raises
    ``SimdiagError`` with a sentence, ``Damaged`` if that is what it is.
    """
    try:
        _refuse_strange(path)
        path.open("rb").close()
    except OSError as problem:
        raise _cannot(N_("{path} cannot be read: {why}"), path, problem) from problem
    with plainly(path), closing(connect_to_read(path, patience_s)) as database:
        schema.check(database, path)
        if whole:
            _check_whole(database, path)
        yield database


def _check_whole(database: sqlite3.Connection, path: Path) -> None:
    """Raise ``Damaged`` unless the file is whole: SQLite reads past much damage without a word.

    It takes 5 ms a megabyte; where it would take longer than ``_LOOK_S`` it is taken for whole.
    """
    state = _state(path)
    if _WHOLE.get(path) == state:
        return
    enough = threading.Timer(_LOOK_S, database.interrupt)
    enough.start()
    try:
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged(path)
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        enough.cancel()
        enough.join()
    _WHOLE[path] = state


_LOOK_S = 1.0
_WHOLE: dict[Path, tuple[int, ...]] = {}
"""In which state a file was found whole; one command reads it several times."""


def _state(path: Path) -> tuple[int, ...]:
    files = (path, path.with_name(path.name + "-wal"))
    found = (file.stat() for file in files if file.exists())
    return tuple(n for s in found for n in (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns))


def _refuse_strange(path: Path) -> None:
    """Refuse what would not be read but waited for, or acted upon: pipes and devices."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder's own error tells what it is
        raise schema.foreign(path)


def bucket(span: int) -> str:
    """Return the SQL for the Unix time at which the local hour or day of ``start`` began.

    An hour is told by the minutes that are gone of it: the hour that occurs twice, where clocks are
    put back, is two. A day whose first hour is left out begins an hour later.
    """
    if span == HOUR:
        return "traffic.start - 60 * strftime('%M', traffic.start, 'unixepoch', 'localtime')"
    day = "date(traffic.start, 'unixepoch', 'localtime')"
    midnight = f"CAST(strftime('%s', {day}, 'utc') AS INTEGER)"
    return f"{midnight} + 3600 * (date({midnight}, 'unixepoch', 'localtime') < {day})"


TOTAL = Label(Method.INTERFACE)


def _cannot(text: str, path: Path, problem: OSError) -> SimdiagError:
    why = message(problem.strerror or str(problem))
    return SimdiagError(message(text, path=path, why=why))
