"""``simdiag bundle diff``: what differs between two bundles."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.bundles import FILE
from simdiag.cli.common import json_option, language_option


@click.command(help=_("Say what differs between two bundles: verdict, observations, members."))
@click.argument("first", type=FILE, metavar="A")
@click.argument("second", type=FILE, metavar="B")
@json_option
@language_option
def command(first: Path, second: Path, as_json: bool) -> int:
    """Compare two bundles."""
    from simdiag.bundle.comparing import compare
    from simdiag.bundle.opening import open_bundle
    from simdiag.cli import bundles
    from simdiag.report.json_text import dumps

    a, b = open_bundle(first), open_bundle(second)
    found = compare(a, b)
    if as_json:
        click.echo(dumps({"a": a.id, "b": b.id, "differences": [d._asdict() for d in found]}))
    else:
        bundles.tell_differences(found, _("The two say the same."))
    return 0
