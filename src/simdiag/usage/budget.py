"""How much data the plan holds, when it begins anew, how far it is used, how long it will last."""

from __future__ import annotations

import calendar
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simdiag.errors import SimdiagError
from simdiag.files import write_whole
from simdiag.message import N_, message

THRESHOLDS = (50, 80, 100)
DAY_S = 86400.0
_FEW_DAYS = 3
"""With fewer days than this nothing is foretold."""
_SPREAD = 1.6
"""Standard errors to both sides of the mean: nine of ten months lie between."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A plan: bytes a month, the day of the month on which it begins anew (31: the last day).

    ``thresholds`` are per cent that are worth a warning. ``zone`` is the operator's time zone (IANA
    name), empty for this computer's.
    """

    limit_bytes: int
    reset_day: int = 1
    thresholds: tuple[int, ...] = THRESHOLDS
    zone: str = ""

    def __post_init__(self) -> None:
        sane = 0 < self.limit_bytes < 1 << 60 and 1 <= self.reset_day <= 31
        if not sane or not all(0 < mark <= 1000 for mark in self.thresholds):
            raise ValueError("not a budget")

    def month(self, now: float) -> tuple[float, float]:
        """Return the begin and the end of the plan's month around a Unix time."""
        return billing_month(now, self.reset_day, zone_of(self.zone))

    def used(self, octets: int) -> dict[str, int]:
        """Return how much of it so many bytes are: what a rule has to know, as it reads it."""
        percent = 100 * octets // self.limit_bytes
        return {"percent": percent, "used_bytes": octets, "limit_bytes": self.limit_bytes}


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the plan is used up if all goes on as in the last weeks: between two Unix times.

    ``None`` stands for not before the plan begins anew; ``daily`` is the mean use in bytes.
    """

    earliest: float | None
    latest: float | None
    daily: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a plan stands: its month (Unix times), what is used, and what is foreseen."""

    budget: Budget
    since: float
    until: float
    used_bytes: int
    forecast: Forecast | None

    @property
    def percent(self) -> int:
        """Return how much of the plan is used, in whole per cent, rounded down."""
        return self.budget.used(self.used_bytes)["percent"]

    @property
    def reached(self) -> int | None:
        """Return the highest threshold that is reached."""
        marks = [mark for mark in self.budget.thresholds if self.percent >= mark]
        return max(marks, default=None)

    @property
    def ends_early(self) -> bool:
        """Whether the plan is used up, or will be before it begins anew even on quiet days."""
        foretold = self.forecast is not None and self.forecast.latest is not None
        return self.percent >= 100 or foretold


def zone_of(name: str) -> ZoneInfo | None:
    """Return a time zone; ``None``, this computer's, for an empty name. Raises ``SimdiagError``."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as problem:
        text = N_("there is no time zone {name}: write one such as Asia/Shanghai")
        raise SimdiagError(message(text, name=ascii(name[:40]))) from problem


def billing_month(now: float, reset_day: int, zone: ZoneInfo | None = None) -> tuple[float, float]:
    """Return the begin and the end of the plan's month around a Unix time.

    It begins at midnight of the reset day or, in a month too short for that, of its last day.
    """
    today = datetime.fromtimestamp(now, zone)
    begin = _reset(today.year, today.month, reset_day, zone)
    if now < begin:
        last = _month_on(today.year, today.month, -1)
        return _reset(*last, reset_day, zone), begin
    return begin, _reset(*_month_on(today.year, today.month, 1), reset_day, zone)


def _month_on(year: int, month: int, step: int) -> tuple[int, int]:
    count = year * 12 + month - 1 + step
    return count // 12, count % 12 + 1


def _reset(year: int, month: int, day: int, zone: ZoneInfo | None) -> float:
    last = calendar.monthrange(year, month)[1]
    # Without a zone this is local time by the rules of that day, summer time included.
    return datetime(year, month, min(day, last), tzinfo=zone).timestamp()


def forecast(
    used: int, limit: int, days: Sequence[int], now: float, until: float
) -> Forecast | None:
    """Return when ``limit`` bytes are used up; ``days`` are the bytes of whole days before.

    ``None`` where too few days are known.
    """
    if len(days) < _FEW_DAYS:
        return None
    daily = statistics.fmean(days)
    margin = _SPREAD * statistics.stdev(days) / len(days) ** 0.5
    left = max(0, limit - used)

    def ends(rate: float) -> float | None:
        if left and rate <= 0:
            return None
        moment = now + (left / rate * DAY_S if left else 0.0)
        return moment if moment < until else None

    return Forecast(ends(daily + margin), ends(daily - margin), daily)


# ---- where it is kept --------------------------------------------------------------------
def save(path: Path, budget: Budget) -> None:
    """Write a budget. Raises ``SimdiagError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(asdict(budget)) + "\n")
    except OSError as problem:
        raise _cannot(N_("{path} cannot be written: {why}"), path, problem) from problem


def load(path: Path) -> Budget | None:
    """Read a budget, ``None`` where there is no file. Raises ``SimdiagError``."""
    try:
        entry = json.loads(path.read_text("utf-8"))
        return Budget(
            int(entry["limit_bytes"]), int(entry["reset_day"]),
            tuple(int(mark) for mark in entry["thresholds"]), str(entry["zone"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise _cannot(N_("{path} cannot be read: {why}"), path, problem) from problem
    except (ValueError, KeyError, TypeError) as problem:
        text = N_("{path} holds no budget: set it anew, `simdiag usage budget 30GB --reset-day 1`")
        raise SimdiagError(message(text, path=path)) from problem


def remove(path: Path) -> bool:
    """Remove a stored budget; returns whether there was one. Raises ``SimdiagError``."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise _cannot(N_("{path} cannot be written: {why}"), path, problem) from problem
    return True


def _cannot(text: str, path: Path, problem: OSError) -> SimdiagError:
    return SimdiagError(message(text, path=path, why=message(problem.strerror or str(problem))))
