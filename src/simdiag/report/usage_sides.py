"""The sides of a reconciliation in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simdiag.message import N_
from simdiag.reconcile.compare import Result
from simdiag.sizes import Range
from simdiag.usage.records import Method

TITLES = {
    "processes": N_("this computer's programs"),
    "forwarded": N_("forwarded for other devices"),
    "unattributed": N_("unattributed"),
    "interface": N_("this computer's interface"),
    "device": N_("the modem's own counter"),
    "operator": N_("the operator's claim"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """What one side counted from ``since`` to ``until`` (Unix times), and what it may come to."""

    kind: str
    since: float
    until: float
    counted: Range
    method: str
    may_be: Range | None = None


def sides_of(result: Result) -> Iterator[Side]:
    """Yield the sides that are known, from what is exact to what is claimed."""
    sides, evidence = result.sides, result.evidence
    sums, nothing = sides.host.sums, Range(0, 0)
    whole, local = sums.get("interface", nothing), sums.get("local", nothing)
    others = sums.get("forwarded", nothing)
    rest = Range.of(whole.low - local.low - others.low, whole.high - local.high - others.high)

    def may_be(name: str) -> Range | None:
        found = evidence.value(f"usage.{name}_expected_bytes")
        return Range(found["low"], found["high"]) if found else None

    span = (sides.since, sides.until)
    yield Side("processes", *span, local, sides.programs.local_method.value)
    if "forwarded" in sums:
        yield Side("forwarded", *span, others, Method.KERNEL.value)
    yield Side("unattributed", *span, rest, Method.INTERFACE.value)
    yield Side("interface", *span, whole, Method.INTERFACE.value)
    if sides.device is not None:
        grown, during = sides.device, (sides.device.since, sides.device.until)
        yield Side("device", *during, grown.counted, "counter", may_be("device"))
    if sides.claim is not None and sides.claim.used is not None:
        yield Side("operator", *span, sides.claim.used, "claim", may_be("claim"))
