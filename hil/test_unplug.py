"""Pulled out in the middle of a command, again and again: a clean finding, and nothing left."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import psutil
import pytest

from bench import TIMEOUT_S
from virtual_bench import VirtualBench

pytestmark = [pytest.mark.products, pytest.mark.unplugs]

IN_USE = ("open files", "threads", "child processes", "memory in bytes")
GROWTH_BYTES = 4 << 20
"""What the memory may grow by while a device is pulled out many times: caches, fragmentation."""


@contextmanager
def examiner() -> Iterator[Connection]:
    """Run a program that uses the package for long, as a bench of a technician does."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_examine_on, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(TIMEOUT_S)
        process.kill()


def _examine_on(orders: Connection) -> None:
    """Examine the named device as often as told; answer with the cause and what is in use."""
    from simdiag.agent import Options, Target, examine
    from simdiag.discovery import discover

    own = psutil.Process()
    while True:
        try:
            wanted = orders.recv()
        except EOFError:
            return
        device = next(modem for modem in discover() if modem.id == wanted)
        result = examine(Target(device=device), Options(wait_s=2))
        usage = (own.num_fds(), own.num_threads(), len(own.children()), own.memory_info().rss)
        orders.send((result.diagnosis.cause, usage))


@pytest.mark.timeout(3600)
def test_many_times(
    bench: VirtualBench,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """At another command each time; by a long-lived program, so that what leaks piles up."""
    cycles = request.config.getoption("--cycles")
    device = bench.product("quectel-ec25", "quectel-ec2x/healthy", plugged=False)
    usages = []
    with examiner() as program:
        for cycle in range(cycles):
            device.state = {"unplug_after": 1 + cycle % 30}
            device.plug()
            program.send(device.usb.id)
            assert program.poll(TIMEOUT_S), "the examination never ended"
            cause, usage = program.recv()
            assert cause == "device_removed", f"unplugged after {device.state}"
            usages.append(usage)
            device.unplug()
    first, last = usages[min(4, cycles - 1)], usages[-1]
    for name, of_first, of_last in zip(IN_USE, first, last, strict=True):
        record_property(name, f"{of_first} at first, {of_last} at the end")
    assert last[:3] == first[:3], "open files, threads, child processes"
    assert last[3] - first[3] < GROWTH_BYTES


def test_the_program_ends(bench: VirtualBench) -> None:
    """``simdiag check`` leaves no process behind, whenever the device goes."""
    device = bench.product("quectel-ec25", "quectel-ec2x/healthy", plugged=False)
    own = psutil.Process()
    for command in (1, 7, 25):
        device.state = {"unplug_after": command}
        device.plug()
        before = {p.pid for p in own.children(recursive=True)}
        result = device.check()
        assert (result.json["cause"], result.status, result.errors) == ("device_removed", 4, "")
        assert {p.pid for p in own.children(recursive=True)} <= before
        device.unplug()
