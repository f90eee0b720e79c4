"""What the AT core says: frozen events, each with the raw bytes it was made from.

The raw bytes of all events, in order, plus what the core still holds, are the bytes received:
nothing is lost and nothing is invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simdiag.at.command import Command


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; ``raw`` is what came over the wire, line ends included."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Echo(Event):
    """The modem repeated our own command (V.250 clause 6.2.4, ``E1``)."""


@dataclass(frozen=True, slots=True)
class ForeignEcho(Event):
    """An ``AT`` line that we did not send: another program talks on this port."""

    text: str


@dataclass(frozen=True, slots=True)
class InformationText(Event):
    """A line of the answer to the pending command (V.250 clause 5.7.1)."""

    text: str


@dataclass(frozen=True, slots=True)
class FinalResult(Event):
    """The result code that ends a command (V.250 clause 5.7.1, TS 27.007 clause 9).

    ``late`` marks a result that is not the pending command's: it ends a command that the caller
    had given up on, one of another program, or follows a result already given.
    """

    code: str
    error_code: int | None = None
    error_text: str | None = None
    late: bool = False

    @property
    def ok(self) -> bool:
        """Whether the command was carried out."""
        return self.code in ("OK", "CONNECT")


@dataclass(frozen=True, slots=True)
class Unsolicited(Event):
    """A line that belongs to no command of ours: a URC, or an answer that nobody waits for."""

    text: str
    body: str | None = None
    """The line after ``+CMT:``, ``+CDS:`` or ``+CBM:`` (TS 27.005 clause 3.4.1)."""


@dataclass(frozen=True, slots=True)
class Prompt(Event):
    """The modem waits for a payload (TS 27.005 clause 3.5.1)."""


@dataclass(frozen=True, slots=True)
class Data(Event):
    """Bytes after ``CONNECT``: opaque to the core."""


@dataclass(frozen=True, slots=True)
class Noise(Event):
    """Bytes that are no AT text: binary frames, bare line ends, over-long lines."""


@dataclass(frozen=True, slots=True)
class PortClosed(Event):
    """The port ended; ``pending`` is the command that will get no answer."""

    pending: Command | None = None
