"""``simdiag check``: examine attached devices and say what is wrong."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import (
    chosen_profile,
    json_option,
    language_option,
    profile_option,
    reveal_option,
    warn_of_broken_files,
)

if TYPE_CHECKING:
    from simdiag.agent import Examination, Target


@click.command(
    help=_("Examine a device and say what is wrong, why, who can fix it and what to do next.")
)
@click.option(
    "--port",
    metavar="URL",
    help=_("Port to use: /dev/…, socket://HOST:PORT or rfc2217://HOST:PORT."),
)
@click.option(
    "--device",
    "device_id",
    metavar="ID",
    help=_("Device to examine, as `simdiag devices` names it."),
)
@click.option("--all", "every", is_flag=True, help=_("Examine all attached devices at once."))
@profile_option
@json_option
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=_("Write the exchanges to FILE, identifiers hidden unless revealed."),
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0, max=600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help=_("How long to watch a device that is starting or searching."),
)
@click.option(
    "--baud",
    type=click.IntRange(min=300),
    default=115200,
    show_default=True,
    help=_("Speed of a real serial line; USB ports ignore it."),
)
@click.option(
    "--experiment",
    is_flag=True,
    help=_("Offer steps that change something for a moment to tell causes apart; asks first."),
)
@click.option("--yes", is_flag=True, help=_("Answer yes to what --experiment asks."))
@reveal_option
@language_option
def command(
    port: str | None, device_id: str | None, every: bool, profile_id: str | None, as_json: bool,
    record: Path | None, wait_s: float, baud: int, experiment: bool, yes: bool,
    reveal: frozenset[str],
) -> int:  # fmt: skip
    """Examine and report."""
    if sum(map(bool, (port, device_id, every))) > 1:
        raise click.UsageError(_("--port, --device and --all exclude one another"))
    from simdiag.agent import Options, examine_all, nothing_found
    from simdiag.cli.output import print_result
    from simdiag.cli.progress import LayerProgress
    from simdiag.cli.status import of_cause, worst

    profile = chosen_profile(profile_id)
    _check_writable(record)
    warn_of_broken_files()
    targets = _targets(port, device_id, every)
    if experiment and len(targets) > 1:
        raise click.UsageError(_("--experiment is for one device; choose it with --device"))
    with LayerProgress(len(targets)) as progress:
        confirm = (lambda question: yes or progress.confirm(question)) if experiment else None
        options = Options(profile, wait_s, baud, confirm)
        results = examine_all(targets, options, progress.layer) if targets else [nothing_found()]
    for result in results:
        if record is not None:
            _record(result, record, several=len(results) > 1, reveal=reveal)
        print_result(result, as_json, reveal, device=result.target.name)
    return worst(of_cause(r.diagnosis.cause) for r in results)


def _targets(port: str | None, device_id: str | None, every: bool) -> list[Target]:
    from simdiag.agent import Target
    from simdiag.discovery import Kind, discover

    if port is not None:
        return [Target(port=port)]
    modems = [d for d in discover() if d.kind is Kind.MODEM]
    if device_id is not None:
        found = [d for d in modems if device_id in (d.id, d.usb_id, *(p.path for p in d.ports))]
        if not found:
            raise click.BadParameter(
                _("no such device; attached are: {ids}").format(
                    ids=", ".join(d.id for d in modems) or _("none")
                ),
                param_hint="--device",
            )
        modems = found
    elif len(modems) > 1 and not every:
        lines = "\n".join(f"  --device {d.id}   {d.name}" for d in modems)
        raise click.UsageError(
            _("several devices are attached; choose one, or --all:\n{list}").format(list=lines)
        )
    return [Target(device=d) for d in modems]


def _check_writable(record: Path | None) -> None:
    if record is not None and not record.parent.is_dir():
        raise click.BadParameter(
            _("the folder {folder} does not exist").format(folder=record.parent),
            param_hint="--record",
        )


def _record(result: Examination, path: Path, *, several: bool, reveal: frozenset[str]) -> None:
    """Write the transcript under its final name only once it is whole."""
    from simdiag.redact import Redactor
    from simdiag.transcript.recorded import write_transcript

    if several and result.events:
        path = path.with_stem(f"{path.stem}-{Path(result.events[0].port).name}")
    redactor = Redactor(result.evidence, reveal)
    try:
        write_transcript(path, result.events, redactor.data)
    except OSError as problem:
        why = _(problem.strerror or str(problem))
        click.echo(_("The transcript could not be written: {why}").format(why=why), err=True)
