"""``simdiag explain``: what a cause, a reject cause or an error means."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.cli.common import language_option


@click.command(
    help=_("Explain a cause code, a network's cause ('EMM 8', 'ESM 33') or '+CME ERROR: 13'.")
)
@click.argument("term", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
@language_option
def command(term: tuple[str, ...], as_json: bool) -> int:
    """Explain the words given, quoted or not."""
    from simdiag.cli.status import Status
    from simdiag.explain import UnknownTerm, explain
    from simdiag.report.json_text import dumps

    try:
        found = explain(" ".join(term))
    except UnknownTerm as problem:
        raise click.UsageError(problem.message.render(_)) from problem
    cause = found.cause
    if as_json:
        entry = {
            "term": found.term,
            "name": found.name,
            "meaning": found.meaning.render(_),
            "cause": cause.code if cause else None,
            "responsible": cause.responsible.value if cause else None,
            "next_steps": [_(step) for step in cause.steps] if cause else [],
            "alternatives": [
                {"cause": a.cause, "test": a.test.render(_)} for a in found.alternatives
            ],
        }
        click.echo(dumps(entry))
        return Status.OK
    from rich.console import Console

    from simdiag.report.terminal import show_explanation

    show_explanation(Console(highlight=False), found, _)
    return Status.OK
