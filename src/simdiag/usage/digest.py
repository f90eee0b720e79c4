"""The last 30 days at a glance, read fast enough to do it beside something else."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simdiag.database import plainly
from simdiag.usage.ledger import KIND
from simdiag.usage.records import Method, Remote
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, reading

DAYS = 30
_TOP = 5
_STEPS = 2000
"""After so many steps of its machine, SQLite asks whether there is time left."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Bytes of both directions: today's and of 30 days, local and unattributed ones of these.

    ``programs`` are the biggest, as name and bytes; ``background_percent`` is an estimate, ``None``
    where no program is known; ``method`` the least exact; ``plan`` what is charged for since the
    plan's month began, ``None`` where nobody asked.
    """

    today: int
    month: int
    unattributed: int
    programs: tuple[tuple[str, int], ...]
    background_percent: int | None
    method: Method
    plan: int | None = None


def digest(
    path: Path, link: str, now: float, patience_s: float, plan_since: float | None = None
) -> Digest | None:
    """Return what is known of a link, ``None`` where it was never recorded.

    ``plan_since`` is when the plan's month began (Unix time, a month ago at most). Raises
    ``SimdiagError``, also where it takes longer than ``patience_s``.
    """
    deadline = time.monotonic() + patience_s
    with reading(path, patience_s, whole=False) as database, plainly(path):
        database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        return _digest(database, link, now, plan_since)


def _digest(
    database: sqlite3.Connection, link: str, now: float, plan_since: float | None
) -> Digest | None:
    if not database.execute("SELECT 1 FROM link WHERE identity = ?", (link,)).fetchone():
        return None
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0).timestamp()  # noqa: DTZ006
    since = now - DAYS * DAY
    wanted = {"link": link, "today": int(midnight), "since": since, "until": now,
              "plan": plan_since or now, "first": min(since, plan_since or now)}  # fmt: skip
    sums = dict.fromkeys(("interface", "local", "forwarded", "ownerless"), 0)
    today = back = plan = 0
    methods: set[Method] = set()
    programs: dict[str, int] = {}
    for kind, method, program, state, remote, month, of_today, of_plan in database.execute(
        _SUMS, wanted
    ):
        sums[kind] += month
        if kind == "interface":
            today, plan = today + of_today, plan + of_plan
        elif remote in (Remote.LOCAL, Remote.DEVICE):
            plan -= of_plan
        if kind == "local":
            programs[program] = programs.get(program, 0) + month
            back += month if state == "background" else 0
            methods.add(Method(method))
    order = list(Method)
    return Digest(
        today,
        sums["interface"],
        sums["interface"] - sums["local"] - sums["forwarded"],
        tuple(sorted(programs.items(), key=lambda entry: -entry[1])[:_TOP]),
        round(100 * back / sums["local"]) if sums["local"] else None,
        max(methods, key=order.index, default=Method.INTERFACE),
        None if plan_since is None else plan,
    )


_BYTES = "rx_bytes + tx_bytes"
# By label first: there are few of them, and many rows.
_SUMS = f"""
    WITH sums AS (
        SELECT label,
            sum(CASE WHEN start >= :since THEN {_BYTES} ELSE 0 END) AS month,
            sum(CASE WHEN start >= :today THEN {_BYTES} ELSE 0 END) AS today,
            sum(CASE WHEN start >= :plan THEN {_BYTES} ELSE 0 END) AS plan
        FROM traffic
        WHERE span IN ({FIVE_MINUTES}, {HOUR}, {DAY}) AND start >= :first AND start <= :until
        GROUP BY label
    )
    SELECT {KIND}, method, program, state, remote, month, today, plan
    FROM sums JOIN label ON label.id = sums.label
    WHERE link IN (SELECT id FROM link WHERE identity = :link)
"""  # noqa: S608
