"""Two years of a busy computer in the store: its size, and the time of a day's report.

What is left of two years is made as recording leaves it: days, then hours, then five minutes,
summed up as time goes by, with so many rows in each and new programs, units, containers every day.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path

from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner, Remote, State
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, Store

NOW = 1_790_000_000
YEARS_DAYS, HOURLY_DAYS, FINE_DAYS = 730, 62, 3
ROWS = {DAY: 300, HOUR: 100, FIVE_MINUTES: 40}
NEW_A_DAY = 20
SIZE_MB, REPORT_MS = 100, 100
LINK = Link("usb:2c7c:0125:0123456789ab:04", "wwan0", "cdc_ether")


def label(number: int) -> Label:
    name = f"program-{number}"
    owner = Owner(name, f"user{number % 3}", 1000 + number % 3, f"app-gnome-{name}-{number}.scope")
    state = list(State)[number % 3]
    return Label(Method.KERNEL, owner, ("tcp", "udp")[number % 2], Remote.INTERNET, state)


def fill(path: Path) -> None:
    chance = random.Random(1)
    with Store(path) as store:
        for age in range(YEARS_DAYS, 0, -1):
            span = DAY if age > HOURLY_DAYS else HOUR if age > FINE_DAYS else FIVE_MINUTES
            known = 300 + (YEARS_DAYS - age) * NEW_A_DAY
            for start in range(NOW - age * DAY, NOW - (age - 1) * DAY, span):
                numbers = {chance.randrange(known - 300, known) for _ in range(ROWS[span])}
                amounts = {
                    label(n): Amount(*(chance.randrange(1, 10**7) for _ in range(4)))
                    for n in numbers
                }
                store.add(start, LINK, None, amounts)
            kept = HOURLY_DAYS if span == DAY else FINE_DAYS
            store.roll_up(min(NOW - (age - 1 - kept - 1) * DAY, NOW))
        store.roll_up(NOW)


def measure_store() -> list[str]:
    """Print the figures and return the targets that were missed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.db"
        fill(path)
        size = path.stat().st_size / 1e6
        times = []
        for _ in range(7):
            started = time.perf_counter()
            found = report(path, By.PROCESS, NOW - DAY, NOW)
            times.append(1000 * (time.perf_counter() - started))
        assert found.rows
    day = statistics.median(times)
    print(f"two years: {size:.1f} MB (at most {SIZE_MB})")
    print(f"a day's report: {day:.0f} ms (at most {REPORT_MS})")
    missed = [f"two years take {size:.0f} MB"] if size > SIZE_MB else []
    return missed + ([f"a day's report takes {day:.0f} ms"] if day > REPORT_MS else [])


if __name__ == "__main__":
    measure_store()
