"""The usage page: one file that loads and runs nothing, escapes everything, and fits a telephone."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.report.plot import plot
from simdiag.report.usage_page import page
from simdiag.report.usage_text import client_name, step_of
from simdiag.usage.ledger import Report, Row
from simdiag.usage.ledger import report as ledger_report
from simdiag.usage.records import NOBODY, Amount, By, Label, Link, Method, Owner, Reading, State
from simdiag.usage.store import HOUR, Store
from simdiag.usage.timeline import Slice, timeline, without_gaps
from usage_command import simdiag

NOON = datetime(2026, 10, 15, 12).astimezone().timestamp()
HOSTILE = "<script>alert(1)</script>\"'>\u202e\x1b[2J&lt;" + "x" * 3000
LINK = Link("usb:1", "wwan0", "cdc_ether")


class Reader(HTMLParser):
    """Collects the elements, what they refer to, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                self.references.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        self.text += data


def row(program: str, octets: int, back: int = 0) -> Row:
    key = {"program": program, "user": HOSTILE[:30], "unit": HOSTILE, "container": ""}
    return Row(key, Method.KERNEL, Amount(octets, octets // 10), 0, back, 0)


def made(*rows: Row, **more: object) -> Reader:
    whole = Amount(sum(r.amount.rx_bytes for r in rows) + 7, sum(r.amount.tx_bytes for r in rows))
    local = Amount(whole.rx_bytes - 7, whole.tx_bytes)
    found = Report(By.PROCESS, None, None, ("wwan0",), whole, rows, local)
    return Reader(page(found, lambda text: text, made=datetime.now(UTC), **more))  # type: ignore[arg-type]


def test_nothing_is_loaded_and_nothing_runs() -> None:
    found = made(
        row(HOSTILE, 10**9, 10**8), slices=[Slice(NOON, 5, 2, 1, 9), Slice(NOON + HOUR, 1, 0, 0, 2)]
    )
    assert not {"script", "img", "link", "iframe", "object", "a", "form"} & set(found.tags)
    assert (found.references, found.handlers) == ([], [])
    assert found.tags.count("svg") >= 3
    assert "<script>alert(1)</script>" in found.text  # as text
    assert not re.search("[\x1b\u202e]", found.text)
    assert len(found.text) < 20_000


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=200))
def test_any_name_stays_text(name: str) -> None:
    plain, named = made(row("x", 5)), made(row(name, 5))
    assert named.tags == plain.tags
    assert named.handlers == []


def test_the_figures_are_in_words_too() -> None:
    found = made(row("firefox", 900_000_000), row("restic", 100_000_000, 110_000_000))
    assert "firefox" in found.text
    assert "1.1 GB" in found.text
    assert re.search(r"Background \(estimate\)\s*10 %", found.text)
    assert "unattributed" in found.text
    assert "Top talkers: firefox 90 %, restic 10 %." in found.text


def test_more_rows_than_asked_for_are_taken_together() -> None:
    rows = [row(f"p{number}", 1000 - number) for number in range(100)]
    found = made(*rows, top=10)
    assert "91 others" in found.text
    assert "p8" in found.text
    assert "p9 " not in found.text


def test_an_empty_report_is_a_page() -> None:
    assert "0 B" in made().text


# ---- over time ---------------------------------------------------------------------------
@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "usage.db"
    firefox = Label(Method.KERNEL, Owner("firefox", "ann", 1000), "tcp", state=State.FOREGROUND)
    restic = Label(Method.KERNEL, Owner("restic", "root", 0), "tcp", state=State.BACKGROUND)
    phone = Label(Method.KERNEL, Owner(client="10.42.0.17"))
    kernel = Label(Method.KERNEL, NOBODY, "icmp")
    with Store(path) as store:
        store.add(NOON - 60, LINK, Reading("a", 4, Amount()), {})
        for number in range(3):
            total = Amount(10_000 * (number + 1), 100, 10, 10)
            counted = {
                firefox: Amount(4000),
                restic: Amount(3000),
                phone: Amount(2000),
                kernel: Amount(10),
            }
            store.add(NOON + 5 * number * HOUR, LINK, Reading("a", 4, total), counted)
    return path


def test_the_hours_hold_what_the_report_holds(recorded: Path) -> None:
    hours = timeline(recorded, By.HOUR)
    assert [piece.local for piece in hours] == [7000] * 3
    assert [piece.background for piece in hours] == [3000] * 3
    assert [piece.forwarded for piece in hours] == [2000] * 3
    whole = ledger_report(recorded, By.PROCESS)
    assert (
        sum(piece.interface for piece in hours)
        == whole.interface.rx_bytes + whole.interface.tx_bytes
    )
    assert whole.forwarded == Amount(6000)
    assert whole.unattributed == Amount(3000, 100, 10, 10)
    filled = without_gaps(hours, By.HOUR)
    assert len(filled) == 11
    assert [piece.interface > 0 for piece in filled].count(True) == 3


def test_forwarded_traffic_is_by_client(recorded: Path) -> None:
    found = ledger_report(recorded, By.CLIENT)
    assert [(entry.key["client"], entry.amount.rx_bytes) for entry in found.rows] == [
        ("10.42.0.17", 6000)
    ]
    parts = found.local + (found.forwarded or Amount()) + found.unattributed
    assert parts == found.interface


def test_only_one_link_may_count(recorded: Path) -> None:
    assert ledger_report(recorded, By.PROCESS, link="usb:2").interface == Amount()
    assert ledger_report(recorded, By.PROCESS, link="usb:1").interface.rx_bytes == 30_000


def test_days_are_told_by_the_calendar() -> None:
    """From midnight to midnight, also where a day has 23 or 25 hours."""
    start, end = (datetime(2026, 10, day).astimezone().timestamp() for day in (20, 31))
    found = without_gaps([Slice(start), Slice(end)], By.DAY)
    assert len(found) == 12
    assert {datetime.fromtimestamp(piece.start).astimezone().hour for piece in found} == {0}
    assert step_of(start, end) is By.DAY
    assert step_of(start, start + 48 * HOUR) is By.HOUR


@pytest.mark.parametrize(
    ("address", "name"),
    [("10.42.0.17", "10.42.0.17"), ("fe80::1", "fe80::1"), ("8.8.4.4", "8…4"),
     ("2a01:4f8:c17::9:beef", "2a01…beef"), ("?", "?")],
)  # fmt: skip
def test_addresses_that_the_world_knows_are_cut(address: str, name: str) -> None:
    assert client_name(address) == name


@given(st.lists(st.floats(0, 1e15), max_size=400), st.integers(1, 200), st.integers(1, 9))
def test_a_plot_fits(values: list[float], width: int, height: int) -> None:
    lines = plot(values, width, height)
    assert len(lines) == height
    assert {len(line) for line in lines} <= {len(lines[0])}
    assert len(lines[0]) <= width
    if any(values):
        assert any(line.strip() for line in lines)


# ---- as users make it --------------------------------------------------------------------
def test_the_command_prints_it(recorded: Path) -> None:
    done = simdiag("report", "--db", recorded, "--html")
    assert (done.returncode, done.stderr) == (0, "")
    found = Reader(done.stdout)
    assert "10.42.0.17" in found.text
    assert found.tags.count("table") == 2


def test_a_narrow_terminal_gets_fewer_columns(recorded: Path) -> None:
    lines = simdiag("report", "--db", recorded, COLUMNS="50").stdout.splitlines()
    assert max(map(len, lines)) <= 50
    assert "Total" in lines[0]
    assert any("█" in line for line in lines)  # the plot


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_fits_a_browser(recorded: Path, tmp_path: Path, width: int) -> None:
    """Headless Chromium prints how wide the page became; a frame gives it the width."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("not installed: chromium")
    file = tmp_path / "usage.html"
    with Store(recorded) as store:
        for number, name in enumerate((HOSTILE[:90], "a" * 64, "云同步" * 20)):
            label = Label(Method.KERNEL, Owner(name, "b" * 32, 1001 + number, "c" * 60))
            store.add(NOON, LINK, None, {label: Amount(1_234_567_890, 987_654_321)})
    file.write_text(simdiag("report", "--db", recorded, "--html").stdout)
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe id=f width={width} height=900 style="border:0" src="usage.html"></iframe><script>'
        "onload = () => { const d = f.contentDocument.documentElement;"
        "document.title = 'wide ' + d.scrollWidth + ' of ' + d.clientWidth }</script>"
    )
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [browser, *options, profile, "--dump-dom", frame.as_uri()], capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    found = re.search(r"wide (\d+) of (\d+)", done.stdout)
    assert found is not None, done.stderr[-500:]
    assert width - 20 <= int(found[2]) <= width  # a scroll bar beside it
    assert int(found[1]) <= int(found[2])
