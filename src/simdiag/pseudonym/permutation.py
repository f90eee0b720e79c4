"""A keyed permutation of the numbers below any size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

from simdiag.pseudonym.ff1 import FF1

Step = Callable[[list[int], bytes], list[int]]
_FEWEST = 1 << 14
"""Below, the numbers are shuffled as a whole: to walk in FF1's domain would take too long."""
_BITS = 20
"""FF1 permutes at least 2**20 numbers, the first power of two above its minimum of a million."""


class Permutation:
    """Maps numbers to numbers, one to one; another ``tweak`` is another permutation.

    FF1 permutes bit strings; where the size is no power of two, or smaller than FF1 may permute,
    it is applied until the number falls below the size (cycle walking), which keeps it one to
    one. A size below 2**14 (a two-digit area, a private address) is shuffled by a keyed hash:
    nobody without the key can undo it either, but whoever knows all places of a town can guess.
    That is the nature of a small set and the price of keeping the form (ADR 13).
    """

    def __init__(self, key: bytes) -> None:
        self._ff1, self._key = FF1(key, 2), key

    def forth(self, number: int, size: int, tweak: bytes) -> int:
        """Return what stands for ``number``, which is below ``size``."""
        if size < _FEWEST:
            return _shuffled(self._key, size, tweak)[number]
        return self._walk(self._ff1.encrypt, number, size, tweak)

    def back(self, number: int, size: int, tweak: bytes) -> int:
        """Return what ``number`` stands for."""
        if size < _FEWEST:
            return _shuffled(self._key, size, tweak).index(number)
        return self._walk(self._ff1.decrypt, number, size, tweak)

    @staticmethod
    def _walk(step: Step, number: int, size: int, tweak: bytes) -> int:
        bits = max(_BITS, (size - 1).bit_length())
        while True:
            numerals = step([number >> i & 1 for i in reversed(range(bits))], tweak)
            number = int("".join(map(str, numerals)), 2)
            if number < size:
                return number


@lru_cache(maxsize=256)
def _shuffled(key: bytes, size: int, tweak: bytes) -> list[int]:
    def place(number: int) -> bytes:
        return hashlib.blake2b(number.to_bytes(4, "big") + tweak, key=key).digest()

    return sorted(range(size), key=place)
