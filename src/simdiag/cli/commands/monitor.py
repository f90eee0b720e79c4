"""``simdiag monitor``: signal, cell and registration over time, with advice."""

from __future__ import annotations

from dataclasses import asdict
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import language_option, record_option, reveal_option
from simdiag.cli.targets import find_target, port_options

if TYPE_CHECKING:
    from simdiag.collect.at import AtExamination
    from simdiag.monitor import Sample


@click.command(help=_("Watch signal, cell and registration over time and say what to do about it."))
@port_options
@click.option(
    "--interval", type=click.FloatRange(min=0.2), default=2.0, show_default=True,
    metavar="SECONDS", help=_("Time from one reading to the next."),
)  # fmt: skip
@click.option(
    "--duration", type=click.FloatRange(min=0), default=60.0, show_default=True,
    metavar="SECONDS", help=_("How long to watch; Ctrl-C ends it earlier."),
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON, one reading per line."))
@record_option
@reveal_option
@language_option
def command(
    port: str | None, device_id: str | None, baud: int, interval: float, duration: float,
    as_json: bool, record: Path | None, reveal: frozenset[str],
) -> int:  # fmt: skip
    """Watch and summarise."""
    from simdiag.agent import Options, examine
    from simdiag.cli.output import print_result, write_record
    from simdiag.cli.status import of_cause
    from simdiag.monitor import summarise, watch
    from simdiag.redact import Redactor
    from simdiag.report.curve import SignalCurve
    from simdiag.report.json_text import dumps

    samples: list[Sample] = []
    curve = SignalCurve(_)

    def each(sample: Sample) -> None:
        samples.append(sample)
        if as_json:
            click.echo(dumps(asdict(sample)))
        else:
            curve.add(sample)

    def then(examination: AtExamination) -> None:
        try:
            watch(examination, interval, duration, each)
        except KeyboardInterrupt:
            return

    result = examine(find_target(port, device_id), Options(wait_s=0, baud=baud), then=then)
    redactor = Redactor(result.evidence, reveal)
    if record is not None:
        write_record(result, record, redactor)
    if not samples:
        print_result(result, as_json, redactor, device=result.target.name)
        return of_cause(result.diagnosis.cause)
    summary = summarise(samples)
    if as_json:
        advice = [a.render(_) for a in summary.advice]
        click.echo(dumps(asdict(summary) | {"advice": advice}))
    else:
        curve.show_summary(summary)
    return 0
