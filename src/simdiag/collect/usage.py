"""What this computer's own counters tell of a device's link: who used how much of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from simdiag.discovery import UsbModem
from simdiag.errors import SimdiagError
from simdiag.evidence import Evidence, Observation, Source
from simdiag.sizes import size
from simdiag.usage import budget as budgets
from simdiag.usage import links, places, readings
from simdiag.usage.budget import Budget
from simdiag.usage.digest import Digest, digest

_PATIENCE_S = 0.2
"""An examination does not wait longer for this, then it goes without: it takes some 30 ms."""


def usage_observations(
    device: UsbModem, evidence: Evidence, path: Path | None = None
) -> list[Observation]:
    """Return ``usage.*`` where the traffic of the device's link is recorded.

    Programs by name and how much; no destinations. ``path`` is the database. What the modem's own
    counter showed is kept beside it, so that a period can be compared later. Whatever goes wrong
    here, there are no observations, and nothing is raised.
    """
    now = time.time()
    with suppress(SimdiagError, OSError):
        link = _link(device)
        if link is None:
            return []
        plan = _plan(path)
        since = plan.month(now)[0] if plan else None
        path = path or places.for_reading()
        found = digest(path, link, now, _PATIENCE_S, since)
        if found is not None:
            with suppress(SimdiagError):
                _keep_counter(evidence, link, path)
            return [_observation(name, value) for name, value in _values(found, plan)]
    return []


def _link(device: UsbModem) -> str | None:
    interfaces = (links.find(name) for name in device.network_interfaces)
    return next((found.link.identity for found in interfaces if found is not None), None)


def _plan(path: Path | None) -> Budget | None:
    with suppress(SimdiagError):
        return budgets.load(places.budget_for_reading(path))
    return None


def _keep_counter(evidence: Evidence, link: str, path: Path) -> None:
    reading = readings.of_modem(evidence, link, time.time())
    if reading is not None:
        readings.add(places.counters_for_writing(path), reading)


def _values(found: Digest, plan: Budget | None) -> Iterator[tuple[str, Any]]:
    yield "today_bytes", found.today
    yield "month_bytes", found.month
    yield "unattributed_bytes", found.unattributed
    yield "top_programs", [{"program": name, "bytes": octets} for name, octets in found.programs]
    if found.background_percent is not None:
        yield "background_percent", found.background_percent
    yield "method", found.method.value
    if plan is not None and found.plan is not None:
        yield "budget", plan.used(found.plan)


def _observation(name: str, value: Any) -> Observation:
    shown = size(value) if name.endswith("_bytes") else str(value)
    return Observation(f"usage.{name}", value, Source(-1, "", f"usage.{name}: {shown}"))
