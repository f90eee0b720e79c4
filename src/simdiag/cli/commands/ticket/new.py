"""``simdiag ticket new``: asks what the evidence does not say, drafts the ticket, keeps it."""

from __future__ import annotations

import sys
from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simdiag.cli import tickets
from simdiag.cli.common import language_option, profile_option
from simdiag.errors import SimdiagError

if TYPE_CHECKING:
    from simdiag.profile import CarrierProfile
    from simdiag.ticket.answers import Answers
    from simdiag.ticket.draft import Draft
    from simdiag.ticket.facts import Facts
    from simdiag.ticket.following import Following
    from simdiag.ticket.history import Ticket
    from simdiag.ticket.settings import DeskSettings


@click.command(
    help=_(
        "Make a ticket: asks only what the bundle does not answer, and shows the text before it "
        "is kept. In a script, give the answers as options or as a JSON file."
    )
)
@tickets.bundle_option
@click.option("--desk", "desk_name", metavar="NAME", help=_("Desk, as desks.toml names it."))
@click.option(
    "--answers", "file", type=click.Path(path_type=Path, dir_okay=False, readable=False),
    metavar="FILE", help=_("JSON file with the answers (`simdiag schema ticket`)."),
)  # fmt: skip
@click.option("--category", metavar="KIND", help=_("Kind of request, such as no_service."))
@click.option("--urgency", metavar="DEGREE", help=_("low, normal, high or urgent."))
@click.option("--complexity", metavar="DEGREE", help=_("simple, normal or complex."))
@click.option("--when", "happened", metavar="TIME", help=_("Since when: a day, a time or a span."))
@click.option("--where", "place", metavar="TEXT", help=_("Where it happened."))
@click.option("--seen", metavar="TEXT", help=_("What was seen: words on the screen, numbers."))
@click.option(
    "--tried", "steps", multiple=True, metavar="TEXT",
    help=_("A step that was tried already, and what came of it; may be given several times."),
)  # fmt: skip
@click.option("--wish", metavar="TEXT", help=_("What you wish for."))
@click.option("--seller", metavar="NAME", help=_("Who sold the card."))
@click.option("--order", metavar="NUMBER", help=_("Number of the order."))
@click.option("--bought", metavar="DAY", help=_("Day of the order."))
@click.option("--plan", metavar="NAME", help=_("Plan of the card."))
@click.option("--account", metavar="NUMBER", help=_("Your number at the operator; it is sent."))
@profile_option
@click.option("--preview", is_flag=True, help=_("Only show what would leave; keep nothing."))
@click.option("--add", is_flag=True, help=_("Where this was reported already, add to that ticket."))
@click.option("--again", is_flag=True, help=_("Make a ticket even if this was reported already."))
@tickets.later_option
@tickets.ticket_json_option
@language_option
def command(
    bundle: Path | None, desk_name: str | None, file: Path | None, profile_id: str | None,
    preview: bool, add: bool, again: bool, later: bool, as_json: bool, **said: Any,
) -> int:  # fmt: skip
    """Ask, draft, show, keep, send."""
    from simdiag.cli.status import Status
    from simdiag.ticket import account
    from simdiag.ticket import facts as evidence

    if add and again:
        raise click.UsageError(_("--add and --again exclude one another"))
    facts = evidence.of_bundle(bundle) if bundle is not None else None
    profile = tickets.profile_named(profile_id, facts.diagnosis.profile if facts else None)
    at = tickets.now()
    given = _given(file, said, at)
    _say_if_nobody_there_can_act(facts)
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    settings, answers = _completed(given, facts, desk_name, at, asks=asks)
    draft = _draft(answers, facts, settings, profile, at)
    if preview:
        _preview(settings, draft, facts)
        return Status.OK
    if asks and not _agreed(settings, draft):
        click.echo(_("Nothing was kept or sent."), err=True)
        return Status.OK
    with tickets.books() as following:
        ticket = _kept(following, settings, draft, facts, add=add, again=again, asks=asks)
        if asks:
            account.keep(draft.card, account.Account(**answers.said()))
        ticket = ticket if later else tickets.sync_now(following, ticket)
        tickets.print_ticket(following, ticket, as_json)
        if following.by_hand(ticket.desk):
            _say_how_to_hand_over(ticket)
    return Status.OK


def _say_if_nobody_there_can_act(facts: Facts | None) -> None:
    from simdiag.causes import RESPONSIBLE_TITLES, Responsible

    at_a_desk = (Responsible.SELLER, Responsible.OPERATOR, Responsible.DEVICE_MAKER)
    if facts is None or facts.diagnosis.responsible in at_a_desk:
        return
    found = facts.diagnosis
    click.echo(_(found.entry.title), err=True)
    text = _("Who can fix it: {who}. A desk can hardly help; try this first: {step}")
    who, step = _(RESPONSIBLE_TITLES[found.responsible]), found.next_steps[0].render(_)
    click.echo(text.format(who=who, step=step), err=True)


def _given(file: Path | None, said: dict[str, Any], at: datetime) -> Answers:
    """Return the answers of the file, with those of the options in their place."""
    from simdiag.cli.asking import NEEDED
    from simdiag.ticket import answers

    found = answers.read(file).said() if file is not None else {}
    found |= {name: value for name, value in said.items() if value not in (None, ())}
    try:
        return answers.of(found, at)
    except answers.NoAnswer as problem:
        text = _("Invalid value for {param_hint}: {message}")
        hint = NEEDED.get(problem.field, f"--{problem.field}")
        raise click.UsageError(
            text.format(param_hint=hint, message=problem.why.render(_))
        ) from problem
    except SimdiagError as problem:
        raise click.UsageError(problem.message.render(_)) from problem


def _completed(
    given: Answers, facts: Facts | None, desk_name: str | None, at: datetime, *, asks: bool
) -> tuple[DeskSettings, Answers]:
    """Return desk and answers; a usage error names what is missing where nobody can be asked."""
    from simdiag.cli import asking
    from simdiag.ticket import account, choosing

    desks = choosing.desks()
    if desk_name is not None and desk_name not in desks:
        text = _("there is no desk {name}; known are {names}")
        raise click.BadParameter(
            text.format(name=desk_name, names=", ".join(desks)), param_hint="--desk"
        )
    own = [name for name in desks if name != choosing.BY_HAND]
    name = desk_name or (own[0] if len(own) == 1 else choosing.BY_HAND if not own else None)
    if not asks:
        lacking = [asking.NEEDED[n] for n in asking.missing(given, facts)]
        if lacking:
            text = _("without a terminal nobody can be asked: give {options}, or --answers FILE")
            raise click.UsageError(text.format(options=", ".join(lacking)))
        if name is None:
            text = _("several desks are set up: choose one with --desk out of {names}")
            raise click.UsageError(text.format(names=", ".join(desks)))
        return desks[name], asking.filled(given, facts)
    name = name or asking.choose(_("Which desk?"), list(desks))
    known = account.known(facts.card if facts else "")
    return desks[name], asking.ask(given, facts, known, at)


def _draft(
    answers: Answers, facts: Facts | None, settings: DeskSettings,
    profile: CarrierProfile | None, at: datetime,
) -> Draft:  # fmt: skip
    from simdiag.ticket import choosing, drafting, languages

    written_in = languages.of(choosing.languages(settings, profile), tickets.tag())
    return drafting.draft(answers, facts, written_in, profile, at)


def _preview(settings: DeskSettings, draft: Draft, facts: Facts | None) -> None:
    from simdiag.ticket.desk import File

    file = None
    if facts is not None and facts.path is not None and facts.bundle is not None:
        name = f"simdiag-{facts.bundle.sha256}{settings.extension}"
        file = File(name, facts.path, facts.bundle.sha256, facts.bundle.size)
    tickets.show_leaving(settings, draft, file)


def _agreed(settings: DeskSettings, draft: Draft) -> bool:
    """Show the text and ask whether it may go."""
    from simdiag.cli.asking import agreed
    from simdiag.ticket.judging import COMPLEXITIES, URGENCIES

    click.echo(f"\n{draft.summary}\n\n{draft.message}\n", err=True)
    graded = _("Urgency: {urgency}; complexity: {complexity}.").format(
        urgency=_(URGENCIES[draft.urgency]), complexity=_(COMPLEXITIES[draft.complexity])
    )
    click.echo(graded, err=True)
    question = _("Keep this ticket for {desk}?").format(desk=settings.name)
    return agreed(question, default=True)


def _kept(
    following: Following, settings: DeskSettings, draft: Draft, facts: Facts | None,
    *, add: bool, again: bool, asks: bool,
) -> Ticket:  # fmt: skip
    """Put the ticket into the outbox, or add it to the one that is there already."""
    from simdiag.ticket.ladder import first_rung
    from simdiag.ticket.outbox import AlreadyThere

    files = [facts.path] if facts is not None and facts.path is not None else []
    try:
        following.outbox.add(draft, settings.name, files, again=again)
    except AlreadyThere as problem:
        if not add and not asks:
            raise
        old = following.book.find(problem.entry.key)
        if add or _wants_to_add(old):
            return _added(following, old, draft, files)
        following.outbox.add(draft, settings.name, files, again=True)
    return following.book.open_ticket(draft, settings.name, first_rung(draft), draft.created)


def _wants_to_add(old: Ticket) -> bool:
    from simdiag.cli.asking import agreed

    text = _("This was reported that day already, as {ticket} at {desk}. Add it to that ticket?")
    return agreed(text.format(ticket=old.name, desk=old.desk), default=True)


def _added(following: Following, old: Ticket, draft: Draft, files: list[Path]) -> Ticket:
    from simdiag.ticket.states import Kind

    bundle = {"bundle": tickets.kept_bundle(following, files[0])} if files else {}
    to_desk = tickets.goes_there(following, old)
    return following.book.note(
        old, Kind.NOTE, draft.created, text=draft.message, to_desk=to_desk, **bundle
    )


def _say_how_to_hand_over(ticket: Ticket) -> None:
    tickets.say_whom(ticket.draft, ticket.rung)
    text = _("Read it out or paste it: simdiag ticket preview {ticket}")
    click.echo(text.format(ticket=ticket.name), err=True)
    text = _("Then note who took it: simdiag ticket note {ticket} --number … --staff …")
    click.echo(text.format(ticket=ticket.name), err=True)
