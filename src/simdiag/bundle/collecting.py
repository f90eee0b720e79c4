"""Starts the collectors and takes what they told; nothing that they do stops the bundle."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from simdiag.bundle.collector import FOLDER, Subject, collectors
from simdiag.bundle.fields import Event
from simdiag.bundle.manifest import CollectorEntry, CollectorState
from simdiag.bundle.supervisor import OVERALL_S

_START_S = 10.0
"""How long Python may take to start on a slow computer; mostly an examination takes longer."""
_GRACE_S = 2.5
"""Beyond the collectors' own time: what is left is killed, and the results are read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one collector told, and how it went."""

    entry: CollectorEntry
    events: tuple[Event, ...] = ()


class Collecting:
    """The collectors' supervisor. It is started early, so that it is ready when it is asked.

    A context manager: at its end no process is left.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._ready_by = time.monotonic() + _START_S
        # -P: a file in the current folder must not be taken for a module
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-P", "-m", "simdiag.bundle.supervisor", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to answer
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        process.terminate()  # it ends what it has started
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def collect(self, subject: Subject) -> list[Outcome]:
        """Run all collectors; returns in ``OVERALL_S`` and a little, whatever they do."""
        told = b""
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(subject.model_dump_json().encode() + b"\n")
                stdin.flush()
            told = self._read()
        except (OSError, subprocess.TimeoutExpired):
            pass  # those that told nothing have failed
        found = dict(_parted(told))
        return [
            _outcome(name, c.event, c.limit_s, c.limit_bytes, *found.get(name, ({}, b"")))
            for name, c in collectors(self._folder).items()
        ]

    def _read(self) -> bytes:
        """Return all that is printed; standard input stays open, its end would be a farewell."""
        stdin, self._process.stdin = self._process.stdin, None
        try:
            starting = max(0.0, self._ready_by - time.monotonic())
            return self._process.communicate(timeout=starting + OVERALL_S + _GRACE_S)[0]
        finally:
            self._process.stdin = stdin


def skipped(folder: Path = FOLDER) -> list[Outcome]:
    """Return outcomes of collectors that were not asked: a recorded run is not of this computer."""
    return [
        _outcome(name, c.event, c.limit_s, c.limit_bytes, {"state": "skipped"}, b"")
        for name, c in collectors(folder).items()
    ]


def _parted(told: bytes) -> Iterator[tuple[str, tuple[dict[str, Any], bytes]]]:
    while told:
        head, _, told = told.partition(b"\n")
        try:
            entry = json.loads(head)
            size = entry.pop("bytes")
            yield entry.pop("name"), (entry, told[:size])
        except (ValueError, KeyError, TypeError):
            return
        told = told[size:]


def _outcome(
    name: str, event: type[Event], limit_s: float, limit_bytes: int,
    report: dict[str, Any], told: bytes,
) -> Outcome:  # fmt: skip
    """Take the events that are what they should be; garbage is counted, and a failure."""
    events, garbage = [], 0
    *lines, _cut_off = told.split(b"\n")
    for line in lines:
        try:
            events.append(event.model_validate_json(line))
        except ValidationError:
            garbage += 1
    state = CollectorState(report.get("state", "failed"))
    if garbage and state is CollectorState.OK:
        state = CollectorState.FAILED
    entry = CollectorEntry(
        name=name, state=state, limit_ms=round(1000 * limit_s), limit_bytes=limit_bytes,
        started_ms=report.get("started_ms", 0), ended_ms=report.get("ended_ms", 0),
        bytes=len(told), events=len(events), garbage=garbage,
    )  # fmt: skip
    return Outcome(entry, tuple(events))
