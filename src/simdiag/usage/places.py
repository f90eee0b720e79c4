"""Where the database is unless the user says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "usage.db"
_OF_COMPUTER = Path("/var/lib/simdiag") / _NAME


def for_recording() -> Path:
    """Return the computer's file for root, the user's own for others."""
    return _OF_COMPUTER if os.geteuid() == 0 else _of_user()


def for_reading() -> Path:
    """Return the computer's file where there is one: it knows more; else the user's own."""
    return _OF_COMPUTER if _OF_COMPUTER.exists() else _of_user()


def _of_user() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "simdiag" / _NAME
