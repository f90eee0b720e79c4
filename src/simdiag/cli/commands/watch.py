"""``simdiag watch``: examine devices as they are plugged in."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import (
    chosen_profile,
    interrupt_option,
    json_option,
    language_option,
    profile_option,
    reveal_option,
    wait_option,
    warn_of_broken_files,
)
from simdiag.cli.shelf import KEEP, Shelf
from simdiag.cli.signals import when_asked_to_end

if TYPE_CHECKING:
    from simdiag.agent import Examination
    from simdiag.cli.bench import Quiet, Take
    from simdiag.watch import Visit


def _folder(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    """Make the folder for the results, so that what is wrong with it is said at once."""
    if path is not None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            text = _("the folder {folder} cannot be made: {why}")
            why = _(problem.strerror or str(problem))
            raise click.BadParameter(text.format(folder=path, why=why)) from problem
    return path


@click.command(
    help=_(
        "Wait for devices and examine each as it is plugged in, several at a time, until Ctrl-C. "
        "Devices that are attached already are examined first."
    )
)
@profile_option
@json_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False, writable=True), metavar="DIR",
    callback=_folder,
    help=_("Write a transcript and a JSON file into DIR for each, identifiers hidden."),
)  # fmt: skip
@click.option(
    "--bundles",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    metavar="DIR",
    callback=_folder,
    help=_(
        "Write a fault bundle into DIR for each, as `simdiag bundle` does; identifiers are hidden "
        "in it whatever --reveal says."
    ),
)
@click.option(
    "--keep", type=click.IntRange(min=0), metavar="N", show_default=str(KEEP),
    help=_(
        "Keep the files of the newest N examinations in each DIR: older ones that watch has "
        "written there are removed; 0 keeps all."
    ),
)  # fmt: skip
@wait_option
@click.option("--new-only", is_flag=True, help=_("Pass over the devices that are attached now."))
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help=_("End after N examinations.")
)
@interrupt_option
@reveal_option
@language_option
def command(
    profile_id: str | None, as_json: bool, out: Path | None, bundles: Path | None,
    keep: int | None, wait_s: float, new_only: bool, count: int | None, interrupt: bool,
    reveal: frozenset[str],
) -> int:  # fmt: skip
    """Watch the bus."""
    from simdiag.agent import Options
    from simdiag.cli.archive import Archive
    from simdiag.cli.bundles import own_names
    from simdiag.cli.bundling import Bundling
    from simdiag.cli.output import print_result
    from simdiag.cli.status import Status, of_cause, worst
    from simdiag.redact import Redactor
    from simdiag.watch import Watcher, examine_device, usb_source

    if keep is not None and out is None and bundles is None:
        raise click.UsageError(_("--keep needs --out or --bundles"))
    options = Options(chosen_profile(profile_id), wait_s, interrupt=interrupt)
    warn_of_broken_files()
    keep = KEEP if keep is None else keep
    archive = Archive(Shelf(out, keep)) if out else None
    bundling = Bundling(Shelf(bundles, keep), options.cancel) if bundles else None
    if bundling is not None:
        own_names()  # what is wrong with their key is said at once
    statuses: set[Status] = set()

    def take(visit: Visit, result: Examination) -> None:
        statuses.add(of_cause(result.diagnosis.cause))
        redactor = Redactor(result.evidence, reveal)
        if archive is not None:
            archive.keep(visit, result, redactor)
        if as_json:
            print_result(result, True, redactor, device=result.target.name)

    source = usb_source()
    if source.hint:
        click.echo(source.hint.render(_), err=True)
    with _display(take, as_json) as display:
        watcher = Watcher(
            source, partial(examine_device, options), display, options.cancel, keep=bundling
        )
        signal.signal(signal.SIGWINCH, lambda _signal, _frame: watcher.wake())
        when_asked_to_end(watcher.end)
        watcher.run(count=count, new_only=new_only)
    return Status.OK if watcher.was_ended else worst(statuses)


def _display(take: Take, as_json: bool) -> Quiet:
    from simdiag.cli.bench import Lines, LiveTable, Quiet

    if as_json:
        return Quiet(take)
    can_move_the_cursor = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "dumb")
    return LiveTable(take) if can_move_the_cursor else Lines(take)
