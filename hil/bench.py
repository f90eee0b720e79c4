"""Devices under test, and the benches that provide them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial

SIMDIAG = (sys.executable, "-m", "simdiag")
TIMEOUT_S = 60


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
        return finish(self.start_check(*options))

    def wait_until_opened(self, process: subprocess.Popen[str]) -> None:
        """Return as soon as ``process`` has the port open."""
        node, deadline = str(self.port.resolve()), time.monotonic() + TIMEOUT_S
        files = Path(f"/proc/{process.pid}/fd")
        while not any(os.path.realpath(fd) == node for fd in files.iterdir()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the port was never opened"
            time.sleep(0.01)


def finish(process: subprocess.Popen[str], timeout_s: float = TIMEOUT_S) -> Result:
    """Return what an examination gives; one that takes longer is killed and is a failure."""
    with process:
        try:
            output, errors = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Result(process.returncode, output, errors)


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
        assert process.stdout is not None
        process.stdout.readline()  # says that it is ready
        assert link.is_symlink(), "the emulator did not start"
        return Device(link)


def _end(process: subprocess.Popen[str]) -> None:
    """End the emulator; one that has unplugged itself is gone already."""
    with process:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=TIMEOUT_S)
