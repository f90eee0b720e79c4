"""Real USB network drivers: each counts headers of its own, all of which are known."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench import TIMEOUT_S, finish
from simdiag.usage import links
from simdiag.usage.ledger import report
from simdiag.usage.records import By, Method
from virtual_bench import VirtualBench, VirtualDevice

HERE, FAR = "203.0.113.2", "203.0.113.1"
AMOUNT = 500_000
CLONE_NEWNET = 0x40000000
TRIES = 10
"""At announcing the link: that a driver misses it again and again is no accident."""
ARP_AND_THE_LIKE = 600
"""Bytes that no process sends; a header more or less in each packet would be ten times that."""


@pytest.fixture
def far_end() -> Iterator[Path]:
    """Make the network namespace in which the gadget's side of the link will be."""
    name = f"far{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield Path("/run/netns", name)
    subprocess.run(["ip", "netns", "del", name], check=True)


def connect(device: VirtualDevice, far_end: Path) -> str:
    """Give both sides of the link addresses; return the interface on the computer's side."""
    near = interface_of(device)
    functions = Path(f"/sys/kernel/config/usb_gadget/modem{device.usb.bus}/functions")
    (far,) = [path.read_text().strip() for path in functions.glob("*/ifname")]
    for name in (near, far):  # what it would say by itself is nobody's
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
    for words in (
        f"link set {far} netns {far_end.name}", f"-n {far_end.name} link set lo up",
        f"-n {far_end.name} addr add {FAR}/24 dev {far}",
        f"addr add {HERE}/24 dev {near}", f"link set {near} up",
    ):  # fmt: skip
        subprocess.run(["ip", *words.split()], check=True)
    heard = any(announced(near, far, far_end.name) for _ in range(TRIES))
    assert heard, "the driver holds the link for unplugged"
    return near


def announced(near: str, far: str, namespace: str) -> bool:
    """Have the gadget say that the link is there; return whether the computer's driver heard it.

    Of some twenty times cdc_ether misses the notification (CDC 1.2, NetworkConnection) once, and
    then holds the link for unplugged until the next one.
    """
    carrier = Path(f"/sys/class/net/{near}/carrier")
    deadline = time.monotonic() + 2
    for state in ("down", "up"):
        subprocess.run(["ip", "-n", namespace, "link", "set", far, state], check=True)
    while time.monotonic() < deadline:
        if carrier.read_text() == "1\n":
            return True
        time.sleep(0.05)
    return False


def interface_of(device: VirtualDevice) -> str:
    """Return the interface that a driver has made of the device, once its module is loaded."""
    socket_ = Path(f"/sys/devices/platform/dummy_hcd.{device.usb.bus}")
    deadline = time.monotonic() + TIMEOUT_S
    while not list(socket_.glob(where := "usb*/*-1/*:1.*/net/*")):
        assert time.monotonic() < deadline, "no driver has made an interface"
        time.sleep(0.1)
    device.usb.settle()  # it is renamed
    (found,) = socket_.glob(where)
    return found.name


def serve(far_end: Path, ready: threading.Event) -> None:
    """In the other namespace: take an amount of bytes, and send as many back."""
    with far_end.open() as namespace:
        assert ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) == 0
    with socket.create_server((FAR, 5001)) as server:
        ready.set()
        connection, _ = server.accept()
        with connection:
            left = AMOUNT
            while left:
                left -= len(connection.recv(left))
            connection.sendall(bytes(AMOUNT))
            connection.recv(1)


def exchange(far_end: Path) -> None:
    ready = threading.Event()
    server = threading.Thread(target=serve, args=(far_end, ready), daemon=True)
    server.start()
    assert ready.wait(TIMEOUT_S)
    with socket.create_connection((FAR, 5001), TIMEOUT_S) as client:
        client.sendall(bytes(AMOUNT))
        left = AMOUNT
        while left:
            left -= len(client.recv(left))
    server.join(TIMEOUT_S)


def wait_until_recording(database: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if database.exists():
            with closing(sqlite3.connect(database, timeout=TIMEOUT_S)) as opened:
                try:
                    if opened.execute("SELECT * FROM recording").fetchall():
                        return
                except sqlite3.OperationalError:  # not made yet
                    pass
        time.sleep(0.1)
    raise TimeoutError("nothing is recorded")


@pytest.mark.alone  # the addresses are the same in each
@pytest.mark.network_link
@pytest.mark.parametrize(
    ("product", "driver"),
    [
        ("unisoc-air724", "cdc_ether"),
        ("zte-mifi-rndis", "rndis_host"),
    ],
)
def test_what_the_driver_counts_is_what_was_counted_by_process(
    bench: VirtualBench, far_end: Path, tmp_path: Path, product: str, driver: str
) -> None:
    near = connect(bench.product(product), far_end)
    found = links.find(near)
    assert found is not None
    assert (found.link.driver, found.is_measured) == (driver, True)
    database = tmp_path / "usage.db"
    recorder = bench.start(["usage", "record", "--interface", near, "--db", str(database)])
    wait_until_recording(database)
    exchange(far_end)
    recorder.send_signal(signal.SIGINT)
    done = finish(recorder)
    assert (done.status, "Traceback" in done.errors) == (0, False), done.errors
    assert "does not count" not in done.errors  # the table for what is forwarded is there
    counted = report(database, By.PROCESS)
    assert counted.method is Method.KERNEL, done.errors
    rest = counted.unattributed - counted.ownerless
    assert abs(rest.rx_bytes) <= ARP_AND_THE_LIKE, (counted, rest)
    assert abs(rest.tx_bytes) <= ARP_AND_THE_LIKE, (counted, rest)
    for amount in (counted.local.rx_bytes, counted.local.tx_bytes):
        assert AMOUNT < amount < 1.15 * AMOUNT
