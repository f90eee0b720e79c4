"""``simdiag desk``: what a support desk does with the bundles that it is sent."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli.commands.desk.triage import command as triage


@click.group(help=_("For support desks: look at many bundles at once."))
def command() -> None:
    """Hold the commands together."""


command.add_command(triage, "triage")
