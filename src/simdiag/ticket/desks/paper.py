"""A desk without an interface: a hotline, an app, a shop. The ticket becomes a folder of files.

``ticket.txt`` is to paste or to read out, ``ticket.html`` to print, and the bundle lies beside
them for an upload. Once it is handed over, the desk's number is noted with ``Outbox.receipt``.
"""

from __future__ import annotations

import html
import shutil
from pathlib import Path
from typing import Literal

from simdiag.files import write_whole
from simdiag.message import N_, message
from simdiag.ticket import labels
from simdiag.ticket.desk import Attachment, Capabilities, File, Guard, Hold, Mismatch, NotDone
from simdiag.ticket.draft import Draft
from simdiag.ticket.one_way import OneWay
from simdiag.ticket.settings import DeskSettings

_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>body{{font:12pt/1.5 sans-serif;max-width:45em;margin:2em auto;padding:0 1em}}
th{{text-align:left;padding-right:1em;vertical-align:top;white-space:nowrap}}
td{{overflow-wrap:anywhere}}pre{{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere}}</style>
</head><body><h1>{title}</h1><pre>{message}</pre><table>{rows}</table></body></html>
"""


class Settings(DeskSettings):
    """What a user says about a desk that he goes to himself."""

    kind: Literal["paper"]
    folder: Path
    """Where a folder for each ticket is made."""


def connect(settings: Settings) -> Paper:
    """Return the desk."""
    return Paper(settings)


class Paper(OneWay):
    """A folder for tickets. See :class:`~simdiag.ticket.desk.Desk`; a number is a path."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.folder.expanduser().absolute()
        self.capabilities = Capabilities(Guard.FOLDER, settings.max_bytes, settings.extensions)

    def probe(self) -> Capabilities:
        """See that the folder can be written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            text = N_("{path} cannot be used: {why}")
            why = message(problem.strerror or str(problem))
            raise Hold(message(text, path=self._folder, why=why)) from problem
        return self.capabilities

    def find(self, key: str) -> list[str]:
        """Return the folder of a key."""
        folder = self._folder / key
        return [str(folder)] if (folder / "ticket.html").exists() else []

    def create(self, draft: Draft, file: File | None = None) -> str:
        """Write the text and the page."""
        folder = self._folder / draft.key
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            write_whole(folder / "ticket.txt", _text(draft))
            write_whole(folder / "ticket.html", page(draft))
        except OSError as problem:
            raise _not_written(folder, problem) from problem
        return str(folder)

    def render(self, draft: Draft, file: File | None) -> bytes:
        """Return the text to paste or to read out."""
        return _text(draft).encode()

    def attachments(self, number: str) -> list[Attachment]:
        """Return the bundle, once it lies in the folder."""
        return [
            Attachment(path.name, path.stat().st_size, path.name)
            for path in sorted(Path(number).glob("simdiag-*"))
        ]

    def attach(self, number: str, file: File) -> None:
        """Copy the bundle into the folder."""
        temporary = Path(number) / f".{file.name}"
        try:
            shutil.copyfile(file.path, temporary)
            temporary.replace(Path(number) / file.name)
        except OSError as problem:
            raise _not_written(temporary, problem) from problem

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the bundle."""
        return (Path(number) / attachment.name).read_bytes()

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """See that the page says what the draft says."""
        kept = (Path(number) / "ticket.html").read_text("utf-8")
        return [] if kept == page(draft) else [Mismatch("message", draft.summary, "")]


def _text(draft: Draft) -> str:
    return f"{draft.summary}\n\n{labels.text(draft)}"


def page(draft: Draft) -> str:
    """Return the page to print: complete in itself, without scripts."""
    rows = "".join(
        f"<tr><th>{html.escape(label)}</th><td>{html.escape(value)}</td></tr>\n"
        for label, value in labels.lines(draft)
    )
    return _PAGE.format(
        language=html.escape(draft.languages[0] if draft.languages else "en"),
        title=html.escape(draft.summary),
        message=html.escape(draft.message),
        rows=rows,
    )


def _not_written(path: Path, problem: OSError) -> NotDone:
    why = message(problem.strerror or str(problem))
    return NotDone(message(N_("{path} cannot be written: {why}"), path=path, why=why))
