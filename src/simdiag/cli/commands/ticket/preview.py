"""``simdiag ticket preview``: exactly the bytes that will leave."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option
from simdiag.errors import SimdiagError
from simdiag.message import N_, message


@click.command(help=_("Show exactly the bytes that will leave for a ticket, and list its files."))
@tickets.ticket_argument
@language_option
def command(name: str | None) -> None:
    """Render and print."""
    from simdiag.ticket.desk import File

    with tickets.books() as following:
        ticket = following.book.find(name)
        settings = following.desks.get(ticket.desk)
        if settings is None:
            text = N_("desks.toml has no desk {desk}")
            raise SimdiagError(message(text, desk=ticket.desk))
        entry = tickets.entry_of(following, ticket)
        payload, file = entry.file if entry else None, None
        if payload is not None:
            full = f"simdiag-{payload.sha256}{settings.extension}"
            file = File(full, payload.path, payload.sha256, payload.size)
        tickets.show_leaving(settings, ticket.draft, file)
