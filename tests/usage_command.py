"""``simdiag usage`` as users run it, and a month of recorded usage for it to read."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from simdiag.usage.records import Amount, Label, Link, Method, Owner, Reading, State
from simdiag.usage.store import Store

OCTOBER = datetime(2026, 10, 1).astimezone().timestamp()


def simdiag(
    *words: str | Path, home: Path | None = None, **surroundings: str
) -> subprocess.CompletedProcess[str]:
    """Run ``simdiag usage WORDS`` with nobody at the keyboard; in English unless told otherwise.

    ``home`` holds the user's settings.
    """
    surroundings |= {"XDG_CONFIG_HOME": str(home)} if home else {}
    return subprocess.run(
        [sys.executable, "-m", "simdiag", "usage", *map(str, words)],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env=os.environ | {"LANGUAGE": "en", "COLUMNS": "100"} | surroundings,
    )  # fmt: skip


def october(folder: Path, channel: str, address: str) -> Path:
    """Write 12 GB in 30 days to a database, whose path is returned, nearly all of it firefox's.

    ``folder`` then also holds the settings of a user whose operator, with the profile ``mine``,
    is asked over ``channel`` at ``address``.
    """
    profiles = folder / "simdiag/profiles"
    profiles.mkdir(parents=True)
    (profiles / "mine.toml").write_text(
        'id = "mine"\nname = { en = "Mine" }\n[[usage_queries]]\n'
        f'channel = "{channel}"\naddress = "{address}"\nsource = "a test"\n'
        + ('text = "CXLL"\n' if channel == "sms" else "")
    )
    path, link = folder / "usage.db", Link("usb:1", "wwan0", "cdc_ether")
    firefox = Label(Method.KERNEL, Owner("firefox", "ann", 1000), "tcp", state=State.FOREGROUND)
    with Store(path) as store:
        for day in range(31):
            amount = Amount(400_000_000 * day, 0, 400_000 * day)
            counted = {firefox: Amount(390_000_000, 0, 390_000)} if day else {}
            store.add(OCTOBER + 86400 * day, link, Reading("a", 4, amount), counted)
    return path
