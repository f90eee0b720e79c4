"""The virtual bench: USB gadgets, seen through the real kernel and the real udev of a guest."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import HEALTHY, TIMEOUT_S, Bench, Capability, Choice, Device
from simdiag.emulator import EmulatedModem, Scenario, scenario
from simdiag.emulator.response import Response
from simdiag.emulator.server import Wire
from virtual.gadget import Gadget, products
from virtual.program import Forked

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BUSES = (2 * _WORKER, 2 * _WORKER + 1)
"""The controllers of this worker of pytest-xdist; ``virtual/guest.sh`` makes as many."""


@dataclass(slots=True)
class VirtualDevice(Device):
    """A device on the looped-back bus.

    ``modem`` is the scenario behind its ports, with ``state`` on top; both count from the next
    time it is plugged in.
    """

    usb: Gadget = field(kw_only=True)
    modem: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    wire: Wire = field(default_factory=Wire)
    asked: list[str] = field(default_factory=list)
    """The command lines that it has been sent."""

    def plug(self) -> None:
        """Plug it in; return when udev is done with it."""
        self.usb.plug(self._modem if self.modem else None, self.wire)

    def unplug(self) -> None:
        """Pull it out; return when its nodes are gone. Harmless if it has vanished already."""
        self.usb.unplug()

    def _modem(self) -> EmulatedModem:
        modem = _Modem(scenario(self.modem), self.asked)
        modem.state = modem.state.model_copy(update=self.state)
        return modem


class _Modem(EmulatedModem):
    """Notes what it is asked."""

    def __init__(self, scenario: Scenario, asked: list[str]) -> None:
        super().__init__(scenario)
        self._asked = asked

    def execute(self, line: str) -> Response:
        self._asked.append(line)
        return super().execute(line)


class VirtualBench(Bench):
    """Devices on the looped-back USB bus of the guest."""

    def __init__(self, folder: Path, stack: ExitStack, transcripts: Path | None = None) -> None:
        super().__init__(folder, stack, transcripts)
        self._runs = itertools.count()
        self._free = list(BUSES)

    def start(self, words: Sequence[str]) -> Forked:
        """Start simdiag, forked from a process that has loaded it."""
        folder = self._folder / f"run{next(self._runs)}"
        folder.mkdir()
        return Forked(words, folder)

    def device(self, scenario: str | None = None, *, latency_ms: int = 0) -> VirtualDevice:
        """Return the first product of the scenario's family, plugged in."""
        scenario = scenario or HEALTHY
        family = scenario.partition("/")[0]
        product = next(name for name, entry in products().items() if entry.family == family)
        return self.product(product, scenario, latency_ms=latency_ms)

    def product(
        self,
        name: str,
        scenario: str = "",
        *,
        latency_ms: int = 0,
        plugged: bool = True,
        stack: ExitStack | None = None,
    ) -> VirtualDevice:
        """Return a product of the table, in a state; without a scenario nothing answers.

        It goes when the stack is closed: that of the test, if none is given.
        """
        gadget = Gadget(products()[name], self._free.pop(0))
        at_the_end = (stack or self._stack).callback
        at_the_end(self._free.insert, 0, gadget.bus)
        at_the_end(gadget.remove)
        device = VirtualDevice(
            str(gadget.ports[0]) if gadget.ports else "",
            ("--device", gadget.id),
            self.start,
            self.transcripts,
            usb=gadget,
            modem=scenario,
            wire=Wire(latency_ms / 1000),
        )
        if plugged:
            device.plug()
        return device


def printed(program: Forked, count: int) -> list[dict[str, Any]]:
    """Return the JSON that a running program has printed, once that is ``count`` lines."""
    deadline = time.monotonic() + 2 * TIMEOUT_S
    while len(found := program.printed().splitlines()) < count:
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return [json.loads(line) for line in found]


@contextmanager
def sharing(alone: bool) -> Iterator[None]:
    """Share the looped-back bus with the tests of other workers, or have it ``alone``."""
    with Path("/run/bus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


VIRTUAL = Choice("virtual", VirtualBench, frozenset(Capability))


@contextmanager
def modem_manager(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a system bus and ModemManager; what it logs goes to ``log``."""
    socket = Path("/run/dbus/system_bus_socket")
    socket.parent.mkdir(exist_ok=True)
    socket.unlink(missing_ok=True)
    with subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"]) as bus:
        while not socket.exists():
            assert bus.poll() is None, "the system bus did not start"
            time.sleep(0.05)
        with (
            log.open("wb") as out,
            subprocess.Popen(["ModemManager"], stdout=out, stderr=out) as manager,
        ):
            yield manager
            manager.terminate()
        bus.terminate()
    socket.unlink()
