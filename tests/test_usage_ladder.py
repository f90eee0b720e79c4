"""The ladder of methods: nothing left behind, just the rights it needs, a sentence without them."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.message import Message
from simdiag.usage import recorder
from simdiag.usage.kernel import KernelMeter, libbpf, loading
from simdiag.usage.kernel.libbpf import Library
from simdiag.usage.records import Method

ROOT = Path(__file__).parents[1]
KERNEL = ROOT / "src/simdiag/usage/kernel"
BENCHMARK = ROOT / "benchmarks/usage.py"
PINS = Path("/sys/fs/bpf")

pytestmark = pytest.mark.xdist_group("usage")  # one after the other: each counts all traffic


# ---- nothing stays behind ----------------------------------------------------------------
def programs_of(pid: int) -> set[int]:
    """Return the ids of the BPF programs that a process has loaded."""
    texts = []
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            texts.append(path.read_text())
        except OSError:
            continue
    return {
        int(number) for text in texts for number in re.findall(r"^prog_id:\s*(\d+)", text, re.M)
    }


def is_loaded(number: int) -> bool:
    library = ctypes.CDLL(next(n for n in libbpf._NAMES if libbpf._open(n)), use_errno=True)
    fd = library.bpf_prog_get_fd_by_id(number)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_behind(working: KernelMeter, tmp_path: Path, number: signal.Signals) -> None:
    working.close()
    pins = set(PINS.glob("**/*"))
    words = [sys.executable, "-m", "simdiag", "usage", "record", "--interface", "lo", "--db"]
    with subprocess.Popen(
        [*words, str(tmp_path / "usage.db")], stderr=subprocess.PIPE, text=True
    ) as recording:
        assert "method kernel" in recording.stderr.readline()
        loaded = programs_of(recording.pid)
        assert len(loaded) == 7
        assert all(map(is_loaded, loaded))
        recording.send_signal(number)
        assert recording.wait(30) == (0 if number != signal.SIGKILL else -number)
    deadline = time.monotonic() + 30  # the kernel frees them in its own time
    while any(map(is_loaded, loaded)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_loaded, loaded))
    assert set(PINS.glob("**/*")) == pins


# ---- as a service ------------------------------------------------------------------------
def with_capabilities(tmp_path: Path, names: set[str]) -> str:
    """Record as a root with these only, beside a user's older socket; return what it said."""
    if shutil.which("setpriv") is None or not Path("/usr/bin/python3").exists():
        pytest.skip("not installed: setpriv, or the system's python3")
    drop = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in sorted(names))])
    sleeper = (
        "import socket, time; s = socket.create_server(('', 0)); print(flush=True); time.sleep(60)"
    )
    # not the interpreter of the tests, which other users may not run
    words = ["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", sleeper]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as older:
        try:
            assert older.stdout.readline() == b"\n"
            done = subprocess.run(
                ["sh", "-c", 'ulimit -l unlimited 2>&-; exec "$@"', "-",  # as the unit does
                 "setpriv", f"--bounding-set={drop}", sys.executable, "-m", "simdiag", "usage", "record",
                 "--interface", "lo", "--duration", "0", "--db", tmp_path / "usage.db"],
                capture_output=True, text=True, env=os.environ | {"LANGUAGE": "en"},
            )  # fmt: skip
        finally:
            older.kill()
    assert done.returncode == 0, done.stderr
    return done.stderr


def capabilities_of_the_service() -> set[str]:
    unit = (ROOT / "src/simdiag/hostfiles/simdiag-usage.service").read_text()
    return set(
        re.findall(r"\bCAP_\w+", " ".join(re.findall(r"^CapabilityBoundingSet=(.*)", unit, re.M)))
    )


def unseen(said: str) -> int:
    """Return how many processes could not be looked at."""
    found = re.search(r"^(\d+) processes could not be looked at", said, re.M)
    return int(found[1]) if found else 0


def test_the_service_has_the_capabilities_that_it_needs(
    working: KernelMeter, tmp_path: Path
) -> None:
    """It sees what an unlimited root sees."""
    working.close()
    said = with_capabilities(tmp_path, capabilities_of_the_service())
    assert "method kernel" in said
    assert unseen(said) <= working.unseen
    assert ("does not count it" in said) == (working._forwarding is None)


@pytest.mark.parametrize("name", ["BPF", "NET_ADMIN", "DAC_READ_SEARCH", "SYS_PTRACE"])
def test_it_has_no_capability_that_it_does_not_need(
    working: KernelMeter, tmp_path: Path, name: str
) -> None:
    """All but CAP_PERFMON, which kernels before 6.12 ask for."""
    working.close()
    said = with_capabilities(tmp_path, capabilities_of_the_service() - {f"CAP_{name}"})
    assert "No kernel counting" in said or unseen(said) > working.unseen


# ---- where it cannot be ------------------------------------------------------------------
def best() -> tuple[Method, list[str]]:
    said: list[Message] = []
    with contextlib.closing(recorder.best_meter("usb0", said.append)) as found:
        return found.method, [text.render() for text in said]


def test_without_libbpf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libbpf, "_NAMES", ("libnosuch.so.1",))
    method, said = best()
    assert method is Method.SOCKETS
    assert said == [
        "No kernel counting: libbpf is missing: install it (on Debian and Ubuntu: apt install "
        "libbpf1)."
    ]


def test_with_a_libbpf_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libbpf, "_NAMES", ("libc.so.6",))
    with pytest.raises(SimdiagError, match="this libbpf is too old, it lacks libbpf_set_print"):
        Library()


def test_without_cgroup2(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("31 23 0:26 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n")
    with pytest.raises(SimdiagError, match="cgroup v2 is not mounted"):
        loading.cgroup_root(mounts)
    mounts.write_text("35 24 0:30 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n")
    assert loading.cgroup_root(mounts) == Path("/sys/fs/cgroup")


def test_without_rights(working: KernelMeter) -> None:
    working.close()
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        try:
            os.setuid(65534)
            text = json.dumps(best())
        except BaseException as problem:
            text = json.dumps(repr(problem))
        os.write(write_end, text.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        method, said = json.load(pipe)
    os.wait()
    assert method == "sockets"
    assert said == ["No kernel counting: counting in the kernel needs root."]


def test_with_an_object_that_the_kernel_refuses(
    monkeypatch: pytest.MonkeyPatch, working: KernelMeter
) -> None:
    working.close()
    monkeypatch.setattr(loading, "_code", lambda: b"\x7fELF and nothing more")
    with pytest.raises(
        SimdiagError, match=r"this kernel \(.+\) does not take the counting program"
    ):
        KernelMeter("usb0")
