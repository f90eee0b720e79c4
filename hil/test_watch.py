"""The technician's bench: devices come and go while ``simdiag watch`` runs."""

from __future__ import annotations

import json
import signal
import time
from contextlib import ExitStack
from typing import Any

import pytest

from bench import TIMEOUT_S, finish
from virtual.program import Forked
from virtual_bench import VirtualBench

pytestmark = [pytest.mark.alone, pytest.mark.hotplug, pytest.mark.products]


def lines(program: Forked, count: int) -> list[dict[str, Any]]:
    """Return what the running program has printed, once that is ``count`` lines."""
    deadline = time.monotonic() + 2 * TIMEOUT_S
    while len(found := program.printed().splitlines()) < count:
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return [json.loads(line) for line in found]


@pytest.mark.two_devices
def test_two_come_and_one_goes(bench: VirtualBench) -> None:
    """Each is examined once, also one that came before; Ctrl-C leaves no modem changed."""
    first = bench.product("quectel-ec25", "quectel-ec2x/sim_not_activated")
    before = first.settings()
    program = bench.start(["watch", "--json", "--wait", "2"])
    lines(program, 1)
    second = bench.product("ublox-lara", "ublox-sara/healthy")
    found = lines(program, 2)
    assert {line["device"]: line["cause"] for line in found} == {
        first.usb.id: "sim_not_activated", second.usb.id: "healthy",
    }  # fmt: skip
    second.unplug()
    program.send_signal(signal.SIGINT)
    result = finish(program)
    assert (result.status, len(result.lines)) == (0, 2)
    assert first.settings() == before


@pytest.mark.mode_switch
def test_a_drive_that_becomes_a_modem_is_examined_as_the_modem(bench: VirtualBench) -> None:
    program = bench.start(["watch", "--json", "--wait", "2", "--count", "1"])
    with ExitStack() as stack:
        bench.product("zte-mf190-drive", stack=stack)
    bench.product("zte-mf190", "zte-mf/healthy")
    result = finish(program, 2 * TIMEOUT_S)
    assert (result.json["cause"], result.status) == ("healthy", 0)
