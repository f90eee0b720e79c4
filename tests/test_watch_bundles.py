"""``simdiag watch --bundles``: a bundle of each examination, whatever happens beside it."""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from simdiag.agent import Examination, Options, Target, examine
from simdiag.bundle.opening import open_bundle
from simdiag.cli import bundling
from simdiag.cli.bundling import Bundling
from simdiag.cli.shelf import Shelf
from simdiag.watch import Kept, Verdict
from watch_run import QUICK, watches

watching = pytest.fixture(watches)

NAME = r"watch-\d{8}T\d{6}\.\d{3}Z-1-(\d)-(\w+)\.zip"
BEGAN = datetime(2026, 5, 4, 3, 2, 1, 500_000, tzinfo=UTC)
VERDICT = Verdict("healthy", "Card and device are in order.", 0.95, None, 3.0, BEGAN)
WRITTEN = "watch-20260504T030201.500Z-1-2-healthy.zip"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---- as users meet it ----------------------------------------------------------------------
def test_two_that_are_done_at_once_have_a_bundle_each(watching, emulated, tmp_path):
    folder = tmp_path / "deep/bundles"
    watch = watching("--bundles", str(folder), "--wait", "1", "--count", "2")
    with emulated("quectel-ec2x/healthy") as one, emulated("quectel-ec2x/sim_failure") as two:
        watch.plug(s1=one, s2=two)
        out, errors = watch.process.communicate(timeout=100)
    assert (watch.process.returncode, "Traceback" in errors) == (1, False)
    found = {match[1]: match[2] for name in names(folder) if (match := re.fullmatch(NAME, name))}
    assert (found, len(names(folder))) == ({"1": "healthy", "2": "sim_failure"}, 2)
    for path in folder.iterdir():
        bundle = open_bundle(path)
        socket, cause = re.fullmatch(NAME, path.name).groups()
        assert bundle.manifest.verdict.cause == cause
        assert bundle.manifest.source == "device"
        assert {e.name: e.state.value for e in bundle.manifest.collectors}["system"] == "ok"
        assert not bundle.manifest.redaction.revealed
        told = f" 1-{socket} Quectel EC25 (2c7c:0125): bundle {path.name}\n"
        assert out.index(f"({cause}, certainty") < out.index(told)


def tight() -> None:
    """RLIMIT_FSIZE stands in for a full disk: the write fails in the middle."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_a_full_disk_is_a_sentence_and_the_watch_goes_on(watching, emulated, tmp_path):
    watch = watching("--bundles", str(tmp_path / "b"), "--wait", "1", maker=QUICK, preexec_fn=tight)
    for number in (2, 3):
        with emulated("quectel-ec2x/sim_puk_required") as port:
            watch.plug(**{f"s{number}": port})
            said = [watch.line() for _ in range(3)]
            assert re.search(
                rf" 1-{number} Quectel EC25 \(2c7c:0125\): the bundle could not be written to .*"
                rf"{NAME}: File too large; nothing is left of it\n", said[-1],
            )  # fmt: skip
            watch.plug()
            assert ": unplugged" in watch.line()
    assert names(tmp_path / "b") == []
    status, _, errors = watch.end()
    assert (status, "Traceback" in errors) == (0, False)


def test_a_folder_that_goes_and_comes_back(watching, emulated, tmp_path):
    folder = tmp_path / "b"
    watch = watching("--json", "--bundles", str(folder), "--wait", "1", "--count", "2", maker=QUICK)
    with emulated("quectel-ec2x/sim_puk_required") as port:
        wait_for(folder.is_dir)
        folder.rmdir()
        watch.plug(s2=port)
        json.loads(watch.line())
        assert "looked for every" in watch.process.stderr.readline()
        said = watch.process.stderr.readline()
        assert re.fullmatch(
            rf"simdiag: 1-2: the bundle could not be written to {folder}/{NAME}: No such file or "
            r"directory; nothing is left of it\n", said,
        )  # fmt: skip
    with emulated("quectel-ec2x/healthy") as port:
        folder.mkdir()
        watch.plug(s3=port)
        out, errors = watch.process.communicate(timeout=60)
    assert (json.loads(out)["cause"], errors) == ("healthy", "")
    assert re.fullmatch(NAME, *names(folder))


def test_ctrl_c_while_a_bundle_is_in_the_making(watching, emulated, tmp_path):
    folder = tmp_path / "b"
    watch = watching("--bundles", str(folder), "--wait", "1")
    with ExitStack() as modems:
        ports = [modems.enter_context(emulated("quectel-ec2x/sim_puk_required")) for _ in range(4)]
        watch.plug(**{f"s{n}": port for n, port in enumerate(ports)})
        while "sim_puk_required" not in (before := watch.line()):
            pass
        process = psutil.Process(watch.process.pid)
        wait_for(lambda: process.children(recursive=True))
        makers = process.children(recursive=True)
        begun = time.monotonic()
        status, out, errors = watch.end()
        took = time.monotonic() - begun
    assert (status, "Traceback" in errors) == (0, False)
    assert took < bundling.ENDING_S + bundling._GRACE_S + 5
    assert not any(process.is_running() for process in makers)
    assert all(re.fullmatch(NAME, name) for name in names(folder))
    assert all(open_bundle(path) for path in folder.iterdir())
    written, given_up = out.count(": bundle watch-"), out.count(": the bundle was not finished")
    assert written == len(names(folder))
    assert written + given_up >= (before + out).count("(sim_puk_required, certainty") >= 1


def test_older_ones_are_removed_in_both_folders(watching, emulated, tmp_path):
    both = tmp_path / "both"
    watch = watching(
        "--out", str(both), "--bundles", str(both), "--keep", "1", "--wait", "1", "--count", "2",
        maker=QUICK,
    )  # fmt: skip
    mine = both / "20260504T030201Z-notes.json"
    with emulated("quectel-ec2x/healthy") as one:
        watch.plug(s1=one)
        wait_for(both.is_dir)
        mine.write_text("mine")
        while "bundle watch-" not in watch.line():
            pass
        assert [Path(name).suffix for name in names(both)] == [".json", ".json", ".jsonl", ".zip"]
        with emulated("quectel-ec2x/sim_failure") as two:
            watch.plug(s1=one, s2=two)
            watch.process.communicate(timeout=60)
    assert names(both)[0] == mine.name
    kept = [re.sub(r"^watch-.*Z-", "", name) for name in names(both)[1:]]
    assert kept == [f"1-2-sim_failure.{kind}" for kind in ("json", "jsonl", "zip")]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--keep", "5"], 2, "--keep needs --out or --bundles"),
        (["--keep", "-1", "--out", "x"], 2, "--keep"),
        (["--bundles", "/dev/null"], 2, "/dev/null"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(words, status, told, tmp_path):
    done = simdiag(*words, cwd=tmp_path)
    assert (done.returncode, told in done.stderr, names(tmp_path)) == (status, True, [])
    assert "Traceback" not in done.stderr


def test_a_key_that_cannot_be_made_is_told_before_anything_is_examined(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    done = simdiag("--bundles", str(tmp_path), cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    assert "pseudonym.key can be neither read nor made" in done.stderr


def simdiag(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simdiag", "watch", *words], capture_output=True, text=True,
        timeout=60, cwd=cwd, env=os.environ | {"LANGUAGE": "en"},
    )  # fmt: skip


# ---- programs that go wrong ----------------------------------------------------------------
@pytest.fixture(scope="module")
def result() -> Examination:
    from simdiag.emulator import EmulatedModem, scenario
    from simdiag.emulator.pty import running

    with running(EmulatedModem(scenario("quectel-ec2x/healthy"))) as port:
        return examine(Target(port=port), Options(wait_s=0))


def makers() -> list[psutil.Process]:
    """The programs that make bundles; servers of other tests may be children too."""
    return [p for p in psutil.Process().children() if p.cmdline()[1:3] == ["-P", "-c"]]


def made(result: Examination, folder: Path, cancel: Event | None = None) -> Kept:
    return Bundling(Shelf(folder, 5), cancel or Event())("1-2", VERDICT, result)


def test_what_is_sent_to_the_program_arrives_whole(result):
    again = pickle.loads(pickle.dumps(result))
    assert again.diagnosis == result.diagnosis
    assert (list(again.evidence), again.events) == (list(result.evidence), result.events)


def test_a_bundle_that_is_there_is_not_replaced(result, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "_PROGRAM", QUICK)
    (tmp_path / WRITTEN).write_text("mine")
    kept = made(result, tmp_path)
    assert (kept.name, "File exists" in kept.problem.render()) == ("", True)
    assert (tmp_path / WRITTEN).read_text() == "mine"


REFUSING = """
from simdiag.bundle import gate
def check(*_arguments):
    raise gate.LeakFound("imei", "talk.jsonl")
gate.check = check
from simdiag.cli.bundling import main
main()
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (REFUSING, "the bundle is not written: talk.jsonl would show an identifier (imei)"),
        ("raise SystemExit(3)", "the bundle could not be made: its program ended (3)"),
        ("import os; os.kill(os.getpid(), 9)", "its program ended (-9)"),
        ("print('not a pickle')", "its program ended (0)"),
        ("import time; time.sleep(1000)", "the bundle was given up: it was not ready after 2 s"),
        (
            "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)",
            "the bundle was given up",
        ),
        ("import sys; sys.stdin.close(); import time; time.sleep(1000)", "the bundle was given up"),
        (
            "from simdiag.cli import bundling; bundling._carry_out = None; bundling.main()",
            "the bundle could not be made: TypeError; nothing is left of it",
        ),
    ],
)
def test_a_program_that_goes_wrong_is_a_sentence(program, told, result, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "_PROGRAM", program)
    monkeypatch.setattr(bundling, "LIMIT_S", 30.0 if "sleep" not in program else 2.0)
    monkeypatch.setattr(bundling, "_GRACE_S", 0.5)
    kept = made(result, tmp_path)
    assert (kept.name, told in kept.problem.render()) == ("", True)
    assert names(tmp_path) == []
    assert makers() == []


def test_the_end_of_the_watch_ends_what_takes_longer(result, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "_PROGRAM", "import time; time.sleep(1000)")
    monkeypatch.setattr(bundling, "ENDING_S", 0.5)
    cancel, kept = Event(), []
    bundler = Bundling(Shelf(tmp_path, 5), cancel)
    threads = [
        Thread(target=lambda n=n: kept.append(bundler(f"1-{n}", VERDICT, result))) for n in range(3)
    ]
    for thread in threads[:2]:
        thread.start()
    time.sleep(0.3)
    begun = time.monotonic()
    cancel.set()
    for thread in threads[:2]:
        thread.join()
    threads[2].start()  # it had to wait its turn
    threads[2].join()
    assert time.monotonic() - begun < 0.5 + bundling._GRACE_S
    assert [k.problem.text for k in kept] == [bundling._ENDED] * 3
    assert makers() == []


def test_too_many_processes_are_a_sentence(result, tmp_path, monkeypatch):
    def fail(*_arguments: object, **_options: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(bundling.subprocess, "Popen", fail)
    text = made(result, tmp_path).problem.render()
    assert text == (
        "the bundle could not be made: Resource temporarily unavailable; nothing is left of it"
    )


def test_older_ones_that_cannot_be_removed_are_told_beside_the_new_one(
    result, tmp_path, monkeypatch
):
    def fail(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(bundling, "_PROGRAM", QUICK)
    monkeypatch.setattr(Shelf, "prune", fail)
    kept = made(result, tmp_path)
    assert (kept.name, names(tmp_path)) == (WRITTEN, [WRITTEN])
    assert kept.problem.render() == "older bundles could not be removed: Operation not permitted"
