"""Files that are damaged, or none: what is readable is shown, nothing hangs, one sentence says it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simdiag.database import Damaged
from simdiag.errors import SimdiagError
from simdiag.usage import store as stores
from simdiag.usage.budget import Budget
from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner, Reading
from simdiag.usage.salvage import readable
from simdiag.usage.standing import standing
from simdiag.usage.store import FIVE_MINUTES, Store, reading
from simdiag.usage.totals import totals
from usage_command import simdiag

NOON = datetime(2026, 10, 15, 12).astimezone().timestamp()
LINK = Link("usb:1", "wwan0", "cdc_ether")
PIECES, PROGRAMS = 60, 25


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damage") / "usage.db"
    with Store(path) as store:
        for number in range(PIECES):
            counted = {
                Label(Method.KERNEL, Owner(f"program {n}", "ann", 1000), "tcp"): Amount(100)
                for n in range(PROGRAMS)
            }
            total = Reading("a", 4, Amount(number * 100 * PROGRAMS))
            store.add(NOON + number * FIVE_MINUTES, LINK, total, counted)
    return path


def pages_of(path: Path, table: str) -> list[int]:
    """Return the offsets of the leaf pages of a table, in their order."""
    with closing(sqlite3.connect(path)) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    data = path.read_bytes()
    inner = (root - 1) * size
    count = int.from_bytes(data[inner + 3 : inner + 5], "big")
    cells = [int.from_bytes(data[inner + 12 + 2 * n :][:2], "big") for n in range(count)]
    return [(int.from_bytes(data[inner + cell :][:4], "big") - 1) * size for cell in cells]


def spoiled(whole: Path, tmp_path: Path, offset: int, junk: bytes) -> Path:
    path = tmp_path / "usage.db"
    shutil.copy(whole, path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(junk)
    return path


JUNK = {"its type": b"\xff", "its cells": b"\x0a\x00\x00\xff\xff\x00\x01", "all": b"\xee" * 4096}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_what_can_be_read_of_a_damaged_file_is_shown(
    whole: Path, tmp_path: Path, junk: bytes
) -> None:
    leaves = pages_of(whole, "traffic")
    assert len(leaves) > 5
    path = spoiled(whole, tmp_path, leaves[len(leaves) // 2], junk)
    before = path.read_bytes()
    done = simdiag("report", "--db", path, "--json")
    assert done.returncode == 3
    assert f"{path} is damaged: move it away" in done.stderr
    assert done.stderr.count("\n") == 1
    found = json.loads(done.stdout)
    assert found["damaged"] is True
    kept = found["local"]["rx_bytes"] / (PIECES * PROGRAMS * 100)
    assert 0.7 < kept < 1  # all but that page
    table = simdiag("report", "--db", path)
    assert "The database is damaged: this is what can still be read of it." in table.stdout
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_whole_file_is_said_to_be_nothing_else(whole: Path) -> None:
    done = simdiag("report", "--db", whole, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["damaged"] is False


def test_where_the_disk_is_full_it_can_be_read(whole: Path, tmp_path: Path) -> None:
    """Though a recorder that could not even begin has left a log, an empty one."""
    path = tmp_path / "usage.db"
    shutil.copy(whole, path)
    path.with_name("usage.db-wal").touch()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # no file can grow
    try:
        assert report(path, By.PROCESS).rows
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("table", ["link", "label"])
def test_where_nothing_can_be_told_there_is_the_sentence_alone(
    whole: Path, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "usage.db"
    shutil.copy(whole, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET rootpage = 99999 WHERE name = ?", (table,))
    done = simdiag("report", "--db", path, "--csv")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert "is damaged" in done.stderr


def test_whoever_compares_or_forecasts_refuses_it(whole: Path, tmp_path: Path) -> None:
    """Too little counted here would make others count too much."""
    path = spoiled(whole, tmp_path, pages_of(whole, "traffic")[3], JUNK["its cells"])
    for use in (
        lambda: totals(path, NOON, NOON + 9e4),
        lambda: report(path, By.PROCESS),
        lambda: standing(path, Budget(10**9), NOON + 9e4),
    ):
        with pytest.raises(Damaged):
            use()
    done = simdiag("reconcile", "--db", path, "--claim", "1GB")
    assert done.returncode == 4
    assert "is damaged" in done.stderr


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=200)), max_size=5))
@example([(0.0010733163757399302, b"\x00")])  # whose file it is
@example([(0.04227228740609013, b"\x80")])  # a name of a table that is no UTF-8
def test_no_damage_is_met_with_anything_but_a_sentence(
    whole: Path, tmp_path: Path, blots: list[tuple[float, bytes]]
) -> None:
    data = bytearray(whole.read_bytes())
    for place, junk in blots:
        start = round(place * len(data))
        data[start : start + len(junk)] = junk
    path = tmp_path / "blotted.db"
    path.write_bytes(data)
    found = None
    with suppress(SimdiagError), readable(path) as (file, problem):
        found = report(file, By.PROCESS)
        assert problem is None or "is damaged" in problem.message.render()
    if found is not None:
        assert all(isinstance(value, str) for row in found.rows for value in row.key.values())


def test_a_look_that_takes_long_is_ended(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoiled(whole, tmp_path, pages_of(whole, "traffic")[3], JUNK["its cells"])
    monkeypatch.setattr(stores, "_LOOK_S", 0.2)
    interrupted = []

    class Slow(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            if sql.startswith("PRAGMA quick_check"):
                interrupted.append(sql)
                counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                return super().execute(f"{counting} SELECT count(*) FROM n")
            return super().execute(sql, *values)

    def slow(file: Path, patience_s: float) -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=patience_s, factory=Slow)

    monkeypatch.setattr(stores, "connect_to_read", slow)
    with reading(path) as database:
        assert database.execute("SELECT count(*) FROM link").fetchone() == (1,)
    assert interrupted


# ---- what is no file ---------------------------------------------------------------------
def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def an_empty_file(path: Path) -> None:
    path.touch()


def a_text(path: Path) -> None:
    path.write_text("kept: 12 GB\n" * 50)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_terminal(path: Path) -> None:
    path.symlink_to("/dev/ptmx")


NOT_OURS = "is not a database of simdiag's: name another file"


@pytest.mark.parametrize("words", [("report", "--html"), ("budget",)])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [(a_pipe, NOT_OURS), (a_device, NOT_OURS), (a_terminal, NOT_OURS), (an_empty_file, NOT_OURS),
     (a_text, "is damaged: move it away"), (a_folder, "is a directory")],
)  # fmt: skip
def test_what_is_no_database_gets_a_sentence(
    tmp_path: Path, words: tuple[str, ...], make: object, sentence: str
) -> None:
    path = tmp_path / "usage.db"
    make(path)
    (tmp_path / "budget.json").write_text(
        '{"limit_bytes": 1000, "reset_day": 1, "thresholds": [50], "zone": ""}'
    )
    done = simdiag(*words, "--db", path)
    assert done.stdout == ""
    assert sentence in done.stderr
    assert done.returncode == (2 if make is a_folder else 4)
    assert make is a_folder or done.stderr.count("\n") == 1


@pytest.mark.parametrize("make", [a_pipe, a_device])
def test_the_recorder_refuses_it_too(tmp_path: Path, make: object) -> None:
    path = tmp_path / "usage.db"
    make(path)
    with pytest.raises(SimdiagError, match=NOT_OURS):
        Store(path)
