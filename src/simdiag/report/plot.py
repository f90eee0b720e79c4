"""Upright bars in a terminal, of block characters."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def plot(values: Sequence[float], width: int, height: int = 5) -> list[str]:
    """Return lines that show the values as bars from left to right; the highest fills the height.

    Each bar is as wide as there is room for; where there are more values than characters,
    neighbours are added up. What is above zero shows at least as the lowest block.
    """
    together = max(1, -(-len(values) // max(1, width)))
    sums = [sum(values[i : i + together]) for i in range(0, len(values), together)]
    wide = max(1, min(4, width // max(1, len(sums))))
    most = max((*sums, 0.0))
    eighths = [max(1, round(v / most * height * 8)) if v > 0 else 0 for v in sums]
    gap = " " if wide > 1 else ""
    return [
        "".join(
            _EIGHTHS[max(0, min(8, size - 8 * row))] * (wide - len(gap)) + gap for size in eighths
        )
        for row in reversed(range(height))
    ]
