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
from simdiag.sizes import Range

_MOST_BYTES = 16_000_000
"""No file of readings is read further back: that is some hundred thousand of them."""
_BIGGEST = 1 << 62
_Counter = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CounterReading:
    """Bytes that a modem counted, at a Unix time.

    ``device`` tells modems apart and nobody who they are (:func:`simdiag.usage.links.identity`).
    ``nr_tx_bytes`` and ``nr_rx_bytes`` are those of a second counter, for NR, where it has one.
    """

    time: float
    device: str
    tx_bytes: int
    rx_bytes: int
    nr_tx_bytes: int | None = None
    nr_rx_bytes: int | None = None

    @property
    def counters(self) -> tuple[_Counter | None, _Counter | None]:
        """Return what each counter showed, sent and received."""
        second = None
        if self.nr_tx_bytes is not None and self.nr_rx_bytes is not None:
            second = self.nr_tx_bytes, self.nr_rx_bytes
        return (self.tx_bytes, self.rx_bytes), second

    @property
    def is_sane(self) -> bool:
        """Whether these are numbers that a modem may show."""
        counts = (self.tx_bytes, self.rx_bytes, self.nr_tx_bytes or 0, self.nr_rx_bytes or 0)
        return all(0 <= n < _BIGGEST for n in (self.time, *counts))


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a modem counted from one reading to another, and how often it began anew.

    With a second counter for NR it is known as a range only. What went over NR beside LTE is in
    both with some firmware and in one with other: the sum is from the bigger one to both together.
    """

    since: float
    until: float
    bytes: int
    resets: int
    nr_bytes: int = 0

    @property
    def counted(self) -> Range:
        """Return the bytes of both directions."""
        return Range(max(self.bytes, self.nr_bytes), self.bytes + self.nr_bytes)


def of_modem(evidence: Evidence, device: str, now: float) -> CounterReading | None:
    """Return what a modem's own counter showed when it was examined, if it has one."""
    names = ("tx_bytes", "rx_bytes", "nr_tx_bytes", "nr_rx_bytes")
    counts = {name: evidence.value(f"counter.{name}") for name in names}
    known = {name: count for name, count in counts.items() if isinstance(count, int)}
    if not known.keys() >= {"tx_bytes", "rx_bytes"}:
        return None
    reading = CounterReading(now, device, **known)
    return reading if reading.is_sane else None


def add(path: Path, reading: CounterReading) -> None:
    """Add a reading to a file, which is made where it does not exist. Raises ``SimdiagError``."""
    entry = {name: value for name, value in asdict(reading).items() if value is not None}
    line = json.dumps(entry) + "\n"
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
            **{name: int(entry[name]) for name in ("nr_tx_bytes", "nr_rx_bytes") if name in entry},
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return reading if reading.is_sane else None


def growth(readings: Sequence[CounterReading]) -> Growth | None:
    """Return what was counted from the first reading to the last; ``None`` for fewer than two.

    Where one direction of a counter went down, both began anew, and what they show came after. That
    is never taken for a counter that has wrapped.
    """
    if len(readings) < 2:
        return None
    (octets, resets), (nr_octets, nr_resets) = (
        _grown([counter for counter in series if counter is not None])
        for series in zip(*(reading.counters for reading in readings), strict=True)
    )
    resets = max(resets, nr_resets)
    return Growth(readings[0].time, readings[-1].time, octets, resets, nr_octets)


def _grown(series: Sequence[_Counter]) -> tuple[int, int]:
    """Return how much a counter grew, and how often it began anew."""
    octets = resets = 0
    for before, after in pairwise(series):
        reset = any(now < then for then, now in zip(before, after, strict=True))
        octets += sum(after) - (0 if reset else sum(before))
        resets += reset
    return octets, resets


def within(readings: Iterable[CounterReading], since: float, until: float) -> list[CounterReading]:
    """Return the readings of a period, both ends included."""
    return [reading for reading in readings if since <= reading.time <= until]
