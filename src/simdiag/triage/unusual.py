"""What stands out: a cause that is far commoner in a batch of cards, at a seller, in a cell.

For each value the question is how likely so many cases of a cause would be if the value made no
difference (binomial, upper tail), times the number of values looked at (Bonferroni): asking often
enough always finds something.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

from simdiag.triage.table import Key, Table

_LIMIT = 1e-3
_FEWEST = 5
_TIMES = 2.0
_BODY = 18
"""Digits of an ICCID without its check digit: a batch is a run of these numbers."""
_LARGEST = 8
"""Batches of up to 10**8 numbers are looked for."""
_KEYS = (Key.SELLER, Key.FIRMWARE, Key.DEVICE, Key.CELL, Key.OPERATOR)
ICCID = "iccid"
"""The key of a batch of cards."""
_NO_FAULT = ("healthy", "inconclusive")


@dataclass(frozen=True, slots=True)
class Unusual:
    """A cause that stands out among the cases with a value.

    ``key`` is a ``Key`` or ``ICCID``; there ``value`` is the first and the last number of the
    cards seen, ``…`` between. ``chance`` is the probability, corrected, that it means nothing.
    """

    cause: str
    key: str
    value: str
    cases: int
    of: int
    usual: float
    chance: float


def unusual(table: Table) -> list[Unusual]:
    """Return what stands out, the least likely first."""
    found = [*_batches(table.cards_in_the_clear())]
    for key in _KEYS:
        counts = table.counts(key.value)
        found += _standing_out(key.value, counts)
    return sorted(found, key=lambda one: one.chance)


def _standing_out(key: str, counts: Iterable[tuple[str, str, int]]) -> Iterator[Unusual]:
    by_value, by_cause, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for cause, value, number in counts:
        by_value[value] += number
        by_cause[cause] += number
        both[cause, value] += number
    everything = by_value.total()
    for (cause, value), number in both.items():
        if cause in _NO_FAULT:
            continue
        of = by_value[value]
        usual = _usual(by_cause[cause] - number, everything - of)
        chance = _tail(number, of, usual) * len(both)
        if _counts(number, of, usual, chance):
            yield Unusual(cause, key, value, number, of, usual, chance)


def _batches(cards: list[tuple[str, str]]) -> Iterator[Unusual]:
    """Look at all runs of numbers with an equal beginning, and keep those best told apart."""
    numbers = [number for number, _ in cards]
    for cause in sorted({cause for _, cause in cards} - set(_NO_FAULT)):
        bad = [number for number, found in cards if found == cause]
        candidates = [
            one
            for missing in range(1, _LARGEST + 1)
            for one in _runs(cause, bad, numbers, _BODY - missing)
        ]
        taken: list[Unusual] = []
        for one in sorted(candidates, key=lambda c: c.chance):
            first, _, last = one.value.partition("…")
            if all(last < t.value.partition("…")[0] or first > t.value.partition("…")[2]
                   for t in taken):  # fmt: skip
                taken.append(one)
        yield from taken


def _runs(cause: str, bad: list[str], numbers: list[str], length: int) -> Iterator[Unusual]:
    beginnings = Counter(number[:length] for number in bad)
    for beginning, count in beginnings.items():
        start, end = bisect_left(numbers, beginning), bisect_left(numbers, beginning + ":")
        of = end - start
        usual = _usual(len(bad) - count, len(numbers) - of)
        chance = _tail(count, of, usual) * len(beginnings) * _LARGEST
        if _counts(count, of, usual, chance):
            value = f"{numbers[start]}…{numbers[end - 1]}"
            yield Unusual(cause, ICCID, value, count, of, usual, chance)


def _usual(cases: int, of: int) -> float:
    """The rate elsewhere, never quite zero (Laplace's rule)."""
    return (cases + 1) / (of + 2)


def _counts(cases: int, of: int, usual: float, chance: float) -> bool:
    return cases >= _FEWEST and chance < _LIMIT and cases / of > _TIMES * usual


def _tail(cases: int, of: int, rate: float) -> float:
    """Return the probability of ``cases`` or more among ``of``, each with probability ``rate``."""
    ways = (
        lgamma(of + 1)
        - lgamma(k + 1)
        - lgamma(of - k + 1)
        + k * log(rate)
        + (of - k) * log1p(-rate)
        for k in range(cases, of + 1)
    )
    return min(1.0, sum(map(exp, ways)))
