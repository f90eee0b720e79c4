"""Gives what was counted as one to those who caused it. Sums stay as they were counted."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from simdiag.usage.records import Amount, Method, Remote, total

K = TypeVar("K", bound=Hashable)
_SLACK = 1 << 16
"""Bytes by which two counters that are not read at the same instant may be apart."""
_TUNNEL_HEADER = 128
"""Bytes that a tunnel adds to a packet at most: outer IP and UDP or TCP, its own, padding."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What a process exchanged by one protocol with one kind of remote; no process: 0."""

    process: int
    protocol: str
    remote: Remote


Flows = Mapping[Flow, Amount]


def share(amount: Amount, weights: Mapping[K, Amount]) -> dict[K, Amount]:
    """Return the parts of an amount in proportion to the weights, number by number.

    The parts' sum is the amount, but for the numbers in which nobody has a weight: those are 0.
    """
    columns = zip(*(weight.fields() for weight in weights.values()), strict=True)
    parts = [_split(n, column) for n, column in zip(amount.fields(), columns, strict=False)]
    return dict(zip(weights, map(Amount, *parts), strict=True)) if parts else {}


def _split(whole: int, weights: tuple[int, ...]) -> list[int]:
    everybody = sum(weights)
    parts, so_far, given = [], 0, 0
    for weight in weights:
        so_far += weight
        until = whole * so_far // everybody if everybody else 0
        parts.append(until - given)
        given = until
    return parts


def through_tunnel(carried: Flows, inside: Flows) -> Iterator[tuple[Flow, Method, Amount]]:
    """Share out what the owner of a tunnel exchanged among those who sent it through the tunnel.

    ``inside`` is what processes exchanged on the tunnel's interface. The owner keeps what is more
    than that can be with headers: it may have traffic of its own.
    """
    through = total(inside.values())
    whole = total(carried.values())
    limit = _at_most(
        whole,
        through.rx_bytes + _TUNNEL_HEADER * through.rx_packets,
        through.tx_bytes + _TUNNEL_HEADER * through.tx_packets,
    )
    parts = share(limit, carried)
    for outer, amount in carried.items():
        given = Amount()
        for inner, part in share(parts[outer], inside).items():
            if part:
                given += part
                yield Flow(inner.process, outer.protocol, outer.remote), Method.SHARES, part
        if rest := amount - given:
            yield outer, Method.KERNEL, rest


class Settlement:
    """Names forwarded traffic by what processes of another network namespace exchanged there.

    Both are counted, at different moments: what one is ahead is kept for the next time. What the
    processes exchanged beyond what was forwarded did not leave by this interface.
    """

    client = ("", "")
    """Address and protocol under which it was forwarded last."""

    def __init__(self) -> None:
        self._left = Amount()

    def settle(
        self, forwarded: Amount, wanted: Flows
    ) -> tuple[Mapping[Flow, Amount], Method, Amount]:
        """Return what the processes are charged, how it was found, and what none of them explains.

        It is exact where all that they exchanged was forwarded, else shared out.
        """
        old, now = self._left, self._left + forwarded
        asked = total(wanted.values())
        limit = _at_most(asked, now.rx_bytes, now.tx_bytes, slack=_SLACK)
        exact = limit == asked
        left = now - limit
        rest = _at_most(left, old.rx_bytes - limit.rx_bytes, old.tx_bytes - limit.tx_bytes)
        self._left = left - rest
        if exact:
            return wanted, Method.KERNEL, rest
        return share(limit, wanted), Method.SHARES, rest


def _at_most(amount: Amount, rx: int, tx: int, *, slack: int = 0) -> Amount:
    """Return the amount, cut to so many bytes in each direction where it exceeds them."""
    rx_packets, rx_bytes = _cut(amount.rx_packets, amount.rx_bytes, rx, slack)
    tx_packets, tx_bytes = _cut(amount.tx_packets, amount.tx_bytes, tx, slack)
    return Amount(rx_bytes, tx_bytes, rx_packets, tx_packets)


def _cut(packets: int, octets: int, most: int, slack: int) -> tuple[int, int]:
    if octets <= 0 or most + slack <= 0:
        return 0, 0
    if octets <= most + slack:
        return packets, octets
    most = max(most, 0)
    return packets * most // octets, most
