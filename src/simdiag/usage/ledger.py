"""Reads the database: who used how much, and what nobody can be named for.

For any period and direction: rows + forwarded + unattributed = interface. ``unattributed`` may be a
little below zero over seconds, since rows and interface are not read at the same instant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simdiag.database import plainly
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.usage.records import NOBODY, Amount, By, Method, Remote, State
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, bucket, reading

_KEYS = {
    By.PROCESS: {"program": "program", "user": "user", "unit": "unit", "container": "container"},
    By.UNIT: {"unit": "unit", "container": "container"},
    By.USER: {"user": "user"},
    By.CLIENT: {"client": "client"},
    By.REMOTE: {"remote": "remote"},
    By.PROTOCOL: {"protocol": "protocol"},
    By.DAY: {"start": "piece.bucket"},
    By.HOUR: {"start": "piece.bucket"},
}
"""What identifies a row: its name, and the SQL for it."""
_PIECES = {
    by: f"""
        JOIN (
            SELECT start, {bucket(span)} AS bucket
            FROM (SELECT DISTINCT start FROM traffic) AS traffic
        ) AS piece ON piece.start = traffic.start
    """  # noqa: S608
    for by, span in ((By.DAY, DAY), (By.HOUR, HOUR))
}
"""SQL for the hour or day to which a start belongs, told once for each."""
KIND = f"""
    CASE WHEN method = '{Method.INTERFACE}' THEN 'interface' WHEN client != '' THEN 'forwarded'
    WHEN uid = {NOBODY.uid} THEN 'ownerless' ELSE 'local' END
"""
"""SQL for what a label is a part of: the total, this computer's programs, others, nobody."""
_PARTS = {
    "foreground_bytes": f"state = '{State.FOREGROUND}'",
    "background_bytes": f"state = '{State.BACKGROUND}'",
    "local_bytes": f"remote = '{Remote.LOCAL}'",
    "device_bytes": f"remote = '{Remote.DEVICE}'",
    "internet_bytes": f"remote = '{Remote.INTERNET}'",
    "tcp_bytes": "protocol = 'tcp'",
    "udp_bytes": "protocol = 'udp'",
}
"""What is told of a row's bytes, by name, and the SQL for it."""
PARTS = tuple(_PARTS)
_QUARTER = 900
EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Row:
    """Traffic of one program, unit, user, client, remote class, protocol, day or hour.

    ``key`` says which: texts, or ``start`` as Unix time. The rest are parts of its bytes, of both
    directions; what is in none of a group is not known, or something else. ``foreground_bytes`` and
    ``background_bytes`` are an estimate. ``device_bytes`` went to the device itself (its own page,
    name look-ups), ``local_bytes`` to others on the link, ``internet_bytes`` over the air.
    ``udp_bytes`` are those of QUIC too.
    """

    key: dict[str, Any]
    method: Method
    amount: Amount
    foreground_bytes: int
    background_bytes: int
    local_bytes: int
    device_bytes: int = 0
    internet_bytes: int = 0
    tcp_bytes: int = 0
    udp_bytes: int = 0

    @property
    def bytes(self) -> int:
        """Return both directions together."""
        return self.amount.rx_bytes + self.amount.tx_bytes

    @property
    def unbilled_bytes(self) -> int:
        """Return what did not go over the air, so that no operator counts it."""
        return self.device_bytes + self.local_bytes


@dataclass(frozen=True, slots=True)
class Report:
    """The traffic of a period (Unix times; ``None`` is open), biggest row or earliest time first.

    ``local`` is what this computer's programs used, the rows but for those by client, and
    ``local_method`` its least exact method. ``forwarded`` is what went to and came from other
    devices, ``None`` where none was counted. ``ownerless`` is the part of ``unattributed`` that the
    kernel counted for no process: its own replies, and sockets it could not look at.
    ``device_bytes`` and ``local_bytes`` are what did not go over the air (see :class:`Row`), of all
    that was counted. ``losses`` says what could not be filed, by name. ``damaged`` is whether the
    file is, and this what could still be read of it.
    """

    by: By
    since: float | None
    until: float | None
    links: tuple[str, ...]
    interface: Amount = field(default_factory=Amount)
    rows: tuple[Row, ...] = ()
    local: Amount = field(default_factory=Amount)
    local_method: Method = Method.INTERFACE
    forwarded: Amount | None = None
    ownerless: Amount = field(default_factory=Amount)
    losses: dict[str, int] = field(default_factory=dict)
    device_bytes: int = 0
    local_bytes: int = 0
    damaged: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names in each row's key."""
        return tuple(_KEYS[self.by])

    @property
    def unattributed(self) -> Amount:
        """Return what the interface carried beyond this computer's programs and other devices."""
        return self.interface - self.local - (self.forwarded or Amount())

    @property
    def method(self) -> Method:
        """Return the least exact method of all rows."""
        return _least_exact(row.method for row in self.rows)

    def share(self, name: str) -> int | None:
        """Return ``foreground_bytes`` or ``background_bytes`` in per cent of all rows, if any."""
        whole = sum(row.bytes for row in self.rows)
        return round(100 * sum(getattr(row, name) for row in self.rows) / whole) if whole else None


def identities(path: Path) -> set[str]:
    """Return the identities of the links that were recorded. Raises ``SimdiagError``."""
    with reading(path) as database, plainly(path):
        return {identity for (identity,) in database.execute("SELECT identity FROM link")}


def check_interface(path: Path, name: str) -> None:
    """Raise ``SimdiagError``, naming those that were, unless an interface was recorded."""
    with reading(path) as database, plainly(path):
        names = [found for (found,) in database.execute("SELECT DISTINCT name FROM link")]
    if name not in names:
        text = N_("{name} was not recorded, but {names}")
        if not names:
            text = N_("{name} was not recorded, nor was any other interface")
        raise SimdiagError(message(text, name=name, names=", ".join(names)))


def report(
    path: Path,
    by: By,
    since: float | None = None,
    until: float | None = None,
    link: str | None = None,
) -> Report:
    """Return what was recorded from ``since`` up to, not including, ``until`` (Unix times).

    What is stored as one, five minutes or, of older times, an hour or a day, belongs to the period
    in which it begins; ``since`` is taken for the begin of its five minutes. ``link`` is the
    identity of the only link that counts, or the name of the only interface: a name has no colon,
    an identity has. Raises ``SimdiagError`` with a sentence.
    """
    first = since // FIVE_MINUTES * FIVE_MINUTES if since is not None else 0
    period = (first, until if until is not None else EVER)
    with reading(path) as database, plainly(path):
        links = database.execute(
            "SELECT name FROM link WHERE ?1 IS NULL OR ?1 IN (identity, name) ORDER BY id", (link,)
        ).fetchall()
        losses = database.execute(
            "SELECT what, sum(amount) FROM loss WHERE start >= ? AND start < ? GROUP BY what",
            period,
        ).fetchall()
        parts = groups(database, by, period, link)
    rows: list[Row] = []
    sums = dict.fromkeys(("interface", "local", "forwarded", "ownerless"), Amount())
    for row, kind in parts:
        sums[kind] += row.amount
        if kind == ("forwarded" if by is By.CLIENT else "local"):
            rows.append(row)
    if by in _PIECES:
        rows.sort(key=lambda row: row.key["start"])
    else:
        rows.sort(key=lambda row: row.bytes, reverse=True)
    return Report(
        by, since, until, tuple(dict.fromkeys(name for (name,) in links)), sums["interface"],
        tuple(rows), sums["local"],
        _least_exact(row.method for row, kind in parts if kind == "local"),
        sums["forwarded"] if any(kind == "forwarded" for _, kind in parts) else None,
        sums["ownerless"], dict(losses), sum(row.device_bytes for row, _ in parts),
        sum(row.local_bytes for row, _ in parts),
    )  # fmt: skip


def check_period(since: float | None, until: float | None) -> None:
    """Raise ``SimdiagError`` where a period (Unix times) would end before it begins."""
    if since is not None and until is not None and since >= until:
        raise SimdiagError(N_("the period ends before it begins: look at --since and --until"))


def _least_exact(methods: Iterable[Method]) -> Method:
    order = list(Method)
    return max(methods, key=order.index, default=Method.INTERFACE)


def groups(
    database: sqlite3.Connection, by: By, period: tuple[float, float], link: str | None
) -> list[tuple[Row, str]]:
    """Return the sums by key and method, each with what it is: the kinds of :func:`report`."""
    keys, parts = _KEYS[by], _PARTS.values()
    both = "traffic.rx_bytes + traffic.tx_bytes"
    # First by label and quarter of an hour, which is where hours begin in every time zone: joining
    # row by row would take most of the time, and so would telling the local time of each.
    sql = f"""
        WITH traffic AS (
            SELECT label, start - start % {_QUARTER} AS start,
                sum(rx_bytes) AS rx_bytes, sum(tx_bytes) AS tx_bytes,
                sum(rx_packets) AS rx_packets, sum(tx_packets) AS tx_packets
            FROM main.traffic
            WHERE span IN ({FIVE_MINUTES}, {HOUR}, {DAY}) AND start >= ? AND start < ?
            GROUP BY label{f", start / {_QUARTER}" if by in _PIECES else ""}
        )
        SELECT method, {KIND} AS kind,
            sum(rx_bytes), sum(tx_bytes), sum(rx_packets), sum(tx_packets),
            {", ".join(f"sum(CASE WHEN {is_it} THEN {both} ELSE 0 END)" for is_it in parts)},
            {", ".join(keys.values())}
        FROM traffic JOIN label ON label.id = traffic.label {_PIECES.get(by, "")}
        WHERE ? IS NULL OR link IN (SELECT id FROM link WHERE ? IN (identity, name))
        GROUP BY method, kind, {", ".join(keys.values())}
    """  # noqa: S608
    found = []
    for method, kind, rx, tx, rx_packets, tx_packets, *sums in database.execute(
        sql, (*period, link, link)
    ):
        amount = Amount(rx, tx, rx_packets, tx_packets)
        key = dict(zip(keys, sums[len(PARTS) :], strict=True))
        known = dict(zip(PARTS, sums, strict=False))
        found.append((Row(key, Method(method), amount, **known), kind))
    return found
