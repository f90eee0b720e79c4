"""``simdiag ticket reopen``: it is not solved after all."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(help=_("Reopen a ticket that was solved or closed, with its history; say why."))
@click.argument("name", metavar="TICKET")
@click.argument("text", metavar="[WHY]", default="")
@tickets.bundle_option
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(name: str, text: str, bundle: Path | None, later: bool, as_json: bool) -> None:
    """Open it again, here and at the desk."""
    from simdiag.bundle.opening import open_bundle
    from simdiag.report.hostile import shown
    from simdiag.ticket import ending

    text = shown(text.strip() or _("It is not solved."), 20_000)
    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        data: dict[str, Any] = {"text": text}
        if bundle is not None:
            open_bundle(bundle)
            data |= {"bundle": tickets.kept_bundle(following, bundle)}
        ticket = ending.reopen(following, ticket, at, **data)
        tickets.goes_there(following, ticket)
        ticket = ticket if later else tickets.sync_now(following, ticket)
        tickets.print_ticket(following, ticket, as_json)
