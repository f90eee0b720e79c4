"""Runs the collectors: each in a process of its own, with a deadline and a byte cap.

This is a program: :mod:`simdiag.bundle.collecting` starts it and reads what it prints, one JSON
line for each collector and then the bytes that it told. It loads everything once and forks, so that
ten collectors cost one start of Python. Each child leads a session of its own and is killed with
all of it. Processes that left the session have this one for a parent (``PR_SET_CHILD_SUBREAPER``,
prctl(2)), so that they are found too. When whoever started it goes away, all of it ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from simdiag.bundle.collector import Collector, Denied, Skipped, Subject, collectors

OVERALL_S = 4.0
"""After so long every collector ends, whatever its own limit is."""
_SWEEP_S = 2.0
_CHUNK = 65536
_MEMORY = 512 * 1024 * 1024
_SKIPPED, _DENIED, _FAILED = 11, 12, 13
_STATES = {0: "ok", _SKIPPED: "skipped", _DENIED: "denied"}
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


@dataclass(slots=True)
class _Child:
    """One running collector."""

    name: str
    collector: Collector
    pid: int
    pipe: int
    started: float
    data: bytearray = field(default_factory=bytearray)
    state: str = ""
    ended: float = 0.0

    @property
    def deadline(self) -> float:
        return self.started + min(self.collector.limit_s, OVERALL_S)

    def read(self) -> None:
        """Take what there is; at the end of it, or of the room, the child ends."""
        room = self.collector.limit_bytes - len(self.data)
        chunk = os.read(self.pipe, min(_CHUNK, room + 1))
        self.data += chunk[:room]
        if len(chunk) > room:
            self.end("truncated")
        elif not chunk:
            self.end("")

    def end(self, state: str) -> None:
        """Kill the whole session; without a ``state`` the exit status says how it went."""
        self.ended = time.monotonic()
        os.close(self.pipe)
        if not state:
            state = _STATES.get(self._exit_status(), "failed")
        self.state = state
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _exit_status(self) -> int:
        """Wait for a child that has closed its output; one that lives on in silence is killed."""
        while time.monotonic() < min(self.deadline, self.ended + 0.5):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        return _FAILED

    def report(self, start: float) -> bytes:
        entry = {
            "name": self.name, "state": self.state, "bytes": len(self.data),
            "started_ms": round(1000 * (self.started - start)),
            "ended_ms": round(1000 * (self.ended - start)),
        }  # fmt: skip
        return json.dumps(entry).encode() + b"\n" + self.data


def main() -> int:
    """Read the subject from standard input, run every collector of a folder, print the outcomes."""
    folder = Path(sys.argv[1])
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing that a collector prints gets there
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(1))
    found = collectors(folder)
    subject = Subject.model_validate_json(sys.stdin.buffer.readline())
    start = time.monotonic()
    children: list[_Child] = []
    try:
        for name, collector in found.items():
            children.append(_start(name, collector, subject))
        _watch(children)
    finally:
        _sweep()
    with os.fdopen(output, "wb") as stream:
        for child in children:
            stream.write(child.report(start))
    return 0


def _start(name: str, collector: Collector, subject: Subject) -> _Child:
    pipe, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(pipe)
        _be_a_collector(collector, subject, told)
    os.close(told)
    return _Child(name, collector, pid, pipe, time.monotonic())


def _be_a_collector(collector: Collector, subject: Subject, told: int) -> NoReturn:
    """Collect, in the child, and end with the status that says how it went."""
    status = _FAILED
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(told, 1)
        os.close(told)
        for event in collector.collect(subject):
            _write(event.model_dump_json().encode() + b"\n")
        status = 0
    except Skipped:
        status = _SKIPPED
    except (Denied, PermissionError):
        status = _DENIED
    finally:
        os._exit(status)


def _write(line: bytes) -> None:
    while line:
        line = line[os.write(1, line) :]


def _watch(children: list[_Child]) -> None:
    """Read from all until each has ended; ends early when standard input is closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        for child in children:
            selector.register(child.pipe, selectors.EVENT_READ, child)
        while running := [child for child in children if not child.state]:
            left = min(child.deadline for child in running) - time.monotonic()
            for key, _ in selector.select(max(0.0, left)):
                if key.data is None:
                    sys.exit(1)  # whoever started this is gone
                pipe = key.data.pipe
                key.data.read()
                if key.data.state:
                    selector.unregister(pipe)
            for child in running:
                if not child.state and time.monotonic() >= child.deadline:
                    selector.unregister(child.pipe)
                    child.end("timeout")


def _sweep() -> None:
    """Kill and reap until nothing is left that a collector has started."""
    deadline = time.monotonic() + _SWEEP_S
    while time.monotonic() < deadline:
        for pid in _descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _descendants() -> Iterator[int]:
    """Yield this process's children and theirs; who has lost a parent has this one for it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    waiting = [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        yield from children
        waiting += children


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
