"""``simdiag ticket escalate``: the next rung of the ladder, with the history of the one below."""

from __future__ import annotations

import sys
from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option
from simdiag.errors import SimdiagError
from simdiag.message import N_, message

if TYPE_CHECKING:
    from simdiag.profile import Rung
    from simdiag.ticket.history import Ticket


@click.command(
    help=_(
        "Take a ticket to the next rung: seller, operator, consumers' body, regulator. The text "
        "is drafted from the whole history."
    )
)
@tickets.ticket_argument
@click.option("--to", "role", metavar="RUNG", help=_("Another rung than the next one."))
@click.option(
    "--desk", "desk_name", metavar="NAME",
    help=_("Desk, as desks.toml names it; else the text is for you to bring."),
)  # fmt: skip
@click.option("--preview", is_flag=True, help=_("Only show the text; keep nothing."))
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(
    name: str | None, role: str | None, desk_name: str | None, preview: bool, later: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Draft, show, keep, send."""
    from simdiag.cli.asking import agreed
    from simdiag.ticket import choosing, escalation, ladder, languages
    from simdiag.ticket.states import Kind, after

    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        after(ticket.stage, Kind.ESCALATED)
        begun = ticket.escalation({t.key for t in following.book.tickets()})
        rung = _rung(ticket, begun.data["rung"] if begun else role)
        desk = desk_name or choosing.BY_HAND
        if desk not in following.desks:
            text = _("there is no desk {name}; known are {names}")
            raise click.BadParameter(
                text.format(name=desk, names=", ".join(following.desks)), param_hint="--desk"
            )
        read = choosing.languages(following.desks[desk], ladder.profile_of(ticket.draft))
        draft = escalation.draft(
            ticket, rung, languages.of(read, tickets.tag()), at,
            key=begun.data["to"] if begun else "",
        )  # fmt: skip
        if preview:
            click.echo(f"{draft.summary}\n\n{draft.message}")
            return
        tickets.say_whom(ticket.draft, rung.role)
        if sys.stdin.isatty() and sys.stderr.isatty():
            click.echo(f"\n{draft.summary}\n\n{draft.message}\n", err=True)
            question = _("Keep this ticket for {desk}?").format(desk=desk)
            if not agreed(question, default=True):
                click.echo(_("Nothing was kept or sent."), err=True)
                return
        entry = tickets.entry_of(following, ticket)
        files = [file.path for file in entry.files] if entry else []
        if begun is None:
            following.book.note(ticket, Kind.ESCALATED, at, to=draft.key, rung=rung.role)
        following.outbox.add(draft, desk, files, again=True)
        made = following.book.open_ticket(draft, desk, rung.role, at, ticket.key)
        made = made if later else tickets.sync_now(following, made)
        tickets.print_ticket(following, made, as_json)


def _rung(ticket: Ticket, role: str | None) -> Rung:
    from simdiag.ticket import ladder

    roles = {rung.role: rung for rung in ladder.of(ticket.draft)}
    if role is not None and role not in roles:
        text = _("there is no rung {name}; known are {names}")
        raise click.BadParameter(text.format(name=role, names=", ".join(roles)), param_hint="--to")
    found = roles[role] if role else ladder.following(ticket)
    if found is None:
        text = N_("{ticket} is at the top of the ladder: there is nobody above")
        raise SimdiagError(message(text, ticket=ticket.name))
    return found
