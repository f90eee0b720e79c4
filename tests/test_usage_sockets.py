"""Method ``sockets``, on loopback: the kernel's real statistics, without any rights."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.usage import links, owners, sockets
from simdiag.usage.owners import Process
from simdiag.usage.records import NOBODY, Method, Owner, State, total
from simdiag.usage.sockets import SocketMeter

ME = owners.look_at(os.getpid()).owner.program
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
        assert received == 1_000_000  # both ends are here
        assert 1_000_000 <= sent < 1_100_000  # with what was sent again
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


def server_below_its_clients() -> socket.socket:
    """Listen on a port lower than those that the kernel gives to clients, as servers do."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    raise OSError("no free port")


def short_connections(server: socket.socket, count: int) -> None:
    for _ in range(count):
        with socket.create_connection(server.getsockname()) as near:
            far, _ = server.accept()
            with far:
                transfer(near, far, 10_000)


def test_short_connections_are_theirs_who_talk_to_the_same_server(
    alone: bool, meter: SocketMeter
) -> None:
    with server_below_its_clients() as server:
        with socket.create_connection(server.getsockname()) as known:
            far, _ = server.accept()
            with far:
                meter.wait(0.1)  # who it is
                short_connections(server, 50)
                transfer(known, far, 1)
        meter.wait(0.2)
        found = [v for k, v in meter.read(links.find("lo")).items() if k.owner.program == ME]
        assert total(found).rx_bytes - 52 * total(found).rx_packets >= 50 * 10_000


def test_of_several_users_none_is_guessed(meter: SocketMeter) -> None:
    service = (ipaddress.ip_address("203.0.113.1"), 443)
    ann, bob = (
        Process(Owner("curl", name, uid), State.UNKNOWN) for name, uid in (("ann", 1), ("bob", 2))
    )
    other = Process(Owner("wget", "ann", 1), State.FOREGROUND)
    meter._talkers = {service: {ann}}
    assert meter._guessed(service) == ann
    meter._talkers_before = {service: {other}}
    guessed = meter._guessed(service).owner
    assert (guessed.program, guessed.uid) == ("", 1)
    meter._talkers = {service: {ann, bob}}
    assert meter._guessed(service).owner == NOBODY
    assert meter._guessed((None, 22)).owner == NOBODY


def test_who_talked_is_forgotten(meter: SocketMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_REMEMBERED_S", -1)
    meter._talkers = {(None, 22): {Process(NOBODY, State.UNKNOWN)}}
    for _ in range(2):
        meter.read(links.find("lo"))
    assert (None, 22) not in {**meter._talkers, **meter._talkers_before}


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
