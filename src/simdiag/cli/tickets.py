"""What the commands of ``simdiag ticket`` share: the books, the ticket meant, what is printed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simdiag.message import LANGUAGE_TAG, N_

if TYPE_CHECKING:
    from pathlib import Path

    from simdiag.profile import CarrierProfile
    from simdiag.ticket.desk import File
    from simdiag.ticket.draft import Draft
    from simdiag.ticket.entry import Entry
    from simdiag.ticket.following import Following
    from simdiag.ticket.history import Ticket
    from simdiag.ticket.settings import DeskSettings

F = TypeVar("F", bound=Callable[..., Any])


def ticket_argument(command: F) -> F:
    """Add the ticket meant; without one, the only one that is open."""
    return click.argument("name", metavar="[TICKET]", required=False)(command)


def ticket_json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))(command)


def later_option(command: F) -> F:
    """Add ``--later``."""
    return click.option(
        "--later", is_flag=True, help=_("Send nothing now; `simdiag ticket sync` does.")
    )(command)


def bundle_option(command: F) -> F:
    """Add ``--bundle``."""
    return click.option(
        "--bundle", "bundle", type=_PATH, metavar="FILE",
        help=_("Bundle of an examination (`simdiag bundle`)."),
    )(command)  # fmt: skip


def contact_options(command: F) -> F:
    """Add ``--channel`` and ``--staff``."""
    for option in (
        click.option("--staff", default="", metavar="NAME", help=_("Name or number of who spoke.")),
        click.option(
            "--channel", default="", metavar="HOW",
            help=_("How it was said: phone, app, shop, web, mail …"),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


class _Path(click.Path):
    def __init__(self) -> None:
        from pathlib import Path

        super().__init__(path_type=Path, dir_okay=False, readable=False)


_PATH = _Path()


def now() -> datetime:
    """Return the time with this computer's zone."""
    return datetime.now().astimezone()


def tag() -> str:
    """Return the tag of the user's language."""
    return _(LANGUAGE_TAG)


@contextmanager
def books(*, remind: bool = True, reads: bool = False) -> Iterator[Following]:
    """Open outbox and casebook; say on stderr what is due.

    Who only ``reads`` can do so where nothing may be written, too.
    """
    from simdiag.ticket.casebook import Casebook
    from simdiag.ticket.choosing import desks
    from simdiag.ticket.following import Following
    from simdiag.ticket.outbox import Outbox, default_folder

    folder = default_folder()
    reads = reads and folder.exists() and not os.access(folder, os.W_OK, effective_ids=True)
    with (
        Outbox(folder, only_read=reads) as outbox,
        Casebook(folder, only_read=reads) as book,
    ):
        following = Following(book, outbox, desks())
        if reads:
            text = _("{path} cannot be written, so it is only read.")
            click.echo(text.format(path=folder), err=True)
        else:
            following.adopt()
        if remind:
            for line in reminders(book.tickets(), now()):
                click.echo(line, err=True)
        yield following


def reminders(tickets: list[Ticket], at: datetime) -> Iterator[str]:
    """Yield a line for each promise and each answer that is due."""
    from simdiag.report.terminal import plain
    from simdiag.ticket import ladder, times
    from simdiag.ticket.states import Stage

    for ticket in tickets:
        for promise in ticket.promises:
            if promise.is_due(at) and ticket.is_open:
                text = N_("{ticket}: due by {by}: {what} ({who})")
                if promise.is_overdue(at):
                    text = N_("{ticket}: OVERDUE since {by}: {what} ({who})")
                yield plain(_(text).format(
                    ticket=ticket.name, by=times.shown(promise.by), what=promise.what,
                    who=promise.who or ticket.desk,
                ))  # fmt: skip
        due = ladder.due(ticket)
        if due is not None and due < at and ticket.stage in (Stage.SENT, Stage.REOPENED):
            text = N_("{ticket}: no answer by {by}: `simdiag ticket escalate {ticket}`")
            yield _(text).format(ticket=ticket.name, by=times.shown(due))


def entry_of(following: Following, ticket: Ticket) -> Entry | None:
    """Return a ticket's row in the outbox."""
    return next((e for e in following.outbox.entries() if e.key == ticket.key), None)


def print_ticket(following: Following, ticket: Ticket, as_json: bool) -> None:
    """Print where a ticket stands now, in a line or as JSON."""
    entry = entry_of(following, ticket)
    if as_json:
        from simdiag.report.json_text import dumps
        from simdiag.ticket.export import as_json as exported

        click.echo(dumps(exported(ticket, entry, now(), whole=False)))
        return
    click.echo(f"{ticket.name}: {standing(ticket, entry)}")


def standing(ticket: Ticket, entry: Entry | None) -> str:
    """Return where a ticket stands, in words."""
    from simdiag.report.terminal import plain
    from simdiag.ticket.states import STAGES, Stage

    words = _("refused by the desk") if is_refused(ticket, entry) else _(STAGES[ticket.stage])
    at = f"{ticket.desk} {ticket.number}".strip()
    if ticket.stage is Stage.NEW and entry is not None and entry.number:
        at = f"{ticket.desk} {entry.number}"  # where a desk by hand finds its papers
    return plain(f"{words} ({at})")


def is_refused(ticket: Ticket, entry: Entry | None) -> bool:
    """Whether the desk will never take it, and nobody has brought it there another way."""
    from simdiag.ticket.entry import Step
    from simdiag.ticket.states import Stage

    return ticket.stage is Stage.NEW and entry is not None and entry.step is Step.DEAD


def on_its_way(ticket: Ticket, entry: Entry | None) -> Iterator[str]:
    """Yield why it waits, when it is tried again, and what to do where it never is."""
    from simdiag.ticket import moment

    if entry is not None and entry.trouble is not None:
        yield entry.trouble.render(_)
    if entry is not None and (left := entry.left(moment.now())) is not None:
        yield next_attempt(left)
    elif entry is not None and entry.state == "held":
        yield _("Nothing is sent there until that is put right: then run `simdiag ticket sync`")
    if is_refused(ticket, entry):
        text = _(
            "Make it anew for another desk, or bring it there yourself: "
            "`simdiag ticket preview {ticket}`, then `simdiag ticket note {ticket} --number …`"
        )
        yield text.format(ticket=ticket.name)
    elif ticket.pending() and ticket.number:
        text = _("to be added at the desk: {count}, by `simdiag ticket sync`")
        yield text.format(count=len(ticket.pending()))


def next_attempt(left_s: float) -> str:
    """Return when a ticket is sent again, for people."""
    from simdiag.ticket import times

    if left_s <= 0:
        return _("next attempt: now, by `simdiag ticket sync`")
    at, begin = now() + timedelta(seconds=left_s), now()
    time = f"{at:%H:%M}" if at.date() == begin.date() else times.shown(at)
    length = duration(timedelta(seconds=max(60, math.ceil(left_s / 60) * 60)))
    return _("next attempt {time}, in {duration}").format(time=time, duration=length)


def duration(length: timedelta) -> str:
    """Return a duration for people: ``3 d 4 h``, ``5 h 20 min``, ``2 min``."""
    minutes = int(length.total_seconds() // 60)
    if minutes >= 24 * 60:
        return _("{days} d {hours} h").format(days=minutes // 1440, hours=minutes % 1440 // 60)
    if minutes >= 60:
        return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
    return _("{minutes} min").format(minutes=minutes)


def sync_now(following: Following, ticket: Ticket) -> Ticket:
    """Send and fetch for one ticket; what could not be done is said, and waits."""
    for trouble in following.sync(ticket):
        if trouble.desk == ticket.desk:
            say_trouble(trouble.desk, trouble.problem.render(_))
    return following.book.find(ticket.key)


def goes_there(following: Following, ticket: Ticket) -> bool:
    """Whether what is added reaches the desk from here; says so on stderr where it does not."""
    if following.takes_more(ticket.desk):
        return True
    text = _("{desk} cannot be written to from here: tell them yourself. It is kept in {ticket}.")
    click.echo(text.format(desk=ticket.desk, ticket=ticket.name), err=True)
    return False


def say_trouble(desk: str, problem: str) -> None:
    """Say on stderr why something waits."""
    from simdiag.report.terminal import plain

    click.echo(plain(f"{desk}: {problem}"), err=True)


def kept_bundle(following: Following, path: Path) -> dict[str, Any]:
    """Keep a bundle that is to follow a ticket; return what its event says of it."""
    kept = following.outbox.keep(path)
    return {"name": path.name, "sha256": kept.sha256, "size": kept.size}


def profile_named(profile_id: str | None, found: CarrierProfile | None) -> CarrierProfile | None:
    """Return the profile that was asked for, else the evidence's; none where it knows nobody."""
    from simdiag.cli.common import chosen_profile

    chosen = chosen_profile(profile_id) or found
    return chosen if chosen is not None and chosen.contacts else None


def show_leaving(settings: DeskSettings, draft: Draft, file: File | None) -> None:
    """Print exactly the bytes that will leave, and on stderr the file with digest and size."""
    from simdiag.ticket.rehearsal import leaving

    click.echo(leaving(settings, draft, file), nl=False)
    if file is None:
        click.echo(_("No file goes with it."), err=True)
        return
    text = _("{name}: {size} bytes, SHA-256 {sha256}")
    click.echo(text.format(name=file.name, size=file.size, sha256=file.sha256), err=True)


def say_whom(draft: Draft, role: str) -> None:
    """Say on stderr who a rung is, how to reach them and what they ask for."""
    from simdiag.message import LocalText
    from simdiag.report.page.operator import CHANNELS
    from simdiag.ticket import ladder

    click.echo(_(ladder.ROLES[role]), err=True)
    rung = ladder.rung(draft, role)
    if rung is not None and rung.note:
        click.echo(f"  {LocalText(rung.note).render(_)}", err=True)
    for contact in ladder.contacts(draft, role):
        note = f"  {LocalText(contact.note).render(_)}" if contact.note else ""
        click.echo(f"  {_(CHANNELS[contact.channel])}: {contact.address}{note}", err=True)
