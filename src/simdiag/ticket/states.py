"""Where a ticket stands for its user, and what may happen to it there: one table.

The desk has its own states (:class:`simdiag.ticket.desk.State`); here a ticket is over only once
its user, or a new examination, has confirmed that the matter is solved.
"""

from __future__ import annotations

import enum

from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message


class Stage(enum.StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    """It has not reached its desk."""
    SENT = "sent"
    """The desk has it and has not answered yet."""
    ANSWERED = "answered"
    """The desk has it in hand."""
    WAITING = "waiting"
    """The desk waits for the user."""
    SOLVED = "solved"
    """The desk says that it is solved; the user has to confirm."""
    CONFIRMED = "confirmed"
    """The user, or an examination, says so too."""
    CLOSED = "closed"
    REOPENED = "reopened"
    """It was solved or closed, and is not; the desk has not answered to that yet."""


class Kind(enum.StrEnum):
    """What can happen to a ticket."""

    OPENED = "opened"
    SENT = "sent"
    """It reached the desk: its number there."""
    ANSWER = "answer"
    """The desk said something."""
    DESK_OPEN = "desk_open"
    DESK_WAITING = "desk_waiting"
    DESK_SOLVED = "desk_solved"
    NOTE = "note"
    """The user noted something, or wrote to the desk."""
    TRIED = "tried"
    """Something is being sent to the desk; whether it arrives is seen there."""
    DELIVERED = "delivered"
    """What was to go to the desk is there."""
    PROMISE = "promise"
    PROMISE_KEPT = "promise_kept"
    PROMISE_BROKEN = "promise_broken"
    ESCALATED = "escalated"
    """A further ticket was made, for the next rung of the ladder."""
    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    CLOSED = "closed"


_ANY = set(Stage)
_OPEN = _ANY - {Stage.CLOSED}


def _stay(stages: set[Stage]) -> dict[Stage, Stage]:
    return {stage: stage for stage in stages}


def _move(stages: set[Stage], to: Stage) -> dict[Stage, Stage]:
    return dict.fromkeys(stages, to)


_S = Stage
TABLE: dict[Kind, dict[Stage, Stage]] = {
    Kind.SENT: _stay(_ANY) | _move({_S.NEW}, _S.SENT),
    Kind.ANSWER: _stay(_ANY) | _move({_S.NEW, _S.SENT, _S.REOPENED}, _S.ANSWERED),
    Kind.DESK_OPEN: _stay(_ANY) | _move({_S.WAITING, _S.SOLVED}, _S.ANSWERED),
    Kind.DESK_WAITING: _move(_OPEN - {_S.CONFIRMED}, _S.WAITING) | _stay({_S.CONFIRMED, _S.CLOSED}),
    Kind.DESK_SOLVED: _move(_OPEN - {_S.CONFIRMED}, _S.SOLVED) | _stay({_S.CONFIRMED, _S.CLOSED}),
    Kind.NOTE: _stay(_ANY),
    Kind.TRIED: _stay(_ANY),
    Kind.DELIVERED: _stay(_ANY),
    Kind.PROMISE: _stay(_ANY),
    Kind.PROMISE_KEPT: _stay(_ANY),
    Kind.PROMISE_BROKEN: _stay(_ANY),
    Kind.ESCALATED: _stay(_OPEN - {_S.CONFIRMED}),
    Kind.CONFIRMED: _move(_OPEN, _S.CONFIRMED),
    Kind.REOPENED: _move({_S.SOLVED, _S.CONFIRMED, _S.CLOSED}, _S.REOPENED),
    Kind.CLOSED: _move({_S.CONFIRMED}, _S.CLOSED),
}
"""From what happens, and the stage, to the next stage; what is not there may not happen."""

_REFUSALS = {
    Kind.ESCALATED: N_("the ticket is {stage}: reopen it first, with `simdiag ticket reopen`"),
    Kind.CONFIRMED: N_("the ticket is {stage} already"),
    Kind.REOPENED: N_("the ticket is {stage}, so there is nothing to reopen"),
    Kind.CLOSED: N_("nobody has confirmed that it is solved: `simdiag ticket confirm`"),
}

STAGES = {
    Stage.NEW: N_("not sent yet"),
    Stage.SENT: N_("sent, no answer yet"),
    Stage.ANSWERED: N_("answered"),
    Stage.WAITING: N_("waits for you"),
    Stage.SOLVED: N_("solved, says the desk"),
    Stage.CONFIRMED: N_("confirmed"),
    Stage.CLOSED: N_("closed"),
    Stage.REOPENED: N_("reopened"),
}
"""The name of each, for people."""


class Refused(SimdiagError):
    """That cannot happen to a ticket at this stage."""


def after(stage: Stage, kind: Kind) -> Stage:
    """Return the next stage; raises ``Refused`` with a sentence."""
    found = TABLE[kind].get(stage)
    if found is None:
        kind = Kind.CONFIRMED if kind is Kind.CLOSED and stage is Stage.CLOSED else kind
        raise Refused(message(_REFUSALS[kind], stage=Message(STAGES[stage])))
    return found
