"""``simdiag bundle original``: what a stand-in stands for."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli.common import json_option, language_option


@click.command(help=_("Turn a stand-in of your own bundles back, such as one in a desk's answer."))
@click.argument("kind")
@click.argument("token")
@json_option
@language_option
def command(kind: str, token: str, as_json: bool) -> int:
    """Print the real value; only the installation that made the stand-in can."""
    from simdiag.cli.bundles import own_names
    from simdiag.pseudonym import KINDS
    from simdiag.report.json_text import dumps
    from simdiag.report.terminal import plain

    if kind not in KINDS:
        text = _("unknown kind {kind}; choose from {kinds}")
        raise click.BadParameter(text.format(kind=ascii(kind), kinds=", ".join(KINDS)))
    original = own_names().original(kind, token)
    entry = {"kind": kind, "token": token, "original": original}
    click.echo(dumps(entry) if as_json else plain(original))
    return 0
