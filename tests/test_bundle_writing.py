"""A bundle is there as a whole or not at all: full disks, kills, Ctrl-C, unplugging."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simdiag.bundle import container
from simdiag.bundle.build import build
from simdiag.bundle.collecting import Outcome
from simdiag.bundle.collectors.usage import Used
from simdiag.bundle.manifest import CollectorEntry, CollectorState
from simdiag.bundle.material import of_run
from simdiag.bundle.opening import open_bundle
from simdiag.cli.status import Status
from simdiag.i18n import translator
from simdiag.pseudonym import Pseudonyms

LOG = b"AT+CPIN?\n+CPIN: READY\nOK\n\nAT+CEREG?\n+CEREG: 0,1\nOK\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "talk.txt"
    path.write_bytes(LOG)
    return path


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "simdiag", "bundle", *map(str, words)]


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        **options,  # type: ignore[call-overload]
    )  # fmt: skip


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_that_may_not_grow_leaves_nothing(log: Path, tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk: the write fails in the middle."""
    run("--from", log, "-o", tmp_path / "first.zip")  # the keys are made before it gets tight

    def tight() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    before = names(tmp_path)
    done = run("--from", log, "-o", tmp_path / "b.zip", preexec_fn=tight)
    assert done.returncode == Status.NOT_EXAMINED
    assert "could not be written" in done.stderr
    assert names(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_leaves_nothing_and_says_so(log: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        done = run("--from", log, "-o", disk / "b.zip")
        assert done.returncode == Status.NOT_EXAMINED
        assert "No space left" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert names(disk) == set()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITER = """
import sys
from pathlib import Path
from simdiag.cli.bundles import write
folder, data = Path(sys.argv[1]), bytes(range(256)) * 8192
print("ready", flush=True)
for i in range(100_000):
    write(folder / f"{i}.zip", data, replace=True)
"""


def test_kill_9_at_random_moments_never_leaves_half_a_file(tmp_path: Path) -> None:
    dice, whole = random.Random(9), bytes(range(256)) * 8192
    for i in range(8):
        folder = tmp_path / str(i)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(dice.uniform(0.0, 0.15))
            process.kill()
        assert all(path.read_bytes() == whole for path in folder.glob("[0-9]*.zip"))


def test_kill_9_of_the_whole_command_leaves_no_bundle_or_a_whole_one(
    log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "b.zip"
    for wait_s in (0.4, 1.2, 1.8):
        with subprocess.Popen(command("--from", log, "-o", path), stdout=subprocess.DEVNULL) as one:
            time.sleep(wait_s)
            one.kill()
        if path.exists():
            assert open_bundle(path).problems == []
            path.unlink()


def test_writing_is_watched_at_every_system_call(tmp_path: Path) -> None:
    """The name appears by a rename of a file that is whole and on the disk."""
    from simdiag.files import write_whole

    path, data = tmp_path / "b.zip", os.urandom(300_000)
    seen = []

    def look(event: str, args: tuple[object, ...]) -> None:
        if event == "os.rename" and str(args[1]) == str(path):
            seen.append((path.exists(), Path(str(args[0])).read_bytes() == data))

    sys.addaudithook(look)
    write_whole(path, data)
    assert seen == [(False, True)]
    assert names(tmp_path) == {"b.zip"}


def test_a_file_is_replaced_only_when_the_user_says_so(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(b"precious")
    done = run("--from", log, "-o", path)
    assert done.returncode == Status.USAGE
    assert "--force" in done.stderr
    assert path.read_bytes() == b"precious"
    assert run("--from", log, "-o", path, "--force").returncode == 0
    assert open_bundle(path).problems == []


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    """As root, a rename onto ``/dev/null`` would take it away from everybody."""
    from simdiag.files import write_whole

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device or address"):  # nobody reads
        write_whole(pipe, b"x")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"whole")
    assert os.read(reader, 100) == b"whole"
    os.close(reader)
    assert pipe.is_fifo()
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_whole(link, b"x")
    assert link.is_symlink()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"x")
    assert names(tmp_path) == {"pipe", "full"}


def test_a_link_that_leads_nowhere_is_something_that_is_there(log: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").symlink_to("elsewhere.zip")
    done = run("--from", log, "-o", tmp_path / "b.zip")
    assert done.returncode == Status.USAGE
    assert (tmp_path / "b.zip").is_symlink()
    assert run("--from", log, "-o", "-", cwd=tmp_path).returncode == Status.USAGE
    assert names(tmp_path) == {"b.zip", "talk.txt"}


@pytest.mark.parametrize("output", [".", "b.zip"])
def test_a_folder_that_may_not_be_written_is_said_before_anything_is_done(
    output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    from simdiag.cli.group import _run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    monkeypatch.setattr(sys, "argv", ["simdiag", "bundle", "--from", "missing", "-o", output])
    assert _run() == Status.USAGE
    assert "is not writable" in capsys.readouterr().err


def test_a_name_that_is_a_word_of_ours_does_not_keep_a_bundle_back(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page says "desk", whoever sits at one."""
    monkeypatch.setenv("USER", "desk")
    monkeypatch.setenv("SUDO_USER", "apple")
    assert run("--from", log, "-o", tmp_path / "b.zip").returncode == 0


def test_nor_does_a_program_that_is_called_so(log: Path) -> None:
    entry = CollectorEntry(
        name="usage", state=CollectorState.OK, limit_ms=1, limit_bytes=1, started_ms=0,
        ended_ms=0, bytes=0, events=1, garbage=0,
    )  # fmt: skip
    used = Used(
        row="program", program="code", user="desk", method="kernel", rx_bytes=1, tx_bytes=1,
        rx_packets=1, tx_packets=1,
    )  # fmt: skip
    material = of_run(log, None, [Outcome(entry, (used,))])
    built = build(material, Pseudonyms(bytes(32)), [translator("en")])
    told = container.unpack(built.data).members["evidence/usage.jsonl"]
    assert b'"code"' not in told
    assert b'"desk"' not in told


@pytest.mark.parametrize("name", [".", "/", "folder.json", "fifo.json", "fifo.jsonl"])
def test_what_is_no_file_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "fifo.json")
    os.mkfifo(tmp_path / "fifo.jsonl")
    done = run("--from", name, "-o", tmp_path / "b.zip", cwd=tmp_path)
    assert done.returncode == Status.NOT_EXAMINED
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_times_of_a_clock_count_from_the_first_event(tmp_path: Path) -> None:
    talk = tmp_path / "talk.jsonl"
    lines = [
        {"t": 1.7e9 + n, "port": "ttyUSB2", "dir": d, "data": data}
        for n, (d, data) in enumerate(
            [("tx", "AT+CPIN?\\r"), ("rx", "\\r\\n+CPIN: READY\\r\\nOK\\r\\n")]
        )
    ]
    lines.append(lines[0] | {"t": 302720123498765})
    talk.write_text("\n".join(map(json.dumps, lines)))
    assert run("--from", talk, "-o", tmp_path / "b.zip").returncode == 0
    assert [event.t for event in open_bundle(tmp_path / "b.zip").talk] == [0, 1, 1e6]


def test_the_default_name_has_time_and_id_and_is_new_each_time(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert run("--from", log, cwd=folder).returncode == 0
    (name,) = names(folder)
    bundle = open_bundle(folder / name)
    assert name.startswith("simdiag-2")
    assert name.endswith(f"Z-{bundle.id}.zip")
    assert name.isascii()


def test_a_folder_that_is_not_there_is_said_before_anything_is_done(
    log: Path, tmp_path: Path
) -> None:
    done = run("--from", log, "-o", tmp_path / "no" / "b.zip")
    assert done.returncode == Status.USAGE
    assert "does not exist" in done.stderr


def test_ctrl_c_leaves_nothing(emulated, tmp_path: Path) -> None:
    with (
        emulated("quectel-ec2x/searching") as port,
        subprocess.Popen(
            command("--port", port, "--wait", 60, "-o", tmp_path / "b.zip"), stderr=subprocess.PIPE
        ) as process,
    ):
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert names(tmp_path) == set()


def test_unplugged_while_it_is_examined(emulated, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with emulated("quectel-ec2x/healthy", unplug_after=6) as port:
        done = run("--port", port, "-o", path)
    assert done.returncode == 0, done.stderr
    assert open_bundle(path).manifest.verdict.cause == "device_removed"


def test_no_key_no_bundle(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    done = run("--from", log, "-o", tmp_path / "b.zip")
    assert done.returncode == Status.NOT_EXAMINED
    assert len(done.stderr.strip().splitlines()) == 1
    assert names(tmp_path) == {"talk.txt"}


def test_a_damaged_key_is_said(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "simdiag").mkdir()
    (tmp_path / "simdiag/pseudonym.key").write_bytes(b"short")
    for words in (["--from", log], ["original", "iccid", "89860012345678901237"]):
        done = run(*words)
        assert done.returncode == Status.NOT_EXAMINED
        assert "pseudonym.key is damaged" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_desks_key_that_is_none(log: Path, tmp_path: Path) -> None:
    secret = "AGE-SECRET-KEY-1428P34AQLNTUMD49EMYC9JF9263TYAYFDR635ZR4WEWQJ70HWSFSS6V05G"
    done = run("--from", log, "--to", secret, "-o", tmp_path / "b.zip")
    assert done.returncode == Status.USAGE
    assert secret not in done.stderr
    assert names(tmp_path) == {"talk.txt"}
