"""The rules of ``simdiag install-udev``, as the real udev takes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyudev import Context, Devices

from bench import TIMEOUT_S
from virtual_bench import VirtualBench

pytestmark = [pytest.mark.alone, pytest.mark.products]


@pytest.fixture
def installed(bench: VirtualBench) -> Iterator[None]:
    """Install the rules; udev applies them to what is plugged in, soon."""
    done = bench.run("install-udev", "--install")
    assert (done.status, done.errors) == (0, "")
    yield
    done = bench.run("install-udev", "--uninstall")
    assert (done.status, done.errors) == (0, "")


def is_open_to_the_user(port: Path) -> bool:
    """Whether udev hands the port to whoever sits at the computer."""
    return "uaccess" in Devices.from_device_file(Context(), str(port.resolve())).tags


@pytest.mark.two_devices
def test_they_open_the_ports_that_are_there_and_those_that_come(
    bench: VirtualBench, request: pytest.FixtureRequest
) -> None:
    """One is known by its kernel driver, the other by its product."""
    there = bench.product("quectel-ec25")
    assert not any(map(is_open_to_the_user, there.usb.ports))
    request.getfixturevalue("installed")
    deadline = time.monotonic() + TIMEOUT_S
    while not all(map(is_open_to_the_user, there.usb.ports)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    comes = bench.product("fibocom-l850")
    for port in comes.usb.ports:
        assert is_open_to_the_user(port)
        assert (port.stat().st_mode & 0o777, port.group()) == (0o660, "dialout")
