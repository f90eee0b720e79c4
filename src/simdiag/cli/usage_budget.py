"""``simdiag usage budget``: what the plan holds, how far it is used, how long it lasts."""

from __future__ import annotations

import time
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import language_option

if TYPE_CHECKING:
    from simdiag.usage.budget import Budget, Standing


@click.command(
    "budget",
    help=_(
        "Store what the plan holds (30GB), or show how it stands: used, thresholds reached, the "
        "day on which it runs out. Exit status 1 if it is used up or will be too early."
    ),
)
@click.argument("limit", required=False, metavar="[AMOUNT]")
@click.option(
    "--reset-day", type=click.IntRange(1, 31), metavar="DAY",
    help=_("Day of the month on which the plan begins anew; 31 is the last day.  [default: 1]"),
)  # fmt: skip
@click.option(
    "--thresholds", metavar="PERCENT,…",
    help=_("Per cent that are worth a warning.  [default: 50,80,100]"),
)  # fmt: skip
@click.option(
    "--timezone", "zone", metavar="ZONE",
    help=_("The operator's time zone, such as Asia/Shanghai; without it, this computer's."),
)  # fmt: skip
@click.option("--remove", "forget", is_flag=True, help=_("Forget what was stored."))
@click.option(
    "--db", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help=_("Database to read; the budget is kept beside it."),
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
@language_option
def budget(
    limit: str | None, reset_day: int | None, thresholds: str | None, zone: str | None,
    forget: bool, path: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Store, show or forget."""
    from simdiag.cli.status import Status
    from simdiag.errors import SimdiagError
    from simdiag.usage import budget as budgets
    from simdiag.usage import places
    from simdiag.usage.standing import standing

    kept = places.budget_for_writing(path)
    if forget:
        gone = budgets.remove(kept)
        click.echo(_("The budget is forgotten.") if gone else _("No budget was stored."), err=True)
        return Status.OK
    changes = {"reset_day": reset_day, "thresholds": thresholds, "zone": zone}
    if limit is not None or any(value is not None for value in changes.values()):
        budgets.save(kept, _changed(budgets.load(kept), limit, reset_day, thresholds, zone))
    stored = budgets.load(kept if path or kept.exists() else places.budget_for_reading())
    if stored is None:
        raise click.UsageError(
            _("no budget is stored: set one, such as `simdiag usage budget 30GB --reset-day 1`")
        )
    try:
        found = standing(path or places.for_reading(), stored, time.time())
    except SimdiagError as problem:
        if limit is None:
            raise
        click.echo(_("The budget is stored. {why}").format(why=problem.message.render(_)), err=True)
        return Status.OK
    if as_json:
        from simdiag.report.budget_contract import budget_json
        from simdiag.report.json_text import visible

        click.echo(visible(budget_json(found)))
    else:
        _show(found)
    return Status.FAULT if found.ends_early else Status.OK


def _changed(
    stored: Budget | None, limit: str | None, reset_day: int | None, thresholds: str | None,
    zone: str | None,
) -> Budget:  # fmt: skip
    """Return the budget that the options ask for; what they leave out stays as it was."""
    from simdiag.sizes import read_size
    from simdiag.usage.budget import THRESHOLDS, Budget, zone_of

    if limit is None and stored is None:
        raise click.UsageError(_("say how much the plan holds, such as 30GB"))
    octets = read_size(limit) if limit is not None else stored.limit_bytes if stored else 0
    zone_of(zone or "")
    try:
        marks = stored.thresholds if stored else THRESHOLDS
        if thresholds is not None:
            marks = tuple(sorted({int(mark.strip(" %")) for mark in thresholds.split(",")}))
        return Budget(
            octets,
            reset_day if reset_day is not None else stored.reset_day if stored else 1,
            marks,
            zone if zone is not None else stored.zone if stored else "",
        )
    except ValueError as problem:
        raise click.UsageError(
            _("a budget is an amount above zero, and thresholds are per cent: 50,80,100")
        ) from problem


def _show(found: Standing) -> None:
    from rich.console import Console
    from rich.text import Text

    from simdiag.report.usage_text import budget_lines

    console = Console(highlight=False)
    width = max(10, min(50, console.width - 10))
    filled = min(width, width * found.percent // 100)
    style = "red" if found.percent >= 100 else "yellow" if found.ends_early else "green"
    console.print(
        Text.assemble(("█" * filled, style), ("░" * (width - filled), "dim"), f" {found.percent} %")
    )
    for line, urgent in budget_lines(found):
        console.print(Text(line.render(_), "bold yellow" if urgent else ""))
