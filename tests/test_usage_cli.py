"""``simdiag usage`` as users and scripts meet it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from simdiag.cli import usage_report
from simdiag.errors import SimdiagError
from simdiag.sizes import size
from simdiag.usage import places
from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner, Reading, State
from simdiag.usage.store import Store
from usage_command import simdiag

DAY = datetime(2026, 10, 15).astimezone().timestamp()
FIREFOX = Owner("firefox", "ann", 1000)
HOSTILE = Owner("=cmd()[red]\x1b[2J", "bob", 1001, "a.service", "web")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("usage") / "usage.db"
    link = Link("usb:1", "wwan0", "cdc_ether")

    def reading(rx: int, tx: int) -> Reading:
        return Reading("a", 4, Amount(rx, tx, rx // 1000, tx // 1000))

    back, front = State.BACKGROUND, State.FOREGROUND
    with Store(path) as store:
        store.add(DAY, link, reading(0, 0), {})
        store.add(
            DAY + 8 * 3600, link, reading(8_000_000, 90_000),
            {
                Label(Method.KERNEL, FIREFOX, "tcp", state=front): Amount(3_000_000, 50_000, 9, 9),
                Label(Method.KERNEL, HOSTILE, "udp", state=back): Amount(1_000_000, 10_000, 3, 4),
            },
            {"map_overflow": 12},
        )  # fmt: skip
        sockets = {Label(Method.SOCKETS, FIREFOX, "tcp"): Amount(500_000, 0, 1, 0)}
        store.add(DAY + 86400, link, reading(9_000_000, 90_000), sockets)
    return path


# ---- reports -----------------------------------------------------------------------------
def test_json(recorded: Path) -> None:
    found = json.loads(simdiag("report", "--db", recorded, "--json").stdout)
    assert (found["schema"], found["method"], found["forwarded"]) == (
        "simdiag/usage/1", "sockets", None,
    )  # fmt: skip
    assert found["interface"]["names"] == ["wwan0"]
    assert found["interface"]["rx_bytes"] == 9_000_000
    assert found["losses"] == {"map_overflow": 12}
    first = found["rows"][0]
    assert first == {
        "program": "firefox", "user": "ann", "unit": "", "container": "", "method": "kernel",
        "rx_bytes": 3_000_000, "tx_bytes": 50_000, "rx_packets": 9, "tx_packets": 9,
        "foreground_bytes": 3_050_000, "background_bytes": 0, "local_bytes": 0, "device_bytes": 0,
        "internet_bytes": 0, "tcp_bytes": 3_050_000, "udp_bytes": 0, "unbilled_bytes": 0,
    }  # fmt: skip
    for name in ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets"):
        rows = sum(row[name] for row in found["rows"])
        assert rows + found["unattributed"][name] == found["interface"][name]


def test_a_period(recorded: Path) -> None:
    words = ("report", "--db", recorded, "--json")
    day = json.loads(simdiag(*words, "--since", "2026-10-15", "--until", "2026-10-15").stdout)
    assert day["interface"]["rx_bytes"] == 8_000_000
    assert (day["since"][:10], day["until"][:10]) == ("2026-10-15", "2026-10-16")
    assert day["method"] == "kernel"
    later = json.loads(simdiag(*words, "--since", "2026-10-15T09:00").stdout)
    assert later["interface"]["rx_bytes"] == 1_000_000


def test_a_period_that_ends_before_it_begins_is_refused(recorded: Path) -> None:
    done = simdiag(
        "report", "--db", recorded, "--since", "2026-10-16", "--until", "2026-10-14", "--json"
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "the period ends before it begins" in done.stderr


def test_a_period_without_traffic_says_so(recorded: Path) -> None:
    text = simdiag("report", "--db", recorded, "--since", "2030-01-01").stdout
    assert "No traffic was recorded in this period." in text
    assert "Method" not in text.splitlines()[-1]


def test_no_duration_is_not_endless(tmp_path: Path) -> None:
    done = simdiag("record", "--interface", "lo", "--db", tmp_path / "a.db", "--duration", "nan")
    assert done.returncode == 2
    assert "--duration" in done.stderr


def test_csv_is_harmless_in_a_spreadsheet(recorded: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(simdiag("report", "--db", recorded, "--csv").stdout)))
    assert [row["program"][:6] for row in rows] == [
        "firefo", "'=cmd(", "firefo", "unattr", "interf",
    ]  # fmt: skip
    assert sum(int(row["rx_bytes"]) for row in rows[:-1]) == int(rows[-1]["rx_bytes"])


def test_csv_of_nothing_has_its_columns(tmp_path: Path) -> None:
    Store(tmp_path / "new.db").close()
    lines = simdiag("report", "--db", tmp_path / "new.db", "--by", "user", "--csv").stdout
    assert lines.startswith("user,method,rx_bytes,tx_bytes,")


def test_the_table(recorded: Path) -> None:
    text = simdiag("report", "--db", recorded).stdout
    assert "firefox" in text
    assert "3.0 MB" in text
    assert "interface wwan0" in text
    assert "unattributed" in text
    assert "12 packets found no room" in text
    assert "22 % background, 67 % foreground" in text
    assert "[red]" in text  # no markup
    assert "\x1b[2J" not in text


@pytest.mark.parametrize("by", [by.value for by in By])
def test_every_kind_of_row_has_its_forms(recorded: Path, by: str) -> None:
    for form in ((), ("--json",), ("--csv",)):
        done = simdiag("report", "--db", recorded, "--by", by, *form)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (150_000_000_000, "150.0 GB"), (-5, "-5 B"),
     (3 * 10**15, "3000.0 TB")],
)  # fmt: skip
def test_sizes(octets: int, text: str) -> None:
    assert size(octets) == text


def test_hostile_names_reach_no_terminal(recorded: Path) -> None:
    screen = io.StringIO()
    usage_report.show(Console(file=screen, force_terminal=True), report(recorded, By.PROCESS))
    assert "\x1b[2J" not in screen.getvalue()


# ---- recording ---------------------------------------------------------------------------
def test_a_recording_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    done = simdiag("record", "--interface", "lo", "--db", path, "--duration", "0.2")
    assert done.returncode == 0, done.stderr
    assert f"Recording lo into {path}, method " in done.stderr
    found = json.loads(simdiag("report", "--db", path, "--json").stdout)
    assert found["interface"]["names"] == ["lo"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ending_it_files_the_last_counts(tmp_path: Path, number: signal.Signals) -> None:
    words = [sys.executable, "-m", "simdiag", "usage", "record", "--interface", "lo", "--db"]
    with subprocess.Popen(
        [*words, str(tmp_path / "usage.db")], stderr=subprocess.PIPE, text=True
    ) as recording:
        while "Recording" not in recording.stderr.readline():
            pass
        recording.send_signal(number)
        rest = recording.stderr.read()
    assert recording.returncode == 0
    assert "Traceback" not in rest
    assert report(tmp_path / "usage.db", By.PROCESS).links == ("lo",)


def test_an_interface_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    database = tmp_path / "usage.db"
    words = ["record", "--wait", "--interface", "nosuch0", "--db", str(database)]
    with subprocess.Popen(
        [sys.executable, "-m", "simdiag", "usage", *words], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"LANGUAGE": "en"},
    ) as waiting:  # fmt: skip
        assert "there is no network interface nosuch0" in waiting.stderr.readline()
        assert waiting.stderr.readline() == "Recording begins as soon as it is there.\n"
        waiting.send_signal(signal.SIGTERM)
        assert waiting.stderr.read() == ""
    assert (waiting.returncode, database.exists()) == (0, False)


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["record", "--interface", "nosuch0"], 4, "there is no network interface nosuch0"),
        (["report", "--db", "/nosuch/usage.db"], 4, "/nosuch/usage.db cannot be read: No such"),
        (["record", "--interface", "lo", "--db", "/proc/usage.db"], 4, "cannot be written"),
        (["report", "--since", "yesterdy"], 2, "yesterdy is not a day or time"),
        (["report", "--since", "2026-99-99"], 2, "2026-99-99 is not a day or time"),
        (["report", "--by", "moon"], 2, "'moon' is not one of"),
        (["record", "--duration", "-1"], 2, "-1"),
    ],
)
def test_bad_input_gets_a_sentence(words: list[str], status: int, sentence: str) -> None:
    done = simdiag(*words)
    assert done.returncode == status
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_who_has_no_home_is_told_what_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number without a login, as in many containers."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_000)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    with pytest.raises(SimdiagError, match="set HOME, or XDG_STATE_HOME"):
        places.for_recording()
