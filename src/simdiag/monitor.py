"""Watches signal, cell and registration over time, and says what the curve means."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from simdiag.collect.at import AtExamination
from simdiag.driver import Layer
from simdiag.evidence import Evidence
from simdiag.message import N_, Message, message

_WEAK_DBM, _FAIR_DBM = -110.0, -100.0
_NOISY_DB = 3.0
_SWINGING_DB = 6.0
_FEW_CELLS = 3
_UNTOLD = Message(
    N_("The device told neither signal nor registration: `simdiag check` looks for the reason.")
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading: seconds since the start, levels in dBm and dB, place in the network."""

    t: float
    rsrp: float | None = None
    sinr: float | None = None
    rssi: float | None = None
    status: int | None = None
    cell: str | None = None
    band: str | None = None

    @property
    def level(self) -> float | None:
        """RSRP where it is known, else RSSI."""
        return self.rsrp if self.rsrp is not None else self.rssi


def watch(
    examination: AtExamination,
    interval_s: float,
    duration_s: float,
    each: Callable[[Sample], None],
) -> None:
    """Read signal, cell and registration every ``interval_s`` until ``duration_s`` have passed."""
    session, evidence = examination.session, examination.evidence
    end = session.now + duration_s
    while True:
        began = session.now
        before = len(session.recorder.events)
        for layer in (Layer.REGISTRATION, Layer.RADIO):
            examination.read(layer, detail=False)
        if len(session.recorder.events) > before:
            each(_sample(evidence, began))
        left = end - session.now
        if left <= 0:
            return
        session.listen(min(left, max(0.0, interval_s - (session.now - began))))


def _sample(evidence: Evidence, began: float) -> Sample:
    """Only what was read since ``began``: a level that is no longer reported is not kept."""

    def value(name: str) -> object:
        last = evidence.last(name)
        return last.value if last is not None and last.time >= began else None

    def number(name: str) -> float | None:
        found = value(name)
        return float(found) if isinstance(found, int | float) else None

    statuses = [value(f"registration.{d}.status") for d in ("eps", "5gs", "ps", "cs")]
    known = [s for s in statuses if isinstance(s, int)]
    cell = value("cell.pci")
    band = value("cell.band")
    return Sample(
        began,
        rsrp=number("signal.rsrp_dbm") or number("signal.ss_rsrp_dbm"),
        sinr=number("signal.sinr_db"),
        rssi=number("signal.rssi_dbm"),
        status=next((s for s in known if s in (1, 5)), known[0] if known else None),
        cell=None if cell is None else str(cell),
        band=None if band is None else str(band),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """What a series of samples comes to."""

    samples: int
    level_median: float | None
    level_range: tuple[float, float] | None
    sinr_median: float | None
    cells: int
    registered_percent: int
    advice: tuple[Message, ...]


def summarise(samples: Sequence[Sample]) -> Summary:
    """Return medians, range, and advice that tells weak from noisy."""
    levels = [s.level for s in samples if s.level is not None]
    sinr = [s.sinr for s in samples if s.sinr is not None]
    cells = len({s.cell for s in samples if s.cell is not None})
    registered = [s.status in (1, 5) for s in samples if s.status is not None]
    level = statistics.median(levels) if levels else None
    quality = statistics.median(sinr) if sinr else None
    return Summary(
        len(samples),
        level,
        (min(levels), max(levels)) if levels else None,
        quality,
        cells,
        round(100 * sum(registered) / len(registered)) if registered else 0,
        tuple(_advice(level, quality, levels, cells)) if levels or registered else (_UNTOLD,),
    )


def _advice(
    level: float | None, quality: float | None, levels: list[float], cells: int
) -> Iterable[Message]:
    if level is None:
        yield Message(N_("No cell was heard: check the antenna, then try outdoors."))
        return
    noisy = quality is not None and quality < _NOISY_DB
    if level <= _WEAK_DBM and noisy:
        yield Message(N_("Weak and noisy: the place is badly covered. Move to a window or higher."))
    elif level <= _WEAK_DBM:
        yield Message(N_("Weak but clean: a better place or an outside antenna will help."))
    elif noisy:
        yield Message(
            N_(
                "Strong but noisy: other cells or devices disturb. Turn the antenna, move away "
                "from electronics, or try another band."
            )
        )
    elif level >= _FAIR_DBM:
        yield Message(N_("The signal is good: look elsewhere for the fault."))
    else:
        yield Message(N_("The signal is fair: enough for data, with little to spare."))
    if len(levels) > 4 and statistics.stdev(levels) > _SWINGING_DB:
        text = N_("The level swings by {db} dB: check the antenna's contact, and do not move.")
        yield message(text, db=round(max(levels) - min(levels)))
    if cells > _FEW_CELLS:
        text = N_("{count} cells took turns: the device sits between cells; turn or move it.")
        yield message(text, count=cells)
