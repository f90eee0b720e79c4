"""What a desk is to the rest of simdiag: a small interface, what it can do, how it fails."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.ticket.draft import Draft


class DeskError(SimdiagError):
    """Why a step at a desk did not succeed. ``wait_s`` is what the desk asks us to wait."""

    def __init__(self, text: Message, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class NotDone(DeskError):
    """Surely not carried out: it may be repeated."""


class Unreached(NotDone):
    """No connection was made: there is no network, or the desk is away."""


class Unknown(DeskError):
    """It may or may not be carried out, now or a little later: wait, then look first."""


class Never(DeskError):
    """The desk will not take this ticket, however often it is sent."""


class NotTaken(Never):
    """The desk takes no file of this size or kind; it may take a smaller or another one."""


class Missing(Never):
    """The desk has no such thing, or does not show it to us."""


class Hold(DeskError):
    """The desk itself has to be put right (address, queue, rights) before anything is sent."""


class AuthRefused(Hold):
    """The desk does not know our token or password."""


@contextmanager
def understood() -> Iterator[None]:
    """Turn an answer that is not of the desk's contract into ``Unknown``: it is looked at again.

    An answer may be JSON and still hold anything; a kind of desk reads it as its contract says.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as problem:
        text = N_("the desk answered something that its kind of desk does not answer")
        raise Unknown(message(text)) from problem


def number_of(told: object) -> str:
    """Return what a desk calls a ticket; ``Unknown`` for what cannot stand in an address."""
    known = isinstance(told, int | str) and not isinstance(told, bool)
    if known and _NUMBER.fullmatch(str(told)):
        return str(told)
    raise Unknown(message(N_("the desk's answer does not name the ticket")))


_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class Guard(enum.StrEnum):
    """What keeps one ticket from becoming two at the desk."""

    SERVER = "server"
    """The desk refuses, or merges, a second ticket with a known key."""
    WINDOW = "window"
    """The desk knows a key for some hours; after that, the search must do."""
    SEARCH = "search"
    """The desk can be asked for a key."""
    MESSAGE_ID = "message-id"
    """Nothing can be asked; who receives it can tell by the Message-ID that it came twice."""
    FOLDER = "folder"
    """No desk, but a folder of this computer."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a desk can do, as far as its kind, its settings and a probe tell."""

    guard: Guard
    max_bytes: int | None = None
    """The largest file it takes; ``None`` where it does not say."""
    extensions: tuple[str, ...] = ()
    """Ends of file names that it takes, lower case and with the dot; empty for all."""
    reads_back: bool = True
    """Whether it shows what became of a ticket: fields, files, state, answers."""
    merges: bool = False
    """Whether two tickets can be made one."""
    together: bool = False
    """Whether ticket and file go in one piece; else the small ticket goes first."""

    def takes(self, name: str, size: int) -> bool:
        """Whether a file may be sent at all."""
        fits = self.max_bytes is None or size <= self.max_bytes
        return fits and (not self.extensions or name.lower().endswith(self.extensions))


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: under which name, where its bytes are, and a sentence to stand beside it."""

    name: str
    path: Path
    sha256: str
    size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file at a ticket. ``id`` is the desk's own name for it."""

    name: str
    size: int | None
    """Bytes; ``None`` where the desk does not say."""
    id: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A field whose value at the desk is not what was sent."""

    field: str
    sent: str
    kept: str


class State(enum.StrEnum):
    """Where a ticket stands at its desk, for every kind of desk."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    """For the user."""
    SOLVED = "solved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Post:
    """One message at a ticket."""

    id: str
    author: str
    when: datetime | None
    text: str
    ours: bool
    """Whether it was sent with our account."""


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket as its desk shows it."""

    number: str
    state: State
    desk_state: str
    """The desk's own word for it."""
    posts: tuple[Post, ...] = field(default=())


class Desk(Protocol):
    """A desk. Every method may raise ``NotDone``, ``Unknown``, ``Never`` or ``Hold``.

    Methods that only look never raise ``Unknown``. A ticket is named by the desk's own number, a
    string. What a kind of desk cannot do (``capabilities``) is never asked of it.
    """

    capabilities: Capabilities

    def probe(self) -> Capabilities:
        """See that it really is the desk, and ready for our tickets; return what it can do."""

    def find(self, key: str) -> list[str]:
        """Return the numbers of the tickets that have a key, the oldest first."""

    def create(self, draft: Draft, file: File | None) -> str:
        """Make the ticket; return its number. ``file`` is for desks that take all together."""

    def attachments(self, number: str) -> list[Attachment]:
        """Return the files at a ticket."""

    def attach(self, number: str, file: File) -> None:
        """Add a file to a ticket."""

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the content of a file at a ticket."""

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Compare what the desk has kept with what was sent."""

    def case(self, number: str) -> Case:
        """Return where a ticket stands and what was said."""

    def comment(self, number: str, text: str) -> None:
        """Write to the desk."""

    def set_state(self, number: str, state: State) -> None:
        """Reopen (``OPEN``) or close (``SOLVED``) a ticket."""

    def merge(self, keep: str, extra: str) -> None:
        """Make ``extra`` a part of ``keep``."""

    def close(self) -> None:
        """End the connection."""


def mismatches(sent: dict[str, str], kept: dict[str, str]) -> list[Mismatch]:
    """Return the fields that a desk dropped or changed."""
    return [
        Mismatch(name, value, kept.get(name, ""))
        for name, value in sent.items()
        if kept.get(name, "") != value
    ]
