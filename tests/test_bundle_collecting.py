"""Collectors that hang, flood, crash and leave children behind: the bundle gets on with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simdiag.bundle.collecting import Collecting, Outcome, skipped
from simdiag.bundle.collector import Subject, collectors
from simdiag.bundle.supervisor import OVERALL_S

HEAD = """
import os, signal, subprocess, sys, time
from typing import Literal
from simdiag.bundle.collector import Collector, Denied, Skipped, Subject
from simdiag.bundle.fields import Event

class Told(Event):
    number: int

def collect(subject):
    yield Told(number=1)
"""
LIMIT_S, LIMIT_BYTES = 1.0, 50_000
HOSTILE = {
    "a_hang": ("time.sleep(1000)", "timeout"),
    "b_deaf": (
        "for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n"
        "    while True: pass",
        "timeout",
    ),
    "c_flood": ("while True: yield Told(number=7)", "truncated"),
    "d_raw_flood": ("while True: os.write(1, b'x' * 65536)", "truncated"),
    "e_crash": ("raise RuntimeError('no')", "failed"),
    "f_killed": ("os.kill(os.getpid(), signal.SIGSEGV)", "failed"),
    "g_garbage": ("os.write(1, b'\\xff\\x00garbage\\n{}\\n[1]\\n')", "failed"),
    "h_children": (
        "for _ in range(5):\n"
        "        if os.fork() == 0:\n"
        "            os.fork(); os.fork(); time.sleep(1000)\n"
        "    time.sleep(1000)",
        "timeout",
    ),
    "i_daemons": (
        "for _ in range(3):\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            if os.fork() == 0:\n"
        "                signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)\n"
        "            os._exit(0)",
        "timeout",  # they keep its output open
    ),
    "j_memory": ("a = bytearray(3 * 1024 ** 3); time.sleep(1000)", "failed"),
    "k_closes_and_stays": ("os.close(1); time.sleep(1000)", "failed"),
    "l_denied": ("raise PermissionError", "denied"),
    "m_skips": ("raise Skipped", "skipped"),
    "n_exits_early": ("os._exit(0)", "ok"),
    "o_good": ("yield Told(number=2)", "ok"),
}  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "collectors"
    folder.mkdir()
    for name, (body, _) in HOSTILE.items():
        limits = f"limit_s={LIMIT_S}, limit_bytes={LIMIT_BYTES}"
        (folder / f"{name}.py").write_text(
            f"{HEAD}    {body}\n\nCOLLECTOR = Collector(Told, collect, {limits})\n"
        )
    return folder


def marked() -> list[psutil.Process]:
    """Processes that a collector of this test has started, wherever they are by now."""
    found = []
    for process in psutil.process_iter():
        try:
            of_this_test = process.environ().get("SIMDIAG_TEST") == str(os.getpid())
            if of_this_test and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [p for p in found if p.pid != os.getpid()]


@pytest.fixture(autouse=True)
def mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMDIAG_TEST", str(os.getpid()))


def test_hostile_collectors_cost_little_and_leave_nothing(hostile: Path) -> None:
    with Collecting(hostile) as collecting:
        began = time.monotonic()
        outcomes = {o.entry.name: o for o in collecting.collect(Subject())}
        took = time.monotonic() - began
    assert {n: o.entry.state.value for n, o in outcomes.items()} == {
        n: state for n, (_, state) in HOSTILE.items()
    }
    assert took < 9
    assert marked() == []
    assert all(o.entry.bytes <= LIMIT_BYTES for o in outcomes.values())
    told = {name: [e.number for e in o.events] for name, o in outcomes.items()}  # type: ignore[attr-defined]
    assert told["o_good"] == [1, 2]
    assert all(numbers[0] == 1 for numbers in told.values()), "what was told first is kept"
    assert len(told["c_flood"]) > 100


def test_all_hang_and_the_whole_ends_in_time(tmp_path: Path) -> None:
    for i in range(10):
        text = HEAD + "    time.sleep(1000)\n\nCOLLECTOR = Collector(Told, collect, limit_s=1000)\n"
        (tmp_path / f"hang{i}.py").write_text(text)
    with Collecting(tmp_path) as collecting:
        began = time.monotonic()
        outcomes = collecting.collect(Subject())
        assert time.monotonic() - began < OVERALL_S + 2.5
    assert {o.entry.state.value for o in outcomes} == {"timeout"}
    assert marked() == []


def test_a_supervisor_that_dies_costs_its_results_only(hostile: Path) -> None:
    with Collecting(hostile) as collecting:
        collecting._process.kill()
        outcomes = collecting.collect(Subject())
    assert {o.entry.state.value for o in outcomes} == {"failed"}


def gone(deadline_s: float = 5.0) -> bool:
    deadline = time.monotonic() + deadline_s
    while marked() and time.monotonic() < deadline:
        time.sleep(0.02)
    return marked() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_ends_takes_the_collectors_along(hostile: Path, number: int) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from simdiag.bundle.collecting import Collecting\n"
        "from simdiag.bundle.collector import Subject\n"
        "with Collecting(Path(sys.argv[1])) as c:\n    print('ready', flush=True)\n"
        "    c.collect(Subject())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(hostile)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        while len(marked()) < 5:  # the collectors are at work
            time.sleep(0.01)
        process.send_signal(number)
    assert gone()


def test_nothing_is_asked_for_a_recorded_run() -> None:
    found = skipped()
    assert {o.entry.name for o in found} == set(collectors())
    assert {o.entry.state.value for o in found} == {"skipped"}


def outcomes_of_this_computer() -> Iterator[Outcome]:
    with Collecting() as collecting:
        yield from collecting.collect(Subject())


def test_every_real_collector_ends_well_on_this_computer() -> None:
    found = list(outcomes_of_this_computer())
    assert len(found) == len(collectors()) >= 9
    states = {o.entry.name: o.entry.state.value for o in found}
    assert set(states.values()) <= {"ok", "skipped", "denied"}, states
    assert sum(o.entry.garbage for o in found) == 0
