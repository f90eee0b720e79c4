"""What is known of the data contexts (TS 27.007 clause 10.1), each of which may be asked for alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simdiag.evidence import Evidence, Observation

_SERVICE_APNS = ("ims", "sos", "xcap")


def _told(evidence: Evidence, name: str) -> Iterator[Observation]:
    """Yield what tells of contexts, newest first, back to an answer that tells of all of them."""
    for observation in evidence.newest_first(name):
        if observation.value is None:
            continue
        yield observation
        asked = observation.source.command
        if asked and "=" not in asked:
            return


def defined_contexts(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the defined contexts by number: ``cid``, ``type`` and ``apn`` of each."""
    found: dict[int, dict[str, Any]] = {}
    for observation in _told(evidence, "data.defined_contexts"):
        for context in observation.value:
            found.setdefault(context["cid"], context)
    return [found[cid] for cid in sorted(found)]


def service_contexts(evidence: Evidence) -> set[int]:
    """Return the numbers of the contexts that serve the operator's own services."""
    return {
        context["cid"]
        for context in defined_contexts(evidence)
        if str(context["apn"]).lower().startswith(_SERVICE_APNS)
    }


def attach_context(evidence: Evidence) -> dict[str, Any] | None:
    """Return the defined context that the modem attaches with: the one of the lowest number."""
    return next(iter(defined_contexts(evidence)), None)


def context_addresses(evidence: Evidence) -> dict[int, list[str]]:
    """Return the newest word on the addresses of each context."""
    found: dict[int, list[str]] = {}
    for observation in _told(evidence, "data.addresses"):
        for cid, addresses in observation.value.items():
            found.setdefault(cid, addresses)
    return found


def address_in_use(evidence: Evidence) -> Observation | None:
    """Return the observation of an address for data, unless a newer one says that it is gone."""
    settled = service_contexts(evidence)
    for observation in _told(evidence, "data.addresses"):
        if any(a for cid, a in observation.value.items() if cid not in settled):
            return observation
        settled.update(observation.value)
    return None
