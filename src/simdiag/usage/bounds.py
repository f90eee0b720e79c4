"""What honest counting elsewhere may come to, given what passed here. Pure arithmetic.

Nobody counts the same: the network counts what it sent, and some of that never arrives; a modem may
count the headers of its own link; sessions are rounded up. Each range is all that accounting can
explain, so that what lies above it was not used.
"""

from __future__ import annotations

from simdiag.sizes import Range

LOSS = 0.07
"""Share of a downlink that may be counted and never arrive: 5 to 7 % was measured in a study of
2012 at UCLA of operators' accounting."""
FRAMING = 14
"""Bytes of an Ethernet header, which a modem may count with every packet."""
SESSION = 1_000_000
"""Up to how many bytes a session may be rounded up; 1 kB and 1 MB are usual."""


def device_may_show(host: Range, packets: int) -> Range:
    """Return what a modem's own counter may show for what passed over its interface."""
    return Range.of(host.low * (1 - LOSS), host.high * (1 + LOSS) + FRAMING * packets)


def operator_may_count(host: Range, sessions: int) -> Range:
    """Return what an operator may count for it; nothing need be, where it is not charged for."""
    return Range.of(host.low * (1 - LOSS), host.high * (1 + LOSS) + SESSION * sessions)
