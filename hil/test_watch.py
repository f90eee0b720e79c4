"""The technician's bench: devices come and go while ``simdiag watch`` runs."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import pytest

from bench import TIMEOUT_S, finish
from virtual_bench import VirtualBench, printed

pytestmark = [pytest.mark.alone, pytest.mark.hotplug, pytest.mark.products]


@pytest.mark.two_devices
def test_two_come_and_one_goes(bench: VirtualBench) -> None:
    """Each is examined once, also one that came before; Ctrl-C leaves no modem changed."""
    first = bench.product("quectel-ec25", "quectel-ec2x/sim_not_activated")
    before = first.settings()
    program = bench.start(["watch", "--json", "--wait", "2"])
    printed(program, 1)
    second = bench.product("ublox-lara", "ublox-sara/healthy")
    found = printed(program, 2)
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
