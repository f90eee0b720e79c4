"""Runs today's parsers and rules over what a bundle recorded."""

from __future__ import annotations

from dataclasses import dataclass

from simdiag import __version__
from simdiag.bundle.build import verdict_of
from simdiag.bundle.comparing import Difference, observed
from simdiag.bundle.opening import Bundle
from simdiag.log import Examined, examine_events
from simdiag.registry import profiles


@dataclass(frozen=True, slots=True)
class Replay:
    """What this version sees in a bundle, and how that differs from what the bundle says."""

    found: Examined
    made_by: str
    version: str
    differences: tuple[Difference, ...]


def replayed(bundle: Bundle) -> Examined:
    """Examine the recorded bytes again, with the profile of today where there still is one."""
    entry = bundle.manifest.profile
    profile = profiles().by_id.get(entry.id) if entry is not None else None
    facts = [fact.observation() for fact in bundle.facts]
    return examine_events(bundle.judged_talk, facts, profile or bundle.profile)


def replay(bundle: Bundle) -> Replay:
    """Examine again, and compare with the verdict in the bundle."""
    found = replayed(bundle)
    today = verdict_of(found, bundle.verdict.elapsed_s)
    differences = observed(bundle.verdict, today)
    made_by = bundle.manifest.versions.get("simdiag", "")
    return Replay(found, made_by, __version__, tuple(differences))
