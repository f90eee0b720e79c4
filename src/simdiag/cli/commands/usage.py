"""``simdiag usage``: record who uses a modem's data, and report it."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import language_option
from simdiag.cli.signals import when_asked_to_end
from simdiag.cli.usage_budget import budget
from simdiag.cli.usage_options import db_option, period_options
from simdiag.cli.usage_reconcile import reconcile
from simdiag.usage.records import By

if TYPE_CHECKING:
    from simdiag.message import Message
    from simdiag.usage.ledger import Report
    from simdiag.usage.links import Interface
    from simdiag.usage.store import Store
    from simdiag.usage.timeline import Slice


@click.group(help=_("Who used the data: record traffic by program, and report it."))
def command() -> None:
    """Hold the commands together."""


@command.command(
    help=_(
        "Record the traffic of a modem's network interface by program until Ctrl-C. As root it is "
        "counted in the kernel, exactly; otherwise by the statistics of TCP sockets."
    )
)
@click.option(
    "--interface", "name", metavar="IF",
    help=_("Network interface, such as wwan0; the modem's is found by itself."),
)  # fmt: skip
@click.option(
    "--db", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help=_("Database to add to."),
)  # fmt: skip
@click.option(
    "--duration", type=click.FloatRange(min=0), metavar="SECONDS",
    callback=lambda _ctx, _param, seconds: _number(seconds),
    help=_("End after so many seconds."),
)  # fmt: skip
@click.option(
    "--wait", is_flag=True, help=_("Wait for the interface if it is not there yet, as a service."),
)  # fmt: skip
@language_option
def record(name: str | None, path: Path | None, duration: float | None, wait: bool) -> int:
    """Record until the time is over."""
    from simdiag.cli.status import Status
    from simdiag.usage import links, places
    from simdiag.usage.store import Store

    path = path or places.for_recording()
    ended = _end(duration)
    interface = links.await_one(name, ended, _say) if wait else links.choose(name)
    if interface is None:
        return Status.OK
    with Store(path) as store:
        while interface is not None:
            _record(store, path, interface, ended, may_change=name is None)
            interface = None if ended() else links.await_one(name, ended, _say)
    return Status.OK


def _record(
    store: Store, path: Path, interface: Interface, ended: Callable[[], bool], *, may_change: bool
) -> None:
    """Record until the time is over, or until the modem has gone and another one has come."""
    from contextlib import closing

    from simdiag.usage import links
    from simdiag.usage.recorder import Recorder, best_meter

    link = interface.link
    with closing(best_meter(link.name, _say)) as meter:
        text = _("Recording {name} into {path}, method {method}. Ctrl-C ends it.")
        values = {"name": link.name, "path": path, "method": meter.method.value}
        click.echo(text.format(**values), err=True)
        for blind_spot in meter.blind_spots:
            _say(blind_spot)
        if not interface.is_measured:
            text = _("The headers that its driver counts are not known: its total is an estimate.")
            click.echo(text, err=True)
        recorder = Recorder(store, link, meter, _say)
        recorder.run(
            lambda: ended() or (may_change and recorder.is_away and links.is_replaced(link))
        )


@command.command(help=_("Report who used how much of what was recorded."))
@db_option
@period_options
@click.option(
    "--interface", "name", metavar="IF",
    help=_("Only what went over this network interface.  [default: all that were recorded]"),
)  # fmt: skip
@click.option(
    "--by", type=click.Choice([by.value for by in By]), default="process", show_default=True,
    help=_("What a row stands for."),
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(min=2), default=20, show_default=True, metavar="N",
    help=_("So many rows; what the others come to is one more."),
)  # fmt: skip
@click.option("--json", "form", flag_value="json", help=_("Print JSON, all rows."))
@click.option("--csv", "form", flag_value="csv", help=_("Print CSV, all rows."))
@click.option(
    "--html", "form", flag_value="html",
    help=_("Print a page with charts, one file: … --html > usage.html"),
)  # fmt: skip
@language_option
def report(
    path: Path | None, since: float | None, until: float | None, name: str | None, by: str,
    top: int, form: str | None,
) -> int:  # fmt: skip
    """Read and print; of a damaged file what is left."""
    from dataclasses import replace

    from simdiag.cli.status import Status
    from simdiag.usage import ledger, places
    from simdiag.usage.salvage import readable

    ledger.check_period(since, until)
    with readable(path or places.for_reading()) as (file, damage):
        if name is not None:
            ledger.check_interface(file, name)
        found = ledger.report(file, By(by), since, until, name)
        _print(file, replace(found, damaged=damage is not None), name, form, top)
    if damage is None:
        return Status.OK
    _say(damage.message)
    return Status.INCONCLUSIVE


def _print(path: Path, found: Report, name: str | None, form: str | None, top: int) -> None:
    from simdiag.usage import export

    if form == "json":
        from simdiag.report.json_text import dumps

        click.echo(dumps(export.as_json(found)))
    elif form == "csv":
        click.echo(export.as_csv(found), nl=False)
    elif form == "html":
        _print_page(path, found, name, top)
    else:
        from rich.console import Console

        from simdiag.cli.usage_report import show

        show(Console(highlight=False), found, *_slices(path, found, name), top=top)


def _slices(path: Path, found: Report, name: str | None) -> tuple[tuple[Slice, ...], By]:
    """Return what to plot of a report's period: its hours, or the days of a longer one."""
    from simdiag.report.usage_text import step_of
    from simdiag.usage.timeline import timeline

    days = timeline(path, By.DAY, found.since, found.until, name)
    if not days or step_of(days[0].start, days[-1].start) is By.DAY:
        return days, By.DAY
    return timeline(path, By.HOUR, found.since, found.until, name), By.HOUR


def _print_page(path: Path, found: Report, name: str | None, top: int) -> None:
    if sys.stdout.isatty():
        raise click.UsageError(
            _("say where the page goes: simdiag usage report --html > usage.html")
        )
    from simdiag.report.usage_page import page
    from simdiag.usage import ledger

    slices, step = _slices(path, found, name)
    clients = ledger.report(path, By.CLIENT, found.since, found.until, name)
    click.echo(page(
        found, _, slices=slices, by=step, clients=None if found.by is By.CLIENT else clients,
        made=datetime.now().astimezone(), top=top,
    ))  # fmt: skip


command.add_command(budget)
command.add_command(reconcile)


def _number(seconds: float | None) -> float | None:
    """Refuse what a range lets pass: ``nan`` is not below its begin."""
    if seconds is not None and math.isnan(seconds):
        raise click.BadParameter(_("it is not a number"))
    return seconds


def _end(duration: float | None) -> Callable[[], bool]:
    """Return what tells that the time is over, or that a signal asked to end."""
    asked = threading.Event()
    when_asked_to_end(asked.set)
    last = math.inf if duration is None else time.monotonic() + duration
    return lambda: asked.is_set() or time.monotonic() >= last


def _say(text: Message) -> None:
    click.echo(text.render(_), err=True)
