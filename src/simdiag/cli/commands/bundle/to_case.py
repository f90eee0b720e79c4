"""``simdiag bundle to-case``: a bundle as a test case."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.bundles import FILE
from simdiag.cli.common import json_option, language_option


@click.command(help=_("Print a bundle as a test case, one line of JSON."))
@click.argument("file", type=FILE)
@click.option(
    "--accept", metavar="CODES", default="",
    help=_("Causes that count as right, the established one first; else the bundle's verdict."),
)  # fmt: skip
@click.option("--why", default="", metavar="TEXT", help=_("How the cause was established."))
@json_option
@language_option
def command(file: Path, accept: str, why: str, as_json: bool) -> int:
    """Print the case; it is JSON in any case."""
    from simdiag.bundle.cases import case_of
    from simdiag.bundle.opening import open_bundle
    from simdiag.causes import CAUSES
    from simdiag.report.json_text import dumps

    codes = tuple(code.strip() for code in accept.split(",") if code.strip())
    if unknown := set(codes) - set(CAUSES):
        text = _("there is no cause {code}; `simdiag explain` knows them all")
        raise click.BadParameter(text.format(code=ascii(", ".join(sorted(unknown)))))
    case = case_of(open_bundle(file), codes, why)
    click.echo(dumps(case))
    if not case["scored"]:
        text = _("The exchanges alone do not give this cause, so the case is not scored.")
        click.echo(text, err=True)
    return 0
