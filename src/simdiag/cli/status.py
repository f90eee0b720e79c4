"""Exit statuses: the one table from results to what the shell sees."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Status(enum.IntEnum):
    """What the exit status says."""

    OK = 0
    FAULT = 1
    USAGE = 2
    INCONCLUSIVE = 3
    NOT_EXAMINED = 4


_NOT_EXAMINED = {"no_modem_found", "port_busy", "port_denied", "device_removed"}


def of_cause(cause: str) -> Status:
    """Return the status for one diagnosis."""
    if cause == "healthy":
        return Status.OK
    if cause == "inconclusive":
        return Status.INCONCLUSIVE
    return Status.NOT_EXAMINED if cause in _NOT_EXAMINED else Status.FAULT


def worst(statuses: Iterable[Status]) -> Status:
    """Return the status for several: a fault first, then what could not be examined."""
    order = (Status.FAULT, Status.NOT_EXAMINED, Status.INCONCLUSIVE)
    found = set(statuses)
    return next((s for s in order if s in found), Status.OK)
