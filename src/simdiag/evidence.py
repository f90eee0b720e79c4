"""What was said and what it tells: exchanges, observations, and the evidence made of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple

_HISTORY_HEAD = 32
_HISTORY_TAIL = 512

_UNITS = {
    "dbm": "dBm", "db": "dB", "c": "°C", "mv": "mV", "bytes": "B", "s": "s", "mhz": "MHz",
    "percent": "%",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Error:
    """A final result other than OK, or its absence.

    ``code`` is the number of ``+CME ERROR``/``+CMS ERROR``, ``text`` its words; both ``None`` for
    a bare ``ERROR``. ``silent`` says that no final result came before the deadline.
    """

    result: str
    code: int | None = None
    text: str | None = None
    silent: bool = False

    def __str__(self) -> str:
        detail = self.code if self.code is not None else self.text
        return self.result if detail is None else f"{self.result}: {detail}"


class Exchange(NamedTuple):
    """A command and everything the modem said to it; unsolicited lines have no command.

    ``ended`` is false where no final result was seen: the modem was silent, or whoever recorded
    the log left it out. Which of the two, ``error.silent`` tells.
    """

    number: int
    command: str
    lines: tuple[str, ...] = ()
    error: Error | None = None
    ended: bool = True
    time: float = 0.0
    elapsed: float = 0.0
    port: str = ""

    @property
    def unsolicited(self) -> bool:
        """Whether nobody asked."""
        return not self.command


class Source(NamedTuple):
    """Where an observation comes from: the exchange, and the line of it."""

    exchange: int
    command: str
    line: str

    def __str__(self) -> str:
        return f"{self.command} → {self.line}" if self.command else self.line


class Observation(NamedTuple):
    """One fact. ``value`` is ``None`` where reading failed; ``error`` then says how."""

    name: str
    value: Any
    source: Source
    time: float = 0.0
    error: str | None = None

    @property
    def unit(self) -> str | None:
        """The unit, told by the last word of the name: ``signal.rsrp_dbm`` is in dBm."""
        return _UNITS.get(self.name.rpartition("_")[2])


class Reading(NamedTuple):
    """What a parse function made of a line, before it is known when and where that was said."""

    name: str
    value: Any
    line: str
    error: str | None = None


_Entry = Observation | tuple[Reading, Exchange]
"""An observation, or what it is made of when somebody asks: most of a long log nobody does."""


@dataclass(slots=True)
class _History:
    """The first and the last observations of one name; a long log cannot fill the memory."""

    head: list[_Entry] = field(default_factory=list)
    tail: deque[_Entry] = field(default_factory=lambda: deque(maxlen=_HISTORY_TAIL))

    def add(self, entry: _Entry) -> None:
        if len(self.head) < _HISTORY_HEAD:
            self.head.append(entry)
        else:
            self.tail.append(entry)

    def __iter__(self) -> Iterator[Observation]:
        return map(_observation, chain(self.head, self.tail))

    def newest_first(self) -> Iterator[Observation]:
        return map(_observation, chain(reversed(self.tail), reversed(self.head)))


def _observation(entry: _Entry) -> Observation:
    if isinstance(entry, Observation):
        return entry
    reading, exchange = entry
    source = Source(exchange.number, exchange.command, reading.line)
    return Observation(reading.name, reading.value, source, exchange.time, reading.error)


class Evidence:
    """All observations of one examination, by name, in the order they were made."""

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        self._by_name: dict[str, _History] = {}
        for observation in observations:
            self.add(observation)

    def add(self, observation: Observation) -> None:
        """Take one more observation; it is newer than all before it."""
        self._add(observation.name, observation)

    def take(self, exchange: Exchange, readings: Iterable[Reading]) -> None:
        """Take what an exchange was read as; it is newer than all before it."""
        for reading in readings:
            self._add(reading[0], (reading, exchange))

    def _add(self, name: str, entry: _Entry) -> None:
        history = self._by_name.get(name)
        if history is None:
            history = self._by_name[name] = _History()
        history.add(entry)

    def __iter__(self) -> Iterator[Observation]:
        for history in self._by_name.values():
            yield from history

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def history(self, name: str) -> tuple[Observation, ...]:
        """Return every observation of a name, oldest first."""
        return tuple(self._by_name.get(name, ()))

    def last(self, name: str) -> Observation | None:
        """Return the newest observation of a name that has a value."""
        return next((o for o in self.newest_first(name) if o.value is not None), None)

    def value(self, name: str, default: Any = None) -> Any:
        """Return the newest value of a name."""
        observation = self.last(name)
        return default if observation is None else observation.value

    def under(self, prefix: str) -> tuple[Observation, ...]:
        """Return the newest valued observation of each name that begins with the prefix."""
        found = (self.last(name) for name in self._by_name if name.startswith(prefix))
        return tuple(o for o in found if o is not None)

    def newest_first(self, name: str) -> Iterator[Observation]:
        """Yield every observation of a name, newest first."""
        history = self._by_name.get(name)
        return history.newest_first() if history is not None else iter(())

    def recent(self, name: str, count: int) -> tuple[Observation, ...]:
        """Return the newest observations of a name, newest first."""
        return tuple(islice(self.newest_first(name), count))
