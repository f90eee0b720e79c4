"""What differs between two bundles, or between a bundle and what is seen in it today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from simdiag.bundle.canonical import document
from simdiag.bundle.opening import Bundle
from simdiag.report.contract import DiagnosisJson

_PASSING = ("at.", "counter.", "device.noise_bytes")
"""What is different in any two examinations and tells nothing."""


class Difference(NamedTuple):
    """One thing that differs; ``None`` stands for what is not there."""

    part: str
    """``verdict``, ``finding``, ``observation``, ``collector``, ``member`` or ``subject``."""
    name: str
    before: Any
    after: Any


def compare(a: Bundle, b: Bundle) -> list[Difference]:
    """Return what differs between two bundles, the verdict first."""
    found = observed(a.verdict, b.verdict)
    for part, first, second in (
        ("subject", _subject(a), _subject(b)),
        ("collector", _collectors(a), _collectors(b)),
        ("member", _members(a), _members(b)),
    ):
        found += _differences(part, first, second)
    return found


def observed(a: DiagnosisJson, b: DiagnosisJson) -> list[Difference]:
    """Return how two verdicts and what they rest on differ."""
    found = list(_differences("verdict", _verdict(a), _verdict(b)))
    found += _differences("finding", _findings(a), _findings(b))
    return found + list(_differences("observation", _observations(a), _observations(b)))


def _differences(part: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(a.keys() | b.keys()):
        before, after = a.get(name), b.get(name)
        if document(before) != document(after):
            yield Difference(part, name, before, after)


def _verdict(told: DiagnosisJson) -> dict[str, Any]:
    return {
        "cause": told.cause,
        "confidence": told.confidence,
        "responsible": told.responsible,
        "alternatives": sorted(a.cause for a in told.alternatives),
        "profile": told.profile,
    }


def _findings(told: DiagnosisJson) -> dict[str, Any]:
    return {finding.code: finding.severity for finding in told.findings}


def _observations(told: DiagnosisJson) -> dict[str, Any]:
    """The last value of each name."""
    return {o.name: o.value for o in told.observations if not o.name.startswith(_PASSING)}


def _subject(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    profile = manifest.profile
    return {
        "source": manifest.source,
        "versions": manifest.versions,
        "profile": [profile.id, profile.sha256] if profile else None,
        "revealed": list(manifest.redaction.revealed),
    }


def _collectors(bundle: Bundle) -> dict[str, Any]:
    return {entry.name: entry.state.value for entry in bundle.manifest.collectors}


def _members(bundle: Bundle) -> dict[str, Any]:
    return {entry.path: entry.sha256[:16] for entry in bundle.manifest.members}
