"""Traffic forwarded for others: counted by client, and no table stays behind."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.report.usage_text import remarks, rest_title
from simdiag.usage import forwarding, namespaces, tunnels
from simdiag.usage.forwarding import _FAMILIES, Forwarding, _separated
from simdiag.usage.kernel import KernelMeter, meter
from simdiag.usage.ledger import report
from simdiag.usage.records import FORWARDING_UNSEEN, Amount, By, Link, Reading
from simdiag.usage.store import Store

pytestmark = pytest.mark.xdist_group("usage")
CLONE_NEWNET = 0x40000000
SAY = (
    "import socket, sys\n"
    "with socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
    "    for _ in range(int(sys.argv[3])): s.sendto(bytes(int(sys.argv[2])), (sys.argv[1], 9))"
)


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def router() -> Iterator[str]:
    """Move into a network that forwards to ``usb0`` for a client, whose namespace is returned."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        pytest.skip("not root, or no iproute2")
    libc = ctypes.CDLL(None)
    with Path("/proc/thread-self/ns/net").open() as home:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip("a network cannot be made")
        client = subprocess.Popen(["unshare", "-n", "sleep", "60"])
        try:
            mine = str(Path("/proc/thread-self/ns/net").readlink())
            deadline = time.monotonic() + 10
            while (
                str(Path(f"/proc/{client.pid}/ns/net").readlink()) == mine
                and time.monotonic() < deadline
            ):
                time.sleep(0.01)
            inside = ["nsenter", f"--net=/proc/{client.pid}/ns/net"]
            for words in (
                "ip link add usb0 type veth peer name far0", "ip addr add 203.0.113.2/24 dev usb0",
                f"ip link add ap0 type veth peer name eth0 netns {client.pid}",
                "ip addr add 10.42.0.1/24 dev ap0", "ip addr add fd42::1/64 dev ap0 nodad",
                "ip addr add 2001:db8:1::2/64 dev usb0 nodad",
                "ip link set usb0 up", "ip link set far0 up", "ip link set ap0 up",
            ):  # fmt: skip
                run(*words.split())
            for words in (
                "ip addr add 10.42.0.2/24 dev eth0", "ip addr add fd42::2/64 dev eth0 nodad",
                "ip link set eth0 up", "ip route add default via 10.42.0.1",
                "ip -6 route add default via fd42::1",
            ):  # fmt: skip
                run(*inside, *words.split())
            run("ip", "neigh", "add", "203.0.113.9", "lladdr", "02:00:00:00:00:09", "dev", "usb0")
            run("ip", "neigh", "add", "2001:db8:1::9", "lladdr", "02:00:00:00:00:09", "dev", "usb0")
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
            yield f"/proc/{client.pid}/ns/net"
        finally:
            client.kill()
            client.wait()
            assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


def counting(name: str = "usb0") -> Forwarding:
    try:
        return Forwarding(name)
    except OSError as problem:
        pytest.skip(f"this kernel takes no table: {problem}")


def say(namespace: str, to: str, size: int, times: int) -> None:
    run("nsenter", f"--net={namespace}", sys.executable, "-c", SAY, to, str(size), str(times))


def test_each_client_is_counted_by_its_own_address(router: str) -> None:
    with closing(counting()) as made:
        say(router, "203.0.113.9", 972, 3)
        assert made.read() == {("10.42.0.2", "udp"): Amount(0, 3000, 0, 3)}
        assert made.read() == {}
        say(router, "2001:db8:1::9", 952, 2)
        assert made.read()["fd42::2", "udp"] == Amount(0, 2000, 0, 2)
        assert made.losses() == 0


def test_elements_that_the_kernel_passes_over_or_tells_of_twice(
    router: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(counting()) as made:
        whole = made._table.elements
        say(router, "203.0.113.9", 972, 3)
        monkeypatch.setattr(made._table, "elements", lambda name: [*whole(name)] * 2)
        assert made.read()["10.42.0.2", "udp"].tx_packets == 3
        monkeypatch.setattr(made._table, "elements", lambda _name: [])
        assert made.read() == {}
        monkeypatch.setattr(made._table, "elements", whole)
        assert made.read() == {}


def test_a_client_that_was_idle_for_long_begins_anew(
    router: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "_IDLE_MS", 2000)
    with closing(counting()) as made:
        say(router, "203.0.113.9", 972, 3)
        assert made.read()["10.42.0.2", "udp"].tx_packets == 3
        deadline = time.monotonic() + 20
        while list(made._table.elements("up4")) and time.monotonic() < deadline:
            time.sleep(0.05)
        say(router, "203.0.113.9", 972, 2)
        counted = made.read()["10.42.0.2", "udp"]
        assert counted == Amount(0, 2000, 0, 2)


def test_another_interface_is_not_counted(router: str) -> None:
    with closing(counting("usb1")) as made:
        say(router, "203.0.113.9", 972, 3)
        assert made.read() == {}


def test_more_clients_than_there_is_room_for_are_said(
    router: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "_SIZE", 1)
    with closing(counting()) as made:
        say(router, "203.0.113.9", 972, 1)
        run("nsenter", f"--net={router}", "ip", "addr", "add", "10.42.0.3/32", "dev", "eth0")
        run("nsenter", f"--net={router}", "ip", "route", "replace", "default", "via", "10.42.0.1",
            "src", "10.42.0.3")  # fmt: skip
        run("ip", "route", "add", "10.42.0.3/32", "dev", "ap0")
        say(router, "203.0.113.9", 972, 4)
        counted = made.read()
        packets = sum(amount.tx_packets for amount in counted.values())
        assert packets + made.losses() == 5
        assert packets < 5


def tables() -> list[str]:
    """Return the tables of this network namespace that are ours."""
    return [line for line in run("nft", "list", "tables").splitlines() if "simdiag" in line]


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_nobody_else_removes_it_and_nothing_stays_behind(router: str) -> None:
    made = counting()
    assert len(tables()) == 1
    run("nft", "flush", "ruleset")
    assert len(tables()) == 1
    made.close()
    assert tables() == []


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_table_stays_behind_however_the_recorder_ends(
    router: str, tmp_path: Path, number: signal.Signals
) -> None:
    counting().close()
    try:
        KernelMeter("usb0").close()
    except SimdiagError as problem:
        pytest.skip(problem.message.render())
    words = [sys.executable, "-m", "simdiag", "usage", "record", "--interface", "usb0", "--db"]
    with subprocess.Popen(
        [*words, str(tmp_path / "usage.db")], stderr=subprocess.PIPE, text=True
    ) as recording:
        assert "method kernel" in recording.stderr.readline()
        assert len(tables()) == 1
        recording.send_signal(number)
    deadline = time.monotonic() + 10
    while tables() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert tables() == []


def test_a_kernel_without_it_counts_the_rest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_table: object, _parts: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(forwarding.nft.Table, "make", refuse)
    try:
        made = KernelMeter("lo")
    except SimdiagError as problem:
        pytest.skip(problem.message.render())
    with closing(made):
        (text,) = [spot.render() for spot in made.blind_spots if "forwarded" in spot.render()]
        assert text.endswith("since this kernel does not count it: Operation not supported.")
        for forwards in (False, True):
            monkeypatch.setattr(meter, "forwards", lambda answer=forwards: answer)
            wanted = {"map_overflow": 0, "client_overflow": 0, FORWARDING_UNSEEN: int(forwards)}
            assert made.losses() == wanted
        made.read(None)


def test_whether_anything_is_forwarded(tmp_path: Path) -> None:
    folder = tmp_path / "ipv4/conf/wwan0"
    folder.mkdir(parents=True)
    for text, answer in (("0\n", False), ("1\n", True)):
        (folder / "forwarding").write_text(text)
        assert forwarding.forwards(tmp_path) is answer
    assert forwarding.forwards(tmp_path / "nosuch") is False


@pytest.mark.parametrize("unseen", [0, 3])
def test_what_a_kernel_did_not_count_has_its_name_in_the_report(
    tmp_path: Path, unseen: int
) -> None:
    path, link = tmp_path / "usage.db", Link("usb:1", "wwan0", "cdc_ether")
    with Store(path) as store:
        store.add(1_790_000_000, link, Reading("a", 4, Amount()), {})
        store.add(
            1_790_000_005, link, Reading("a", 4, Amount(5_000)), {}, {FORWARDING_UNSEEN: unseen}
        )
    found = report(path, By.CLIENT)
    said = [remark.render() for remark in remarks(found, str)]
    why = "kernel does not count it (Linux 5.12 or newer does)"
    assert any(why in text for text in said) is bool(unseen)
    assert ("Nothing was counted that was forwarded for other devices." in said) is not unseen
    title = "unattributed, and forwarded (clients not known)" if unseen else "unattributed"
    assert rest_title("unattributed", found, str) == title
    assert (found.forwarded, found.unattributed) == (None, Amount(5_000))


@pytest.mark.parametrize(
    ("protocol", "counted", "on_the_wire"),
    [
        ("tcp", (14_480 + 52, 1), (14_480 + 520, 10)),
        ("tcp", (1448 + 1 + 52, 1), (1449 + 104, 2)),
        ("udp", (14_720 + 28, 1), (14_720 + 280, 10)),
    ],
)
def test_joined_packets_get_their_headers(
    protocol: str, counted: tuple[int, int], on_the_wire: tuple[int, int]
) -> None:
    assert _separated(_FAMILIES[0], protocol, 1500, *counted) == on_the_wire


# ---- whose it is -------------------------------------------------------------------------
def test_addresses_of_a_network_are_read_from_a_process(router: str) -> None:
    pid = router.split("/")[2]
    found = set(namespaces.addresses(Path("/proc", pid)))
    assert found == {"10.42.0.2", "fd42::2"}


def test_who_serves_a_tunnel_is_found(router: str) -> None:
    code = (
        "import fcntl, os, struct, sys\n"
        "device = os.open('/dev/net/tun', os.O_RDWR)\n"
        "fcntl.ioctl(device, 0x400454CA, struct.pack('16sH22x', b'vpn7', 0x1001))\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as daemon:
        if daemon.stdout.readline() != "ready\n":
            pytest.skip(f"no tunnel can be made: {daemon.stderr.read().splitlines()[-1]}")
        assert list(tunnels.served_by(daemon.pid)) == ["vpn7"]
        assert "vpn7" in tunnels.tunnels().values()
        assert list(tunnels.served_by(os.getpid())) == []
        daemon.stdin.close()
