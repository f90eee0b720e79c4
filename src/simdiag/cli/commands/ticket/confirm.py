"""``simdiag ticket confirm``: it is solved, says the user or a new examination."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(
    help=_(
        "Confirm that a ticket is solved, and close it. With --bundle a new examination decides: "
        "it closes the ticket, or reopens it with the bundle attached."
    )
)
@tickets.ticket_argument
@tickets.bundle_option
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(name: str | None, bundle: Path | None, later: bool, as_json: bool) -> int:
    """Close it, or open it again."""
    from simdiag.cli.status import Status, of_cause
    from simdiag.ticket import ending, facts

    found = facts.of_bundle(bundle) if bundle is not None else None
    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        if found is None:
            ticket = ending.confirm(following, ticket, at)
        else:
            ticket = ending.examined(following, ticket, found, at)
        tickets.goes_there(following, ticket)
        ticket = ticket if later else tickets.sync_now(following, ticket)
        tickets.print_ticket(following, ticket, as_json)
    return of_cause(found.diagnosis.cause) if found else Status.OK
