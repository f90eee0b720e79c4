"""What the counters tell."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Finding, Severity, note, rule

_ENOUGH_BYTES = 20_000


@rule
def one_way_traffic(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Much sent and nothing received: barred, captive portal or no name server."""
    sent, received = evidence.last("counter.tx_bytes"), evidence.last("counter.rx_bytes")
    if sent is None or received is None:
        return
    if sent.value > _ENOUGH_BYTES and received.value == 0:
        yield note(
            Severity.WARNING,
            "no_downlink",
            message(N_("Data was sent, but nothing ever came back.")),
            sent,
            received,
        )
