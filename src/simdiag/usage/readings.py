"""What a modem's own counter showed, and when: one line of JSON a reading, only ever added to.

A modem keeps a sum, not a history, and forgets it with a restart or a session. Readings over time
make a history of it. They are in a file of their own, since the database has one writer.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from simdiag.errors import SimdiagError
from simdiag.evidence import Evidence
from simdiag.message import N_, message

_MOST_BYTES = 16_000_000
"""No file of readings is read further back: that is some hundred thousand of them."""
_BIGGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class CounterReading:
    """Bytes that a modem counted, at a Unix time.

    ``device`` tells modems apart and nobody who they are (:func:`simdiag.usage.links.identity`).
    """

    time: float
    device: str
    tx_bytes: int
    rx_bytes: int

    @property
    def bytes(self) -> int:
        """Return both directions together."""
        return self.tx_bytes + self.rx_bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a counter grew from one reading to another, and how often it began anew."""

    since: float
    until: float
    bytes: int
    resets: int


def of_modem(evidence: Evidence, device: str, now: float) -> CounterReading | None:
    """Return what a modem's own counter showed when it was examined, if it has one."""
    sent, received = evidence.value("counter.tx_bytes"), evidence.value("counter.rx_bytes")
    if not isinstance(sent, int) or not isinstance(received, int):
        return None
    sane = 0 <= sent < _BIGGEST and 0 <= received < _BIGGEST
    return CounterReading(now, device, sent, received) if sane else None


def add(path: Path, reading: CounterReading) -> None:
    """Add a reading to a file, which is made where it does not exist. Raises ``SimdiagError``."""
    line = json.dumps(asdict(reading)) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n"
            file.write(b"\n" * bool(torn) + line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        text = N_("{path} cannot be written: {why}")
        why = message(problem.strerror or str(problem))
        raise SimdiagError(message(text, path=path, why=why)) from problem


def read(path: Path, device: str) -> list[CounterReading]:
    """Return a device's readings by time; lines that are none are left out.

    Without a file there are none. Raises ``SimdiagError`` where it may not be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MOST_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    except OSError as problem:
        text = N_("{path} cannot be read: {why}")
        why = message(problem.strerror or str(problem))
        raise SimdiagError(message(text, path=path, why=why)) from problem
    found = [reading for line in lines if (reading := _reading(line)) is not None]
    return sorted((r for r in found if r.device == device), key=lambda reading: reading.time)


def _reading(line: bytes) -> CounterReading | None:
    try:
        entry: dict[str, Any] = json.loads(line)
        reading = CounterReading(
            float(entry["time"]), str(entry["device"]), int(entry["tx_bytes"]),
            int(entry["rx_bytes"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    counts = (reading.tx_bytes, reading.rx_bytes)
    sane = all(0 <= count < _BIGGEST for count in counts) and 0 <= reading.time < _BIGGEST
    return reading if sane else None


def growth(readings: Sequence[CounterReading]) -> Growth | None:
    """Return what was counted from the first reading to the last; ``None`` for fewer than two.

    Where one of the counts went down, both began anew, and what they show came after. That is
    never taken for a counter that has wrapped.
    """
    if len(readings) < 2:
        return None
    steps = [_step(before, after) for before, after in pairwise(readings)]
    return Growth(
        readings[0].time, readings[-1].time, sum(grown for grown, _ in steps),
        sum(reset for _, reset in steps),
    )  # fmt: skip


def _step(before: CounterReading, after: CounterReading) -> tuple[int, bool]:
    reset = after.tx_bytes < before.tx_bytes or after.rx_bytes < before.rx_bytes
    return (after.bytes if reset else after.bytes - before.bytes), reset


def within(readings: Iterable[CounterReading], since: float, until: float) -> list[CounterReading]:
    """Return the readings of a period, both ends included."""
    return [reading for reading in readings if since <= reading.time <= until]
