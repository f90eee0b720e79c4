"""Charts as inline SVG, for pages that load nothing and run nothing.

Sizes across are per cent and letters have their own size, so that a chart fills a telephone as
well as a sheet of paper. Colours come from the classes of ``style.css``: they follow dark mode
and print. Each chart is an image with a text alternative: its title, and what it shows in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from simdiag.report.hostile import shown

_LEFT, _RIGHT = 11.0, 99.0
"""Where the plot begins and ends, in per cent of the width: the numbers stand left of it."""
_TOP, _BOTTOM = 8.0, 20.0
_FEW = 40
"""Up to so many points each gets a dot."""


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values and what it is worth: ``good``, ``fair`` or ``poor``."""

    low: float
    high: float
    grade: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, and its parts from the base outwards."""

    label: str
    parts: tuple[float, ...]


def curve(
    points: Sequence[tuple[float, float]],
    bands: Sequence[Band],
    *,
    title: str,
    description: str,
    ends: tuple[str, str],
    height: int = 132,
) -> Markup:
    """Return a value over time, on bands that say what it is worth.

    ``points`` are (time, value), at least one; the bands cover the scale, lowest first; ``ends``
    stand under the first and the last point.
    """
    low, high = bands[0].low, bands[-1].high
    first, last = points[0][0], points[-1][0]
    plot = height - _TOP - _BOTTOM

    def y(value: float) -> float:
        return _TOP + (high - min(high, max(low, value))) / (high - low) * plot

    def x(time: float) -> float:
        return (time - first) / ((last - first) or 1.0)

    ground = [
        _tag("rect", x=f"{_LEFT}%", y=y(b.high), width=f"{_RIGHT - _LEFT}%",
             height=y(b.low) - y(b.high), class_=f"band-{b.grade}")
        for b in bands
    ]  # fmt: skip
    edges = [low, *(b.high for b in bands)]
    marks = [
        _text(f"{_LEFT - 1.5}%", y(edge) + 4, f"{edge:g}".replace("-", "−"), "end")
        for edge in edges
    ]
    path = " ".join(f"{x(t) * 1000:.1f},{y(v):.1f}" for t, v in points)
    line = Markup(
        '<svg x="{}%" width="{}%" height="{}" viewBox="0 0 1000 {}" preserveAspectRatio="none">'
        '<polyline points="{}" class="curve" vector-effect="non-scaling-stroke"/></svg>'
    ).format(_LEFT, _RIGHT - _LEFT, height, height, path)
    dots = [
        _tag("circle", cx=f"{_LEFT + x(t) * (_RIGHT - _LEFT):.2f}%", cy=y(v), r=2.6, class_="dot")
        for t, v in points
        if len(points) <= _FEW
    ]
    under = [
        _text(f"{_LEFT}%", height - 5, ends[0], "start"),
        _text(f"{_RIGHT}%", height - 5, ends[1], "end"),
    ]
    return _image(title, description, height, [*ground, *marks, line, *dots, *under])


def columns(
    bars: Sequence[Bar], *, title: str, description: str, height: int = 132, top: str = ""
) -> Markup:
    """Return upright bars side by side, of hours or days; the first and last are labelled.

    ``top`` says what the highest is worth; there is a line at its height.
    """
    most = max((sum(bar.parts) for bar in bars), default=0.0) or 1.0
    above = _BOTTOM if top else _TOP
    step, plot = 100.0 / max(1, len(bars)), height - above - _BOTTOM
    drawn = []
    if top:
        drawn.append(_tag("line", x1="0", x2="100%", y1=above, y2=above, class_="grid"))
        drawn.append(_text("0%", above - 6, top, "start"))
    for number, bar in enumerate(bars):
        base = height - _BOTTOM
        for series, part in enumerate(bar.parts, 1):
            size = max(0.0, part) / most * plot
            base -= size
            drawn.append(_tag("rect", x=f"{(number + 0.1) * step:.3f}%", y=base, height=size,
                              width=f"{0.8 * step:.3f}%", class_=f"s{series}"))  # fmt: skip
    foot = height - _BOTTOM
    drawn.append(_tag("line", x1="0", x2="100%", y1=foot, y2=foot, class_="axis"))
    if bars:
        drawn.append(_text("0%", height - 5, bars[0].label, "start"))
        drawn.append(_text("100%", height - 5, bars[-1].label, "end"))
    return _image(title, description, height, drawn)


def bar(parts: Sequence[float], most: float) -> Markup:
    """Return one lying bar, for a cell of a table whose words and numbers say the same."""
    drawn, start = [], 0.0
    for series, part in enumerate(parts, 1):
        size = max(0.0, part) / (most or 1.0) * 100
        drawn.append(_tag("rect", x=f"{start:.2f}%", width=f"{size:.2f}%", height="100%",
                          class_=f"s{series}"))  # fmt: skip
        start += size
    return Markup('<svg class="bar" aria-hidden="true">{}</svg>').format(Markup().join(drawn))


def meter(value: float, bands: Sequence[Band]) -> Markup:
    """Return where a value stands on its scale; the words beside it say the same."""
    low, high = bands[0].low, bands[-1].high

    def x(number: float) -> float:
        return (min(high, max(low, number)) - low) / (high - low) * 100

    ground = [
        _tag("rect", x=f"{x(b.low):.2f}%", width=f"{x(b.high) - x(b.low):.2f}%", y=4, height=6,
             class_=f"band-{b.grade}")
        for b in bands
    ]  # fmt: skip
    pin = _tag("circle", cx=f"{2 + x(value) * 0.96:.2f}%", cy=7, r=5.5, class_="pin")
    return Markup('<svg class="meter" aria-hidden="true">{}</svg>').format(
        Markup().join([*ground, pin])
    )


def _image(title: str, description: str, height: int, parts: Sequence[Markup]) -> Markup:
    name = f"{shown(title)}. {shown(description)}"
    return Markup('<svg class="chart" role="img" aria-label="{}" height="{}">{}</svg>').format(
        name, height, Markup().join(parts)
    )


def _text(x: str, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, f"{y:.1f}", anchor, shown(text, 40)
    )


def _tag(name: str, *, class_: str, **attributes: float | str) -> Markup:
    """Return an element without content; the names come from this file alone."""
    values = Markup().join(
        Markup(' {}="{}"').format(key, f"{v:.2f}" if isinstance(v, float) else v)
        for key, v in attributes.items()
    )
    return Markup('<{} class="{}"{}/>').format(name, class_, values)
