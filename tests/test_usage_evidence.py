"""Who used the data is part of an examination's evidence: cheap, and it never disturbs."""

from __future__ import annotations

import io
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from simdiag.agent import Options, Target, examine
from simdiag.collect import usage as collecting
from simdiag.diagnose import diagnose
from simdiag.discovery import UsbModem
from simdiag.evidence import Evidence, Observation, Source
from simdiag.redact import Redactor
from simdiag.report.contract import to_json
from simdiag.report.terminal import show
from simdiag.rules import all_rules
from simdiag.usage import budget as budgets
from simdiag.usage import digest as digests
from simdiag.usage import links, places, readings
from simdiag.usage.budget import Budget
from simdiag.usage.records import Amount, Label, Link, Method, Owner, Reading, Remote, State
from simdiag.usage.store import Store

GB = 10**9
RESTIC = Label(
    Method.KERNEL, Owner("restic", "root", 0, "backup.service"), "tcp", state=State.BACKGROUND
)
FIREFOX = Label(
    Method.KERNEL, Owner("firefox\x1b[2J 198.51.100.77", "ann", 1000), "tcp", state=State.FOREGROUND
)
PAGE = Label(
    Method.KERNEL, Owner("firefox\x1b[2J 198.51.100.77", "ann", 1000), "tcp", Remote.DEVICE
)


DEVICE = UsbModem("1-2", 0x2C7C, 0x0125, network_interfaces=("lo",))
"""A device whose network interface is one that every computer has."""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state/simdiag/usage.db"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(places, "_OF_COMPUTER", path)
    return path


@pytest.fixture
def recorded(database: Path) -> Path:
    link, now = links.find("lo").link, time.time()
    with Store(database) as store:
        store.add(now - 9 * 86400, link, Reading("a", 1, Amount()), {})
        for day, octets in ((8, 3 * GB), (7, 3 * GB), (0, GB)):
            total = Amount({8: 3, 7: 6, 0: 7}[day] * 2 * GB)
            counted = {
                RESTIC: Amount(octets),
                FIREFOX: Amount(octets // 2),
                PAGE: Amount(octets // 4),
            }
            store.add(now - day * 86400, link, Reading("a", 1, total), counted)
        store.add(now, Link("usb:other", "wwan9"), None, {FIREFOX: Amount(99 * GB)})
    return database


def found(evidence: Evidence | None = None, device: UsbModem = DEVICE) -> dict[str, Any]:
    seen = collecting.usage_observations(device, evidence or Evidence())
    return {observation.name.removeprefix("usage."): observation.value for observation in seen}


# ---- what is found -----------------------------------------------------------------------
def test_the_last_days_at_a_glance(recorded: Path) -> None:
    values = found()
    assert (values["today_bytes"], values["month_bytes"]) == (2 * GB, 14 * GB)
    assert values["unattributed_bytes"] == 14 * GB - 7 * GB - 7 * GB // 2 - 7 * GB // 4
    assert [entry["bytes"] for entry in values["top_programs"]] == [7 * GB, 21 * GB // 4]
    assert values["background_percent"] == 57
    assert values["method"] == "kernel"
    assert "budget" not in values


def test_the_plan_counts_what_is_charged(recorded: Path) -> None:
    begun = time.localtime(time.time() - 10 * 86400)
    budgets.save(places.budget_for_writing(), Budget(10 * GB, begun.tm_mday))
    assert found()["budget"] == {
        "percent": 122, "used_bytes": 14 * GB - 7 * GB // 4, "limit_bytes": 10 * GB,
    }  # fmt: skip


def test_the_modems_counter_is_kept_for_later(recorded: Path) -> None:
    source = Source(5, "AT+QGDCNT?", "+QGDCNT: 10,20")
    evidence = Evidence(
        Observation(f"counter.{name}_bytes", value, source)
        for name, value in (("tx", 10), ("rx", 20))
    )
    found(evidence)
    kept = readings.read(places.counters_for_writing(recorded), links.find("lo").link.identity)
    assert [(reading.tx_bytes, reading.rx_bytes) for reading in kept] == [(10, 20)]


# ---- where there is nothing --------------------------------------------------------------
def test_nothing_is_made_where_nothing_is_recorded(database: Path) -> None:
    assert found() == {}
    assert not database.exists()
    assert not places.counters_for_writing(database).exists()


def test_a_device_that_was_never_recorded_has_none(recorded: Path) -> None:
    assert found(device=UsbModem("1-3", 1, 1, network_interfaces=("nosuch0",))) == {}
    assert found(device=UsbModem("1-3", 1, 1)) == {}
    with sqlite3.connect(recorded) as writer:
        writer.execute("UPDATE link SET identity = 'usb:x' WHERE name = 'lo'")
    assert found() == {}


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_database_disturbs_nothing(database: Path, content: bytes) -> None:
    database.parent.mkdir(parents=True)
    database.write_bytes(content)
    assert found() == {}


def test_a_damaged_budget_costs_the_budget_alone(recorded: Path) -> None:
    places.budget_for_writing().write_text("{")
    values = found()
    assert "budget" not in values
    assert values["month_bytes"] == 14 * GB


def test_it_does_not_wait_for_a_database_that_somebody_holds(recorded: Path) -> None:
    with sqlite3.connect(recorded) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        found()
        assert time.monotonic() - begun < 2


def test_a_long_count_is_given_up(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(digests, "_STEPS", 1)
    assert found() == {}


# ---- in an examination -------------------------------------------------------------------
def test_an_examination_has_it_and_shows_it(recorded: Path) -> None:
    result = examine(Target(device=DEVICE), Options(wait_s=0))
    assert result.evidence.value("usage.month_bytes") == 14 * GB
    redactor = Redactor(result.evidence)
    told = json.loads(to_json(result.diagnosis, result.evidence, redactor, str))
    values = {o["name"]: o["value"] for o in told["observations"]}
    assert values["usage.month_bytes"] == 14 * GB  # an amount, no identifier
    assert values["usage.top_programs"][0]["program"] == "restic"
    assert "198.51.100.77" not in json.dumps(told)
    assert "much_in_background" in {f["code"] for f in told["findings"]}
    screen = io.StringIO()
    show(Console(file=screen, width=200), result.diagnosis, result.evidence, redactor, str)
    assert (
        "Data used: 2.0 GB today, 14.0 GB in 30 days; 57 % in the background" in screen.getvalue()
    )
    assert "most: restic, firefox" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "198.51.100.77" not in screen.getvalue()


def test_an_examination_without_it_is_as_it_was(database: Path) -> None:
    result = examine(Target(device=DEVICE), Options(wait_s=0))
    assert result.evidence.under("usage.") == ()


# ---- what follows ------------------------------------------------------------------------
def judged(*values: tuple[str, Any]) -> Evidence:
    return Evidence(Observation(name, value, Source(0, "", name)) for name, value in values)


USED_UP = ("usage.budget", {"percent": 103, "used_bytes": 31 * GB, "limit_bytes": 30 * GB})


def test_a_plan_used_up_explains_a_connection_that_fails() -> None:
    broken = judged(USED_UP, ("data.attached", True), ("data.active_contexts", []))
    assert diagnose(broken).cause == "quota_exhausted"
    up = judged(USED_UP, ("data.attached", True), ("data.addresses", {1: ["10.1.2.3"]}),
                ("data.active_contexts", [1]))  # fmt: skip
    result = diagnose(up)
    assert result.cause != "quota_exhausted"
    assert "plan_used_up" in {finding.code for finding in result.findings}


def test_much_in_the_background_is_a_remark_and_no_fault() -> None:
    evidence = judged(
        ("usage.background_percent", 80), ("usage.month_bytes", 5 * GB),
        ("usage.top_programs", [{"program": "restic", "bytes": 5 * GB}]),
    )  # fmt: skip
    codes = {f.code: f.severity for rule in all_rules() for f in rule(evidence, None)}
    assert codes == {"much_in_background": "info"}
    little = judged(("usage.background_percent", 80), ("usage.month_bytes", 5_000_000))
    assert [f for rule in all_rules() for f in rule(little, None)] == []
