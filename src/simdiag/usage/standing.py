"""How the stored plan stands, by what was recorded."""

from __future__ import annotations

from pathlib import Path

from simdiag.usage.budget import DAY_S, Budget, Standing, forecast
from simdiag.usage.records import By
from simdiag.usage.timeline import timeline, without_gaps
from simdiag.usage.totals import totals

_WEEKS_BACK = 28 * DAY_S


def standing(path: Path, budget: Budget, now: float, link: str | None = None) -> Standing:
    """Return how a plan stands at a Unix time. Raises ``SimdiagError``."""
    since, until = budget.month(now)
    used = totals(path, since, until, link).billed.high
    days = without_gaps(timeline(path, By.DAY, now - _WEEKS_BACK, now, link), By.DAY)
    # The first may have begun before the recording did, and the last is not over.
    whole = [piece.interface for piece in days[1:-1]]
    foreseen = forecast(used, budget.limit_bytes, whole, now, until)
    return Standing(budget, since, until, used, foreseen)
