"""``simdiag bundle original``: what a stand-in stands for."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli.common import language_option


@click.command(help=_("Turn a stand-in of your own bundles back, such as one in a desk's answer."))
@click.argument("kind")
@click.argument("token")
@language_option
def command(kind: str, token: str) -> int:
    """Print the real value; only the installation that made the stand-in can."""
    from simdiag.bundle import keys
    from simdiag.pseudonym import KINDS, Pseudonyms, new_key

    if kind not in KINDS:
        text = _("unknown kind {kind}; choose from {kinds}")
        raise click.BadParameter(text.format(kind=ascii(kind), kinds=", ".join(KINDS)))
    names = Pseudonyms(keys.kept("pseudonym.key", new_key))
    click.echo(names.original(kind, token))
    return 0
