"""The words of usage accounting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """How a figure was come by, most exact first."""

    KERNEL = "kernel"
    """Counted packet by packet in the kernel, at the socket or, forwarded, at the interface."""
    SHARES = "shares"
    """What a tunnel or another network carried, shared out to who used it: the sum is exact."""
    SOCKETS = "sockets"
    """From the statistics of TCP sockets: payload exact, headers estimated, no UDP."""
    INTERFACE = "interface"
    """The interface's own total, whoever caused it."""


class Remote(StrEnum):
    """Where the other end is."""

    INTERNET = "internet"
    LOCAL = "local"
    """On the link itself: multicast, link-local, other clients of a portable device."""
    DEVICE = "device"
    """The gateway: the modem's or router's own page and name server."""
    UNKNOWN = ""


class State(StrEnum):
    """Whether somebody was looking at the program. An estimate, see :mod:`simdiag.usage.owners`."""

    FOREGROUND = "foreground"
    BACKGROUND = "background"
    UNKNOWN = "unknown"


class By(StrEnum):
    """What the rows of a report stand for."""

    PROCESS = "process"
    UNIT = "unit"
    USER = "user"
    CLIENT = "client"
    REMOTE = "remote"
    PROTOCOL = "protocol"
    DAY = "day"
    HOUR = "hour"


FORWARDING_UNSEEN = "forwarding_unseen"
"""Name of a loss: how often traffic may have been forwarded that no counter told of."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who caused traffic; empty texts where that is not known.

    ``program`` is a name for people, not a path; ``unit`` the systemd unit; ``container`` its name
    or the first 12 digits of its id. ``uid`` is -1 where there is no owner at all: what the kernel
    sends by itself, and sockets that could not be looked at. ``client`` is the address of another
    device whose traffic was forwarded; the rest is then empty.
    """

    program: str = ""
    user: str = ""
    uid: int = -1
    unit: str = ""
    container: str = ""
    client: str = ""


NOBODY = Owner()


@dataclass(frozen=True, slots=True)
class Label:
    """What an amount of traffic is filed under. ``protocol`` is ``tcp``, ``udp`` … or a number."""

    method: Method
    owner: Owner = NOBODY
    protocol: str = ""
    remote: Remote = Remote.UNKNOWN
    state: State = State.UNKNOWN


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes and packets, received and sent."""

    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_packets: int = 0
    tx_packets: int = 0

    @classmethod
    def of(cls, octets: int, packets: int, *, outgoing: bool) -> Amount:
        """Return an amount of one direction."""
        return cls(0, octets, 0, packets) if outgoing else cls(octets, 0, packets, 0)

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.rx_bytes + other.rx_bytes,
            self.tx_bytes + other.tx_bytes,
            self.rx_packets + other.rx_packets,
            self.tx_packets + other.tx_packets,
        )

    def __sub__(self, other: Amount) -> Amount:
        return Amount(
            self.rx_bytes - other.rx_bytes,
            self.tx_bytes - other.tx_bytes,
            self.rx_packets - other.rx_packets,
            self.tx_packets - other.tx_packets,
        )

    def __bool__(self) -> bool:
        return any(self.fields())

    def fields(self) -> tuple[int, int, int, int]:
        """Return the four numbers in the order in which they are stored."""
        return self.rx_bytes, self.tx_bytes, self.rx_packets, self.tx_packets


def total(amounts: Iterable[Amount]) -> Amount:
    """Return the sum."""
    return sum(amounts, Amount())


_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


def protocol_name(number: int) -> str:
    """Return the name of an IP protocol (IANA), or its number as text."""
    return _PROTOCOLS.get(number, str(number))


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface as one device, however often it is plugged in.

    ``identity`` is what tells it from others (see :func:`simdiag.usage.links.identity`); ``driver``
    the kernel's driver or kind of interface, such as ``cdc_ether`` or ``veth``.
    """

    identity: str
    name: str
    driver: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An interface's counters at one moment, in L3 bytes, with what they are counted since.

    They start anew with the computer (``boot``, its id) and with each interface that appears
    (``index``, which the kernel does not give twice).
    """

    boot: str
    index: int
    counters: Amount

    def since(self, before: Reading | None) -> Amount:
        """Return the traffic between two readings of one interface; none without an earlier one.

        A counter that went down was reset: all that it shows came after. It is never taken for one
        that has wrapped, since these counters have 64 bits.
        """
        if before is None:
            return Amount()
        grown = self.counters - before.counters
        same_count = (self.boot, self.index) == (before.boot, before.index)
        return grown if same_count and min(grown.fields()) >= 0 else self.counters
