"""Makes the bundle: everything is redacted first, and all else is made from what that leaves.

The order matters. Every identifier is learnt before anything is redacted, so that a name that
turns up late is hidden in what came early. Observations, verdict and pages are not redacted at
all: they are read anew from the redacted talk, by the parsers and rules of every other
examination, so that they cannot say more than it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from simdiag import __version__
from simdiag.bundle import computer, container, gate, layout
from simdiag.bundle.canonical import digest, document, lines
from simdiag.bundle.carrier import redacted_profile
from simdiag.bundle.collecting import Outcome
from simdiag.bundle.facts import TimedFact
from simdiag.bundle.fields import redacted
from simdiag.bundle.manifest import (
    NAME,
    SIGNATURE,
    Manifest,
    MemberEntry,
    ProfileEntry,
    Redaction,
    Verdict,
    identity,
)
from simdiag.bundle.material import Material
from simdiag.bundle.pages import pages
from simdiag.bundle.sealing import sign
from simdiag.bundle.talk import redact_talk
from simdiag.evidence import Evidence
from simdiag.log import Examined, examine_events
from simdiag.message import Translate
from simdiag.profile import CarrierProfile
from simdiag.pseudonym import Pseudonyms
from simdiag.redact import Redactor
from simdiag.report.contract import DiagnosisJson, to_json
from simdiag.transcript.recorded import Recording

SUFFIX = ".zip"
"""Any PC opens it by a double click, and desks let it pass."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished bundle."""

    data: bytes
    manifest: Manifest
    id: str
    fingerprint: str
    names: Pseudonyms


@dataclass(frozen=True, slots=True)
class Clean:
    """The material after redaction, and what is read from it."""

    events: list[Recording]
    facts: list[TimedFact]
    outcomes: list[Outcome]
    ports: tuple[str, ...]
    profile: CarrierProfile | None
    examined: Examined


def build(
    material: Material, names: Pseudonyms, languages: Sequence[Translate], file_name: str = ""
) -> Built:
    """Return the bundle; raises ``SimdiagError`` where the gate finds an identifier in it."""
    clean = redact(material, names)
    members = dict(sorted(_members(material, clean, names, languages).items()))
    manifest = _manifest(material, clean, names, members)
    raw = manifest.to_bytes()
    signature = sign(raw)
    data = container.pack({NAME: raw, SIGNATURE: signature.to_bytes()} | members)
    common = computer.everybodys_words()
    real = {(k, v): t for (k, v), t in names.real().items() if v.lower() not in common}
    gate.check(data, real, file_name)
    return Built(data, manifest, identity(raw), signature.fingerprint, names)


class _Learner:
    """Stands in for the pseudonyms in a first pass, in which values are only noted."""

    def __init__(self, names: Pseudonyms) -> None:
        self._names = names
        self.reveal = names.reveal

    def token(self, kind: str, value: str) -> str:
        self._names.knows(kind, value)
        return value

    def counted(self, kind: str, number: int, *, masked: bool = False) -> None:
        """Nothing is decided yet."""


def redact(material: Material, names: Pseudonyms) -> Clean:
    """Return the material with its identifiers replaced, and the verdict that this gives."""
    computer.learn(names)
    for event in (*material.facts, *(e for o in material.outcomes for e in o.events)):
        redacted(event, _Learner(names))
    profile = redacted_profile(material.profile, names)
    events = [
        Recording(round(event.t, 4), event.port, event.dir, event.data)
        for event in redact_talk(material.events, names, material.evidence)
    ]
    facts = [redacted(fact, names) for fact in material.facts]
    outcomes = [
        Outcome(o.entry, tuple(redacted(event, names) for event in o.events))
        for o in material.outcomes
    ]
    pairs = zip(material.events, events, strict=True)
    judged = [event for real, event in pairs if real.port in material.ports]
    seen = [fact.observation() for fact in facts]
    examined = examine_events(judged, seen, profile)
    ports = tuple(sorted({event.port for event in judged}))
    return Clean(events, facts, outcomes, ports, profile, examined)


def _members(
    material: Material, clean: Clean, names: Pseudonyms, languages: Sequence[Translate]
) -> dict[str, bytes]:
    """Return every member but manifest and signature, by path."""
    found = {
        layout.VERDICT: document(
            verdict_of(clean.examined, material.elapsed_s).model_dump(mode="json", by_alias=True)
        ),
        layout.TALK: lines(layout.TalkEvent.of(e).model_dump() for e in clean.events),
        layout.FACTS: lines(fact.model_dump(mode="json") for fact in clean.facts),
        layout.SIGNAL: lines(level.model_dump() for level in _levels(clean.examined.evidence)),
    }
    if clean.profile is not None:
        found[layout.PROFILE] = document(clean.profile.model_dump(mode="json"))
    for outcome in clean.outcomes:
        if outcome.events:
            told = lines(e.model_dump(mode="json") for e in outcome.events)
            found[layout.evidence_of(outcome.entry.name)] = told
    written = pages(
        clean.examined, clean.outcomes, languages, examined=material.examined,
        elapsed_s=material.elapsed_s, revealed=names.reveal,
    )  # fmt: skip
    return found | {layout.page(tag): text.encode() for tag, text in written.items()}


def verdict_of(examined: Examined, elapsed_s: float) -> DiagnosisJson:
    """Return what ``--json`` prints of an examination whose evidence is redacted already."""
    text = to_json(
        examined.diagnosis, examined.evidence, Redactor(examined.evidence, {"all"}),
        lambda english: english, elapsed_s=elapsed_s,
    )  # fmt: skip
    return DiagnosisJson.model_validate_json(text)


def _levels(evidence: Evidence) -> Iterator[layout.SignalLevel]:
    seen = [o for o in evidence if o.name.startswith("signal.")]
    for o in sorted(seen, key=lambda o: (o.time, o.name)):
        if isinstance(o.value, int | float) and not isinstance(o.value, bool):
            yield layout.SignalLevel(t_ms=round(1000 * o.time), name=o.name, value=float(o.value))


def _manifest(
    material: Material, clean: Clean, names: Pseudonyms, members: dict[str, bytes]
) -> Manifest:
    profile = members.get(layout.PROFILE)
    entries = tuple(
        MemberEntry(
            path=path, bytes=len(data), sha256=digest(data), schema=layout.schema_of(path) or ""
        )
        for path, data in members.items()
    )
    return Manifest(
        source=material.source,
        examined=moment(material.examined) if material.examined else None,
        ports=clean.ports,
        versions={"simdiag": __version__},
        verdict=Verdict(cause=clean.examined.diagnosis.cause, live_cause=material.cause),
        profile=(
            ProfileEntry(id=clean.profile.id, sha256=digest(profile))
            if clean.profile and profile
            else None
        ),
        collectors=tuple(outcome.entry for outcome in clean.outcomes),
        redaction=Redaction(revealed=tuple(sorted(names.reveal)), counts=names.counts()),
        members=entries,
    )


def moment(time: datetime) -> str:
    """Return a time as the manifest has it."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
