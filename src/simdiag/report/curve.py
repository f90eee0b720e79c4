"""The signal over time on the terminal: a line per reading, and what it comes to."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from simdiag.message import N_, Translate
from simdiag.monitor import Sample, Summary

_LOWEST, _HIGHEST, _WIDTH = -130.0, -60.0, 30
_STYLES = ((-110.0, "red"), (-100.0, "yellow"), (0.0, "green"))
_STATES = {
    0: N_("not registered"),
    1: N_("home network"),
    2: N_("searching"),
    3: N_("refused"),
    5: N_("roaming"),
}


class SignalCurve:
    """Prints readings as they come: time, level as a bar, SINR, registration, cell."""

    def __init__(self, translate: Translate) -> None:
        self._console = Console(highlight=False)
        self._translate = translate
        self._start: float | None = None

    def add(self, sample: Sample) -> None:
        """Print one reading."""
        if self._start is None:
            self._start = sample.t
        level = sample.level
        line = Text(f"{sample.t - self._start:6.0f} s  ")
        if level is None:
            line.append(f"{'-':>9} " + " " * _WIDTH)
        else:
            filled = round((level - _LOWEST) / (_HIGHEST - _LOWEST) * _WIDTH)
            style = next(s for limit, s in _STYLES if level <= limit)
            line.append(f"{level:5.0f} dBm ")
            line.append(("█" * max(1, min(_WIDTH, filled))).ljust(_WIDTH), style)
        line.append(f"  SINR {'-' if sample.sinr is None else f'{sample.sinr:.0f} dB':>6}")
        state = _STATES.get(sample.status if sample.status is not None else -1)
        line.append(f"  {self._translate(state) if state else '-'}")
        line.append("".join(f"  {part}" for part in (sample.band, sample.cell) if part), "dim")
        self._console.print(line, overflow="crop", no_wrap=True)

    def show_summary(self, summary: Summary) -> None:
        """Print what the readings come to and what to do."""
        _ = self._translate
        if summary.level_median is not None and summary.level_range is not None:
            low, high = summary.level_range
            text = _(N_("{count} readings: median {median} dBm, from {low} to {high} dBm"))
            numbers = {"count": summary.samples, "median": round(summary.level_median)}
            self._console.print(text.format(low=round(low), high=round(high), **numbers))
        if summary.sinr_median is not None:
            self._console.print(
                _(N_("SINR: median {median} dB")).format(median=round(summary.sinr_median))
            )
        self._console.print(
            _(N_("Registered {percent} % of the time, {cells} cells")).format(
                percent=summary.registered_percent, cells=summary.cells
            )
        )
        for advice in summary.advice:
            self._console.print(Text(advice.render(_), "bold"))
