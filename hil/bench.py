"""Devices under test, what benches have in common, and the bench of emulated devices."""

from __future__ import annotations

import enum
import json
import os
import re
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from simdiag.transport import SerialTransport

if TYPE_CHECKING:
    from pydantic import ValidationError

SIMDIAG = (sys.executable, "-m", "simdiag")
TIMEOUT_S = 60
_END = re.compile(rb"\r\n(?:OK|.*ERROR.*)\r\n$")
HEALTHY = "quectel-ec2x/healthy"


class Capability(enum.StrEnum):
    """What a bench may be able to do; also the marker of the tests that need it."""

    STATES = "states"
    CHANGES_SETTINGS = "changes_settings"
    INTERRUPTS = "interrupts"
    UNPLUGS = "unplugs"
    DISCOVERS = "discovers"
    PRODUCTS = "products"
    HOTPLUG = "hotplug"
    TWO_DEVICES = "two_devices"
    MODE_SWITCH = "mode_switch"
    NETWORK_LINK = "network_link"
    MODEM_MANAGER = "modem_manager"

    @property
    def meaning(self) -> str:
        """What it is, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Capability.STATES: "puts its device into a state that the test names",
    Capability.CHANGES_SETTINGS: "lets a test change the modem's settings",
    Capability.INTERRUPTS: "lets a test end the program while it talks to the modem",
    Capability.UNPLUGS: "pulls the device out while it answers",
    Capability.DISCOVERS: "has devices that the kernel and udev know",
    Capability.PRODUCTS: "plugs in any product of a table",
    Capability.HOTPLUG: "plugs a device in and out at any time",
    Capability.TWO_DEVICES: "plugs in two devices at once",
    Capability.MODE_SWITCH: "lets a device come back under another USB id",
    Capability.NETWORK_LINK: "has devices with a network interface",
    Capability.MODEM_MANAGER: "runs ModemManager beside the test",
}


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a name that there is not: it tells the nearest that there is."""
    near = get_close_matches(str(name), known, n=1, cutoff=0)[0]
    return f"there is no {what} {name}; the nearest is {near}"


def first_mistake(invalid: ValidationError) -> str:
    """Return, in one line, where the first mistake of a file is and what it is."""
    mistake = invalid.errors()[0]
    where = ".".join(map(str, mistake["loc"]))
    what = mistake["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


class Program(Protocol):
    """A run of simdiag; ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> Any:
        """The status (``int``); ``None`` while it runs."""

    def communicate(self, input: None = None, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; return what it printed, and what it said on standard error."""

    def poll(self) -> int | None:
        """Return the status, or ``None`` while it runs."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """End it at once."""


@dataclass(frozen=True, slots=True)
class Result:
    """What ``simdiag … --json`` gave."""

    status: int
    output: str
    errors: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def json(self) -> dict[str, Any]:
        (line,) = self.lines
        return line


def start(words: Sequence[str]) -> Program:
    """Start simdiag as people do: as a program of its own."""
    return subprocess.Popen(
        [*SIMDIAG, *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"LANGUAGE": "en"},
    )  # fmt: skip


def finish(program: Program, timeout_s: float = TIMEOUT_S) -> Result:
    """Return what a run of simdiag gives; one that takes longer is killed and is a failure."""
    try:
        output, errors = program.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise
    return Result(program.returncode, output, errors)


@dataclass(slots=True)
class Device:
    """A device of the bench: a port to ask it by, and the examination of it.

    ``port`` is a path or URL; ``options`` name the device to simdiag, its port if left out.
    With ``transcripts`` every examination leaves its transcript in that folder.
    """

    port: str
    options: tuple[str, ...] = ()
    run: Callable[[Sequence[str]], Program] = start
    transcripts: Path | None = None

    def ask(self, *commands: str) -> list[str]:
        """Return all that the modem answers to each, its echo (or none) included."""
        port = SerialTransport(self.port)
        try:
            return [_answer(port, command) for command in commands]
        finally:
            port.close()

    def drain(self) -> None:
        """Take what the modem still says to a command whose answer nobody waited for."""
        port = SerialTransport(self.port)
        while port.read(2.0):
            pass
        port.close()

    def settings(self) -> list[str]:
        """Return what an examination may have to change, and therefore has to restore."""
        return self.ask("AT", "AT+CMEE?", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+COPS?")

    def start_check(self, *options: str) -> Program:
        """Start an examination and leave it running."""
        named = self.options or ("--port", self.port)
        return self.run(["check", *named, "--json", *record(self.transcripts), *options])

    def check(self, *options: str) -> Result:
        """Examine the device."""
        return finish(self.start_check(*options))

    def wait_until_opened(self, program: Program) -> None:
        """Return as soon as a run of simdiag has the port open."""
        node, deadline = os.path.realpath(self.port), time.monotonic() + TIMEOUT_S
        while node not in open_files(program.pid):
            assert program.poll() is None, program.communicate()
            assert time.monotonic() < deadline, "the port was never opened"
            time.sleep(0.01)


def _answer(port: SerialTransport, command: str) -> str:
    port.write(command.encode() + b"\r")
    answer, deadline = b"", time.monotonic() + TIMEOUT_S
    while not _END.search(answer) and time.monotonic() < deadline:
        answer += port.read(1.0)
    return answer.decode()


def open_files(pid: int) -> set[str]:
    """Return what a process has open; what it closes meanwhile may be left out."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(str(entry.readlink()))
    return found


def record(folder: Path | None) -> list[str]:
    """Return the options that leave a transcript of the running test's next examination."""
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].rpartition(" (")[0]
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in test)
    return ["--record", str(folder / f"{name}.{len(list(folder.iterdir()))}.jsonl")]


class Bench(ABC):
    """Where the devices of a test come from; all of them are gone when the test ends."""

    def __init__(self, folder: Path, stack: ExitStack, transcripts: Path | None = None) -> None:
        self._folder = folder
        self._stack = stack
        self.transcripts = transcripts

    @abstractmethod
    def device(self, scenario: str | None = None, *, latency_ms: int = 0) -> Device:
        """Return a device in the state that a scenario of ``simdiag emulate`` names.

        A bench that cannot set states skips the test, unless its device is in that state.
        Without a scenario any state will do.
        """

    def run(self, *words: str) -> Result:
        """Run simdiag and wait for it."""
        return finish(self.start(words))

    def start(self, words: Sequence[str]) -> Program:
        """Start simdiag and leave it running."""
        return start(words)


@dataclass(frozen=True, slots=True)
class Choice:
    """A bench as an option chooses it: ``make`` takes the arguments of :class:`Bench`."""

    name: str
    make: Callable[..., Bench]
    capabilities: frozenset[Capability]
    require: frozenset[Capability] = frozenset()


class EmulatorBench(Bench):
    """Devices that ``simdiag emulate`` plays on a pty each."""

    def device(self, scenario: str | None = None, *, latency_ms: int = 0) -> Device:
        """Return a device in the state that the scenario names."""
        scenario = scenario or HEALTHY
        link = self._folder / scenario.replace("/", "-")
        process = subprocess.Popen(
            [*SIMDIAG, "emulate", scenario, "--link", str(link), "--latency", str(latency_ms)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._stack.callback(_end, process)
        assert process.stdout is not None
        process.stdout.readline()  # says that it is ready
        assert link.is_symlink(), "the emulator did not start"
        return Device(str(link), transcripts=self.transcripts)


def _end(process: subprocess.Popen[str]) -> None:
    """End the emulator; one that has unplugged itself is gone already."""
    with process:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=TIMEOUT_S)


EMULATOR = Choice(
    "emulator",
    EmulatorBench,
    frozenset(
        {
            Capability.STATES,
            Capability.CHANGES_SETTINGS,
            Capability.INTERRUPTS,
            Capability.UNPLUGS,
        }
    ),
)
