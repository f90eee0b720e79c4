"""The rows in which the program counts, one a key; ``usage.bpf.c`` says how it finds them."""

from __future__ import annotations

import struct
import time
from collections.abc import Collection, Iterator
from typing import NamedTuple

from simdiag.host.holders import lives
from simdiag.usage.kernel.libbpf import Object

# The structures of usage.bpf.c.
_KEY = struct.Struct("=QIIBBB5x")  # namespace, process, interface, outgoing, protocol, remote
_AMOUNT = struct.Struct("=QQ")
_ROW_SIZE = 64
_NUMBER = struct.Struct("=I")
_ROWS = 32_768
_IDLE_S = 60.0
"""How long the last packets of a dead process's sockets, and of nobody's, are waited for."""
_STALE_S = 86_400.0
"""And those of a process that lives: interfaces come and go, and each takes rows of its own."""


class Key(NamedTuple):
    """What a row is counted for; 0: a namespace or process that is not known."""

    namespace: int
    process: int
    interface: int
    outgoing: int
    protocol: int
    remote: int


class Traffic:
    """What the program has counted, and which of its rows are free."""

    def __init__(self, counting: Object) -> None:
        self._traffic = counting.map("traffic", _NUMBER.size, _ROW_SIZE)
        self._rows = counting.map("rows", _KEY.size, _NUMBER.size)
        self._unused = counting.map("unused", 0, _NUMBER.size)
        self._overflow = counting.map("overflow", _NUMBER.size, _AMOUNT.size)
        self._overflown = 0
        self._last: list[bytes] = []  # each row as it was read last
        self._grown_at: dict[int, float] = {}  # those that are in use
        self._looked = time.monotonic()
        for number in reversed(range(_ROWS)):
            self._unused.push(_NUMBER.pack(number))

    def grown(self) -> Iterator[tuple[Key, int, int]]:
        """Yield key, bytes and packets of each row that grew since the last time.

        Rows are never set back: whoever gets one of a process that has ended goes on counting in
        it.
        """
        now = time.monotonic()
        for number, row in enumerate(self._traffic.values()):
            if number == len(self._last):
                if row == _NEVER_USED:  # and so are all that follow
                    break
                self._last.append(_NEVER_USED)
            before = self._last[number]
            if row == before:
                continue
            octets, packets = (a - b for a, b in zip(_counts(row), _counts(before), strict=True))
            self._last[number], self._grown_at[number] = row, now
            if octets or packets:  # of a packet that is just counted one may be there already
                yield Key(*_KEY.unpack_from(row)), octets, packets

    def overflow(self) -> int:
        """Return the packets for which there was no row, since the last time."""
        packets = 0
        for direction in (0, 1):
            if amount := self._overflow.get(_NUMBER.pack(direction)):
                packets += int(_AMOUNT.unpack(amount)[1])
        lost, self._overflown = packets - self._overflown, packets
        return lost

    def forget(self) -> Collection[int] | None:
        """From time to time, free the rows for which nothing more comes.

        Returns the processes that are left, if it was time.
        """
        now = time.monotonic()
        if now - self._looked < _IDLE_S:
            return None
        self._looked = now
        for number, at in list(self._grown_at.items()):
            idle = now - at
            if idle > _STALE_S or (idle > _IDLE_S and not lives(self._process(number))):
                self._free(number)
        return {self._process(number) for number in self._grown_at}

    def _free(self, number: int) -> None:
        key, packed = self._last[number][: _KEY.size], _NUMBER.pack(number)
        del self._grown_at[number]
        if self._rows.get(key) == packed:  # else it is free: an old socket used it nevertheless
            self._rows.delete(key)
            self._unused.push(packed)

    def _process(self, number: int) -> int:
        return int(_KEY.unpack_from(self._last[number])[1])


_NEVER_USED = bytes(_ROW_SIZE)


def _counts(row: bytes) -> tuple[int, int]:
    octets, packets = _AMOUNT.unpack_from(row, _KEY.size)
    return octets, packets
