"""Plants, redacts, audits: the same for the tests and for the benchmark."""

from __future__ import annotations

import io
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from leak_lab.auditor import sees
from leak_lab.disguises import disguises
from leak_lab.people import Person, person
from leak_lab.plants import PLACES, talk
from simdiag.bundle.gate import LeakFound, check
from simdiag.bundle.talk import redact_talk
from simdiag.evidence import Evidence, Observation, Source
from simdiag.pseudonym import Pseudonyms
from simdiag.transcript.recorded import Recording

_OBSERVED = {"imsi": "sim.imsi", "iccid": "sim.iccid", "imei": "device.imei",
             "cell": "registration.eps.cell_id"}  # fmt: skip
_KNOWN = {"host": "host", "user": "user", "ssid": "ssid", "mac": "mac", "serial": "serial",
          "ip": "ip", "ip6": "ip"}  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """An identifier of a kind, in a disguise, in a place."""

    seed: int
    kind: str
    disguise: str
    place: str
    known: bool
    """Whether the examination has read the identifier elsewhere."""

    @property
    def person(self) -> Person:
        return person(self.seed)

    @property
    def text(self) -> str:
        return disguises(self.kind)[self.disguise](self.person.values[self.kind])

    @property
    def events(self) -> list[Recording]:
        return [
            Recording(0.1 * i, "ttyUSB2", d, b)
            for i, (d, b) in enumerate(talk(self.place, self.text))
        ]


@dataclass
class Outcome:
    """What became of plants."""

    planted: int = 0
    unseen: list[Plant] = field(default_factory=list)
    """Those that the auditor misses before redaction: blind spots of its own."""
    leaked: list[Plant] = field(default_factory=list)
    refused: list[Plant] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)


def plants(count: int, seed: int = 0) -> Iterator[Plant]:
    """Yield seeded plants; every kind in every disguise comes in turn, the place is drawn."""
    dice = random.Random(seed)
    pairs = [(k, d) for k in person(0).values for d in disguises(k)]
    for i in range(count):
        if i % len(pairs) == 0:
            dice.shuffle(pairs)
        kind, disguise = pairs[i % len(pairs)]
        yield Plant(
            seed * 1_000_003 + i, kind, disguise, dice.choice(sorted(PLACES)), dice.random() < 0.7
        )


def said(events: list[Recording]) -> str:
    return b"\r\n".join(e.data for e in events if e.dir == "rx").decode("utf-8", "replace")


def names_of(plant: Plant) -> tuple[Pseudonyms, Evidence]:
    names, evidence = Pseudonyms(b"k" * 32), Evidence()
    if plant.known:
        for kind, value in plant.person.values.items():
            if kind in _OBSERVED:
                evidence.add(Observation(_OBSERVED[kind], value, Source(0, "", "")))
            elif kind in _KNOWN:
                names.knows(_KNOWN[kind], value)
    return names, evidence


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return buffer.getvalue()


def run(which: Iterator[Plant], redact: Any = None) -> Outcome:
    """Redact every plant by itself and look for it; ``redact`` is another redactor of texts."""
    outcome = Outcome()
    for plant in which:
        core = plant.person.core(plant.kind)
        outcome.planted += 1
        if not sees(said(plant.events), core):
            outcome.unseen.append(plant)
        if redact is not None:
            shown = redact(said(plant.events))
        else:
            names, evidence = names_of(plant)
            redacted = redact_talk(plant.events, names, evidence)
            shown = said(redacted)
            lines = "\n".join(e.to_json() for e in redacted).encode()
            try:
                check(archive({"talk.jsonl": lines}), names.real(), "x.sdb")
            except LeakFound:
                outcome.refused.append(plant)
                continue
        if sees(shown, core):
            outcome.leaked.append(plant)
            outcome.by_kind[plant.kind] += 1
    return outcome
