"""``simdiag bundle verify``: what was tampered with."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.bundles import FILE
from simdiag.cli.common import json_option, language_option


@click.command(help=_("Check that nothing in a bundle was changed since it was signed."))
@click.argument("file", type=FILE)
@click.option(
    "--fingerprint", metavar="FP", help=_("Who must have signed it, as its maker told you.")
)
@json_option
@language_option
def command(file: Path, fingerprint: str | None, as_json: bool) -> int:
    """List what was tampered with."""
    from simdiag.bundle.opening import Problem, inspect
    from simdiag.cli import bundles
    from simdiag.cli.status import Status
    from simdiag.message import N_, message
    from simdiag.report.json_text import dumps
    from simdiag.report.terminal import plain

    bundle = inspect(file)
    problems = list(bundle.problems)
    signer = bundle.fingerprint
    if signer and fingerprint is not None and _digits(signer) != _digits(fingerprint):
        text = N_("it was signed by {fingerprint}, not by whom you named")
        problems.append(Problem("signer", "manifest.sig", message(text, fingerprint=signer)))
    if as_json:
        found = [{"kind": p.kind, "member": p.member, "text": p.text.render(_)} for p in problems]
        click.echo(dumps({"intact": not problems, **bundles.facts(bundle), "problems": found}))
    elif problems:
        for problem in problems:
            click.echo(plain(problem.text.render(_)))
    else:
        text = _("Nothing was changed since {fingerprint} signed it: {count} members.")
        count = len(bundle.manifest.members)
        click.echo(text.format(fingerprint=bundle.fingerprint, count=count))
    return Status.NOT_EXAMINED if problems else Status.OK


def _digits(fingerprint: str) -> str:
    return fingerprint.replace("-", "").replace(" ", "").lower()
