"""``simdiag watch`` as a program, on a bus that a test fills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

BENCH = """
import json, os, sys
from pathlib import Path
import simdiag.watch
from simdiag.cli import bundling
from simdiag.discovery import SerialPort, UsbModem
from simdiag.watch import source

bus = Path(sys.argv[1])

def discover():
    sockets = json.loads(bus.read_text())
    return [UsbModem(f"usb-0:{n}", 0x2C7C, 0x0125, product="EC25", sys_path=f"/sys/usb1/1-{n}",
                     ports=(SerialPort(port),)) for n, port in sockets.items()]

source.discover, source.POLL_S = discover, 0.1
bundling._PROGRAM = os.environ.get("MAKER", bundling._PROGRAM)
simdiag.watch.usb_source = source.Polled
sys.argv[1:2] = ["watch"]
from simdiag.cli import main
main()
"""
"""The command, on a bus that is a file: socket number to port."""

QUICK = """
from types import SimpleNamespace
from simdiag.bundle import collecting
from simdiag.cli import bundles, bundling

class Collecting:
    def __enter__(self): return self
    def __exit__(self, *_problem): pass
    def collect(self, subject): return []

collecting.Collecting = Collecting
bundles.hidden = lambda *_material: SimpleNamespace(data=bytes(8192))
bundling.main()
"""
"""The program that makes bundles, but for what takes it seconds."""


class Watching:
    """``simdiag watch`` in a process of its own, and the bus that it sees."""

    def __init__(self, bus: Path, *arguments: str, maker: str = "", **options: Any) -> None:
        self._bus = bus
        environment = {"LANGUAGE": "en", "COLUMNS": "100"} | ({"MAKER": maker} if maker else {})
        self.plug()
        self.process = subprocess.Popen(
            [sys.executable, "-c", BENCH, str(bus), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | environment, **options,
        )  # fmt: skip

    def plug(self, **ports: str) -> None:
        """Have exactly these devices plugged in: ``s2="/dev/pts/5"`` is one in socket 2."""
        new = self._bus.with_suffix(".new")
        new.write_text(json.dumps({name[1:]: port for name, port in ports.items()}))
        new.replace(self._bus)

    def line(self) -> str:
        return self.process.stdout.readline()

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=40)
        return self.process.returncode, out, errors


def watches(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """A fixture that starts watches: ``watching("--json")``; further options are ``Popen``'s."""
    with ExitStack() as stack:

        @contextmanager
        def ended(watch: Watching) -> Iterator[Watching]:
            try:
                yield watch
            finally:
                watch.process.kill()
                watch.process.communicate()

        yield lambda *arguments, **options: stack.enter_context(
            ended(Watching(tmp_path / "bus.json", *arguments, **options))
        )
