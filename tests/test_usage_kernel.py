"""Method ``kernel``: exact, and nothing left behind. What needs root and BPF is skipped without."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.usage import links, owners, recorder
from simdiag.usage.kernel import KernelMeter, census, meter, older, traffic
from simdiag.usage.ledger import report
from simdiag.usage.records import Amount, By, Label, total
from simdiag.usage.store import Store
from usage_in_kernel import BLACK_HOLE, plug_in, run

ROOT = Path(__file__).parents[1]
KERNEL = ROOT / "src/simdiag/usage/kernel"
BENCHMARK = ROOT / "benchmarks/usage.py"
PINS = Path("/sys/fs/bpf")

pytestmark = pytest.mark.xdist_group("usage")  # one after the other: each counts all traffic


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


def test_a_row_that_went_to_the_same_process_is_not_taken_for_the_old_one(
    elsewhere: None, working: KernelMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sockets outlive it; the row that one has in mind is the other's now, far end and all."""
    usb0 = links.find("usb0")
    code = (
        "import socket, sys; s, t = (socket.socket(2, 2) for _ in range(2))\n"
        "t.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton('203.0.113.2'))\n"
        "s.connect(('203.0.113.9', 9)); t.connect(('224.0.0.9', 9))\n"
        "s.send(bytes(972)); p = socket.socket(fileno=int(sys.argv[1]))\n"
        "socket.send_fds(p, [b'x'], [s.fileno(), t.fileno()])"
    )
    here, there = socket.socketpair()
    with here, there:
        words = [sys.executable, "-c", code, str(there.fileno())]
        subprocess.run(words, pass_fds=[there.fileno()], check=True)
        _, fds, _, _ = socket.recv_fds(here, 1, 2)
    far, near = (socket.socket(fileno=fd) for fd in fds)
    with far, near:
        working.read(usb0)
        monkeypatch.setattr(traffic, "_IDLE_S", 0)
        working.read(usb0)  # frees the row
        near.send(bytes(72))  # and gets it
        far.send(bytes(472))
        found: Counter[str] = Counter()
        for label, amount in working.read(usb0).items():
            found[label.remote] += amount.tx_bytes * (label.protocol == "udp")
        assert found == {"local": 100, "internet": 500}


SPEAKER = """
import os, socket, sys
mouth = socket.socket(fileno=int(sys.argv[1]))
if "daemon" in sys.argv:
    mouth.connect(("203.0.113.9", 9))
    if os.fork():
        os._exit(0)
os.setuid(65534)
print(os.getpid(), flush=True)
for _ in sys.stdin:
    print(mouth.send(bytes(972)), flush=True)
"""
"""Sends a datagram for each line that it is given, by a socket that it was given."""


@contextlib.contextmanager
def speaker(mouth: socket.socket, *, kind: str = "service") -> Iterator[Callable[[], str]]:
    """Run it as another user; yields what makes it speak."""
    with subprocess.Popen(
        [sys.executable, "-c", SPEAKER, str(mouth.fileno()), kind], pass_fds=[mouth.fileno()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        process.stdout.readline()
        if kind == "daemon":
            process.wait()

        def speak() -> str:
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline()

        yield speak
        process.stdin.close()


def senders(counted: Mapping[Label, Amount]) -> set[int]:
    """Return the ids of the users who sent datagrams."""
    return {label.owner.uid for label in counted if label.protocol == "udp"}


def test_a_daemon_has_the_sockets_of_its_parent_that_ended(
    elsewhere: None, working: KernelMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parent opened them and is forgotten: what it sends would be nobody's."""
    usb0 = links.find("usb0")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
        speaker(mouth, kind="daemon") as speak,
    ):
        mouth.close()
        monkeypatch.setattr(traffic, "_IDLE_S", 0)
        working.read(usb0)
        working.read(usb0)  # the parent is forgotten
        monkeypatch.setattr(older, "_LOOK_S", 0)
        for _ in range(2):
            speak()
            assert senders(working.read(usb0)) == {65534}


def test_a_service_has_the_sockets_that_the_first_process_opened_for_it(
    elsewhere: None, working: KernelMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd does for ``ssh.socket``; once it was seen that somebody else has them too."""
    usb0 = links.find("usb0")
    for module in (older, meter):
        monkeypatch.setattr(module, "FIRST", os.getpid())
    monkeypatch.setattr(older, "_LOOK_S", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.connect(BLACK_HOLE)
        with speaker(mouth) as speak:
            found = []
            for _ in range(3):
                speak()
                found.append(senders(working.read(usb0)))
    assert found == [{0}, {65534}, {65534}]


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
    plug_in()
    back = links.present(usb0.link)
    assert back.index != usb0.index
    working.read(back)
    say(3)
    assert mine(working.read(back)) == Amount(0, 3000, 0, 3)


def test_what_passed_just_before_it_was_pulled_out_is_in_the_total(
    elsewhere: None, working: KernelMeter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "INTERVAL_S", 0)
    actions = [say_to_all, lambda: run("ip", "link", "del", "usb0"), plug_in, lambda: None]

    def ended() -> bool:
        if len(actions) == 4:  # both between two readings
            actions.pop(0)()
        actions.pop(0)()
        return not actions

    link = links.find("usb0").link
    with Store(tmp_path / "usage.db") as store:
        recorder.Recorder(store, link, working, lambda text: None).run(ended)
    found = report(tmp_path / "usage.db", By.PROCESS)
    sent = total(row.amount for row in found.rows).tx_bytes
    assert sent >= 100_000
    assert sent <= found.interface.tx_bytes < sent + 10_000


def say_to_all() -> None:
    """Send to nobody in particular, whose address need not be asked for first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(100):
            mouth.sendto(bytes(972), ("203.0.113.255", 9))
