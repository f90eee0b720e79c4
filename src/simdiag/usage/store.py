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
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from simdiag.database import BUSY_S, damaged, plainly, transaction
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.usage import schema
from simdiag.usage.records import Amount, Label, Link, Method, Reading

FIVE_MINUTES, HOUR, DAY = 300, 3600, 86400
_KEEP = ((FIVE_MINUTES, HOUR, 3), (HOUR, DAY, 62))
"""Which span is summed up into which, after how many days: an hourly plot of two bills back."""
_STARTS = {HOUR: "%Y-%m-%d %H:00:00", DAY: "%Y-%m-%d 00:00:00"}

_MIDNIGHT = """
SELECT CAST(strftime('%s', ?, 'unixepoch', 'localtime', 'start of day', ?, 'utc') AS INTEGER)
"""
_ADD = """
ON CONFLICT (span, start, label) DO UPDATE SET
    rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes,
    rx_packets = rx_packets + excluded.rx_packets, tx_packets = tx_packets + excluded.tx_packets
"""


class Store:
    """The database, open for the one recorder that may write it. A context manager.

    ``path`` is made, with its folder, where it does not exist. Raises ``SimdiagError`` with a
    sentence where the file is damaged, newer than this program, no such database, locked by
    another recorder, or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
def reading(path: Path, patience_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
    """Open the database for reading only, as any user who may read the file.

    A recorder may write at the same time; ``patience_s`` is how long one that holds all of the file
    is waited for. Raises ``SimdiagError`` with a sentence.
    """
    # Without a log beside it the file is complete. SQLite would want to make one all the same, and
    # in a folder of somebody else's it cannot.
    alone = not path.with_name(path.name + "-wal").exists()
    try:
        path.open("rb").close()
    except OSError as problem:
        raise _cannot(N_("{path} cannot be read: {why}"), path, problem) from problem
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    with plainly(path):
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}", uri=True, timeout=patience_s
        )
        with closing(database):
            schema.check(database, path)
            yield database


def bucket(span: int) -> str:
    """Return the SQL for the Unix time at which the local hour or day of ``start`` began."""
    local = f"strftime('{_STARTS[span]}', traffic.start, 'unixepoch', 'localtime')"
    return f"CAST(strftime('%s', {local}, 'utc') AS INTEGER)"


TOTAL = Label(Method.INTERFACE)


def _cannot(text: str, path: Path, problem: OSError) -> SimdiagError:
    why = message(problem.strerror or str(problem))
    return SimdiagError(message(text, path=path, why=why))
