"""``simdiag ticket list``: all tickets, what is due, how fast each desk is."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(help=_("List the tickets, what is due, and how fast each desk answers."))
@click.option("--all", "every", is_flag=True, help=_("Also the closed ones."))
@click.option("--ics", is_flag=True, help=_("Print the open promises as a calendar file."))
@tickets.ticket_json_option
@language_option
def command(every: bool, ics: bool, as_json: bool) -> None:
    """Read and print."""
    with tickets.books(remind=as_json or ics, reads=True) as following:
        at = tickets.now()
        found = following.book.tickets()
        shown = [t for t in found if every or as_json or t.is_open]
        entries = {e.key: e for e in following.outbox.entries()}
        if ics:
            from simdiag.ticket.calendar import calendar

            click.echo(calendar(found, at, _), nl=False)
        elif as_json:
            from simdiag.report.json_text import dumps
            from simdiag.ticket.export import as_json as exported

            for ticket in shown:
                click.echo(dumps(exported(ticket, entries.get(ticket.key), at, whole=False)))
        else:
            from rich.console import Console

            from simdiag.cli.ticket_report import show_list

            show_list(Console(highlight=False), shown, found, entries, at)
