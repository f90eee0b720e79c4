"""Where clocks are put forward or back, and where a day does not begin at midnight."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simdiag.report.usage_text import when
from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner
from simdiag.usage.store import DAY, HOUR, Store, bucket
from simdiag.usage.timeline import timeline, without_gaps
from usage_command import simdiag

LINK = Link("usb:1", "wwan0", "cdc_ether")
FIREFOX = Label(Method.KERNEL, Owner("firefox", "ann", 1000), "tcp")
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()  # in Berlin, 03:00 becomes 02:00
FORWARD = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()  # 02:00 becomes 03:00


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield from in_zone(monkeypatch, "Europe/Berlin")


def in_zone(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield patch
    time.tzset()


def recorded(path: Path, first: float, last: float, step: float = 600) -> Path:
    """Record a byte every ``step`` seconds."""
    with Store(path) as store:
        for number in range(int((last - first) / step)):
            store.add(first + number * step, LINK, None, {FIREFOX: Amount(1)})
    return path


def hours(path: Path) -> dict[str, int]:
    rows = report(path, By.HOUR).rows
    return {when(row.key["start"], By.HOUR): row.amount.rx_bytes for row in rows}


@pytest.mark.parametrize("later", [0, 10 * DAY, 100 * DAY])
def test_the_hour_that_occurs_twice_is_two(
    berlin: pytest.MonkeyPatch, tmp_path: Path, later: int
) -> None:
    """Also once it is summed up, to hours; of days, the one with 25 hours is one."""
    path = recorded(tmp_path / "usage.db", BACK - 2 * HOUR, BACK + 2 * HOUR)
    with Store(path) as store:
        store.roll_up(BACK + later)
    if later < 62 * DAY:
        assert hours(path) == {
            "2026-10-25 01:00": 6, "2026-10-25 02:00 +0200": 6, "2026-10-25 02:00 +0100": 6,
            "2026-10-25 03:00": 6,
        }  # fmt: skip
        assert [piece.local for piece in without_gaps(timeline(path, By.HOUR), By.HOUR)] == [6] * 4
    (day,) = report(path, By.DAY).rows
    assert (day.amount.rx_bytes, when(day.key["start"], By.DAY)) == (24, "2026-10-25")


def test_the_hour_that_is_left_out_is_none(berlin: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = recorded(tmp_path / "usage.db", FORWARD - HOUR, FORWARD + HOUR)
    assert hours(path) == {"2026-03-29 01:00": 6, "2026-03-29 03:00": 6}
    assert [piece.local for piece in without_gaps(timeline(path, By.HOUR), By.HOUR)] == [6, 6]


def test_an_idle_hour_between_is_shown(berlin: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = recorded(tmp_path / "usage.db", BACK - 2 * HOUR, BACK - HOUR)
    recorded(path, BACK + HOUR, BACK + 2 * HOUR)
    found = without_gaps(timeline(path, By.HOUR), By.HOUR)
    assert [piece.local for piece in found] == [6, 0, 0, 6]


# ---- --since and --until -----------------------------------------------------------------
def reported(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return simdiag("report", "--db", path, "--json", *words, TZ="Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "octets", "since"),
    [
        (("--since", "2026-10-25T02:30"), 9 + 6, "2026-10-25T02:30:00+02:00"),
        (("--since", "2026-10-25T02:30+01:00"), 3 + 6, "2026-10-25T02:30:00+01:00"),
        (("--since", "2026-10-25T01:30Z"), 3 + 6, "2026-10-25T02:30:00+01:00"),
        (("--until", "2026-10-25T02:30"), 6 + 9, None),
        (("--until", "2026-10-25T02:30+02:00"), 6 + 3, None),
        (("--since", "2026-10-25", "--until", "2026-10-25"), 24, "2026-10-25T00:00:00+02:00"),
    ],
)
def test_a_time_that_occurs_twice(
    tmp_path: Path, words: tuple[str, ...], octets: int, since: str | None
) -> None:
    """Without an offset, the period has both hours."""
    path = recorded(tmp_path / "usage.db", BACK - 2 * HOUR, BACK + 2 * HOUR)
    found = json.loads(reported(path, *words).stdout)
    assert (found["local"]["rx_bytes"], found["since"]) == (octets, since)


def test_a_time_that_is_left_out_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path / "usage.db", FORWARD, FORWARD + HOUR)
    done = reported(path, "--since", "2026-03-29T02:30")
    assert (done.returncode, done.stdout) == (2, "")
    assert "2026-03-29T02:30 does not exist: the clocks were put forward then" in done.stderr
    assert (
        json.loads(reported(path, "--since", "2026-03-29T03:00").stdout)["local"]["rx_bytes"] == 6
    )


# ---- everywhere --------------------------------------------------------------------------
ZONES = (
    "UTC", "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "America/Havana",
    "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "America/St_Johns", "Pacific/Apia",
    "Antarctica/Troll", "Europe/Dublin",
)  # fmt: skip


def changes(first: float, last: float) -> Iterator[float]:
    """Yield noons around which the clocks of this zone are changed."""
    noons = [first + number * DAY for number in range(int((last - first) / DAY))]
    offsets = [time.localtime(noon).tm_gmtoff for noon in noons]
    for noon, before, after in zip(noons, offsets, offsets[1:], strict=False):
        if before != after:
            yield noon


@pytest.mark.parametrize("zone", ZONES)
def test_every_moment_is_filed_under_its_own_hour_and_day(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """As Python's calendar has it, around every change of clocks of fourteen years."""
    years = (datetime(year, 1, 1, 12, tzinfo=UTC).timestamp() for year in (2010, 2024))
    sql = "SELECT {}, {} FROM (SELECT ? AS start) AS traffic"
    with closing(sqlite3.connect(":memory:")) as database:
        for _ in in_zone(monkeypatch, zone):
            for noon in changes(*years):
                for moment in range(int(noon) - DAY, int(noon) + 2 * DAY, 1800):
                    asked = database.execute(sql.format(bucket(HOUR), bucket(DAY)), (moment,))
                    local = datetime.fromtimestamp(moment).astimezone()
                    start = (local - timedelta(minutes=local.minute)).timestamp()
                    hour, day = asked.fetchone()
                    assert hour == start, (zone, local)
                    assert when(day, By.DAY) == f"{local:%Y-%m-%d}", (zone, local)
