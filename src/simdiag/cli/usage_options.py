"""Options that the commands of ``simdiag usage`` share."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import F


def db_option(command: F) -> F:
    """Add ``--db``."""
    return click.option(
        "--db", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help=_("Database to read."),
    )(command)  # fmt: skip


def period_options(command: F) -> F:
    """Add ``--since`` and ``--until``, as Unix times."""
    for option in (
        click.option(
            "--until", metavar="TIME", callback=lambda _ctx, _param, text: _moment(text, end=True),
            help=_("Up to and with this day, or up to this time."),
        ),
        click.option(
            "--since", metavar="TIME", callback=lambda _ctx, _param, text: _moment(text),
            help=_("From this day or time on: 2026-10-01, or 2026-10-01T08:00 (local time)."),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _moment(text: str | None, *, end: bool = False) -> float | None:
    """Return a day's begin (or, as an end, the next day's) or a time as Unix time."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-10-01"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, datetime.min.time()).astimezone().timestamp()
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            # An hour that occurs twice belongs to the period with both.
            moment = _existing(moment.replace(fold=int(end)), text)
        return moment.timestamp()
    except (ValueError, OverflowError) as problem:
        raise click.BadParameter(_("{text} is not a day or time").format(text=text)) from problem


def _existing(moment: datetime, text: str) -> datetime:
    """Refuse a local time that the clocks left out."""
    if datetime.fromtimestamp(moment.timestamp()) != moment:  # noqa: DTZ006 - local
        problem = _("{text} does not exist: the clocks were put forward then")
        raise click.BadParameter(problem.format(text=text))
    return moment
