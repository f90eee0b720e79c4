"""Sends what is due: a small ticket first, then its bundle, then everything is read back.

Before each step the desk is asked whether it is done already. Whoever looks finds what an earlier
attempt did, unless that is still on its way: so after an attempt of unknown outcome nothing is sent
for ``settle_s``, longer than a desk works on a request whose sender has gone.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from simdiag.message import N_, Message, message
from simdiag.ticket import moment
from simdiag.ticket.desk import (
    Desk,
    DeskError,
    File,
    Guard,
    Hold,
    Mismatch,
    Missing,
    Never,
    NotDone,
    NotTaken,
    Unknown,
    Unreached,
    understood,
)
from simdiag.ticket.draft import Draft
from simdiag.ticket.entry import UNSENT, Entry, Payload, Step
from simdiag.ticket.moment import Moment
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.settings import DeskSettings, connect

_T = TypeVar("_T")
_KILLED = N_("a sender was ended while it was sending; the desk is asked before anything is sent")

_ENOUGH = 4
"""Failed attempts in a row after which a desk is left alone for this pass."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait after a failed attempt, in seconds."""

    first_s: float = 15.0
    most_s: float = 6 * 3600.0
    unreached_s: float = 600.0
    """At most where no connection could be made: that was no work for the desk, and whoever plugs
    another way to the internet in should not wait for hours."""
    settle_s: float = 120.0
    """After an attempt of unknown outcome, at least."""

    def after(self, attempts: int, problem: DeskError) -> float:
        """Return the wait after so many failed attempts, this one included."""
        most_s = self.unreached_s if isinstance(problem, Unreached) else self.most_s
        wait: float = min(most_s, self.first_s * 2 ** min(attempts - 1, 30))
        wait *= random.uniform(0.75, 1.25)  # noqa: S311  # not in step with other senders
        return max(wait, problem.wait_s, self.settling(problem))

    def settling(self, problem: DeskError) -> float:
        """Return how long what was sent may still arrive."""
        return self.settle_s if isinstance(problem, Unknown) else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a ticket, or of all of a desk's (``entry`` is none), in one pass."""

    desk: str
    entry: Entry | None
    problem: Message | None = None
    passes: bool = False
    """Whether it is tried again, and may well succeed, without anybody's doing."""


def send_due(
    outbox: Outbox,
    desks: Mapping[str, DeskSettings],
    patience: Patience = Patience(),
    now: Callable[[], Moment] = moment.now,
    open_desk: Callable[[DeskSettings], Desk] = connect,
) -> list[Result]:
    """Send whatever is due to every desk, one request at a time for each; return what came of it.

    A desk that another sender is at is left to that. Raises ``SimdiagError`` only for the outbox.
    """
    results: list[Result] = []
    for name in outbox.desks():
        with outbox.sending(name) as alone:
            if alone:
                results += _Pass(outbox, name, patience, now).run(desks.get(name), open_desk)
    return results


def reconcile(desk: Desk, draft: Draft, number: str) -> list[Mismatch]:
    """Merge what came twice under a key into one ticket; return what could not be merged."""
    if desk.capabilities.guard not in (Guard.SEARCH, Guard.WINDOW):
        return []
    extras = _found(desk, draft, without=number)
    if extras and desk.capabilities.merges:
        for extra in extras:
            desk.merge(number, extra)
        return []
    return [Mismatch("key", number, extra) for extra in extras]


def _found(desk: Desk, draft: Draft, without: str = "") -> list[str]:
    """Return the other tickets that have a draft's key, the oldest first.

    A search that is out of order finds tickets of other people; so each is looked at.
    """
    return [
        number
        for number in desk.find(draft.key)
        if number != without and all(lost.field != "key" for lost in desk.verify(number, draft))
    ]


class _Pass:
    """One pass over the tickets of one desk, while no other sender is at it."""

    def __init__(
        self, outbox: Outbox, name: str, patience: Patience, now: Callable[[], Moment]
    ) -> None:
        self._outbox = outbox
        self._name = name
        self._patience = patience
        self._now = now
        self._desk: Desk

    def run(
        self, settings: DeskSettings | None, open_desk: Callable[[DeskSettings], Desk]
    ) -> list[Result]:
        for entry in self._outbox.unsent(self._name):
            if entry.doing:  # its sender was killed: what it sent may be on its way
                self._failed(entry, Unknown(message(_KILLED)))
        due = [e for e in self._outbox.unsent(self._name) if not self._left(e)]
        if not due:
            return []
        if settings is None:
            text = N_("desks.toml has no desk {desk}, so its tickets wait")
            return [Result(self._name, None, message(text, desk=self._name))]
        try:
            with closing(open_desk(settings)) as self._desk:
                with understood():
                    self._capabilities = self._desk.probe()
                self._extension = settings.extension
                return self._send(due)
        except (Hold, Never) as problem:
            self._outbox.hold(self._name, problem.message)
            return [Result(self._name, None, problem.message)]
        except DeskError as problem:
            for entry in due:
                self._failed(entry, problem)
            return [Result(self._name, None, problem.message, passes=True)]

    def _left(self, entry: Entry) -> float:
        return self._now().left_of(entry.wait_s, entry.since)

    def _send(self, due: list[Entry]) -> list[Result]:
        results, in_a_row = [], 0
        for entry in due:
            if in_a_row == _ENOUGH:
                break  # it is down: the rest waits for the next pass
            problem, passes = None, False
            try:
                with understood():
                    self._advance(entry)
            except Hold:
                self._outbox.about_to(entry.key, "")
                raise
            except (NotDone, Unknown, Missing) as failed:  # a page may be missing for an hour
                self._failed(self._outbox.entry(entry.key), failed)
                problem, passes = failed.message, not isinstance(failed, Missing)
                in_a_row += 1
            except Never as refused:
                self._outbox.dead(entry.key, refused.message)
                problem = refused.message
            else:
                in_a_row = 0
            results.append(Result(self._name, self._outbox.entry(entry.key), problem, passes))
        return results

    def _failed(self, entry: Entry, problem: DeskError) -> None:
        wait_s = self._patience.after(entry.attempts + 1, problem)
        settle_s = self._patience.settling(problem)
        self._outbox.failed(entry.key, problem.message, wait_s, self._now(), settle_s)

    def _advance(self, entry: Entry) -> None:
        steps = {Step.QUEUED: self._create, Step.CREATED: self._attach, Step.ATTACHED: self._verify}
        entry = self._outbox.entry(entry.key)  # its user may have ended it meanwhile
        while entry.step in UNSENT:
            steps[entry.step](entry)
            entry = self._outbox.entry(entry.key)

    def _create(self, entry: Entry) -> None:
        asks = self._capabilities.guard is not Guard.MESSAGE_ID
        found = _found(self._desk, entry.draft) if asks else []
        together = self._capabilities.together
        file = self._file(entry) if together else None
        if found:
            number = found[0]
        else:
            try:
                number = self._do(entry, "create", lambda: self._desk.create(entry.draft, file))
            except NotTaken:
                if file is None:
                    raise
                return self._outbox.smaller(entry.key)
        whole = together or not entry.files
        self._outbox.progress(entry.key, Step.ATTACHED if whole else Step.CREATED, number)
        return None

    def _attach(self, entry: Entry) -> None:
        file = self._file(entry)
        if file is None:
            return self._outbox.progress(entry.key, Step.ATTACHED)
        if file.name not in {found.name for found in self._desk.attachments(entry.number)}:
            try:
                self._do(entry, "attach", lambda: self._desk.attach(entry.number, file))
            except NotTaken:
                return self._outbox.smaller(entry.key)
        return self._outbox.progress(entry.key, Step.ATTACHED)

    def _verify(self, entry: Entry) -> None:
        missing = []
        if self._capabilities.reads_back:
            missing += reconcile(self._desk, entry.draft, entry.number)
            missing += self._desk.verify(entry.number, entry.draft)
            missing += self._files_differ(entry)
        elif entry.draft.bundle and self._file(entry) is None:
            missing.append(Mismatch("file", entry.draft.bundle.name, ""))
        self._outbox.verified(entry.key, missing)

    def _files_differ(self, entry: Entry) -> list[Mismatch]:
        if not entry.draft.bundle:
            return []
        file = self._file(entry)
        if file is None:
            return [Mismatch("file", entry.draft.bundle.name, "")]
        found = [a for a in self._desk.attachments(entry.number) if a.name == file.name]
        if len(found) != 1:
            return [Mismatch("file", file.name, ", ".join(a.name for a in found))]
        if found[0].size is None:
            content = self._desk.download(entry.number, found[0])
            kept = hashlib.sha256(content).hexdigest()
            return [] if kept == file.sha256 else [Mismatch("file", file.sha256, kept)]
        if found[0].size != file.size:
            return [Mismatch("file", str(file.size), str(found[0].size))]
        return []

    def _file(self, entry: Entry) -> File | None:
        """Return the fullest file that the desk takes, and note it; none where it takes none."""
        for payload in entry.files[entry.rung :]:
            file = _named(entry, payload, self._extension)
            if self._capabilities.takes(file.name, file.size):
                return file
            self._outbox.smaller(entry.key)
            entry = replace(entry, rung=entry.rung + 1)
        return None

    def _do(self, entry: Entry, what: str, send: Callable[[], _T]) -> _T:
        self._outbox.about_to(entry.key, what)
        return send()


def _named(entry: Entry, payload: Payload, extension: str) -> File:
    """Return a file as the desk shall see it: its name is its digest, in ASCII."""
    full = entry.draft.bundle.sha256 if entry.draft.bundle else ""
    note = "" if payload.sha256 == full else f"A smaller form of the bundle {full}."
    name = f"simdiag-{payload.sha256}{extension}"
    return File(name, payload.path, payload.sha256, payload.size, note)
