"""The database of recorded traffic: nothing that was filed is lost, and anybody may read it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from simdiag.database import DiskFull
from simdiag.errors import SimdiagError
from simdiag.usage import store as stores
from simdiag.usage.ledger import Report, report
from simdiag.usage.records import (
    Amount,
    By,
    Label,
    Link,
    Method,
    Owner,
    Reading,
    Remote,
    State,
    total,
)
from simdiag.usage.store import DAY, FIVE_MINUTES, HOUR, Store

LINK = Link("usb:2c7c:0125:00:04", "wwan0", "qmi_wwan")
NOON = datetime(2026, 10, 15, 12, 0, 30).astimezone().timestamp()
FIREFOX = Label(Method.KERNEL, Owner("firefox", "ann", 1000), "tcp", Remote.INTERNET)
BACKUP = Label(
    Method.KERNEL, Owner("restic", "root", 0, "backup.service"), "tcp", state=State.BACKGROUND
)
KERNEL = Label(Method.KERNEL, protocol="icmp")
NOBODY = 65534


def reading(rx: int, tx: int = 0, *, boot: str = "a", index: int = 4) -> Reading:
    return Reading(boot, index, Amount(rx, tx, rx // 1000, tx // 1000))


def rows(path: Path, by: By = By.PROCESS) -> dict[object, Amount]:
    return {next(iter(row.key.values())): row.amount for row in report(path, by).rows}


def spans(path: Path) -> dict[int, int]:
    with sqlite3.connect(path) as database:
        return dict(database.execute("SELECT span, count(*) FROM traffic GROUP BY span"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "usage.db"


# ---- filing and reporting ----------------------------------------------------------------
def test_rows_and_what_is_unattributed_add_up_to_the_interface(path: Path) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, reading(10_000), {})
        store.add(NOON + 5, LINK, reading(15_000, 800), {FIREFOX: Amount(4000, 500, 4, 5)})
        store.add(
            NOON + 10, LINK, reading(16_000, 900),
            {FIREFOX: Amount(100, 20, 1, 1), BACKUP: Amount(0, 30, 0, 1), KERNEL: Amount(0, 9)},
        )  # fmt: skip
    found = report(path, By.PROCESS)
    assert rows(path) == {"firefox": Amount(4100, 520, 5, 6), "restic": Amount(0, 30, 0, 1)}
    assert found.interface == Amount(6000, 900, 6, 0)
    assert found.unattributed == Amount(1900, 350, 1, -7)
    assert found.ownerless == Amount(0, 9)
    assert found.method is Method.KERNEL
    assert found.links == ("wwan0",)
    assert [row.background_bytes for row in found.rows] == [0, 30]


@pytest.mark.parametrize(
    ("by", "keys"),
    [(By.USER, {"ann", "root"}), (By.UNIT, {"", "backup.service"}), (By.PROCESS, {"firefox", "restic"})],
)  # fmt: skip
def test_rows_are_by_what_is_asked_for(path: Path, by: By, keys: set[str]) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1), BACKUP: Amount(2, 2)})
    assert set(rows(path, by)) == keys


def test_rows_by_hour_and_day_are_in_local_time(path: Path) -> None:
    with Store(path) as store:
        for minutes in (0, 10, 70):
            store.add(NOON + minutes * 60, LINK, None, {FIREFOX: Amount(1, 0)})
    hour = datetime(2026, 10, 15, 12).astimezone().timestamp()
    day = datetime(2026, 10, 15).astimezone().timestamp()
    assert rows(path, By.HOUR) == {hour: Amount(2, 0), hour + HOUR: Amount(1, 0)}
    assert rows(path, By.DAY) == {day: Amount(3, 0)}


def test_a_period_holds_what_began_in_it(path: Path) -> None:
    with Store(path) as store:
        for number in range(5):
            store.add(NOON + number * FIVE_MINUTES, LINK, None, {FIREFOX: Amount(1, 0)})
    since, until = NOON + FIVE_MINUTES, NOON + 2 * FIVE_MINUTES
    assert total(row.amount for row in report(path, By.PROCESS, since, until).rows) == Amount(2)


def test_losses_are_added_up(path: Path) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, None, {}, {"map_overflow": 3, "socket_endings": 0})
        store.add(NOON, LINK, None, {}, {"map_overflow": 4})
    assert report(path, By.PROCESS).losses == {"map_overflow": 7}


# ---- counters that restart ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("after", "grown"),
    [
        pytest.param(reading(1500, 40), Amount(500, 40, 0, 0), id="counted on"),
        pytest.param(reading(300), Amount(300), id="reset, never a wrap"),
        pytest.param(reading(5000, index=9), Amount(5000, 0, 5), id="plugged in again"),
        pytest.param(reading(7000, boot="b"), Amount(7000, 0, 7), id="started again"),
    ],
)
def test_counters_are_joined(path: Path, after: Reading, grown: Amount) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, reading(1000), {})
    with Store(path) as store:  # also over a restart of the recorder
        store.add(NOON + 60, LINK, None, {})  # away
        store.add(NOON + 120, LINK, after, {})
    assert report(path, By.PROCESS).interface == grown


def test_the_first_reading_counts_nothing(path: Path) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, reading(10**12), {})
    assert report(path, By.PROCESS).interface == Amount()


# ---- summing up --------------------------------------------------------------------------
def test_what_is_old_is_summed_up_and_nothing_is_lost(path: Path) -> None:
    with Store(path) as store:
        for hours in range(0, 24 * 80, 3):
            for minute in (1, 2):
                when = NOON - hours * HOUR + minute * FIVE_MINUTES
                store.add(when, LINK, None, {FIREFOX: Amount(1000, 10, 1, 1)})
        before = report(path, By.PROCESS)
        store.roll_up(NOON)
        store.roll_up(NOON)
        after = report(path, By.PROCESS)
    assert [r.amount for r in after.rows] == [r.amount for r in before.rows]
    assert set(spans(path)) == {FIVE_MINUTES, HOUR, DAY}


def test_a_report_by_day_is_the_same_after_summing_up(path: Path) -> None:
    with Store(path) as store:
        for hours in range(24 * 70):
            store.add(NOON - hours * HOUR, LINK, None, {FIREFOX: Amount(hours, 1)})
        before = rows(path, By.DAY)
        store.roll_up(NOON)
    assert rows(path, By.DAY) == before


@pytest.mark.parametrize("years", [-30, 80])
def test_a_clock_that_jumps_costs_no_bytes(path: Path, years: int) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1)})
        store.add(NOON + years * 365 * DAY, LINK, None, {FIREFOX: Amount(2, 2)})
        store.roll_up(NOON + years * 365 * DAY)
        store.roll_up(NOON)
    assert rows(path) == {"firefox": Amount(3, 3)}


# ---- being killed, a full disk -----------------------------------------------------------
WRITER = """
import sys
from pathlib import Path
from simdiag.usage.records import Amount, Label, Link, Method, Owner
from simdiag.usage.store import Store

store = Store(Path(sys.argv[1]))
label = Label(Method.KERNEL, Owner("firefox", "ann", 1000))
for number in range(1, 1_000_000):
    store.add(1_790_000_000 + number, Link("usb:1", "wwan0"), None, {label: Amount(1, 0)})
    print(number, flush=True)
"""


@pytest.fixture
def killed(path: Path) -> int:
    """Have a recorder killed while it writes; returns how much it had filed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        for _ in range(20):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().splitlines(keepends=True)
    whole = [line for line in rest if line.endswith("\n")]
    return int(whole[-1]) if whole else 20


def test_kill_9_costs_at_most_what_was_not_filed(path: Path, killed: int) -> None:
    assert rows(path)["firefox"].rx_bytes in (killed, killed + 1)
    with Store(path) as store:  # and the next one goes on
        store.add(NOON, LINK, None, {FIREFOX: Amount(10**9, 0)})
    assert rows(path)["firefox"].rx_bytes - 10**9 in (killed, killed + 1)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def test_a_full_disk_keeps_what_is_stored(small_disk: Path) -> None:
    path = small_disk / "usage.db"
    filed = 0

    def fill() -> None:
        nonlocal filed
        while True:
            label = Label(Method.KERNEL, Owner(f"program {filed}", "ann", 1000))
            store.add(NOON, LINK, None, {label: Amount(1, 0)})
            filed += 1

    with Store(path) as store:
        with pytest.raises(DiskFull, match=r"usage\.db cannot grow: the disk is full"):
            fill()
        assert total(row.amount for row in report(path, By.PROCESS).rows) == Amount(filed)
        assert subprocess.run(["mount", "-o", "remount,size=1m", small_disk]).returncode == 0
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 0)})
    assert total(row.amount for row in report(path, By.PROCESS).rows) == Amount(filed + 1)


# ---- files that cannot be used -----------------------------------------------------------
def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all, " * 100)


def torn(path: Path) -> None:
    with Store(path) as store:
        for number in range(200):
            label = Label(Method.KERNEL, Owner(f"program {number}", "ann", 1000))
            store.add(NOON, LINK, None, {label: Amount(1, 0)})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)


def newer(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")


VERSION_1 = """
CREATE TABLE was AS SELECT id, link, method, program, user, uid, unit, container, protocol, remote,
    state FROM label;
DROP TABLE label;
CREATE TABLE label (
    id INTEGER PRIMARY KEY, link INTEGER NOT NULL REFERENCES link, method TEXT NOT NULL,
    program TEXT NOT NULL, user TEXT NOT NULL, uid INTEGER NOT NULL, unit TEXT NOT NULL,
    container TEXT NOT NULL, protocol TEXT NOT NULL, remote TEXT NOT NULL, state TEXT NOT NULL,
    UNIQUE (link, method, program, user, uid, unit, container, protocol, remote, state)
);
INSERT INTO label SELECT * FROM was;
DROP TABLE was;
DROP TABLE recording;
PRAGMA user_version = 1;
"""


def older(path: Path) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 2, 3, 4)})
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_1)


def test_an_older_file_is_brought_up_to_date_by_the_recorder(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    older(path)
    with pytest.raises(SimdiagError, match="was written by an older simdiag: start the recorder"):
        read(path)
    tethered = Label(Method.KERNEL, Owner(client="10.42.0.2"), "tcp")
    with Store(path) as store:
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 2, 3, 4), tethered: Amount(5, 5, 5, 5)})
    assert rows(path)["firefox"] == Amount(2, 4, 6, 8)
    with closing(sqlite3.connect(path)) as database:
        clients = database.execute("SELECT client FROM label ORDER BY client").fetchall()
        assert clients == [("",), ("10.42.0.2",)]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE songs (name)")


def a_folder(path: Path) -> None:
    path.mkdir()


def test_damage_that_sqlite_reads_past_stops_the_recorder(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    with Store(path) as store:
        for hour in range(200):
            store.add(NOON + 300 * hour, LINK, reading(hour), {FIREFOX: Amount(1, 1)})
    (page,) = sqlite3.connect(path).execute("PRAGMA page_size").fetchone()
    (root,) = (
        sqlite3.connect(path)
        .execute("SELECT rootpage FROM sqlite_schema WHERE name = 'loss'")
        .fetchone()
    )
    data = bytearray(path.read_bytes())
    data[(root - 1) * page + 5 : (root - 1) * page + 7] = b"\0\1"  # where its cells would begin
    path.write_bytes(data)
    with pytest.raises(SimdiagError, match=r"is damaged: move it away"):
        Store(path)
    assert path.read_bytes() == data


SENTENCES = [
    (garbage, r"usage\.db is damaged: move it away"),
    (torn, r"usage\.db is damaged: move it away"),
    (newer, r"usage\.db was written by a newer simdiag: update"),
    (foreign, r"usage\.db is not a database of simdiag's: name another"),
    (a_folder, r"usage\.db cannot be (read|written): Is a directory"),
]


def record(path: Path) -> None:
    with Store(path) as store:
        store.add(NOON, LINK, reading(1), {FIREFOX: Amount(1, 1)})
        store.roll_up(NOON)


def read(path: Path) -> None:
    report(path, By.PROCESS)


@pytest.mark.parametrize("use", [record, read])
@pytest.mark.parametrize(("spoil", "sentence"), SENTENCES)
def test_a_file_that_cannot_be_used_gives_a_sentence(
    tmp_path: Path, use: Callable[[Path], None], spoil: Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / "usage.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(SimdiagError, match=sentence):
        use(path)
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(SimdiagError, match=r"cannot be read: No such file"):
        read(tmp_path / "usage.db")
    assert list(tmp_path.iterdir()) == []


def test_one_recorder_only(path: Path) -> None:
    with Store(path), pytest.raises(SimdiagError, match="another recorder is writing"):
        Store(path)
    Store(path).close()


def test_a_lock_of_another_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "BUSY_S", 0.1)
    with Store(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SimdiagError, match="is locked by another program"):
            store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1)})
        other.close()
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1)})


# ---- readers without rights --------------------------------------------------------------
@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that others may read, but not write."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "usage.db"


def as_nobody(path: Path) -> str:
    """Read as a user without any rights; returns the programs found, or what was raised."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            text = " ".join(row.key["program"] for row in report(path, By.PROCESS).rows)
        except BaseException as problem:
            text = repr(problem)
        os.write(write_end, text.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        found = pipe.read()
    os.wait()
    return found


def test_anybody_reads_while_it_is_written(public: Path) -> None:
    with Store(public) as store:
        store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1)})
        assert as_nobody(public) == "firefox"
        store.add(NOON, LINK, None, {BACKUP: Amount(9, 9)})
        assert as_nobody(public) == "restic firefox"
    assert as_nobody(public) == "restic firefox"
    assert list(public.parent.iterdir()) == [public]


def test_anybody_reads_what_a_killed_recorder_left(public: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(public)], stdout=subprocess.PIPE, text=True
    ) as writer:
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    assert public.with_name("usage.db-wal").exists()
    assert as_nobody(public) == "firefox"


def test_a_reader_keeps_no_lock(path: Path) -> None:
    with Store(path) as store:
        with stores.reading(path) as database:
            database.execute("BEGIN")
            assert list(database.execute("SELECT count(*) FROM traffic")) == [(0,)]
            store.add(NOON, LINK, None, {FIREFOX: Amount(1, 1)})
        assert isinstance(report(path, By.DAY), Report)


def test_time_is_filed_by_five_minutes(path: Path) -> None:
    with Store(path) as store:
        for second in range(0, FIVE_MINUTES, 60):
            store.add(
                NOON // FIVE_MINUTES * FIVE_MINUTES + second, LINK, None, {FIREFOX: Amount(1, 1)}
            )
    assert spans(path) == {FIVE_MINUTES: 1}


def test_when_it_was_recorded_is_known(path: Path) -> None:
    """An idle link is not the same as one that nobody looked at."""
    for start in (NOON, NOON + 3600):
        with Store(path) as store:
            for seconds in (0, 5, 10):
                store.add(start + seconds, LINK, None, {})
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT start, until FROM recording ORDER BY start").fetchall()
    assert found == [(int(start), int(start) + 10) for start in (NOON, NOON + 3600)]
