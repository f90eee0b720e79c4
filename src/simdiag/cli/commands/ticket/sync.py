"""``simdiag ticket sync``: sends what is due, fetches answers and states."""

from __future__ import annotations

import time
from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option

if TYPE_CHECKING:
    from simdiag.ticket.following import Following
    from simdiag.ticket.history import Ticket

_MOST_S, _LEAST_S = 60.0, 1.0
"""How long ``--wait`` sleeps: another program may have changed what waits."""


@click.command(help=_("Send what waits; fetch the desks' answers and states."))
@tickets.ticket_argument
@click.option("--wait", is_flag=True, help=_("Stay until all is sent, or until Ctrl-C."))
@click.option(
    "--background", is_flag=True,
    help=_("For a timer: send only what is due, and say only what changed or needs you."),
)  # fmt: skip
@tickets.ticket_json_option
@language_option
def command(name: str | None, wait: bool, background: bool, as_json: bool) -> int:
    """Sync one ticket, or all that are open."""
    from simdiag.cli.status import Status

    if wait and background:
        raise click.UsageError(_("--wait and --background exclude one another"))
    with tickets.books(remind=not background) as following:
        only = following.book.find(name) if name is not None else None
        if not background:
            following.hurry()
        done = _synced(following, only, as_json, background=background)
        while wait and (left := following.next_attempt(only)) is not None:
            time.sleep(min(max(left, _LEAST_S), _MOST_S))
            if left <= _MOST_S:
                done = _synced(following, only, as_json, again=True)
    return Status.OK if done else Status.NOT_EXAMINED


def _synced(
    following: Following, only: Ticket | None, as_json: bool,
    *, background: bool = False, again: bool = False,
) -> bool:  # fmt: skip
    """Send and fetch once; say what changed, what failed and what waits. False: something failed.

    In the ``background`` what time may mend is left out; ``again``, what was said before.
    """
    before = {t.key: t for t in following.book.tickets()}
    troubles = [t for t in following.sync(only) if not (background and t.passes)]
    for trouble in troubles:
        where = f"{trouble.desk} {trouble.ticket.name}" if trouble.ticket else trouble.desk
        tickets.say_trouble(where, trouble.problem.render(_))
    told = {trouble.problem.render(_) for trouble in troubles}
    for ticket in following.book.tickets():
        if only is not None and ticket.id != only.id:
            continue
        if (as_json and not (background or again)) or before.get(ticket.key) != ticket:
            tickets.print_ticket(following, ticket, as_json)
        if not background and (troubles or not again):
            for line in tickets.on_its_way(ticket, tickets.entry_of(following, ticket)):
                if line not in told:
                    tickets.say_trouble(ticket.name, line)
    return not troubles
