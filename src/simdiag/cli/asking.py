"""Asks what a ticket still lacks, in the user's language; every question can be left with Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from gettext import gettext as _
from typing import Any

import click

from simdiag.errors import SimdiagError
from simdiag.message import N_
from simdiag.ticket import judging, times
from simdiag.ticket.account import Account
from simdiag.ticket.answers import Answers
from simdiag.ticket.draft import Category
from simdiag.ticket.drafting import category_of
from simdiag.ticket.facts import Facts

NEEDED = {
    "category": "--category",
    "happened": "--when",
    "place": "--where",
    "seen": "--seen",
}
"""What a desk cannot do without, and the option that says it."""
_NO_PLACE = (Category.TOP_UP, Category.BILLING_DISPUTE, Category.PLAN_CHANGE, Category.ENQUIRY,
             Category.COMPLAINT, Category.USAGE_DISPUTE)  # fmt: skip
"""Kinds of request that happen nowhere."""
_MOST_STEPS = 20
_PAUSE_S = 0.15
"""Longer than between two lines of a text that is pasted, shorter than between two of a person."""
_PASTE_S = 10.0


def missing(answers: Answers, facts: Facts | None) -> list[str]:
    """Return the names of the answers that neither the user nor the evidence has given."""
    known = answers.said().keys() | answered(facts)
    lacking = [name for name in NEEDED if name not in known]
    if "category" not in lacking and category_of(answers, facts) in _NO_PLACE:
        lacking = [name for name in lacking if name != "place"]
    return lacking


def answered(facts: Facts | None) -> set[str]:
    """Return what the evidence answers by itself."""
    if facts is None:
        return set()
    found = {"category", "seen"} if facts.names_a_fault else set()
    return found | ({"happened"} if facts.examined is not None else set())


def filled(answers: Answers, facts: Facts | None) -> Answers:
    """Return the answers with the time of the examination where no other was given."""
    if answers.happened or facts is None or facts.examined is None:
        return answers
    return answers.model_copy(update={"happened": times.shown(facts.examined.astimezone())})


def ask(answers: Answers, facts: Facts | None, account: Account, now: datetime) -> Answers:
    """Ask for everything that was not said and that the evidence does not answer."""
    known: dict[str, Any] = answers.said()
    settled = known.keys() | (answered(facts) - {"happened"})
    if "category" not in settled:
        known["category"] = _choice(_("What kind of request is it?"), judging.CATEGORIES)
    lacking = missing(Answers(**known), facts)
    if "happened" not in settled:
        begun = times.shown(facts.examined.astimezone()) if facts and facts.examined else ""
        known["happened"] = _text(
            _("Since when? A day, a time, or a span (2026-10-01 .. 2026-10-15)"),
            begun or times.shown(now), lambda text: times.period(text, now),
        )  # fmt: skip
    if "place" in lacking:
        known["place"] = _text(_("Where? City, street, floor, indoors or outdoors"))
    if "seen" not in settled:
        known["seen"] = _text(_("What did you see? Words on the screen and numbers help most"))
        known["seen"] += _rest_of_paste()
    if "steps" not in settled:
        known["steps"] = tuple(_steps())
    if "wish" not in settled:
        category = category_of(Answers(**known), facts)
        usual = _(judging.WISHES[category])
        wish = _text(_("What do you wish for?"), usual)
        known["wish"] = "" if wish == usual else wish  # the draft says it in the desk's language
    for name, question, check in _ACCOUNT:
        if name not in settled:
            before = getattr(account, name)
            known[name] = _text(_(question), str(before or ""), check and _checking(check, now))
    return Answers(**{name: value for name, value in known.items() if value not in ("", ())})


def agreed(question: str, *, default: bool) -> bool:
    """Ask yes or no; lines that were pasted before are no answer to it."""
    _rest_of_paste()
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    return click.confirm(question, default=default, err=True)


def _rest_of_paste() -> str:
    """Return the lines that came with the one that was read, each after a line end."""
    kept, deadline = b"", time.monotonic() + _PASTE_S
    while (
        sys.stdin.isatty()
        and time.monotonic() < deadline
        and select.select([sys.stdin], [], [], _PAUSE_S)[0]
        and (line := os.read(sys.stdin.fileno(), 1 << 16))
    ):
        kept += line
    return f"\n{kept.decode('utf-8', 'replace')}" if kept else ""


def choose(question: str, names: Sequence[str]) -> str:
    """Ask which of some names is meant; Enter takes the first."""
    return str(click.prompt(question, default=names[0], type=click.Choice(names), err=True))


_ACCOUNT: tuple[tuple[str, str, Callable[[str, datetime], Any] | None], ...] = (
    ("seller", N_("Who sold the card?"), None),
    ("order", N_("Number of the order"), None),
    ("bought", N_("Day of the order, such as 2026-10-01"), times.day),
    ("plan", N_("Plan of the card"), None),
    ("account", N_("Your number or account at the operator; it is sent as you type it"), None),
)


def _checking(check: Callable[[str, datetime], Any], now: datetime) -> Callable[[str], Any]:
    return lambda text: check(text, now)


def _text(question: str, default: str = "", check: Callable[[str], Any] | None = None) -> Any:
    """Ask for a text; Enter takes what stands in brackets, ``-`` leaves the answer out."""

    def value(text: str) -> Any:
        if text.strip() in ("", "-"):
            return ""
        try:
            return check(text) if check else text.strip()
        except SimdiagError as problem:
            raise click.UsageError(problem.message.render(_)) from problem

    return click.prompt(question, default=default or "-", value_proc=value, err=True)


def _choice(question: str, names: Mapping[Any, str]) -> Any:
    """Ask for one of several, by number; Enter takes the one that is asked for most."""
    kinds = list(names)
    click.echo(question, err=True)
    for number, kind in enumerate(kinds, 1):
        click.echo(f"  {number}. {_(names[kind])}", err=True)
    most = kinds.index(Category.NO_SERVICE) + 1
    number = click.prompt(_("Number"), default=most, type=click.IntRange(1, len(kinds)), err=True)
    return kinds[number - 1]


def _steps() -> list[str]:
    steps: list[str] = []
    question = _("What have you tried, and how did it end? (restart, other phone …)")
    while len(steps) < _MOST_STEPS and (step := _text(question)):
        steps.append(step)
        question = _("What else?")
    return steps
