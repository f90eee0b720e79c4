"""``simdiag ticket close``: ends a ticket that is confirmed as solved."""

from __future__ import annotations

import sys
from gettext import gettext as _

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(help=_("Close a ticket; asks whether it is solved unless that was confirmed."))
@tickets.ticket_argument
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(name: str | None, later: bool, as_json: bool) -> None:
    """Ask and close."""
    from simdiag.cli.asking import agreed
    from simdiag.ticket import ending
    from simdiag.ticket.states import Kind, Stage, after

    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        if ticket.stage is not Stage.CONFIRMED and ticket.is_open and sys.stdin.isatty():
            click.echo(ticket.draft.summary, err=True)
            if not agreed(_("Is it solved?"), default=False):
                click.echo(_("Then it stays open."), err=True)
                return
            ticket = ending.confirm(following, ticket, at)
        else:
            after(ticket.stage, Kind.CLOSED)
            ticket = ending.close(following, ticket, at)
        tickets.goes_there(following, ticket)
        ticket = ticket if later else tickets.sync_now(following, ticket)
        tickets.print_ticket(following, ticket, as_json)
