"""``simdiag bundle show``: what a bundle contains, hides and proves."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.bundles import FILE
from simdiag.cli.common import json_option, language_option


@click.command(help=_("Show what a bundle contains, hides and proves."))
@click.argument("file", type=FILE)
@click.option(
    "--member", metavar="NAME",
    help=_("Print this member as it is, such as evidence/talk.jsonl."),
)  # fmt: skip
@json_option
@language_option
def command(file: Path, member: str | None, as_json: bool) -> int:
    """Show a bundle that is in order."""
    from simdiag.bundle.opening import open_bundle
    from simdiag.cli import bundles
    from simdiag.report.json_text import dumps, visible

    bundle = open_bundle(file)
    if member is not None:
        if member not in bundle.raw:
            text = _("there is no {name}; it holds {names}")
            names = ", ".join(bundle.raw)
            raise click.BadParameter(text.format(name=ascii(member), names=names))
        click.echo(visible(bundle.raw[member].decode("utf-8", "replace")), nl=False)
    elif as_json:
        click.echo(dumps(bundles.as_json(bundle.manifest, **bundles.facts(bundle))))
    else:
        bundles.tell(bundle)
    return 0
