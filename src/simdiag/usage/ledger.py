"""Reads the database: who used how much, and what nobody can be named for.

For any period and direction: rows + unattributed = interface. ``unattributed`` may be a little
below zero over seconds, since rows and interface are not read at the same instant.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simdiag.usage.records import NOBODY, Amount, By, Method, Remote, State, total
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, bucket, plainly, reading

_KEYS = {
    By.PROCESS: {"program": "program", "user": "user", "unit": "unit", "container": "container"},
    By.UNIT: {"unit": "unit", "container": "container"},
    By.USER: {"user": "user"},
    By.DAY: {"start": bucket(DAY)},
    By.HOUR: {"start": bucket(HOUR)},
}
"""What identifies a row: its name, and the SQL for it."""
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class Row:
    """Traffic of one program, unit, user, day or hour.

    ``key`` says which: texts, or ``start`` as Unix time. ``foreground_bytes`` and
    ``background_bytes`` are an estimate; what is in neither is not known. ``unbilled_bytes`` went
    to the device itself or to others on the link, not over the air.
    """

    key: dict[str, Any]
    method: Method
    amount: Amount
    foreground_bytes: int
    background_bytes: int
    unbilled_bytes: int

    @property
    def bytes(self) -> int:
        """Return both directions together."""
        return self.amount.rx_bytes + self.amount.tx_bytes


@dataclass(frozen=True, slots=True)
class Report:
    """The traffic of a period (Unix times; ``None`` is open), biggest row or earliest time first.

    ``ownerless`` is the part of ``unattributed`` that the kernel counted for no process: its own
    replies, and sockets it could not look at. ``losses`` says what could not be filed, by name.
    """

    by: By
    since: float | None
    until: float | None
    links: tuple[str, ...]
    interface: Amount = field(default_factory=Amount)
    rows: tuple[Row, ...] = ()
    ownerless: Amount = field(default_factory=Amount)
    losses: dict[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names in each row's key."""
        return tuple(_KEYS[self.by])

    @property
    def unattributed(self) -> Amount:
        """Return what the interface carried beyond the rows."""
        return self.interface - total(row.amount for row in self.rows)

    @property
    def method(self) -> Method:
        """Return the least exact method of all rows."""
        order = list(Method)
        return max((row.method for row in self.rows), key=order.index, default=Method.INTERFACE)


def report(path: Path, by: By, since: float | None = None, until: float | None = None) -> Report:
    """Return what was recorded from ``since`` up to, not including, ``until`` (Unix times).

    What is stored as one, five minutes or, of older times, an hour or a day, belongs to the period
    in which it begins; ``since`` is taken for the begin of its five minutes. Raises
    ``SimdiagError`` with a sentence.
    """
    first = since // FIVE_MINUTES * FIVE_MINUTES if since is not None else 0
    period = (first, until if until is not None else 1 << 62)
    with reading(path) as database, plainly(path):
        links = database.execute("SELECT name FROM link ORDER BY id").fetchall()
        losses = database.execute(
            "SELECT what, sum(amount) FROM loss WHERE start >= ? AND start < ? GROUP BY what",
            period,
        ).fetchall()
        groups = _groups(database, by, period)
    rows, ownerless, interface = [], Amount(), Amount()
    for row, uid in groups:
        if row.method is Method.INTERFACE:
            interface += row.amount
        elif uid == NOBODY.uid:
            ownerless += row.amount
        else:
            rows.append(row)
    if by in (By.DAY, By.HOUR):
        rows.sort(key=lambda row: row.key["start"])
    else:
        rows.sort(key=lambda row: row.bytes, reverse=True)
    names = tuple(dict.fromkeys(name for (name,) in links))
    return Report(by, since, until, names, interface, tuple(rows), ownerless, dict(losses))


def _groups(
    database: sqlite3.Connection, by: By, period: tuple[float, float]
) -> list[tuple[Row, int]]:
    """Return the sums by key and method, each with whether it has an owner (uid -1: none)."""
    keys = _KEYS[by]
    both = "traffic.rx_bytes + traffic.tx_bytes"
    # First by label and quarter of an hour, which is where hours begin in every time zone: joining
    # and telling the local time row by row would take most of the time.
    sql = f"""
        WITH traffic AS (
            SELECT label, start - start % {_QUARTER} AS start,
                sum(rx_bytes) AS rx_bytes, sum(tx_bytes) AS tx_bytes,
                sum(rx_packets) AS rx_packets, sum(tx_packets) AS tx_packets
            FROM main.traffic
            WHERE span IN ({FIVE_MINUTES}, {HOUR}, {DAY}) AND start >= ? AND start < ?
            GROUP BY label{f", start / {_QUARTER}" if by in (By.DAY, By.HOUR) else ""}
        )
        SELECT method, max(uid, {NOBODY.uid}) AS owner,
            sum(rx_bytes), sum(tx_bytes), sum(rx_packets), sum(tx_packets),
            sum(CASE state WHEN '{State.FOREGROUND}' THEN {both} ELSE 0 END),
            sum(CASE state WHEN '{State.BACKGROUND}' THEN {both} ELSE 0 END),
            sum(CASE WHEN remote IN ('{Remote.LOCAL}', '{Remote.DEVICE}') THEN {both} ELSE 0 END),
            {", ".join(keys.values())}
        FROM traffic JOIN label ON label.id = traffic.label
        GROUP BY method, min(uid, 0), {", ".join(keys.values())}
    """  # noqa: S608
    found = []
    for method, uid, rx, tx, rx_packets, tx_packets, *sums in database.execute(sql, period):
        amount = Amount(rx, tx, rx_packets, tx_packets)
        key = dict(zip(keys, sums[3:], strict=True))
        found.append((Row(key, Method(method), amount, *sums[:3]), uid))
    return found
