"""``simdiag ticket note``: keeps what was said and done, and writes to the desk."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(
    help=_(
        "Note what was said or done; --send writes it to the desk. For a hotline, an app or a "
        "shop: --number and --staff once the ticket is handed over, --said for its answers."
    )
)
@click.argument("name", metavar="TICKET")
@click.argument("text", metavar="[TEXT]", default="")
@click.option("--number", default="", metavar="NUMBER", help=_("The desk's number for the ticket."))
@tickets.contact_options
@click.option("--said", is_flag=True, help=_("The text is what the desk said."))
@click.option("--send", is_flag=True, help=_("Write it to the desk."))
@tickets.bundle_option
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(
    name: str, text: str, number: str, channel: str, staff: str, said: bool, send: bool,
    bundle: Path | None, later: bool, as_json: bool,
) -> None:  # fmt: skip
    """Keep it, and send it if that is wanted."""
    from simdiag.bundle.opening import open_bundle
    from simdiag.report.hostile import shown
    from simdiag.ticket.states import Kind

    text, number = shown(text.strip(), 20_000), shown(" ".join(number.split()), 100)
    if not (text or number or bundle):
        raise click.UsageError(_("say what to note: a text, --number or --bundle"))
    if said and (send or bundle):
        raise click.UsageError(_("--said is what the desk said: it is not sent back"))
    contact = {"channel": shown(channel, 60), "staff": shown(staff, 60)}
    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        if number:
            following.outbox.receipt(ticket.key, number)
            ticket = following.book.note(ticket, Kind.SENT, at, number=number, **contact)
        if said and text:
            ticket = following.book.note(
                ticket, Kind.ANSWER, at, text=text, author=staff, **contact
            )
        elif text or bundle:
            more: dict[str, Any] = {}
            if bundle is not None:
                open_bundle(bundle)
                more["bundle"] = tickets.kept_bundle(following, bundle)
            send = (send or bundle is not None) and tickets.goes_there(following, ticket)
            ticket = following.book.note(
                ticket, Kind.NOTE, at, text=text, to_desk=send, **contact, **more
            )
            if send and not later:
                ticket = tickets.sync_now(following, ticket)
        tickets.print_ticket(following, ticket, as_json)
