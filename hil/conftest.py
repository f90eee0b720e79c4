"""The bench: where the devices of this suite come from.

``--bench emulator`` (the default) starts ``simdiag emulate`` for every device that a test asks for.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import serial

SIMDIAG = (sys.executable, "-m", "simdiag")
TIMEOUT_S = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bench", default="emulator", metavar="BENCH",
        help="where the devices come from: emulator (default)",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    bench = config.getoption("--bench")
    if bench != "emulator":
        raise pytest.UsageError(f"--bench {bench}: this bench is not built yet; there is: emulator")


@dataclass(frozen=True, slots=True)
class Result:
    """What ``simdiag check --json`` gave."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self.output)
        return line


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the bench: a port to examine it by, and a way to ask it ourselves."""

    port: Path

    def ask(self, command: str) -> str:
        """Return all that the modem answers, its echo (or none) included."""
        with serial.Serial(str(self.port), timeout=TIMEOUT_S) as port:
            port.write(command.encode() + b"\r")
            return port.read_until(b"OK\r\n").decode()

    def settings(self) -> dict[str, str]:
        """Return what an examination may have to change, and therefore has to restore."""
        questions = ("AT", "AT+CMEE?", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+COPS?")
        return {question: self.ask(question) for question in questions}

    def start_check(self, *options: str) -> subprocess.Popen[str]:
        """Start an examination and leave it running."""
        return subprocess.Popen(
            [*SIMDIAG, "check", "--port", str(self.port), "--json", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"LANGUAGE": "en"},
        )  # fmt: skip

    def check(self, *options: str) -> Result:
        """Examine the device."""
        process = self.start_check(*options)
        output, errors = process.communicate(timeout=TIMEOUT_S)
        return Result(process.returncode, output, errors)

    def wait_until_opened(self, process: subprocess.Popen[str]) -> None:
        """Return as soon as ``process`` has the port open."""
        node, deadline = str(self.port.resolve()), time.monotonic() + TIMEOUT_S
        files = Path(f"/proc/{process.pid}/fd")
        while not any(os.path.realpath(fd) == node for fd in files.iterdir()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the port was never opened"
            time.sleep(0.01)


class EmulatorBench:
    """Devices that ``simdiag emulate`` plays on a pty each."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    def device(self, scenario: str, *, latency_ms: int = 0) -> Device:
        """Return a device in the state that the scenario names."""
        link = self._folder / scenario.replace("/", "-")
        process = subprocess.Popen(
            [*SIMDIAG, "emulate", scenario, "--link", str(link), "--latency", str(latency_ms)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._stack.callback(_end, process)
        _first_line(process.stdout)
        assert link.is_symlink(), "the emulator did not start"
        return Device(link)


def _first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def _end(process: subprocess.Popen[str]) -> None:
    """End the emulator; one that has unplugged itself is gone already."""
    with process:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=TIMEOUT_S)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[EmulatorBench]:
    with ExitStack() as stack:
        yield EmulatorBench(tmp_path, stack)
