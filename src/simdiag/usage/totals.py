"""A period's totals with both its bounds, and whether all of it was recorded.

What is stored stands for five minutes, an hour or a day. Where such a piece reaches over an edge of
the period, part of it belongs to the period, and nobody knows which: so there is a sum of what lies
within for certain, and one of all that may.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from simdiag.database import plainly
from simdiag.sizes import Range
from simdiag.usage.ledger import KIND
from simdiag.usage.records import Remote
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, reading

KINDS = ("interface", "local", "forwarded", "ownerless")


@dataclass(frozen=True, slots=True)
class Totals:
    """Bytes of both directions, by kind (see :data:`KINDS`).

    ``unbilled`` went to the device itself or to others on the link; ``background`` is a part of
    ``local``, and so is ``foreground``. ``recorded_percent`` is how much of the period a recorder
    was running, ``first`` when the first of them began (Unix time, ``None``: none was).
    """

    sums: dict[str, Range] = field(default_factory=dict)
    unbilled: Range = field(default=Range(0, 0))
    background: int = 0
    foreground: int = 0
    packets: int = 0
    recorded_percent: int = 0
    first: float | None = None

    @property
    def billed(self) -> Range:
        """Return what went over the air."""
        whole = self.sums.get("interface", Range(0, 0))
        return Range.of(whole.low - self.unbilled.high, whole.high - self.unbilled.low)


def totals(path: Path, since: float, until: float, link: str | None = None) -> Totals:
    """Return the totals from ``since`` up to ``until`` (Unix times), of one link or of all.

    Raises ``SimdiagError`` with a sentence.
    """
    with reading(path) as database, plainly(path):
        rows = database.execute(_SUMS, {"since": since, "until": until, "link": link}).fetchall()
        recorded, first = _recorded(database, since, until, link)
    sums = {kind: Range(low, high) for kind, low, high, *_ in rows}
    rest = [sum(column) for column in list(zip(*rows, strict=True))[3:]] or [0] * 4
    packets = next((row[7] for row in rows if row[0] == "interface"), 0)
    return Totals(sums, Range(rest[0], rest[1]), rest[2], rest[3], packets, recorded, first)


_BYTES = "traffic.rx_bytes + traffic.tx_bytes"
_WITHIN = "traffic.start >= :since AND traffic.start + span <= :until"
_NOT_BILLED = f"remote IN ('{Remote.LOCAL}', '{Remote.DEVICE}')"
_SUMS = f"""
    SELECT {KIND} AS kind,
        sum(CASE WHEN {_WITHIN} THEN {_BYTES} ELSE 0 END), sum({_BYTES}),
        sum(CASE WHEN {_NOT_BILLED} AND {_WITHIN} THEN {_BYTES} ELSE 0 END),
        sum(CASE WHEN {_NOT_BILLED} THEN {_BYTES} ELSE 0 END),
        sum(CASE WHEN state = 'background' THEN {_BYTES} ELSE 0 END),
        sum(CASE WHEN state = 'foreground' THEN {_BYTES} ELSE 0 END),
        sum(rx_packets + tx_packets)
    FROM traffic JOIN label ON label.id = traffic.label
    WHERE span IN ({FIVE_MINUTES}, {HOUR}, {DAY})
        AND traffic.start < :until AND traffic.start > :since - {DAY}  -- for the index
        AND traffic.start + span > :since
        AND (:link IS NULL OR link IN (SELECT id FROM link WHERE identity = :link))
    GROUP BY kind
"""  # noqa: S608


def _recorded(
    database: sqlite3.Connection, since: float, until: float, link: str | None
) -> tuple[int, float | None]:
    """Return how much of a period was recorded, in per cent, and from when on (Unix time)."""
    runs = database.execute(_RUNS, {"since": since, "until": until, "link": link}).fetchall()
    reached, covered = since, 0.0
    for start, end in runs:
        covered += max(0.0, min(end, until) - max(start, reached))
        reached = max(reached, end)
    percent = round(100 * min(1.0, covered / (until - since))) if until > since else 0
    return percent, min((start for start, _ in runs), default=None)


_RUNS = """
    SELECT start, until FROM recording WHERE start < :until AND until > :since
        AND (:link IS NULL OR link IN (SELECT id FROM link WHERE identity = :link))
    ORDER BY start
"""
