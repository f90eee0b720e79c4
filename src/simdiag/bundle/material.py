"""What a bundle is made of, before redaction: from an examination, or from a run on file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from simdiag.agent import Examination, Target
from simdiag.bundle.collecting import Outcome
from simdiag.bundle.collector import Subject
from simdiag.bundle.facts import TimedFact, facts_of
from simdiag.errors import TranscriptError
from simdiag.evidence import Evidence, Exchange, Observation, Source
from simdiag.log import examine_events
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.transcript.reader import decoded, open_log, read_log
from simdiag.transcript.recorded import Recording, events_of
from simdiag.transcript.retold import retold

_MOST_JSON = 8 * 1024 * 1024
_MOST_TALK = 4 * 1024 * 1024
"""Bytes of talk: a day of monitoring has a quarter of it."""
_MOST_FILE = 64 * 1024 * 1024
"""Bytes of a file, which is taken in as a whole."""
_TOO_LONG = N_("{file} is too long: cut out the part that shows the fault")
_LONGEST_S = 1e6
"""Seconds, eleven days: what lies beyond in a file is no time since the examination began."""


@dataclass(slots=True)
class Material:
    """All of it, as it really was. Only :mod:`simdiag.bundle.build` makes a bundle of it.

    ``evidence`` is what the redaction learns the real values from, ``ports`` those whose talk the
    verdict rests on: of a device the one that answered, of a log all.
    """

    source: Literal["device", "recording", "log"]
    events: list[Recording]
    facts: list[TimedFact]
    ports: frozenset[str]
    evidence: Evidence
    profile: CarrierProfile | None
    cause: str
    examined: datetime | None = None
    elapsed_s: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)


def of_examination(result: Examination, examined: datetime, outcomes: list[Outcome]) -> Material:
    """Return the material of an examination that began at ``examined`` (aware)."""
    # The evidence is that of one port; where none was taken, all ports said nothing of use.
    judged = any(o.source.exchange >= 0 for o in result.evidence) and result.events
    return Material(
        "device",
        result.events,
        list(facts_of(result.evidence)),
        frozenset([result.events[-1].port] if judged else []),
        result.evidence,
        result.diagnosis.profile,
        result.diagnosis.cause,
        examined,
        result.elapsed_s,
        outcomes,
    )


def subject_of(target: Target) -> Subject:
    """Return what the collectors are told about what was examined."""
    device = target.device
    if device is None:
        return Subject(elsewhere=target.port is not None)
    return Subject(
        sys_path=device.sys_path,
        ports=tuple(port.path.rpartition("/")[2] for port in device.ports),
        interfaces=device.network_interfaces,
        controls=tuple(path.rpartition("/")[2] for path in device.cdc_wdm),
    )


# ---- from files --------------------------------------------------------------------------
def of_run(
    source: Path | BinaryIO, profile: CarrierProfile | None, outcomes: list[Outcome]
) -> Material:
    """Return the material of a run on file: a transcript, a pasted log, or what ``watch`` writes.

    ``watch --out`` writes a transcript and a JSON file of one name; either may be given, and the
    other is read too. A stream holds a transcript or a log. Raises ``TranscriptError``.
    """
    name = source if isinstance(source, Path) else "-"
    first, told = _pair(source) if isinstance(source, Path) else (source, None)
    talk = _whole(first) if first else b""
    form, exchanges = _exchanges(talk, name)
    if form == "text":
        events = list(retold(exchanges))
    else:
        events = list(events_of(decoded(io.BytesIO(talk).readline)))
    events = _from_start(events)
    entry = _json(told) if told else {}
    if not exchanges and not entry:
        text = N_("{file} holds no AT commands or answers; give a transcript or a log of the talk")
        raise TranscriptError(message(text, file=name))
    facts = list(facts_of(_observations(entry)))
    found = examine_events(events, [f.observation() for f in facts], profile)
    return Material(
        "log" if form == "text" else "recording",
        events,
        facts,
        frozenset(event.port for event in events),
        found.evidence,
        found.diagnosis.profile,
        found.diagnosis.cause,
        elapsed_s=_elapsed(entry),
        outcomes=outcomes,
    )


def _pair(path: Path) -> tuple[Path | None, Path | None]:
    """Return the transcript or log, and the JSON beside it; what is no file is the reader's."""
    if not path.is_file():
        return path, None
    if path.suffix == ".json":
        talk = path.with_suffix(".jsonl")
        return (talk if talk.is_file() else None), path
    told = path.with_suffix(".json")
    return path, told if path.suffix == ".jsonl" and told.is_file() else None


def _whole(source: Path | BinaryIO) -> bytes:
    """Read a log to its end; it is gone through twice, which a pipe cannot be."""
    name = source if isinstance(source, Path) else "-"
    try:
        with open_log(source) if isinstance(source, Path) else nullcontext(source) as stream:
            data = stream.read(_MOST_FILE + 1)
    except OSError as problem:
        raise _unreadable(name, problem) from problem
    if len(data) > _MOST_FILE:
        raise TranscriptError(message(_TOO_LONG, file=name))
    return data


def _unreadable(name: Path | str, problem: OSError) -> TranscriptError:
    why = message(problem.strerror or str(problem))
    return TranscriptError(message(N_("{file} cannot be read: {why}"), file=name, why=why))


def _exchanges(talk: bytes, name: Path | str) -> tuple[str, list[Exchange]]:
    """Return the form of a log, and its exchanges as far as a bundle has room for them."""
    exchanges: list[Exchange] = []
    size = 0

    def take(exchange: Exchange) -> None:
        nonlocal size
        size += len(exchange.command) + sum(map(len, exchange.lines))
        if size > _MOST_TALK:
            raise TranscriptError(message(_TOO_LONG, file=name))
        exchanges.append(exchange)

    return (read_log(io.BytesIO(talk), take).form if talk else "transcript"), exchanges


def _from_start(events: list[Recording]) -> list[Recording]:
    """Count times from the first event where a clock counts from elsewhere, such as from 1970."""
    first = min((event.t for event in events), default=0.0)
    start = first if first > _LONGEST_S else 0.0
    return [replace(event, t=min(event.t - start, _LONGEST_S)) for event in events]


def _json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            entry = json.loads(stream.read(_MOST_JSON))
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict) or entry.get("schema") != "simdiag/diagnosis/1":
        text = N_("{file} is not what --json prints: give the transcript or the log itself")
        raise TranscriptError(message(text, file=path))
    return entry


def _observations(entry: dict[str, Any]) -> Iterable[Observation]:
    """Yield what no modem told, of the observations that ``--json`` has printed."""
    for seen in entry.get("observations", ()):
        try:
            if seen["source"]["exchange"] < 0:
                name, time = str(seen["name"]), float(seen["time"])
                time = time if 0 <= time <= _LONGEST_S else 0.0
                yield Observation(name, seen["value"], Source(-1, "", ""), time)
        except (TypeError, KeyError, ValueError, OverflowError):
            continue


def _elapsed(entry: dict[str, Any]) -> float:
    found = entry.get("elapsed_s")
    return float(found) if isinstance(found, int | float) and 0 <= found < _LONGEST_S else 0.0
