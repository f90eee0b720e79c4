"""Method ``sockets``, on loopback: the kernel's real statistics, without any rights."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.usage import links
from simdiag.usage.records import NOBODY, Method, total
from simdiag.usage.sockets import SocketMeter

ME = Path(os.path.realpath(sys.executable)).name
CLONE_NEWNET = 0x40000000
HEADER = {socket.AF_INET: 52, socket.AF_INET6: 72}


@pytest.fixture(autouse=True)
def alone() -> Iterator[bool]:
    """Move to a network of our own, where nobody else talks; only root can."""
    libc = ctypes.CDLL(None)
    with Path("/proc/thread-self/ns/net").open() as home:
        able = os.geteuid() == 0 and shutil.which("ip") is not None
        moved = able and libc.unshare(CLONE_NEWNET) == 0
        try:
            if moved:
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield moved
        finally:
            if moved:
                assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


@pytest.fixture
def meter(alone: bool) -> Iterator[SocketMeter]:
    try:
        with closing(SocketMeter()) as made:
            yield made
    except SimdiagError as problem:
        pytest.skip(problem.message.render())


def pair(family: int) -> tuple[socket.socket, socket.socket]:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"there is no {host}")
    with listener:
        one = socket.create_connection(listener.getsockname()[:2])
        return one, listener.accept()[0]


def transfer(one: socket.socket, other: socket.socket, count: int) -> None:
    sender = threading.Thread(target=one.sendall, args=(bytes(count),))
    sender.start()
    left = count
    while left:
        left -= len(other.recv(min(left, 1 << 16)))
    sender.join()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_a_connection_that_lives_is_counted_for_its_program(
    alone: bool, meter: SocketMeter, family: int
) -> None:
    one, other = pair(family)
    with one, other:
        meter.wait(0.1)  # who it is
        transfer(one, other, 1_000_000)
        meter.wait(0.1)
        found = {k: v for k, v in meter.read(links.find("lo")).items() if k.owner.program == ME}
    amount = total(found.values())
    assert {(label.method, label.protocol, label.owner.uid) for label in found} == {
        (Method.SOCKETS, "tcp", os.getuid())
    }
    received = amount.rx_bytes - HEADER[family] * amount.rx_packets
    sent = amount.tx_bytes - HEADER[family] * amount.tx_packets
    if alone:
        assert (received, sent) == (1_000_000, 1_000_000)  # both ends are here
    else:
        assert received >= 1_000_000


def test_a_connection_shorter_than_a_poll_is_counted_in_full_for_nobody(
    alone: bool, meter: SocketMeter
) -> None:
    for _ in range(50):
        one, other = pair(socket.AF_INET)
        transfer(one, other, 10_000)
        one.close()
        other.close()
    meter.wait(0.2)
    found = [v for k, v in meter.read(links.find("lo")).items() if k.owner == NOBODY]
    payload = total(found).rx_bytes - 52 * total(found).rx_packets
    assert payload >= 50 * 10_000
    if alone:
        assert payload <= 50 * (10_000 + 2)  # a FIN counts as one


def test_the_last_bytes_of_a_closed_connection_are_its_owners(
    alone: bool, meter: SocketMeter
) -> None:
    one, other = pair(socket.AF_INET)
    meter.wait(0.1)  # whose it is
    transfer(one, other, 100_000)
    one.close()
    other.close()
    meter.wait(0.2)
    found = [v for k, v in meter.read(links.find("lo")).items() if k.owner.uid == os.getuid()]
    payload = total(found).rx_bytes - 52 * total(found).rx_packets
    assert payload >= 100_000
    if alone:
        assert payload <= 100_002


def test_what_was_before_does_not_count(alone: bool) -> None:
    if not alone:
        pytest.skip("others talk here too")
    one, other = pair(socket.AF_INET)
    with one, other:
        transfer(one, other, 500_000)
        with closing(SocketMeter()) as meter:
            meter.wait(0.1)
            assert total(meter.read(links.find("lo")).values()).rx_bytes < 400_000
            transfer(one, other, 600_000)
            assert total(meter.read(links.find("lo")).values()).rx_bytes >= 600_000


def test_other_interfaces_are_left_out(meter: SocketMeter) -> None:
    one, other = pair(socket.AF_INET)
    with one, other:
        transfer(one, other, 100_000)
        assert meter.read(replace(links.find("lo"), index=9999)) == {}


def test_it_says_what_it_cannot_see(meter: SocketMeter) -> None:
    assert "UDP (QUIC" in meter.blind_spots[0].render()
    assert meter.losses() == {"socket_endings": 0}
