"""``simdiag usage reconcile``: this computer, the modem and the operator side by side."""

from __future__ import annotations

import sys
import time
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from simdiag.cli.common import chosen_profile, language_option, profile_option
from simdiag.cli.targets import find_targets, port_options
from simdiag.cli.usage_options import db_option, period_options
from simdiag.message import N_, Message, message

_MOST_WORDS = 100_000

if TYPE_CHECKING:
    from simdiag.agent import Examination, Target
    from simdiag.collect.at import AtExamination
    from simdiag.profile import CarrierProfile, UsageQuery
    from simdiag.reconcile.compare import Result


@click.command(
    "reconcile",
    help=_(
        "Compare what passed here with the modem's own counter and the operator's claim, and say "
        "whether anybody counts too much. The modem's counter is read where one is attached; its "
        "readings are kept, and two of them make a period."
    ),
)
@db_option
@period_options
@click.option(
    "--claim", "typed", metavar="AMOUNT",
    help=_("What the operator says was used in this period, such as 12.5GB."),
)  # fmt: skip
@click.option(
    "--claim-file", type=click.File("r", encoding="utf-8", errors="replace"), metavar="FILE",
    help=_("The operator's words: its message or bill as text; - for standard input."),
)  # fmt: skip
@click.option(
    "--fetch", is_flag=True,
    help=_(
        "Ask the operator over the modem, by the code or the message of its profile; asks you "
        "first."
    ),
)  # fmt: skip
@click.option("--yes", is_flag=True, help=_("Answer yes to that question."))
@click.option(
    "--alone/--shared", default=None,
    help=_("Whether nothing else used the device and the card in this period, or something did."),
)  # fmt: skip
@port_options
@profile_option
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
@language_option
def reconcile(
    path: Path | None, since: float | None, until: float | None, typed: str | None,
    claim_file: TextIO | None, fetch: bool, yes: bool, alone: bool | None,
    port: str | None, device_id: str | None, baud: int, profile_id: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Collect the sides, compare, print."""
    from simdiag.cli.status import Status
    from simdiag.reconcile import sides
    from simdiag.reconcile.compare import reconcile as compare
    from simdiag.usage import budget as budgets
    from simdiag.usage import ledger, places

    if sum((typed is not None, claim_file is not None, fetch)) > 1:
        raise click.UsageError(_("--claim, --claim-file and --fetch exclude one another"))
    profile = chosen_profile(profile_id)
    words = claim_file.read(_MOST_WORDS) if claim_file is not None else None
    stored = budgets.load(places.budget_for_reading(path))
    path = path or places.for_reading()
    span = sides.period(stored, since, until, time.time())
    ledger.identities(path)  # raises where nothing can be read: before anything is asked
    modem = _Modem(profile, fetch=fetch, yes=yes)
    modem.examine(_target(port, device_id, needed=fetch), baud)
    modem.keep_reading(path)
    found = sides.collect(
        path, span, device=modem.identity, alone=alone, stored=stored,
        claim=sides.claim_of(typed, modem.answer if fetch else words, modem.profile),
    )  # fmt: skip
    result = compare(found, modem.profile)
    if as_json:
        from simdiag.report.json_text import visible
        from simdiag.report.reconcile_contract import reconcile_json

        click.echo(visible(reconcile_json(result, _)))
    else:
        _show(result)
    statuses = {"consistent": Status.OK, "inconclusive": Status.INCONCLUSIVE}
    return statuses.get(result.verdict, Status.FAULT)


class _Modem:
    """The attached modem: its own counter, and the operator's answer over it."""

    def __init__(self, profile: CarrierProfile | None, *, fetch: bool, yes: bool) -> None:
        self.profile, self._fetch, self._yes = profile, fetch, yes
        self.identity: str | None = None
        self.answer: str | None = None
        self._unasked = Message(N_("the modem was lost before the operator had answered"))
        self._result: Examination | None = None

    def examine(self, target: Target | None, baud: int) -> None:
        """Read the modem, and ask the operator where that was wanted and allowed."""
        from simdiag.agent import Options, examine
        from simdiag.errors import SimdiagError
        from simdiag.reconcile import sides

        if target is None:
            return
        options = Options(profile=self.profile, baud=baud, wait_s=0)
        result = self._result = examine(target, options, then=self._ask if self._fetch else None)
        self.profile = self.profile or result.diagnosis.profile
        if not result.evidence.value("device.answers"):
            text = _("The modem cannot be read ({cause}); `simdiag check` says more.")
            click.echo(text.format(cause=result.diagnosis.cause), err=True)
            if self._fetch:
                raise SimdiagError(N_("without the modem the operator cannot be asked"))
        if self._fetch and self.answer is None:
            raise SimdiagError(self._unasked)
        names = target.device.network_interfaces if target.device else ()
        self.identity = sides.identity(names, result.evidence)

    def keep_reading(self, path: Path) -> None:
        """Add what the modem's counter shows to the readings; where that fails, it is said."""
        from simdiag.errors import SimdiagError
        from simdiag.usage import places, readings

        if self._result is None or self.identity is None:
            return
        reading = readings.of_modem(self._result.evidence, self.identity, time.time())
        if reading is None:
            click.echo(_("This modem has no counter of its own that is known."), err=True)
            return
        try:
            readings.add(places.counters_for_writing(path), reading)
        except SimdiagError as problem:
            text = _("The modem's counter is not kept for later: {why}")
            click.echo(text.format(why=problem.message.render(_)), err=True)

    def _ask(self, examination: AtExamination) -> None:
        """Ask the operator as its profile says, if the user says yes."""
        from simdiag.agent import profile_for
        from simdiag.errors import UnsafeCommand
        from simdiag.reconcile.ask import by_modem, queries

        profile = self.profile or profile_for(examination.evidence)
        query = next(iter(queries(profile, "ussd", "sms")), None)
        if query is None:
            self._unasked = _elsewhere(profile)
            return
        asked = self._yes or (sys.stdin.isatty() and click.confirm(_question(query), err=True))
        if not asked:
            self._unasked = Message(N_("the operator was not asked: answer yes, or give --yes"))
            return
        if query.channel == "sms":
            click.echo(_("The answer may take two minutes; Ctrl-C ends the waiting."), err=True)
        try:
            answer = by_modem(examination, query)
        except UnsafeCommand as refused:
            self._unasked = refused.message
            return
        except KeyboardInterrupt:
            if examination.session.message_given:
                text = _("The message was sent: its answer can be given with --claim-file.")
                click.echo(text, err=True)
            raise
        if answer.problem is not None:
            text = N_("the operator gave no answer: {why}")
            self._unasked = message(text, why=answer.problem)
            return
        self.answer = answer.text


def _question(query: UsageQuery) -> str:
    """Return what the user is asked: all that would be sent, and what that may cost."""
    if query.channel == "sms":
        question = _("Ask the operator by sending the message {words} to {number}? {cost}")
        cost = _("It may cost what your plan says of messages.")
    else:
        question = _("Ask the operator by sending {code} over the modem? {cost}")
        cost = _("Whether that costs anything is not known; such questions are usually free.")
    cost = _("That is free.") if query.free else cost
    return question.format(
        code=query.address, number=query.address, words=query.text, cost=cost
    )  # fmt: skip


def _elsewhere(profile: CarrierProfile | None) -> Message:
    """Return how the operator can be asked by hand where the modem cannot do it."""
    from simdiag.reconcile.ask import queries

    for query in queries(profile, "app"):
        text = N_("this operator tells it in {app}: give the number with --claim")
        return message(text, app=query.address)
    return Message(N_("how this operator is asked is not known: give its number with --claim"))


def _target(port: str | None, device_id: str | None, *, needed: bool) -> Target | None:
    """Return the modem that is named, or the one that is attached; it may be missing."""
    from simdiag.cli.targets import find_target

    if needed:
        return find_target(port, device_id)
    try:
        return next(iter(find_targets(port, device_id)), None)
    except click.UsageError:
        if port is not None or device_id is not None:
            raise
        text = _("Several devices are attached: to read the counter of one, choose it by --device.")
        click.echo(text, err=True)
        return None


def _show(result: Result) -> None:
    from rich.console import Console

    from simdiag.report.reconcile import show

    show(Console(highlight=False), result, _)
