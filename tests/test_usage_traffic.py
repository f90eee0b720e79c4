"""The rows in which the kernel counts, as the reader sees and frees them; the kernel is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.usage.kernel import traffic
from simdiag.usage.kernel.traffic import Key, Traffic

NOBODY = 0
LIVING = 1
DEAD = 0x7FFF_FFFF  # above what the kernel gives


class Kernel:
    """The maps of the counting program: it takes a row from ``unused`` for each new key."""

    def __init__(self) -> None:
        self.array = [bytes(64) for _ in range(4)]
        self.numbers: dict[bytes, bytes] = {}
        self.free: list[bytes] = []

    def map(self, name: str, _key_size: int, _value_size: int) -> Kernel | Rows:
        return Rows(self) if name == "rows" else self

    def push(self, value: bytes) -> None:
        self.free.append(value)

    def get(self, _key: bytes) -> None:
        return None

    def values(self) -> Iterator[bytes]:
        yield from self.array

    def count(self, key: Key, octets: int, packets: int) -> None:
        packed = traffic._KEY.pack(*key)
        number = self.numbers.get(packed) or self.free.pop()
        self.numbers[packed] = number
        at = int.from_bytes(number, "little")
        before = traffic._counts(self.array[at])
        counted = traffic._AMOUNT.pack(before[0] + octets, before[1] + packets)
        self.array[at] = (packed + counted).ljust(64, b"\0")


class Rows:
    def __init__(self, kernel: Kernel) -> None:
        self.numbers = kernel.numbers

    def get(self, key: bytes) -> bytes | None:
        return self.numbers.get(key)

    def delete(self, key: bytes) -> None:
        self.numbers.pop(key, None)


def key(process: int, interface: int = 3) -> Key:
    return Key(1, process, interface, 0, 6, 0)


@given(st.lists(st.sampled_from([(1500, 0), (0, 1), (1500, 1)])))
def test_bytes_that_are_read_before_their_packets_are_not_lost(
    steps: list[tuple[int, int]],
) -> None:
    """A row is read while others count in it: first come the bytes, then the packets."""
    kernel = Kernel()
    counted = Traffic(kernel)
    found = []
    for octets, packets in steps:
        kernel.count(key(LIVING), octets, packets)
        found += [(more, of_them) for _, more, of_them in counted.grown()]
    assert found == steps


@pytest.mark.parametrize(
    ("process", "idle_s", "freed"),
    [
        (NOBODY, 61, True), (NOBODY, 59, False), (DEAD, 61, True), (DEAD, 59, False),
        (LIVING, 3601, False), (LIVING, 86_401, True),
    ],
)  # fmt: skip
def test_rows_for_which_nothing_comes_are_given_back(
    monkeypatch: pytest.MonkeyPatch, process: int, idle_s: float, freed: bool
) -> None:
    """Interfaces and networks come and go: what nobody sent over each would fill the table."""
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    kernel = Kernel()
    counted = Traffic(kernel)
    for _ in range(10):
        rows_left = len(kernel.free)
        kernel.count(key(process), 100, 1)
        list(counted.grown())
        clock[0] += idle_s
        monkeypatch.setattr(counted, "_looked", 0.0)
        counted.forget()
        assert len(kernel.free) == (rows_left if freed else rows_left - 1)
        assert (counted._grown_at == {}) is freed
        if not freed:
            break
    assert len(kernel.free) == len(set(kernel.free))


def test_a_row_that_is_free_is_not_given_back_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    counted = Traffic(kernel)
    kernel.count(key(DEAD), 100, 1)
    list(counted.grown())
    monkeypatch.setattr(traffic, "_IDLE_S", 0)
    counted.forget()
    free = len(kernel.free)
    row = kernel.array[0]
    kernel.array[0] = row[:24] + traffic._AMOUNT.pack(200, 2) + row[40:]  # a socket remembers it
    assert [(k.process, n) for k, n, _ in counted.grown()] == [(DEAD, 100)]
    counted.forget()
    assert len(kernel.free) == free
