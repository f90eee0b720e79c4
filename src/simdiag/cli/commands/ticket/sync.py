"""``simdiag ticket sync``: sends what is due, fetches answers and states."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option

if TYPE_CHECKING:
    from simdiag.ticket.following import Following


@click.command(help=_("Send what is due; fetch the desks' answers and states."))
@tickets.ticket_argument
@tickets.ticket_json_option
@language_option
def command(name: str | None, as_json: bool) -> int:
    """Sync one ticket, or all that are open."""
    from simdiag.cli.status import Status

    with tickets.books() as following:
        only = following.book.find(name) if name is not None else None
        for desk in {e.desk for e in following.outbox.entries() if e.held}:
            following.outbox.release(desk)  # whoever asks has put it right, or is told again
        before = {t.key: t for t in following.book.tickets()}
        troubles = list(following.sync(only))
        for trouble in troubles:
            where = f"{trouble.desk} {trouble.ticket.name}" if trouble.ticket else trouble.desk
            tickets.say_trouble(where, trouble.problem.render(_))
        if not troubles:
            _say_what_waits(following)
        for ticket in following.book.tickets():
            if only is not None and ticket.id != only.id:
                continue
            old = before.get(ticket.key)
            if (
                as_json
                or old is None
                or old.stage is not ticket.stage
                or old.events != ticket.events
            ):
                tickets.print_ticket(following, ticket, as_json)
    return Status.NOT_EXAMINED if troubles else Status.OK


def _say_what_waits(following: Following) -> None:
    """Name the tickets whose next attempt is not due yet, and why the last one failed."""
    for entry in following.outbox.entries():
        if entry.problem is not None:
            tickets.say_trouble(entry.desk, entry.problem.render(_))
