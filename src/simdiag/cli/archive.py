"""Keeps the results of ``simdiag watch --out``: a transcript and a JSON file for each."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.agent import Examination
from simdiag.cli.output import write_record
from simdiag.files import write_whole
from simdiag.redact import Redactor
from simdiag.report.contract import to_json


class Archive:
    """A folder with two files for every examination, named by time (UTC), socket and USB id."""

    def __init__(self, folder: Path, reveal: frozenset[str]) -> None:
        self._folder, self._reveal = folder, reveal

    def keep(self, result: Examination) -> None:
        """Write both; what cannot be written is told, and watching goes on."""
        name = self._folder / file_name(result, datetime.now(UTC))
        if result.events:
            write_record(result, name.with_suffix(".jsonl"), reveal=self._reveal)
        text = to_json(
            result.diagnosis, result.evidence, Redactor(result.evidence, self._reveal), _,
            device=result.target.name, elapsed_s=result.elapsed_s,
        )  # fmt: skip
        try:
            write_whole(name.with_suffix(".json"), text + "\n")
        except OSError as problem:
            why = _(problem.strerror or str(problem))
            click.echo(_("The result could not be written: {why}").format(why=why), err=True)


def file_name(result: Examination, now: datetime) -> str:
    """Return a name that sorts by time and holds nothing that a shell or a file system minds."""
    device = result.target.device
    what = f"{device.id}-{device.usb_id}" if device else result.target.name
    return f"{now:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9]+', '-', what)[:100].strip('-')}"
