"""Reads an operator's words: typed in, from a bill, or its answer to a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from simdiag.errors import SimdiagError
from simdiag.message import N_
from simdiag.sizes import Range, meant

_LONGEST = 4000
_AMOUNT = r"(?<![\d.])(?P<{name}>\d{{1,12}}(?:\.\d{{1,6}})?\s?(?:[KMGT]i?B?|B))(?![A-Za-z])"
_GAP = r"[^\d]{0,30}?"
_WORDS = {
    "used": r"(?:used|usage|consumed|已\s*使?用|使用了|共使用|用量)",
    "left": r"(?:left|remaining|remains|balance|剩余|剩餘|尚余|尚餘|余量|可用)",
    "total": r"(?:total|allowance|package|quota|总量|總量|共有|套餐内)",
}
"""The usual words before an amount."""
_AFTER = {"used": r"(?:used|已用)", "left": r"(?:left|remaining|剩余|剩餘)"}
"""The usual words after one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the operator says, each as the range that may be meant; ``None`` where it does not."""

    used: Range | None
    left: Range | None = None
    words: str = ""


def typed(text: str) -> Claim:
    """Return the claim of an amount such as ``30GB``. Raises ``SimdiagError``."""
    return Claim(meant(text), words=text)


def read(text: str, patterns: tuple[str, ...] = ()) -> Claim:
    """Return the claim of an operator's answer; ``patterns`` are those of its profile.

    Where only the whole and what is left are told, the difference is what was used. Raises
    ``SimdiagError`` where no amount is found.
    """
    text = " ".join(text[:_LONGEST].split())
    found = next((m.groupdict() for p in patterns if p and (m := re.search(p, text))), None)
    ranges = {
        name: meant(amount)
        for name in _WORDS
        if (amount := found.get(name) if found else _usual(name, text))
    }
    used, left, total = (ranges.get(name) for name in ("used", "left", "total"))
    if used is None and total is not None and left is not None:
        used = Range.of(total.low - left.high, total.high - left.low)
    if used is None and left is None:
        raise SimdiagError(
            N_(
                "no amount of used data is found in the operator's words: give it with --claim, "
                "such as 12.5GB"
            )
        )
    return Claim(used, left, text)


def _usual(name: str, text: str) -> str | None:
    amount = _AMOUNT.format(name=name)
    before = re.search(_WORDS[name] + _GAP + amount, text, re.IGNORECASE)
    after = name in _AFTER and re.search(rf"{amount}{_GAP}{_AFTER[name]}", text, re.IGNORECASE)
    match = before or after
    return match[name] if match else None
