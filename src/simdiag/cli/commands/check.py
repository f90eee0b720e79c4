"""``simdiag check``: examine attached devices and say what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
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
    record_option,
    reveal_option,
    wait_option,
    warn_of_broken_files,
)
from simdiag.cli.targets import find_targets, port_options

if TYPE_CHECKING:
    from simdiag.agent import Examination


@click.command(
    help=_("Examine a device and say what is wrong, why, who can fix it and what to do next.")
)
@port_options
@click.option("--all", "every", is_flag=True, help=_("Examine all attached devices at once."))
@profile_option
@json_option
@record_option
@wait_option
@click.option(
    "--experiment",
    is_flag=True,
    help=_("Offer steps that change something for a moment to tell causes apart; asks first."),
)
@click.option("--yes", is_flag=True, help=_("Answer yes to what --experiment asks."))
@click.option(
    "--swap",
    is_flag=True,
    help=_("Examine twice, with a card that works elsewhere in between: card or device?"),
)
@interrupt_option
@reveal_option
@language_option
def command(
    port: str | None, device_id: str | None, every: bool, profile_id: str | None, as_json: bool,
    record: Path | None, wait_s: float, baud: int, experiment: bool, yes: bool,
    swap: bool, interrupt: bool, reveal: frozenset[str],
) -> int:  # fmt: skip
    """Examine and report."""
    from simdiag.agent import Options, examine_all, nothing_found
    from simdiag.cli.output import print_result, write_record
    from simdiag.cli.progress import LayerProgress
    from simdiag.cli.status import Status, of_cause, worst
    from simdiag.redact import Redactor

    profile = chosen_profile(profile_id)
    warn_of_broken_files()
    targets = find_targets(port, device_id, every)
    if (experiment or swap) and len(targets) > 1:
        raise click.UsageError(_("--experiment and --swap are for one device; choose it"))

    def run() -> list[Examination]:
        with LayerProgress(len(targets)) as progress:
            confirm = (lambda question: yes or progress.confirm(question)) if experiment else None
            options = Options(profile, wait_s, baud, interrupt, confirm)
            results = examine_all(targets, options, progress.layer)
        for result in results:
            redactor = Redactor(result.evidence, reveal)
            if record is not None:
                write_record(result, record, redactor, several=len(results) > 1)
            print_result(result, as_json, redactor, device=result.target.name)
        return results

    if not targets:
        nothing = nothing_found()
        print_result(nothing, as_json, Redactor(nothing.evidence, reveal))
        return Status.NOT_EXAMINED
    results = run()
    if swap:
        _compare(results[0], run, as_json)
    return worst(of_cause(r.diagnosis.cause) for r in results)


def _compare(first: Examination, run: Callable[[], list[Examination]], as_json: bool) -> None:
    """Have the card exchanged, examine again and say where the fault sits."""
    from simdiag.report.json_text import dumps
    from simdiag.swap import compare

    click.echo(
        _("Now put a card that works elsewhere into this device, and press Enter."), err=True
    )
    sys.stdin.readline()
    second = run()[0]
    verdict = compare(first.diagnosis, second.diagnosis, (first.evidence, second.evidence))
    text = verdict.text.render(_)
    if as_json:
        entry = {"schema": "simdiag/swap/1", "fault_in": verdict.seat, "text": text}
        click.echo(dumps(entry))
    else:
        click.secho(text, bold=True)
