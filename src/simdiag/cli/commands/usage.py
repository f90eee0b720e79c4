"""``simdiag usage``: record who uses a modem's data, and report it."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import language_option
from simdiag.usage.records import By

if TYPE_CHECKING:
    from simdiag.message import Message


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
    help=_("End after so many seconds."),
)  # fmt: skip
@language_option
def record(name: str | None, path: Path | None, duration: float | None) -> int:
    """Record until the time is over."""
    from contextlib import closing

    from simdiag.cli.status import Status
    from simdiag.usage import links, places
    from simdiag.usage.recorder import Recorder, best_meter
    from simdiag.usage.store import Store

    path = path or places.for_recording()
    interface = links.choose(name)
    ended = _end(duration)
    with Store(path) as store, closing(best_meter(_say)) as meter:
        text = _("Recording {name} into {path}, method {method}. Ctrl-C ends it.")
        values = {"name": interface.link.name, "path": path, "method": meter.method.value}
        click.echo(text.format(**values), err=True)
        for blind_spot in meter.blind_spots:
            _say(blind_spot)
        if not interface.is_measured:
            text = _("The headers that its driver counts are not known: its total is an estimate.")
            click.echo(text, err=True)
        Recorder(store, interface.link, meter, _say).run(ended)
    return Status.OK


@command.command(help=_("Report who used how much of what was recorded."))
@click.option(
    "--db", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help=_("Database to read."),
)  # fmt: skip
@click.option(
    "--since", metavar="TIME", callback=lambda _ctx, _param, text: _moment(text),
    help=_("From this day or time on: 2026-10-01, or 2026-10-01T08:00 (local time)."),
)  # fmt: skip
@click.option(
    "--until", metavar="TIME", callback=lambda _ctx, _param, text: _moment(text, end=True),
    help=_("Up to and with this day, or up to this time."),
)  # fmt: skip
@click.option(
    "--by", type=click.Choice([by.value for by in By]), default="process", show_default=True,
    help=_("What a row stands for."),
)  # fmt: skip
@click.option("--json", "form", flag_value="json", help=_("Print JSON."))
@click.option("--csv", "form", flag_value="csv", help=_("Print CSV."))
@language_option
def report(
    path: Path | None, since: float | None, until: float | None, by: str, form: str | None
) -> None:
    """Read and print."""
    from simdiag.usage import export, ledger, places

    found = ledger.report(path or places.for_reading(), By(by), since, until)
    if form == "json":
        click.echo(json.dumps(export.as_json(found), ensure_ascii=False))
    elif form == "csv":
        click.echo(export.as_csv(found), nl=False)
    else:
        from rich.console import Console

        from simdiag.cli.usage_report import show

        show(Console(highlight=False), found)


def _end(duration: float | None) -> Callable[[], bool]:
    """Return what tells that the time is over, or that a signal asked to end."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as ``nohup`` wants it
            signal.signal(number, lambda _signal, _frame: asked.set())
    last = math.inf if duration is None else time.monotonic() + duration
    return lambda: asked.is_set() or time.monotonic() >= last


def _say(text: Message) -> None:
    click.echo(text.render(_), err=True)


def _moment(text: str | None, *, end: bool = False) -> float | None:
    """Return a day's begin (or, as an end, the next day's) or a time as Unix time."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-10-01"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, datetime.min.time()).astimezone().timestamp()
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError) as problem:
        raise click.BadParameter(_("{text} is not a day or time").format(text=text)) from problem
