"""``simdiag diagnose``: the verdict from a transcript or any pasted AT log."""

from __future__ import annotations

import sys
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import (
    chosen_profile,
    json_option,
    language_option,
    profile_option,
    reveal_option,
    warn_of_broken_files,
)


@click.command(
    help=_(
        "Say what is wrong from recorded transcripts or pasted AT logs (- reads standard input)."
    )
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…",
    type=click.Path(path_type=Path, readable=False),  # each file gets a result, readable or not
)  # fmt: skip
@profile_option
@json_option
@reveal_option
@language_option
def command(
    files: tuple[Path, ...], profile_id: str | None, as_json: bool, reveal: frozenset[str]
) -> int:
    """Diagnose each file in the order given."""
    from simdiag.cli.output import print_result
    from simdiag.cli.status import Status, of_cause, worst
    from simdiag.errors import TranscriptError
    from simdiag.log import examine_log, unreadable
    from simdiag.redact import Redactor

    profile = chosen_profile(profile_id)
    warn_of_broken_files()
    statuses = []
    for file in files:
        source = sys.stdin.buffer if str(file) == "-" else file
        try:
            result = examine_log(source, profile)
            statuses.append(of_cause(result.diagnosis.cause))
            error = None
        except TranscriptError as problem:
            result, error = unreadable(), _printable(problem.message.render(_))
            statuses.append(Status.NOT_EXAMINED)
        redactor = Redactor(result.evidence, reveal)
        print_result(result, as_json, redactor, file=_printable(str(file)), error=error)
    return worst(statuses)


def _printable(text: str) -> str:
    """Return a text whose file name may hold bytes that are no UTF-8 with these written out."""
    return text.encode(errors="backslashreplace").decode()
