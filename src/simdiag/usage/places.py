"""Where the database is unless the user says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from simdiag.files import state_folder

_NAME = "usage.db"
_BUDGET = "budget.json"
_COUNTERS = "counters.jsonl"
_OF_COMPUTER = Path("/var/lib/simdiag-usage") / _NAME


def for_recording() -> Path:
    """Return the computer's file for root, the user's own for others."""
    return _OF_COMPUTER if os.geteuid() == 0 else state_folder() / _NAME


def for_reading() -> Path:
    """Return the computer's file where there is one: it knows more; else the user's own."""
    return _OF_COMPUTER if _OF_COMPUTER.exists() else state_folder() / _NAME


def budget_for_writing(database: Path | None = None) -> Path:
    """Return the file of the budget: beside the database that is named, else beside one's own."""
    return (database or for_recording()).with_name(_BUDGET)


def budget_for_reading(database: Path | None = None) -> Path:
    """Return one's own budget where there is one, else the computer's."""
    own = budget_for_writing(database)
    return own if database or own.exists() else _OF_COMPUTER.with_name(_BUDGET)


def counters_for_writing(database: Path) -> Path:
    """Return the file for readings of a modem's counter: beside the database, or beside one's own.

    The computer's database is in a folder that only root may write.
    """
    beside = database.with_name(_COUNTERS)
    return beside if os.access(beside.parent, os.W_OK) else for_recording().with_name(_COUNTERS)


def counters_for_reading(database: Path) -> set[Path]:
    """Return the files in which readings of a modem's counter may be."""
    return {database.with_name(_COUNTERS), counters_for_writing(database)}
