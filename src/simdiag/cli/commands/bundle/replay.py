"""``simdiag bundle replay``: what this version sees in an old bundle."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.bundles import FILE
from simdiag.cli.common import json_option, language_option


@click.command(
    help=_("Examine what a bundle recorded with this version, and say what it sees differently.")
)
@click.argument("file", type=FILE)
@json_option
@language_option
def command(file: Path, as_json: bool) -> int:
    """Run today's parsers and rules on the recorded bytes."""
    from simdiag.bundle import replaying
    from simdiag.bundle.opening import open_bundle
    from simdiag.cli import bundles
    from simdiag.cli.output import print_result
    from simdiag.cli.status import of_cause
    from simdiag.redact import Redactor
    from simdiag.report.json_text import dumps

    bundle = open_bundle(file)
    result = replaying.replay(bundle)
    differences = list(result.differences)
    if as_json:
        cause = result.found.diagnosis.cause
        entry = {"id": bundle.id, "cause": cause, "recorded_cause": bundle.manifest.verdict.cause,
                 "made_by": result.made_by, "version": result.version,
                 "differences": [d._asdict() for d in differences]}  # fmt: skip
        click.echo(dumps(entry))
    else:
        as_it_is = Redactor(result.found.evidence, {"all"})
        print_result(result.found, False, as_it_is, device=f"bundle {bundle.id}")
        text = _("simdiag {version} sees what {made_by} saw.")
        click.echo()
        none = text.format(version=result.version, made_by=result.made_by)
        bundles.tell_differences(differences, none)
    return of_cause(result.found.diagnosis.cause)
