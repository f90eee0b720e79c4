"""The signal for people: what each level is worth, now and over the time of the examination."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, Translate
from simdiag.monitor import Sample, summarise
from simdiag.report.page.view import Curve, Level, Signal
from simdiag.report.svg import Band, curve, meter

_SCALES = {
    ("rsrp_dbm", "ss_rsrp_dbm"): ("RSRP", (-140, -110, -100, -60), N_("strength of the cell")),
    ("rscp_dbm",): ("RSCP", (-125, -103, -93, -50), N_("strength of the cell")),
    ("rssi_dbm",): ("RSSI", (-115, -100, -90, -50), N_("everything received on the channel")),
    ("rsrq_db", "ss_rsrq_db"): ("RSRQ", (-20, -15, -10, -3), N_("share of the cell in it")),
    ("sinr_db", "ss_sinr_db"): ("SINR", (-10, 3, 13, 30), N_("signal above the noise")),
}
"""Names of an observation; the level's own name, the ends of its grades, what it measures.

The grades of RSRP and SINR are those of :mod:`simdiag.monitor`; RSCP and RSSI lie as far above
RSRP as the rules on coverage put them; RSRQ below -15 dB is what cells hand over at.
"""
_GRADES = (("poor", N_("poor")), ("fair", N_("fair")), ("good", N_("good")))
_STRENGTHS = ("RSRP", "RSCP", "RSSI")
"""Ways to say how strong the signal is; the first that was read says it best."""
_LEAST = 3
"""Readings at different times that make a curve."""


def signal(evidence: Evidence, translate: Translate) -> Signal | None:
    """Return levels and curves, or nothing where no level was read."""
    _ = translate
    histories: dict[str, tuple[list[Observation], list[Band], str]] = {}
    for names, (name, ends, meaning) in _SCALES.items():
        readings = next(filter(None, (_readings(evidence, n) for n in names)), None)
        if readings and not (name in _STRENGTHS and set(_STRENGTHS) & histories.keys()):
            bands = [
                Band(low, high, grade)
                for (low, high), (grade, _word) in zip(pairwise(ends), _GRADES, strict=True)
            ]
            histories[name] = (readings, bands, meaning)
    if not histories:
        return None
    levels = [_level(name, o[-1], bands, _(m), _) for name, (o, bands, m) in histories.items()]
    curves = [
        _curve(name, readings, bands, _)
        for name, (readings, bands, _meaning) in histories.items()
        if len({o.time for o in readings}) >= _LEAST
    ]
    strengths = next((histories[name][0] for name in _STRENGTHS if name in histories), [])
    noise = histories["SINR"][0] if "SINR" in histories else []
    advice = _advice(strengths, noise, _) if curves and strengths else ()
    return Signal(tuple(levels), tuple(curves), advice)


def _readings(evidence: Evidence, name: str) -> list[Observation]:
    return [o for o in evidence.history(f"signal.{name}") if isinstance(o.value, int | float)]


def _number(value: float, unit: str | None) -> str:
    return f"{value:.0f} {unit or ''}".replace("-", "−").strip()


def _level(
    name: str, last: Observation, bands: Sequence[Band], meaning: str, _: Translate
) -> Level:
    grade = next((b.grade for b in bands if last.value < b.high), bands[-1].grade)
    word = dict(_GRADES)[grade]
    return Level(
        name, _number(last.value, last.unit), grade, f"{_(word)} · {meaning}",
        meter(last.value, bands),
    )  # fmt: skip


def _curve(
    name: str, readings: Sequence[Observation], bands: Sequence[Band], _: Translate
) -> Curve:
    values, unit = [o.value for o in readings], readings[0].unit
    words = _(N_("{count} readings: median {median}, from {low} to {high}")).format(
        count=len(values),
        median=_number(statistics.median(values), unit),
        low=_number(min(values), unit),
        high=_number(max(values), unit),
    )
    first, last = readings[0].time, readings[-1].time
    chart = curve(
        [(o.time, o.value) for o in readings],
        bands,
        title=_(N_("{name} over time")).format(name=name),
        description=words,
        ends=(_seconds(first), _seconds(last)),
    )
    return Curve(f"{name} ({unit})", words, chart)


def _seconds(time: float) -> str:
    minutes, seconds = divmod(round(time), 60)
    return f"{minutes}:{seconds:02d}"


def _advice(
    strengths: Sequence[Observation], noise: Sequence[Observation], _: Translate
) -> tuple[str, ...]:
    """What the watching of a signal says of this one; noise is taken from the reading nearest."""
    times = [o.time for o in noise]
    samples = []
    for strength in strengths:
        near = noise[min(bisect_left(times, strength.time), len(noise) - 1)] if noise else None
        sinr = near.value if near is not None else None
        samples.append(Sample(strength.time, rsrp=strength.value, sinr=sinr))
    return tuple(advice.render(_) for advice in summarise(samples).advice)
