"""``simdiag schema``: the contract of ``--json``."""

from __future__ import annotations

import json
from gettext import gettext as _

import click

from simdiag.cli.common import language_option


@click.command(help=_("Print the JSON Schema of what --json prints."))
@language_option
def command() -> None:
    """Print the schema."""
    from simdiag.report.contract import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
