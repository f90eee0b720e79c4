"""The plan: its months, what is used of it, and when it will be used up."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.errors import SimdiagError
from simdiag.report.usage_text import budget_lines
from simdiag.usage import budget as budgets
from simdiag.usage.budget import DAY_S, Budget, Forecast, Standing, billing_month, forecast
from simdiag.usage.records import Amount, Label, Link, Method, Owner, Reading, Remote
from simdiag.usage.standing import standing
from simdiag.usage.store import Store
from usage_command import simdiag

GB = 10**9
ZONES = ["UTC", "Asia/Shanghai", "America/Toronto", "Europe/Berlin", "Australia/Lord_Howe",
         "America/St_Johns", "Pacific/Apia"]  # fmt: skip
moments = st.integers(1_600_000_000, 2_000_000_000)
days = st.integers(1, 31)
zones = st.sampled_from([*map(ZoneInfo, ZONES), None])


# ---- months ------------------------------------------------------------------------------
@settings(deadline=None)
@given(moments, days, zones)
def test_a_month_holds_its_moment_and_begins_on_its_day(
    now: int, day: int, zone: ZoneInfo | None
) -> None:
    since, until = billing_month(now, day, zone)
    assert since <= now < until
    assert 27.9 * DAY_S <= until - since <= 31.1 * DAY_S
    for edge in (since, until):
        local = datetime.fromtimestamp(edge, zone)
        last = (local.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        assert local.day == min(day, last.day)


@settings(deadline=None)
@given(moments, days, zones)
def test_months_follow_one_another_without_a_gap(now: int, day: int, zone: ZoneInfo | None) -> None:
    since, until = billing_month(now, day, zone)
    assert billing_month(until, day, zone)[0] == until
    assert billing_month(since - 1, day, zone)[1] == since


@pytest.mark.parametrize(
    ("now", "day", "zone", "since", "until"),
    [
        ("2026-02-10", 31, "UTC", "2026-01-31T00:00+00:00", "2026-02-28T00:00+00:00"),
        ("2026-03-01", 31, "UTC", "2026-02-28T00:00+00:00", "2026-03-31T00:00+00:00"),
        ("2028-02-29", 30, "UTC", "2028-02-29T00:00+00:00", "2028-03-30T00:00+00:00"),
        ("2026-01-01", 15, "UTC", "2025-12-15T00:00+00:00", "2026-01-15T00:00+00:00"),
        ("2026-03-20", 1, "Europe/Berlin", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00"),
        ("2026-10-31T17:00", 1, "Asia/Shanghai", "2026-11-01T00:00+08:00", "2026-12-01T00:00+08:00"),
    ],
)  # fmt: skip
def test_months(now: str, day: int, zone: str, since: str, until: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("UTC")).timestamp()
    found = billing_month(moment, day, ZoneInfo(zone))
    assert found == tuple(datetime.fromisoformat(edge).timestamp() for edge in (since, until))


# ---- forecast ----------------------------------------------------------------------------
uses = st.lists(st.integers(0, 10 * GB), min_size=3, max_size=28)


@settings(deadline=None)
@given(st.integers(0, 50 * GB), st.integers(1, 50 * GB), uses)
def test_a_forecast_is_in_order_and_before_the_end(used: int, limit: int, daily: list[int]) -> None:
    found = forecast(used, limit, daily, 1000.0, 1000.0 + 20 * DAY_S)
    assert found is not None
    if found.latest is not None:
        assert found.earliest is not None
        assert 1000.0 <= found.earliest <= found.latest < 1000.0 + 20 * DAY_S
    if used >= limit:
        assert found.earliest == found.latest == 1000.0


@settings(deadline=None)
@given(st.integers(0, 40 * GB), st.integers(0, 5 * GB), uses)
def test_who_used_more_is_through_no_later(used: int, more: int, daily: list[int]) -> None:
    less, much = (forecast(u, 45 * GB, daily, 0.0, 1e9) for u in (used, used + more))
    assert less is not None
    assert much is not None
    if less.earliest is not None:
        assert much.earliest is not None
        assert much.earliest <= less.earliest


@settings(deadline=None)
@given(st.integers(1, 10), st.integers(1, 25))
def test_even_days_give_the_very_day(rate: int, lasting: int) -> None:
    found = forecast(0, rate * lasting * GB, [rate * GB] * 5, 0.0, 1e9)
    assert found is not None
    assert found.earliest == found.latest
    assert found.earliest == pytest.approx(lasting * DAY_S)


def test_a_few_days_tell_nothing_and_quiet_ones_that_it_lasts() -> None:
    assert forecast(1, 10, [5, 5], 0.0, 1e9) is None
    assert forecast(1, 10, [0, 0, 0], 0.0, 1e9) == Forecast(None, None, 0.0)


# ---- how it stands -----------------------------------------------------------------------
def stands(
    used: int, foreseen: Forecast | None = None, marks: tuple[int, ...] = (50, 80, 100)
) -> Standing:
    return Standing(Budget(10 * GB, thresholds=marks), 0.0, 30 * DAY_S, used, foreseen)


@pytest.mark.parametrize(
    ("used", "percent", "reached", "early"),
    [(0, 0, None, False), (5 * GB - 1, 49, None, False), (5 * GB, 50, 50, False),
     (9 * GB, 90, 80, False), (10 * GB, 100, 100, True), (25 * GB, 250, 100, True)],
)  # fmt: skip
def test_thresholds(used: int, percent: int, reached: int | None, early: bool) -> None:
    found = stands(used)
    assert (found.percent, found.reached, found.ends_early) == (percent, reached, early)


def words(found: Standing) -> tuple[str, list[bool]]:
    lines = list(budget_lines(found))
    return " ".join(line.render() for line, _ in lines), [urgent for _, urgent in lines]


@pytest.mark.parametrize(
    ("found", "text", "warned"),
    [
        (stands(10 * GB), "The plan is used up.", True),
        (stands(GB), "Too few days", False),
        (stands(GB, Forecast(None, None, 1e8)), "100.0 MB a day it lasts until", False),
        (stands(GB, Forecast(9 * DAY_S, None, 1e9)), "may run out from", False),
        (stands(GB, Forecast(9 * DAY_S, 12 * DAY_S, 1e9)), "it runs out between", True),
        (stands(9 * GB, Forecast(None, None, 1e7)), "Over 80 % of the plan", True),
    ],
)
def test_words(found: Standing, text: str, warned: bool) -> None:
    said, urgent = words(found)
    assert text in said
    assert any(urgent) is warned


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Fifteen days of 500 MB each, up to now, and as much again to the device's own page."""
    path, link, now = tmp_path / "usage.db", Link("usb:1", "wwan0", "cdc_ether"), time.time()
    page = Label(Method.KERNEL, Owner("firefox", "ann", 1000), "tcp", Remote.DEVICE)
    with Store(path) as store:
        for number in range(16):
            total = Amount(10**9 * number)
            counted = {page: Amount(5 * 10**8)} if number else {}
            store.add(now - 86400 * (15 - number), link, Reading("a", 4, total), counted)
    return path


def test_what_the_device_was_sent_is_no_part_of_the_plan(recorded: Path) -> None:
    now = time.time()
    day = datetime.fromtimestamp(now - 20 * DAY_S).astimezone().day
    found = standing(recorded, Budget(100 * GB, day), now)
    assert found.used_bytes == 15 * 5 * 10**8
    assert found.forecast is not None


# ---- kept --------------------------------------------------------------------------------
@settings(deadline=None, max_examples=25)
@given(st.integers(1, 1 << 59), days, st.lists(st.integers(1, 1000), max_size=5).map(tuple))
def test_a_budget_is_kept_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, limit: int, day: int, marks: tuple[int, ...]
) -> None:
    path = tmp_path_factory.mktemp("b") / "new" / "budget.json"
    made = Budget(limit, day, marks, "Asia/Shanghai")
    budgets.save(path, made)
    assert budgets.load(path) == made
    assert budgets.remove(path)
    assert not budgets.remove(path)
    assert budgets.load(path) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"limit_bytes": -1, "reset_day": 1, "thresholds": [], "zone": ""}', "\0"],
)
def test_a_damaged_file_gets_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "budget.json"
    path.write_text(text)
    with pytest.raises(SimdiagError, match="holds no budget"):
        budgets.load(path)


# ---- the command -------------------------------------------------------------------------
def test_it_is_stored_shown_changed_and_forgotten(recorded: Path) -> None:
    day = str(datetime.fromtimestamp(time.time() - 20 * DAY_S).astimezone().day)
    stored = simdiag("budget", "100GB", "--reset-day", day, "--db", recorded)
    assert (stored.returncode, stored.stderr) == (0, "")
    assert "7.5 GB of 100.0 GB used" in stored.stdout
    changed = simdiag("budget", "7GB", "--db", recorded, "--json")
    assert changed.returncode == 1
    found = json.loads(changed.stdout)
    assert (found["reset_day"], found["used_percent"], found["threshold_reached"]) == (
        int(day), 107, 100,
    )  # fmt: skip
    assert simdiag("budget", "--thresholds", "95,20%", "--db", recorded).returncode == 1
    assert json.loads(simdiag("budget", "--db", recorded, "--json").stdout)["thresholds"] == [
        20,
        95,
    ]
    assert simdiag("budget", "--remove", "--db", recorded).returncode == 0
    assert simdiag("budget", "--db", recorded).returncode == 2


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (("lots",), 4, "is no amount of data"),
        (("0GB",), 2, "an amount above zero"),
        (("30GB", "--reset-day", "32"), 2, "32"),
        (("30GB", "--thresholds", "half"), 2, "thresholds are per cent"),
        (("30GB", "--timezone", "Moon/Base"), 4, "there is no time zone"),
        (("30GB", "--timezone", "../../etc/passwd"), 4, "there is no time zone"),
        (("--reset-day", "3"), 2, "say how much the plan holds"),
        ((), 2, "no budget is stored"),
    ],
)
def test_bad_input_gets_a_sentence(
    tmp_path: Path, options: tuple[str, ...], status: int, sentence: str
) -> None:
    done = simdiag("budget", *options, "--db", tmp_path / "usage.db")
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert sentence in done.stderr
    assert not (tmp_path / "budget.json").exists()


def test_it_may_be_stored_before_anything_is_recorded(tmp_path: Path) -> None:
    done = simdiag("budget", "30GB", "--db", tmp_path / "usage.db")
    assert done.returncode == 0
    assert "The budget is stored." in done.stderr
