"""Reads an operator's words: typed in, from a bill, or its answer to a question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simdiag.errors import SimdiagError
from simdiag.message import N_
from simdiag.sizes import Range, meant

_LONGEST = 4000
_AMOUNT = re.compile(
    r"(?<![\d.])\d{1,12}(?:\.\d{1,6})?\s?(?:[KMGT]i?B?|B)(?![A-Za-z])", re.IGNORECASE
)
_NEAR = 30
_ENDS = re.compile(r"[\d,;.!?，；。！？]")
"""What ends the words that belong to an amount."""
_WORDS = {
    "used": r"(?:used|usage|consumed|已\s*使?用|使用了|共使用|用量)",
    "left": r"(?:left|remaining|remains|balance|剩余|剩餘|尚余|尚餘|余量|可用)",
    "total": r"(?:total|allowance|package|quota|[总總](?:流量|量)|共有?|套餐[内內])",
}
"""The usual words before an amount."""
_AFTER = {"used": r"(?:used|已用)", "left": r"(?:left|remaining|剩余|剩餘)"}
"""The usual words after one."""
_CLOSE = re.compile(r"\s(?:of data |data )?(?:used|left|remaining)\b", re.IGNORECASE)
"""Words right after an amount that tell what it is."""


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
    found = _usual(text) if found is None else found
    ranges = {name: meant(amount) for name in _WORDS if (amount := found.get(name))}
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


def _usual(text: str) -> dict[str, str]:
    """Return the first amount of each kind."""
    found: dict[str, str] = {}
    for amount in _AMOUNT.finditer(text):
        before = _ENDS.split(text[max(0, amount.start() - _NEAR) : amount.start()])[-1]
        rest = text[amount.end() : amount.end() + _NEAR]
        after = _ENDS.split(rest)[0]
        kind = _kind(before, after, last=not rest[len(after) :][:1].isdigit())
        if kind is not None:
            found.setdefault(kind, amount[0])
    return found


def _kind(before: str, after: str, *, last: bool) -> str | None:
    """Tell what an amount is by the nearest of the usual words around it.

    ``last`` says that no other amount follows the words behind it, which may be that one's.
    """
    close = _CLOSE.match(after)
    ends = [(m.end(), kind) for kind, words in _WORDS.items() for m in _all(words, before)]
    own = close is not None and (last or bool(after[close.end() :].strip(" :：")))
    if ends and not own:
        return max(ends)[1]
    starts = [(m.start(), kind) for kind, words in _AFTER.items() for m in _all(words, after)]
    return min(starts)[1] if starts and (close or last) else None


def _all(words: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(words, text, re.IGNORECASE)
