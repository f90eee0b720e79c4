"""``simdiag schema``: the contracts of what is printed and read as JSON."""

from __future__ import annotations

import importlib
import json
from gettext import gettext as _

import click

from simdiag.cli.common import language_option

_SUBJECTS = {
    "bundle": "simdiag.bundle.layout",
    "diagnosis": "simdiag.report.contract",
    "reconcile": "simdiag.report.reconcile_contract",
    "budget": "simdiag.report.budget_contract",
    "ticket": "simdiag.ticket.answers",
    "case": "simdiag.ticket.export",
    "triage": "simdiag.triage.export",
}
"""What there is a schema of, and the module whose ``json_schema()`` returns it."""


@click.command(
    help=_("Print the JSON Schema of what --json prints, or of what `ticket new --answers` reads.")
)
@click.argument(
    "subject", type=click.Choice([*_SUBJECTS]), default="diagnosis", metavar="[SUBJECT]"
)
@language_option
def command(subject: str) -> None:
    """Print the schema."""
    found = importlib.import_module(_SUBJECTS[subject]).json_schema()
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
