"""Amounts of data as people and operators write them: ``12.3 MB``, ``30G``, ``1.5 GiB``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from simdiag.errors import SimdiagError
from simdiag.message import N_, message

_UNITS = ("B", "kB", "MB", "GB", "TB")
_WRITTEN = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(i?)(b?|字节)", re.IGNORECASE)
_NO_AMOUNT = N_("{what} is no amount of data: write 30GB or 1.5GiB")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, slots=True)
class Range:
    """From ``low`` to ``high``, both included: what a number of bytes may be."""

    low: int
    high: int

    @classmethod
    def of(cls, low: float, high: float) -> Range:
        """Return the whole bytes that lie around two numbers, in their order, none below zero."""
        return cls(max(0, int(low)), max(0, int(-(-high // 1))))


def size(octets: float) -> str:
    """Return a number of bytes for people: ``12.3 MB``, decimal as operators count."""
    value, unit = float(octets), "B"
    for unit in _UNITS:
        if abs(value) < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def read_size(text: str) -> int:
    """Return the bytes that a written amount names; GB is taken for 1,000 MB, GiB for 1,024 MiB.

    Raises ``SimdiagError`` with a sentence.
    """
    number, power, binary, _ = _read(text)
    return int(number * (1024 if binary else 1000) ** power)


def meant(text: str) -> Range:
    """Return what may be meant by a written amount.

    The last digit was rounded, and who writes GB may count 1,024 MB to it. Raises ``SimdiagError``.
    """
    number, power, binary, half = _read(text)
    low = (number - half) * (1024 if binary else 1000) ** power
    high = (number + half) * 1024**power
    return Range.of(float(low), float(high))


def _read(text: str) -> tuple[Decimal, int, bool, Decimal]:
    """Return the number, the power of its unit, whether it is binary, half of its last digit."""
    found = _WRITTEN.fullmatch(text.strip().replace("\N{NO-BREAK SPACE}", " "))
    if found is None or (not found[2] and (found[3] or not found[4])):
        shown = ascii(text[:40])
        raise SimdiagError(message(_NO_AMOUNT, what=shown))
    number, power = Decimal(found[1]), _POWERS[found[2].lower()]
    exponent = number.as_tuple().exponent
    half = Decimal(1).scaleb(int(exponent)) / 2 if power else Decimal(0)
    return number, power, bool(found[3]), half
