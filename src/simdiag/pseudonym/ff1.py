"""FF1, format-preserving encryption (NIST SP 800-38G, algorithms 7 and 8), over AES.

Checked against the nine sample vectors that NIST publishes for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Numerals = Sequence[int]
"""Digits, each from 0 to radix - 1, the most significant first."""

MIN_DOMAIN = 1_000_000
"""The fewest values that FF1 may permute (SP 800-38G revision 1, clause 5.1)."""
_ROUNDS = 10
_BLOCK = 16


class FF1:
    """Encrypts strings of numerals; ``key`` has 16, 24 or 32 bytes."""

    def __init__(self, key: bytes, radix: int) -> None:
        if not 2 <= radix <= 1 << 16:
            raise ValueError("a radix is from 2 to 65536")
        self._radix = radix
        # single blocks only: the chaining is done here, as the standard spells it out
        self._aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305

    def encrypt(self, numerals: Numerals, tweak: bytes = b"") -> list[int]:
        """Return as many numerals; raises ``ValueError`` where there are too few of them."""
        a, b, rounds = self._split(numerals, tweak)
        for i in range(_ROUNDS):
            modulus = rounds.modulus(i)
            a, b = b, (a + rounds.value(i, b)) % modulus
        return self._join(a, b, len(numerals))

    def decrypt(self, numerals: Numerals, tweak: bytes = b"") -> list[int]:
        """Return what was encrypted."""
        a, b, rounds = self._split(numerals, tweak)
        for i in reversed(range(_ROUNDS)):
            modulus = rounds.modulus(i)
            a, b = (b - rounds.value(i, a)) % modulus, a
        return self._join(a, b, len(numerals))

    def _split(self, numerals: Numerals, tweak: bytes) -> tuple[int, int, _Rounds]:
        length, radix = len(numerals), self._radix
        if length < 2 or radix**length < MIN_DOMAIN:
            raise ValueError(f"{length} numerals of radix {radix} are too few for FF1")
        half = length // 2
        left, right = (_number(part, radix) for part in (numerals[:half], numerals[half:]))
        return left, right, _Rounds(self._aes, radix, length, tweak)

    def _join(self, a: int, b: int, length: int) -> list[int]:
        half = length // 2
        return _numerals(a, self._radix, half) + _numerals(b, self._radix, length - half)


class _Rounds:
    """The round function: what step 6 of the algorithm does before the addition."""

    def __init__(
        self, aes: Callable[[bytes], bytes], radix: int, length: int, tweak: bytes
    ) -> None:
        self._aes, self._tweak = aes, tweak
        half = length // 2
        self._moduli: tuple[int, int] = (radix**half, radix ** (length - half))
        self._bytes = ((radix ** (length - half) - 1).bit_length() + 7) // 8
        self._take = 4 * ((self._bytes + 3) // 4) + 4
        self._first = aes(
            bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((_ROUNDS, half % 256))
            + length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        )  # fmt: skip

    def modulus(self, i: int) -> int:
        return self._moduli[i % 2]

    def value(self, i: int, number: int) -> int:
        padding = bytes(-(len(self._tweak) + self._bytes + 1) % _BLOCK)
        data = self._tweak + padding + bytes((i,)) + number.to_bytes(self._bytes, "big")
        mac = self._first
        for start in range(0, len(data), _BLOCK):
            mac = self._aes(_xor(mac, data[start : start + _BLOCK]))
        stream = mac
        for j in range(1, -(-self._take // _BLOCK)):
            stream += self._aes(_xor(mac, j.to_bytes(_BLOCK, "big")))
        return int.from_bytes(stream[: self._take], "big")


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(_BLOCK, "big")


def _number(numerals: Numerals, radix: int) -> int:
    number = 0
    for numeral in numerals:
        if not 0 <= numeral < radix:
            raise ValueError(f"{numeral} is no numeral of radix {radix}")
        number = number * radix + numeral
    return number


def _numerals(number: int, radix: int, length: int) -> list[int]:
    found = []
    for _ in range(length):
        number, numeral = divmod(number, radix)
        found.append(numeral)
    return found[::-1]
