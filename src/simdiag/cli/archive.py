"""Keeps the results of ``simdiag watch --out``: a transcript and a JSON file for each."""

from __future__ import annotations

from gettext import gettext as _

import click

from simdiag.agent import Examination
from simdiag.cli.output import write_record
from simdiag.cli.shelf import Shelf, file_name
from simdiag.files import write_whole
from simdiag.redact import Redactor
from simdiag.report.contract import to_json
from simdiag.watch import Visit


class Archive:
    """A folder with two files for every examination."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def keep(self, visit: Visit, result: Examination, redactor: Redactor) -> None:
        """Write both; what cannot be written is told, and watching goes on."""
        if visit.verdict is None:
            return
        name = file_name(visit.socket, visit.verdict)
        if result.events:
            write_record(result, self._shelf.path(name, ".jsonl"), redactor)
        text = to_json(
            result.diagnosis, result.evidence, redactor, _,
            device=result.target.name, elapsed_s=result.elapsed_s,
        )  # fmt: skip
        try:
            write_whole(self._shelf.path(name, ".json"), text + "\n")
            self._shelf.prune(name)
        except OSError as problem:
            why = _(problem.strerror or str(problem))
            click.echo(_("The result could not be written: {why}").format(why=why), err=True)
