"""The table of all cases, in DuckDB: groups with their trend, and Parquet for other engines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.triage.case import Case

_SPAN = "INTERVAL 7 DAY"
_SURE = 2.0
"""Standard deviations by which two weeks must differ before a group is called rising or falling."""
_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
_TYPES = {"examined": "TIMESTAMP", "confidence": "DOUBLE"}


class Key(StrEnum):
    """What cases may be grouped by."""

    CAUSE = "cause"
    ISSUER = "issuer"
    OPERATOR = "operator"
    CELL = "cell"
    DEVICE = "device"
    FIRMWARE = "firmware"
    SELLER = "seller"


class Trend(StrEnum):
    """How the last seven days compare with the seven before."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Group:
    """The cases that share a value. ``cards`` counts each card once; ``recent``: the last week."""

    value: str
    cases: int
    cards: int
    faults: int
    leading: str
    recent: int
    before: int

    @property
    def trend(self) -> Trend:
        """Compare the two weeks as two Poisson counts."""
        both = self.recent + self.before
        distance = (self.recent - self.before) / both**0.5 if both else 0.0
        if abs(distance) < _SURE:
            return Trend.STEADY
        return Trend.RISING if distance > 0 else Trend.FALLING


class Table:
    """All cases. Those after ``until`` are of a wrong clock, and say nothing of what is recent."""

    def __init__(self, cases: Iterable[Case], until: datetime = _ALWAYS) -> None:
        self._until = until.astimezone(UTC).replace(tzinfo=None)
        self._database = duckdb.connect(":memory:")
        types = {field.name: _TYPES.get(field.name, "VARCHAR") for field in fields(Case)}
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        self._database.execute(f"CREATE TABLE cases ({columns})")
        # column by column, for row by row is a thousand times slower
        values = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in types.values())
        rows = zip(*map(astuple, cases), strict=True)
        lists = [list(column) for column in rows] or [[] for _ in types]
        self._database.execute(f"INSERT INTO cases SELECT {values}", lists)

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM cases")[0][0])

    def groups(self, key: Key) -> list[Group]:
        """Return the groups by a key, the largest first; cases without a value are in none."""
        newest = "(SELECT max(examined) FROM cases WHERE examined <= $until)"
        return [
            Group(*row)
            for row in self._rows(
                f"""
                SELECT {key}, count(*) AS n, count(DISTINCT card),
                    count(*) FILTER (cause <> 'healthy'), mode(cause),
                    count(*) FILTER (examined <= {newest} AND examined > {newest} - {_SPAN}),
                    count(*) FILTER (examined <= {newest} - {_SPAN}
                        AND examined > {newest} - 2 * {_SPAN})
                FROM cases WHERE {key} IS NOT NULL GROUP BY {key} ORDER BY n DESC, {key}
                """,  # noqa: S608  # names of ours
                {"until": self._until},
            )
        ]

    def counts(self, value: str) -> list[tuple[str, str, int]]:
        """Return cause, value and number of cases; ``value`` is an SQL expression of ours."""
        return self._rows(f"""
            SELECT cause, {value} AS value, count(*) FROM cases
            WHERE value IS NOT NULL GROUP BY cause, value
        """)  # noqa: S608

    def cards_in_the_clear(self) -> list[tuple[str, str]]:
        """Return number and cause of the cards whose ICCID was revealed, each card once."""
        return self._rows("""
            SELECT iccid, arg_max(cause, examined) FROM cases
            WHERE regexp_full_match(iccid, '[0-9]{18,20}') GROUP BY iccid ORDER BY iccid
        """)

    def write_parquet(self, path: Path) -> None:
        """Write all cases; the same file is what a cluster's engine reads."""
        try:
            self._database.table("cases").write_parquet(str(path))
        except (duckdb.Error, OSError) as problem:
            text = N_("{file} cannot be written: {why}")
            why = str(problem).splitlines()[0][:200]
            raise SimdiagError(message(text, file=str(path), why=why)) from problem

    def _rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self._database.execute(sql, values).fetchall()
