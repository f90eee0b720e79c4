"""Traffic over time: by hour or by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simdiag.database import plainly
from simdiag.usage.ledger import EVER, groups
from simdiag.usage.records import By
from simdiag.usage.store import FIVE_MINUTES, reading

_MOST = 4000


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes of one hour or day, which began at ``start`` (Unix time), both directions.

    ``background`` is a part of ``local``, this computer's programs; ``interface`` is everything.
    """

    start: float
    local: int = 0
    background: int = 0
    forwarded: int = 0
    interface: int = 0


def timeline(
    path: Path,
    by: By,
    since: float | None = None,
    until: float | None = None,
    link: str | None = None,
) -> tuple[Slice, ...]:
    """Return the hours or days (``by``) of a period in which there was traffic, earliest first.

    The arguments are those of :func:`report`. Raises ``SimdiagError`` with a sentence.
    """
    first = since // FIVE_MINUTES * FIVE_MINUTES if since is not None else 0
    with reading(path) as database, plainly(path):
        parts = groups(database, by, (first, until if until is not None else EVER), link)
    found: dict[float, dict[str, int]] = {}
    for row, kind in parts:
        if kind != "ownerless":
            sums = found.setdefault(row.key["start"], {})
            sums[kind] = sums.get(kind, 0) + row.bytes
            if kind == "local":
                sums["background"] = sums.get("background", 0) + row.background_bytes
    return tuple(Slice(start, **sums) for start, sums in sorted(found.items()))


def without_gaps(slices: Sequence[Slice], by: By) -> list[Slice]:
    """Return the hours or days with those between them in which there was nothing.

    Days are told by the calendar, so that the one with 23 or 25 hours is one day; hours by what
    has passed, so that one that is left out is none, and one that occurs twice is two.
    """
    if not slices:
        return []
    found = [slices[0]]
    for known in slices[1:]:
        while (moment := _next(found[-1].start, by)) < known.start and len(found) < _MOST:
            found.append(Slice(moment))
        found.append(known)
    return found


def _next(moment: float, by: By) -> float:
    return _next_day(moment) if by is By.DAY else moment + 3600


def _next_day(moment: float) -> float:
    day = datetime.fromtimestamp(moment + 36 * 3600)  # noqa: DTZ006 - local, into the next day
    return day.replace(hour=0, minute=0, second=0, microsecond=0).astimezone().timestamp()
