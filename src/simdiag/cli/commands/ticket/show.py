"""``simdiag ticket show``: one ticket with its whole history."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(help=_("Show a ticket: where it stands, promises, windows, history."))
@tickets.ticket_argument
@tickets.ticket_json_option
@language_option
def command(name: str | None, as_json: bool) -> None:
    """Read and print."""
    with tickets.books(reads=True) as following:
        ticket, at = following.book.find(name), tickets.now()
        entry = tickets.entry_of(following, ticket)
        if as_json:
            from simdiag.report.json_text import dumps
            from simdiag.ticket.export import as_json as exported

            click.echo(dumps(exported(ticket, entry, at, whole=True)))
            return
        from rich.console import Console

        from simdiag.cli.ticket_report import show_ticket

        show_ticket(Console(highlight=False), ticket, entry, at)
