"""The verdict from a log: the same parsers and the same rules as for a live modem."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from simdiag.collect.interpret import interpreter
from simdiag.diagnose import Diagnosis, diagnose
from simdiag.driver import ModemDriver
from simdiag.errors import TranscriptError
from simdiag.evidence import Evidence, Exchange
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.registry import drivers, profiles
from simdiag.transcript.reader import read_log

_NAMES = ("device.manufacturer", "device.model", "device.revision")


@dataclass(slots=True)
class Examined:
    """Evidence and verdict of a log."""

    evidence: Evidence
    diagnosis: Diagnosis
    elapsed_s: float = 0.0


class _Reading:
    """Collects evidence; turns to a family's own readers once the log names the family."""

    def __init__(self) -> None:
        self.evidence = Evidence()
        self.driver: ModemDriver | None = None
        self._interpret = interpreter(drivers().readers(), drivers().attempts)

    def take(self, exchange: Exchange) -> None:
        readings = self._interpret(exchange)
        self.evidence.take(exchange, readings)
        if self.driver is None and readings and readings[0].name in _NAMES:
            self._identify()

    def _identify(self) -> None:
        words = " ".join(str(self.evidence.value(n) or "") for n in _NAMES)
        self.driver = drivers().for_description(words)
        if self.driver is not None:
            self._interpret = interpreter(drivers().readers(self.driver), drivers().attempts)


def examine_log(source: BinaryIO | Path, profile: CarrierProfile | None = None) -> Examined:
    """Read a log and judge it; raises ``TranscriptError`` where it holds no AT exchange."""
    start = time.monotonic()
    reading = _Reading()
    summary = read_log(source, reading.take)
    if not summary.exchanges:
        text = N_(
            "{file} holds no AT commands or answers; give a recorded transcript or a log of the "
            "talk with the modem"
        )
        raise TranscriptError(message(text, file=source if isinstance(source, Path) else "-"))
    evidence = reading.evidence
    profile = profile or profiles().for_card(
        evidence.value("sim.imsi"), evidence.value("sim.iccid")
    )
    return Examined(evidence, diagnose(evidence, profile), time.monotonic() - start)


def unreadable() -> Examined:
    """The result for a file from which nothing could be read."""
    evidence = Evidence()
    return Examined(evidence, diagnose(evidence))
