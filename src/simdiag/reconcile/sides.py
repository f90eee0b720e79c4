"""Collects what each side counted in a period."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from simdiag.evidence import Evidence
from simdiag.profile import CarrierProfile
from simdiag.reconcile.claim import Claim, read, typed
from simdiag.reconcile.compare import Sides
from simdiag.usage import budget as budgets
from simdiag.usage import ledger, links, places, readings
from simdiag.usage.budget import Standing
from simdiag.usage.readings import CounterReading
from simdiag.usage.records import By
from simdiag.usage.standing import standing
from simdiag.usage.totals import totals

_DAYS_BACK = 30 * 86400.0


def period(
    stored: budgets.Budget | None, since: float | None, until: float | None, now: float
) -> tuple[float, float]:
    """Return what is compared: up to now, from the begin of the plan's month or for 30 days.

    Raises ``SimdiagError`` where it would end before it begins.
    """
    end = min(now, until) if until is not None else now
    if since is None and stored is not None:
        since = stored.month(end)[0]
    begin = since if since is not None else end - _DAYS_BACK
    ledger.check_period(begin, end)
    return begin, end


def claim_of(amount: str | None, words: str | None, profile: CarrierProfile | None) -> Claim | None:
    """Return what the operator claims: an amount that was typed, or its own words."""
    if amount is not None:
        return typed(amount)
    if words is None:
        return None
    patterns = tuple(q.reply for q in profile.usage_queries) if profile else ()
    return read(words, patterns)


def identity(interfaces: Iterable[str], evidence: Evidence) -> str | None:
    """Return what tells a modem from others: its link's identity, else a hash of its number.

    The same modem is told by its link where it has one on this computer, as the recorder does.
    """
    for name in interfaces:
        found = links.find(name)
        if found is not None:
            return found.link.identity
    imei = evidence.value("device.imei")
    if imei is None:
        return None
    try:
        key = Path("/etc/machine-id").read_bytes()[:32]
    except OSError:
        key = b""
    return f"imei:{hashlib.blake2s(str(imei).encode(), key=key, digest_size=6).hexdigest()}"


def collect(
    path: Path,
    span: tuple[float, float],
    *,
    device: str | None = None,
    claim: Claim | None = None,
    alone: bool | None = None,
    stored: budgets.Budget | None = None,
) -> Sides:
    """Return the sides of a period, with the readings of the modem's counter that are kept.

    Where the database knows the ``device`` as a link, that alone counts; else all of it does.
    Raises ``SimdiagError``.
    """
    since, until = span
    link = device if device is not None and device in ledger.identities(path) else None
    kept = _readings(path, device) if device is not None else []
    grown = readings.growth(readings.within(kept, since, until))
    return Sides(
        since,
        until,
        totals(path, since, until, link),
        ledger.report(path, By.PROCESS, since, until, link),
        device=grown,
        device_host=totals(path, grown.since, grown.until, link) if grown else None,
        claim=claim,
        alone=alone,
        standing=_standing(path, stored, until, link),
    )


def _readings(path: Path, device: str) -> list[CounterReading]:
    files = places.counters_for_reading(path)
    found = {reading for file in files for reading in readings.read(file, device)}
    return sorted(found, key=lambda reading: reading.time)


def _standing(
    path: Path, stored: budgets.Budget | None, until: float, link: str | None
) -> Standing | None:
    return None if stored is None else standing(path, stored, until, link)
