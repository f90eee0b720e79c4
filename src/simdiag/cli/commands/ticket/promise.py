"""``simdiag ticket promise``: what the other side promised, and by when."""

from __future__ import annotations

import sys
from gettext import gettext as _

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option


@click.command(
    help=_(
        "Note a promise: what, by when, who, how. You are reminded before its time. "
        "--kept or --broken says what became of one."
    )
)
@click.argument("name", metavar="TICKET")
@click.option("--what", default="", metavar="TEXT", help=_("What was promised."))
@click.option(
    "--by", "by", default="", metavar="TIME",
    help=_("By when: 2026-10-01, '2026-10-01 18:00 +0800', 48h, 3d."),
)  # fmt: skip
@tickets.contact_options
@click.option("--kept", type=click.IntRange(min=1), metavar="N", help=_("Promise N was kept."))
@click.option(
    "--broken", type=click.IntRange(min=1), metavar="N", help=_("Promise N was not kept.")
)
@tickets.ticket_json_option
@language_option
def command(
    name: str, what: str, by: str, channel: str, staff: str, kept: int | None,
    broken: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Keep it, or say what became of it."""
    from simdiag.report.hostile import shown
    from simdiag.ticket import times
    from simdiag.ticket.states import Kind

    if (kept is not None) + (broken is not None) + bool(what or by) > 1:
        raise click.UsageError(_("--what, --kept and --broken exclude one another"))
    with tickets.books() as following:
        ticket, at = following.book.find(name), tickets.now()
        if number := kept or broken:
            if number > len(ticket.promises):
                text = _("{ticket} has no promise {number}")
                raise click.UsageError(text.format(ticket=ticket.name, number=number))
            kind = Kind.PROMISE_KEPT if kept else Kind.PROMISE_BROKEN
            ticket = following.book.note(ticket, kind, at, promise=number)
        else:
            what, by = _asked(what, by)
            until = times.deadline(by, at).isoformat()
            ticket = following.book.note(
                ticket, Kind.PROMISE, at, who=shown(staff, 60), staff=shown(staff, 60),
                channel=shown(channel or ticket.desk, 60), what=shown(what, 500), by=until,
            )  # fmt: skip
        tickets.print_ticket(following, ticket, as_json)


def _asked(what: str, by: str) -> tuple[str, str]:
    """Ask for what is missing; where nobody can be asked, a usage error names it."""
    if not sys.stdin.isatty() and not (what and by):
        raise click.UsageError(_("a promise needs --what and --by"))
    what = what or click.prompt(_("What was promised?"), default=_("an answer"), err=True)
    return what, by or click.prompt(_("By when?"), default="3d", err=True)
