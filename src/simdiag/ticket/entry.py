"""A ticket in the outbox, as its rows tell."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simdiag.message import Message
from simdiag.ticket.desk import Mismatch
from simdiag.ticket.draft import Draft
from simdiag.ticket.moment import Moment


class Step(enum.StrEnum):
    """How far a ticket has come, as its desk sees it."""

    QUEUED = "queued"
    """Not at the desk, as far as we know."""
    CREATED = "created"
    """The desk has the ticket, but not yet its file."""
    ATTACHED = "attached"
    VERIFIED = "verified"
    """Read back, or the desk shows nothing."""
    CLOSED = "closed"
    DEAD = "dead"
    """The desk will never take it; the text and the file stay here."""


UNSENT = (Step.QUEUED, Step.CREATED, Step.ATTACHED)
"""Where a sender has something left to do."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A file that waits in the outbox."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket, its file in all sizes, and where it stands."""

    draft: Draft
    desk: str
    step: Step
    number: str
    """At the desk; empty before."""
    files: tuple[Payload, ...]
    """The same bundle from the fullest to the smallest."""
    rung: int
    """Which of ``files`` is the one to send; as many as there are when the desk takes none."""
    doing: str
    """What was being sent when a sender was killed, the last step of a closed ticket, or empty."""
    attempts: int
    """Failed ones since the last step that succeeded."""
    wait_s: float
    since: Moment
    problem: Message | None
    """Why the last attempt failed."""
    held: Message | None
    """Why nothing is sent to this desk until somebody has put it right."""
    missing: tuple[Mismatch, ...]
    """What the desk dropped or changed."""

    @property
    def key(self) -> str:
        """What tells the ticket from every other."""
        return self.draft.key

    @property
    def state(self) -> str:
        """The step, or ``held``."""
        return "held" if self.held and self.step in UNSENT else str(self.step)

    @property
    def trouble(self) -> Message | None:
        """Why it is not at its desk."""
        return self.held if self.state == "held" else self.problem

    def left(self, now: Moment) -> float | None:
        """Return in how many seconds it is to be sent on; none where nothing is sent."""
        waits = self.step in UNSENT and self.held is None
        return now.left_of(self.wait_s, self.since) if waits else None

    @property
    def file(self) -> Payload | None:
        """The file to send."""
        return self.files[self.rung] if self.rung < len(self.files) else None


def packed(text: Message | None) -> str:
    """Return a message as it is kept, to be translated when it is shown."""
    return json.dumps(_packed(text), ensure_ascii=False) if text else ""


def _packed(text: Message) -> list[Any]:
    values = text.values.items()
    return [text.text, {k: _packed(v) if isinstance(v, Message) else str(v) for k, v in values}]


def unpacked(kept: str) -> Message | None:
    """Return the message that was kept."""
    if not kept:
        return None
    return _unpacked(json.loads(kept))


def _unpacked(kept: list[Any]) -> Message:
    text, values = kept
    return Message(text, {k: _unpacked(v) if isinstance(v, list) else v for k, v in values.items()})


def packed_mismatches(found: list[Mismatch]) -> str:
    """Return what the desk dropped as it is kept."""
    return json.dumps([[m.field, m.sent, m.kept] for m in found], ensure_ascii=False)


def unpacked_mismatches(kept: str) -> tuple[Mismatch, ...]:
    """Return what the desk dropped."""
    return tuple(Mismatch(*values) for values in json.loads(kept))


def of_row(row: dict[str, Any], files: tuple[Payload, ...]) -> Entry:
    """Make an entry of a row of the database."""
    return Entry(
        draft=Draft.model_validate_json(row["draft"]),
        desk=row["desk"],
        step=Step(row["step"]),
        number=row["number"],
        files=files,
        rung=row["rung"],
        doing=row["doing"],
        attempts=row["attempts"],
        wait_s=row["wait_s"],
        since=Moment(row["since_wall"], row["since_boot"], row["since_ticks"]),
        problem=unpacked(row["problem"]),
        held=unpacked(row["held"] or ""),
        missing=unpacked_mismatches(row["missing"]),
    )
