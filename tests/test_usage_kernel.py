"""Method ``kernel``: exact, and nothing left behind. What needs root and BPF is skipped without."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.message import Message
from simdiag.usage import links, owners, recorder
from simdiag.usage.kernel import KernelMeter, census, libbpf, loading, traffic
from simdiag.usage.kernel.libbpf import Library
from simdiag.usage.records import Amount, Label, Method, total

ROOT = Path(__file__).parents[1]
KERNEL = ROOT / "src/simdiag/usage/kernel"
BENCHMARK = ROOT / "benchmarks/usage.py"
PINS = Path("/sys/fs/bpf")

pytestmark = pytest.mark.xdist_group("usage")  # one after the other: each counts all traffic


@pytest.fixture
def working() -> Iterator[KernelMeter]:
    try:
        with contextlib.closing(KernelMeter("usb0")) as made:
            yield made
    except SimdiagError as problem:
        pytest.skip(problem.message.render())


# ---- the object --------------------------------------------------------------------------
def test_the_object_is_what_its_source_compiles_to(tmp_path: Path) -> None:
    """Byte for byte, with the compiler that made it; it notes which one that was."""
    if not all(map(shutil.which, ("clang", "llvm-strip", "make"))):
        pytest.skip("not installed: clang, llvm or make")
    shipped = (KERNEL / "usage.bpf.o").read_bytes()
    version = re.search(r"version ([\d.]+)", run("clang", "--version"))[1]
    if f" {version}\0".encode() not in shipped:
        pytest.skip(f"it was compiled with another clang than {version}")
    for name in ("Makefile", "usage.bpf.c"):
        shutil.copy(KERNEL / name, tmp_path)
    run("make", "-C", str(tmp_path))
    assert (tmp_path / "usage.bpf.o").read_bytes() == shipped


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- counting ----------------------------------------------------------------------------
def test_every_kind_of_traffic_is_counted_for_its_program(working: KernelMeter) -> None:
    """Against nftables' counters; the benchmark says what the traffic is."""
    working.close()
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--quick", "--json"], capture_output=True, text=True
    )
    if done.stderr.startswith("No traffic is measured"):
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    names = {"short", "forks", "ping", "older_srv", "older_tcp", "contained", "tethered", "vpn"}
    assert set(found["kernel"]) >= names
    assert found["report"]["losses"] == {}
    assert found["report"]["method"] == "shares"  # the VPN's
    parts = found["report"]["rows"] + [found["report"][n] for n in ("forwarded", "unattributed")]
    for direction in ("rx_bytes", "tx_bytes"):
        whole = found["report"]["interface"][direction]
        assert sum(part[direction] for part in parts) == whole
    users = found["users_of_vpn"]
    assert users["vpn_user"][0] == pytest.approx(3 * users["vpn_other"][0], rel=0.05)
    assert users["vpn"][0] < 0.1 * users["vpn_user"][0]  # on its way, when it was read


def test_a_process_that_is_gone_has_its_name_from_the_kernel() -> None:
    process = census.gone(0, 4_000_000_000, b"curl\0junk\0")
    assert (process.owner.program, process.owner.user) == ("curl", "4000000000")


CLONE_NEWNET = 0x40000000
BLACK_HOLE = ("203.0.113.9", 9)


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Move to a network of our own, with an interface whose far end is silent."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("not root, or no iproute2")
    libc = ctypes.CDLL(None)
    with Path("/proc/thread-self/ns/net").open() as home:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip("a network cannot be made")
        try:
            for words in (
                "link add usb0 type veth peer name far0", "addr add 203.0.113.2/24 dev usb0",
                "link set usb0 up", "link set far0 up",
            ):  # fmt: skip
                run("ip", *words.split())
            yield
        finally:
            assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


def say(datagrams: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        for _ in range(datagrams):
            mouth.sendto(bytes(972), BLACK_HOLE)


def mine(counted: Mapping[Label, Amount]) -> Amount:
    me = owners.look_at(os.getpid()).owner
    return total(amount for label, amount in counted.items() if label.owner == me)


def test_each_reading_gives_what_came_since(elsewhere: None, working: KernelMeter) -> None:
    usb0 = links.find("usb0")
    say(3)
    assert mine(working.read(usb0)) == Amount(0, 3000, 0, 3)
    assert mine(working.read(usb0)) == Amount()
    say(2)
    assert mine(working.read(None)) == Amount(0, 2000, 0, 2)  # pulled out just now


def test_a_socket_older_than_the_recorder_has_its_owner(elsewhere: None) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as older:
        older.connect(BLACK_HOLE)
        try:
            made = KernelMeter("usb0")
        except SimdiagError as problem:
            pytest.skip(problem.message.render())
        with contextlib.closing(made):
            older.send(bytes(972))
            assert mine(made.read(links.find("usb0"))) == Amount(0, 1000, 0, 1)


def test_processes_that_ended_are_forgotten(
    elsewhere: None, working: KernelMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that only made a socket at once, those that sent once nothing more can come."""
    usb0 = links.find("usb0")
    working.read(usb0)
    silent, talking = (
        f"import socket; s = socket.socket(2, 2); {act}"
        for act in ("", "s.sendto(bytes(972), ('203.0.113.9', 9))")
    )
    pids = set()
    for code in (silent, talking):
        with subprocess.Popen([sys.executable, "-c", code]) as process:
            pids.add(process.pid)
    working.wait(0.2)
    known = working._census._known
    assert pids <= set(known)
    assert total(working.read(usb0).values()).tx_packets >= 1
    monkeypatch.setattr(traffic, "_IDLE_S", 0)
    working.read(usb0)
    working.read(usb0)
    assert not pids & set(known)
    counted = working._traffic
    assert not pids & set(map(counted._process, counted._grown_at))


def test_a_row_that_is_free_again_tells_of_its_new_owner_only(
    elsewhere: None, working: KernelMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a socket that outlives its process, with that row in mind, does not count there."""
    usb0 = links.find("usb0")
    here, there = socket.socketpair()
    code = (
        "import socket, sys; s = socket.socket(2, 2); s.connect(('203.0.113.9', 9))\n"
        "s.send(bytes(972)); p = socket.socket(fileno=int(sys.argv[1]))\n"
        "socket.send_fds(p, [b'x'], [s.fileno()])"
    )
    words = [sys.executable, "-c", code, str(there.fileno())]
    subprocess.run(words, pass_fds=[there.fileno()], check=True)
    there.close()
    _, (fd,), _, _ = socket.recv_fds(here, 1, 1)
    with here, socket.socket(fileno=fd) as orphan:
        assert total(working.read(usb0).values()).tx_bytes >= 1000
        monkeypatch.setattr(traffic, "_IDLE_S", 0)
        working.read(usb0)  # frees the row
        say(2)  # and gets it
        orphan.send(bytes(472))
        counted = working.read(usb0)
        assert mine(counted) == Amount(0, 2000, 0, 2)
        udp = total(amount for label, amount in counted.items() if label.protocol == "udp")
        assert udp == Amount(0, 2500, 0, 3)


def test_a_full_map_is_counted_and_said(elsewhere: None, working: KernelMeter) -> None:
    usb0 = links.find("usb0")
    working.read(usb0)
    unused = working._traffic._unused
    with contextlib.suppress(FileNotFoundError):
        while True:
            unused._library.call(
                "bpf_map_lookup_and_delete_elem", unused._fd, None, ctypes.create_string_buffer(4)
            )
    working.losses()
    say(5)
    assert working.losses()["map_overflow"] >= 5
    assert mine(working.read(usb0)) == Amount()


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


# ---- the interface comes and goes --------------------------------------------------------
def test_an_interface_that_goes_and_comes_back_is_counted_on(
    elsewhere: None, working: KernelMeter
) -> None:
    usb0 = links.find("usb0")
    working.read(usb0)
    say(2)
    run("ip", "link", "del", "usb0")
    assert links.present(usb0.link) is None
    assert mine(working.read(None)) == Amount(0, 2000, 0, 2)
    for words in (
        "link add usb0 type veth peer name far0", "addr add 203.0.113.2/24 dev usb0",
        "link set usb0 up", "link set far0 up",
    ):  # fmt: skip
        run("ip", *words.split())
    back = links.present(usb0.link)
    assert back.index != usb0.index
    working.read(back)
    say(3)
    assert mine(working.read(back)) == Amount(0, 3000, 0, 3)


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
