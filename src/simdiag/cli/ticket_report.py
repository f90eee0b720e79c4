"""Tickets on the terminal: the list, and one of them with its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from gettext import gettext as _
from statistics import median

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simdiag.cli import tickets
from simdiag.cli.tickets import duration
from simdiag.message import N_, LocalText
from simdiag.report.terminal import plain
from simdiag.ticket import drafting, escalation, judging, ladder, times
from simdiag.ticket.entry import Entry
from simdiag.ticket.history import Ticket
from simdiag.ticket.states import Stage

_STYLE = {
    Stage.NEW: "yellow", Stage.WAITING: "yellow", Stage.SOLVED: "green", Stage.CONFIRMED: "green",
    Stage.CLOSED: "dim", Stage.REOPENED: "red",
}  # fmt: skip
_WINDOWS = {
    "return": N_("return without a reason"),
    "exchange": N_("exchange for a fault"),
}


def show_list(
    console: Console, shown: Sequence[Ticket], every: Sequence[Ticket],
    entries: Mapping[str, Entry], at: datetime,
) -> None:  # fmt: skip
    """Print a row for each ticket, what is due, and the times of each desk."""
    if not shown:
        console.print(_("No ticket is open: `simdiag ticket new` makes one"))
    else:
        grid = Table(box=None, pad_edge=False, show_header=False)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for ticket in shown:
            standing = tickets.standing(ticket, entries.get(ticket.key))
            line = Text.assemble((standing, _STYLE.get(ticket.stage, "")), "\n", _summary(ticket))
            for more in _worth_saying(ticket, entries.get(ticket.key), at):
                line.append(f"\n{plain(more)}", "dim")
            grid.add_row(ticket.name, line)
        console.print(grid)
    for due in tickets.reminders(list(every), at):
        console.print(Text(plain(due), "bold red"))
    for times_of in desk_times(every):
        console.print(Text(plain(times_of)))


def _summary(ticket: Ticket) -> str:
    return plain(drafting.title(ticket.draft).render(_))


def _worth_saying(ticket: Ticket, entry: Entry | None, at: datetime) -> Iterator[str]:
    """Yield what is the matter with sending it, and the days that are left."""
    if ticket.is_open:
        yield from tickets.on_its_way(ticket, entry)
        yield from (line for line in _windows(ticket, at))


def _windows(ticket: Ticket, at: datetime) -> Iterator[str]:
    for left in ladder.windows(ticket.draft, at.date()):
        text = N_("{kind}: {days} days left, until {until}")
        if left.days < 0:
            text = N_("{kind}: over since {until}")
        elif left.days == 0:
            text = N_("{kind}: today is the last day")
        kind = _(_WINDOWS[left.window.kind])
        yield _(text).format(kind=kind, days=left.days, until=left.until)


def desk_times(every: Sequence[Ticket]) -> Iterator[str]:
    """Yield for each desk how long it took, in the middle, to answer and to solve."""
    for desk in dict.fromkeys(t.desk for t in every):
        own = [t for t in every if t.desk == desk]
        answers = [d for d in (t.response() for t in own) if d is not None]
        solved = [d for d in (t.solution() for t in own) if d is not None]
        if answers or solved:
            yield _(
                "{desk}: answers after {response}, solves after {solution} ({count} tickets)"
            ).format(desk=desk, response=_middle(answers), solution=_middle(solved), count=len(own))


def _middle(durations: Sequence[timedelta]) -> str:
    return (
        duration(timedelta(seconds=median(d.total_seconds() for d in durations)))
        if durations
        else "–"
    )


def show_ticket(console: Console, ticket: Ticket, entry: Entry | None, at: datetime) -> None:
    """Print where a ticket stands, what runs out, what was promised, what happened."""
    head = Text.assemble(
        (_summary(ticket), "bold"), "\n",
        (tickets.standing(ticket, entry), _STYLE.get(ticket.stage, "")),
    )  # fmt: skip
    console.print(Panel(head, title=Text(ticket.name), title_align="left"))
    for line in _facts(ticket, entry, at):
        console.print(Text(plain(line)))
    console.print(Text(_("History"), "bold"))
    for message in escalation.history(ticket, at):
        console.print(Text(plain(message.render(_))))


def _facts(ticket: Ticket, entry: Entry | None, at: datetime) -> Iterator[str]:
    draft = ticket.draft
    yield _("Category: {category}; urgency: {urgency}; complexity: {complexity}").format(
        category=_(judging.CATEGORIES[draft.category]), urgency=_(judging.URGENCIES[draft.urgency]),
        complexity=_(judging.COMPLEXITIES[draft.complexity]),
    )  # fmt: skip
    yield _("Key: {key}").format(key=ticket.key)
    if entry is not None:
        yield from tickets.on_its_way(ticket, entry)
        for lost in entry.missing:
            text = _("The desk has not kept {field} as it was sent: {kept}")
            yield text.format(field=lost.field, kept=lost.kept or "–")
    yield from _windows(ticket, at)
    for left in ladder.windows(draft, at.date()):
        if left.days >= 0 and left.window.condition:
            yield "  " + LocalText(left.window.condition).render(_)
    due = ladder.due(ticket)
    if due is not None and ticket.is_open:
        yield _("An answer is due by {by}").format(by=times.shown(due))
    for text, length in ((N_("Answered after {time}"), ticket.response()),
                         (N_("Solved after {time}"), ticket.solution())):  # fmt: skip
        if length is not None:
            yield _(text).format(time=duration(length))
    following = ladder.following(ticket)
    if following is not None and ticket.is_open:
        rung = _(ladder.ROLES[following.role])
        yield _("Next rung: {rung} (`simdiag ticket escalate {ticket}`)").format(
            rung=rung, ticket=ticket.name
        )
