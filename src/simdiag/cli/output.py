"""Prints results, for people or as JSON."""

from __future__ import annotations

import sys
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from simdiag.errors import SimdiagError
from simdiag.files import write_whole
from simdiag.message import N_, message

if TYPE_CHECKING:
    from simdiag.agent import Examination
    from simdiag.diagnose import Diagnosis
    from simdiag.evidence import Evidence
    from simdiag.redact import Redactor


class Result(Protocol):
    """What an examination and a log have in common."""

    evidence: Evidence
    diagnosis: Diagnosis
    elapsed_s: float


def print_result(
    result: Result,
    as_json: bool,
    redactor: Redactor,
    *,
    file: str | None = None,
    device: str | None = None,
    error: str | None = None,
) -> None:
    """Print one result; ``error`` says why there is none."""
    if as_json:
        from simdiag.report.contract import to_json

        click.echo(to_json(
            result.diagnosis, result.evidence, redactor, _, file=file, device=device,
            elapsed_s=result.elapsed_s, error=error,
        ))  # fmt: skip
    elif error is not None:
        click.echo(f"simdiag: {error}", err=True)
    else:
        from rich.console import Console

        from simdiag.report.terminal import show

        show(
            Console(highlight=False),
            result.diagnosis,
            result.evidence,
            redactor,
            _,
            title=file or device or "",
        )
    sys.stdout.flush()


def write_record(
    result: Examination, path: Path, redactor: Redactor, *, several: bool = False
) -> None:
    """Write the transcript of an examination; of several, each under a name of its own."""
    from simdiag.transcript.recorded import write_transcript

    if several and result.events:
        path = path.with_stem(f"{path.stem}-{Path(result.events[0].port).name}")
    try:
        write_transcript(path, result.events, redactor.data)
    except OSError as problem:
        text = _("The transcript could not be written: {why}")
        click.echo(text.format(why=_(problem.strerror or str(problem))), err=True)


def write_out(path: Path | None, text: str, *, replace: bool) -> None:
    """Write a whole document to a file, or, in UTF-8 whatever the locale, to standard output."""
    if path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    try:
        write_whole(path, text, replace=replace)
    except OSError as problem:
        why = message(problem.strerror or str(problem))
        text = N_("{file} cannot be written: {why}")
        raise SimdiagError(message(text, file=path, why=why)) from problem
