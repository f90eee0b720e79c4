"""A report of one interface, and of what did not go over the air."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner, Reading, Remote, State
from simdiag.usage.store import Store
from simdiag.usage.totals import totals

NOON = datetime(2026, 10, 15, 12).astimezone().timestamp()
WWAN, USB = Link("usb:1", "wwan0", "cdc_ether"), Link("usb:2", "usb0", "rndis_host")
MB = 1_000_000
FIREFOX, SYNC = (
    Owner("firefox", "ann", 1000, "app-firefox.scope"),
    Owner("云同步客户端", "bob", 1001),
)
COUNTED = {
    Label(Method.KERNEL, FIREFOX, "tcp", Remote.INTERNET): Amount(500 * MB, 20 * MB, 9, 9),
    Label(Method.KERNEL, FIREFOX, "tcp", Remote.DEVICE): Amount(11 * MB, MB, 9, 9),
    Label(Method.KERNEL, SYNC, "udp", Remote.INTERNET, State.BACKGROUND): Amount(MB, 90 * MB, 1, 9),
    Label(Method.KERNEL, SYNC, "udp", Remote.LOCAL): Amount(3 * MB),
    Label(Method.KERNEL, protocol="icmp", remote=Remote.DEVICE): Amount(MB),
}


def simdiag(*words: str | Path, width: int = 100, language: str = "en") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "simdiag", "--lang", language, "usage", "report", *map(str, words)],
        capture_output=True, text=True, timeout=60, env=os.environ | {"COLUMNS": str(width)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("split") / "usage.db"
    with Store(path) as store:
        for link in (WWAN, USB):
            store.add(NOON, link, Reading("a", 4, Amount()), {})
        total = Reading("a", 4, Amount(520 * MB, 111 * MB, 30, 30))
        store.add(NOON + 60, WWAN, total, COUNTED)
        other = {Label(Method.SOCKETS, Owner("apt", "root", 0), "tcp", Remote.INTERNET): Amount(MB)}
        store.add(NOON + 4000, USB, Reading("a", 4, Amount(2 * MB)), other)
    return path


# ---- one interface -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "names", "octets", "programs"),
    [
        ((), ["wwan0", "usb0"], 633 * MB, {"firefox", "云同步客户端", "apt"}),
        (("--interface", "wwan0"), ["wwan0"], 631 * MB, {"firefox", "云同步客户端"}),
        (("--interface", "usb0"), ["usb0"], 2 * MB, {"apt"}),
    ],
)
def test_only_one_interface(
    recorded: Path, words: tuple[str, ...], names: list[str], octets: int, programs: set[str]
) -> None:
    found = json.loads(simdiag("--db", recorded, "--json", *words))
    assert found["interface"]["names"] == names
    assert found["interface"]["rx_bytes"] + found["interface"]["tx_bytes"] == octets
    assert {row["program"] for row in found["rows"]} == programs


def test_its_plot_and_page_are_of_it_too(recorded: Path) -> None:
    assert "By hour" in simdiag("--db", recorded)
    assert "By hour" not in simdiag("--db", recorded, "--interface", "usb0")
    page = simdiag("--db", recorded, "--interface", "usb0", "--html")
    assert "apt" in page
    assert "firefox" not in page


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("eth9", "eth9 was not recorded, but wwan0, usb0"), ("usb:1", "usb:1 was not recorded, but")],
)
def test_an_interface_that_was_not_recorded(recorded: Path, name: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simdiag", "usage", "report", "--db", recorded, "--interface", name],
        capture_output=True, text=True, timeout=60, env=os.environ | {"LANGUAGE": "en"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


# ---- where the other end is --------------------------------------------------------------
def test_rows_tell_what_did_not_go_over_the_air(recorded: Path) -> None:
    found = json.loads(simdiag("--db", recorded, "--interface", "wwan0", "--json"))
    firefox, sync = found["rows"]
    assert (firefox["internet_bytes"], firefox["device_bytes"]) == (520 * MB, 12 * MB)
    assert (firefox["tcp_bytes"], firefox["udp_bytes"]) == (532 * MB, 0)
    assert (sync["local_bytes"], sync["unbilled_bytes"]) == (3 * MB, 3 * MB)
    assert found["unbilled"] == {"device_bytes": 13 * MB, "local_bytes": 3 * MB}
    rows = list(csv.DictReader(io.StringIO(simdiag("--db", recorded, "--csv"))))
    assert rows[0]["device_bytes"] == str(12 * MB)


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("remote", {"internet": 612 * MB, "device": 12 * MB, "local": 3 * MB}),
        ("protocol", {"tcp": 533 * MB, "udp": 94 * MB}),
    ],
)
def test_rows_by_remote_and_protocol(recorded: Path, by: str, wanted: dict[str, int]) -> None:
    found = json.loads(simdiag("--db", recorded, "--by", by, "--json"))
    sums = dict.fromkeys((row[by] for row in found["rows"]), 0)
    for row in found["rows"]:
        sums[row[by]] += row["rx_bytes"] + row["tx_bytes"]
    assert sums == wanted


def test_a_technician_sees_it_at_once(recorded: Path) -> None:
    text = simdiag("--db", recorded)
    assert "12.0 MB to the modem itself" in text
    assert "3.0 MB on the link" in text
    assert "13.0 MB of all this went to the modem itself (its own web page, name look-ups)" in text
    assert "to the modem itself" not in simdiag("--db", recorded, "--interface", "usb0")
    by = simdiag("--db", recorded, "--by", "remote")
    assert "the modem itself: its web page, name look-ups" in by


def test_no_operator_is_held_to_it(recorded: Path) -> None:
    """What is compared with a claim and with the modem's counter leaves it out."""
    found = totals(recorded, NOON - 600, NOON + 9000)
    assert (found.billed.low, found.billed.high) == ((633 - 16) * MB, (633 - 16) * MB)
    whole = report(recorded, By.PROCESS)
    assert found.unbilled.high == whole.device_bytes + whole.local_bytes


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("by", ["process", "remote"])
def test_it_fits_and_its_columns_stand(recorded: Path, width: int, language: str, by: str) -> None:
    """Also with names of double width: sizes, bars and methods stand below one another."""
    lines = simdiag("--db", recorded, "--by", by, width=width, language=language).splitlines()
    assert max(map(cell_len, lines)) <= width
    rows = [line.rstrip() for line in lines if line.rstrip().endswith(tuple(Method))]
    assert len(rows) >= 5
    places = {cell_len(row) - len(row.split()[-1]) for row in rows}
    assert len(places) == 1
    assert len({cell_len(row[: row.rindex("B ") + 1]) for row in rows}) == 1
    assert len({cell_len(re.split("[█▒]", row)[0]) for row in rows if re.search("[█▒]", row)}) <= 1
