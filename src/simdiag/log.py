"""The verdict from a log: the same parsers and the same rules as for a live modem."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from simdiag.collect.interpret import interpreter
from simdiag.conversation import Conversation
from simdiag.diagnose import Diagnosis, diagnose
from simdiag.driver import ModemDriver
from simdiag.errors import TranscriptError
from simdiag.evidence import Evidence, Exchange, Observation
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.registry import drivers, profiles
from simdiag.transcript.reader import read_log
from simdiag.transcript.recorded import Recording, replay_events

_NAMES = ("device.manufacturer", "device.model", "device.revision")


@dataclass(slots=True)
class Examined:
    """Evidence and verdict of a log."""

    evidence: Evidence
    diagnosis: Diagnosis
    elapsed_s: float = 0.0


class LogReading:
    """Collects evidence; turns to a family's own readers once the log names the family."""

    def __init__(self) -> None:
        self.evidence = Evidence()
        self.driver: ModemDriver | None = None
        self.interpret = interpreter(drivers().readers(), drivers().attempts)
        """What the next exchange is read with."""

    def take(self, exchange: Exchange) -> None:
        """Read one more exchange."""
        readings = self.interpret(exchange)
        self.evidence.take(exchange, readings)
        if self.driver is None and readings and readings[0].name in _NAMES:
            self._identify()

    def take_for(self, family: str) -> None:
        """Read from the start as an examination did that knew the family."""
        self._use(drivers().by_family.get(family))

    def _identify(self) -> None:
        words = " ".join(str(self.evidence.value(n) or "") for n in _NAMES)
        self._use(drivers().for_description(words))

    def _use(self, driver: ModemDriver | None) -> None:
        self.driver = driver
        if self.driver is not None:
            self.interpret = interpreter(drivers().readers(self.driver), drivers().attempts)


def examine_log(source: BinaryIO | Path, profile: CarrierProfile | None = None) -> Examined:
    """Read a log and judge it; raises ``TranscriptError`` where it holds no AT exchange."""
    start = time.monotonic()
    reading = LogReading()
    summary = read_log(source, reading.take)
    if not summary.exchanges:
        text = N_(
            "{file} holds no AT commands or answers; give a recorded transcript or a log of the "
            "talk with the modem"
        )
        raise TranscriptError(message(text, file=source if isinstance(source, Path) else "-"))
    return _examined(reading.evidence, profile, start)


def examine_events(
    events: Iterable[Recording],
    facts: Iterable[Observation] = (),
    profile: CarrierProfile | None = None,
) -> Examined:
    """Judge recorded events, and ``facts`` of the examination that no modem told."""
    start = time.monotonic()
    reading = LogReading()
    facts = list(facts)
    for fact in facts:
        if fact.name == "device.family":
            reading.take_for(fact.value)
    replay_events(events, lambda port: Conversation(reading.take, port))
    for fact in facts:
        reading.evidence.add(fact)
    return _examined(reading.evidence, profile, start)


def _examined(evidence: Evidence, profile: CarrierProfile | None, start: float) -> Examined:
    profile = profile or profiles().for_card(
        evidence.value("sim.imsi"), evidence.value("sim.iccid")
    )
    return Examined(evidence, diagnose(evidence, profile), time.monotonic() - start)


def unreadable() -> Examined:
    """The result for a file from which nothing could be read."""
    evidence = Evidence()
    return Examined(evidence, diagnose(evidence))
