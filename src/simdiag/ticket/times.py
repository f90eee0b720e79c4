"""Moments as people type them and desks need them: never without a zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from simdiag.errors import SimdiagError
from simdiag.message import N_, message

_SPAN = re.compile(r"\s*(?:\.\.|…|–|~|\bto\b|至|到)\s*")
_FROM_NOW = re.compile(r"\+?(\d{1,4})\s*([hdw])", re.IGNORECASE)
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
_END_OF_DAY = time(23, 59)
_Day = TypeVar("_Day", bound=date)
_YEARS = range(1990, 2200)
"""Before and after, nobody reports a fault; and arithmetic with the calendar's ends fails."""


def shown(moment: datetime) -> str:
    """Return a moment with its zone: ``2026-11-22 14:30 +0800``."""
    return f"{moment:%Y-%m-%d %H:%M %z}"


def period(text: str, now: datetime) -> str:
    """Return a time, a day or a span of them (``10-01 .. 10-15``) with the zone in it.

    Raises ``SimdiagError`` with a sentence where the text names none.
    """
    begin, *rest = _SPAN.split(text.strip(), maxsplit=1)
    return " – ".join(_written(part, now) for part in (begin, *rest))


def deadline(text: str, now: datetime) -> datetime:
    """Return by when: a day (its end), a time, or ``48h``, ``3d``, ``2w`` from now."""
    if found := _FROM_NOW.fullmatch(text.strip()):
        return now + timedelta(hours=int(found[1]) * _HOURS[found[2].lower()])
    read = _read(text, now, ahead=True)
    return read if isinstance(read, datetime) else _local(read, _END_OF_DAY, now)


def day(text: str, now: datetime) -> date:
    """Return a day."""
    read = _read(text, now)
    return read.date() if isinstance(read, datetime) else read


def _written(text: str, now: datetime) -> str:
    read = _read(text, now)
    if isinstance(read, datetime):
        return shown(read)
    return f"{read} ({_local(read, time(), now):%z})"


def _read(text: str, now: datetime, *, ahead: bool = False) -> date | datetime:
    """Return a day, or a time of this computer's zone unless it names another.

    A day without its year is the last one, or the next one where that is meant (``ahead``).
    """
    text = " ".join(text.split())
    if text.lower() in ("now", "today"):
        return now if text.lower() == "now" else now.date()
    if re.fullmatch(r"\d{1,2}:\d\d", text):
        text = f"{now.date()} {text.rjust(5, '0')}"
    if re.match(r"\d\d-\d\d(?!\d)", text):
        today = f"{now:%m-%d}"
        year = now.year + (text[:5] < today if ahead else -(text[:5] > today))
        text = f"{year}-{text}"
    text = re.sub(r"\s+([+-]\d\d:?\d\d|Z)$", r"\1", text)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return _sensible(date.fromisoformat(text))
        read = _sensible(datetime.fromisoformat(text))
        return read if read.tzinfo else _local(read.date(), read.time(), now)
    except (ValueError, OverflowError) as problem:
        what = N_(
            "{value} is no day or time: write 2026-10-01, 2026-10-01 14:30, 14:30, now, "
            "or a span such as 2026-10-01 .. 2026-10-15"
        )
        raise SimdiagError(message(what, value=ascii(text[:60]))) from problem


def _sensible(read: _Day) -> _Day:
    if read.year not in _YEARS:
        raise ValueError(read.year)
    return read


def _local(on: date, at: time, now: datetime) -> datetime:
    """Return a time of this computer's zone, as it was or will be that day."""
    try:
        return datetime.combine(on, at).astimezone()
    except (OverflowError, OSError, ValueError):  # the year 1 or 9999
        return datetime.combine(on, at, now.tzinfo)
