"""``simdiag report``: one page for people, of an examination or a log."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simdiag.cli.bundles import own_names, reveal_option
from simdiag.cli.common import (
    chosen_profile,
    free_path,
    interrupt_option,
    language_option,
    output_options,
    profile_option,
    wait_option,
    warn_of_broken_files,
)
from simdiag.cli.targets import find_targets, port_options
from simdiag.errors import SimdiagError

if TYPE_CHECKING:
    from typing import BinaryIO

    from simdiag.agent import Options
    from simdiag.bundle.material import Material
    from simdiag.log import Examined
    from simdiag.profile import CarrierProfile
    from simdiag.pseudonym import Pseudonyms
    from simdiag.redact import Redactor
    from simdiag.usage.ledger import Report


@click.command(
    help=_(
        "Write a page that says what is wrong, why, and what to do next: one HTML file to read, "
        "mail or print, for you and the support desk."
    )
)
@port_options
@click.option(
    "--from", "source", type=click.Path(path_type=Path, readable=False), metavar="FILE",
    help=_("Ask no device: read a transcript, a bundle or a pasted AT log (- for standard input)."),
)  # fmt: skip
@output_options
@click.option("--open", "show", is_flag=True, help=_("Open the page in the web browser."))
@click.option(
    "--tried", multiple=True, metavar="TEXT",
    help=_("A step that was tried already, and what came of it; may be given several times."),
)  # fmt: skip
@click.option(
    "--usage", "usage", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help=_("Database of `simdiag usage record`, to show who used the data."),
)  # fmt: skip
@profile_option
@wait_option
@interrupt_option
@reveal_option
@language_option
def command(
    port: str | None, device_id: str | None, baud: int, source: Path | None, output: Path | None,
    force: bool, show: bool, tried: tuple[str, ...], usage: Path | None, profile_id: str | None,
    wait_s: float, interrupt: bool, reveal: frozenset[str],
) -> int:  # fmt: skip
    """Examine or read, and write the page."""
    from simdiag.agent import Options
    from simdiag.cli.output import write_out
    from simdiag.cli.status import of_cause
    from simdiag.report.page import Tried, render, view_of

    if source is not None and (port is not None or device_id is not None):
        raise click.UsageError(_("--from reads a file: leave out --port and --device"))
    profile = chosen_profile(profile_id)
    warn_of_broken_files()
    now = datetime.now().astimezone()
    path = free_path(output, f"simdiag-{now:%Y%m%d-%H%M%S}.html", force)
    if source is not None and str(source) != "-" and _is_bundle(source):
        found = _open_bundle(source)
    else:
        names = own_names(reveal)  # said before the modem is asked, if there can be no key
        if source is None:
            found = _examine(port, device_id, Options(profile, wait_s, baud, interrupt), now, names)
        else:
            found = _read(sys.stdin.buffer if str(source) == "-" else source, profile, names)
    if usage is not None:
        found.told["usage"] = _usage(usage, own_names(reveal))
    diagnosis = found.examined.diagnosis
    view = view_of(
        diagnosis, found.examined.evidence, _, **found.told,
        tried=[Tried(found.typed.text(text)) for text in tried],
        made=[(_("Made from"), found.origin), (_("Page made"), f"{now:%Y-%m-%d %H:%M %z}")],
    )  # fmt: skip
    write_out(path, render(view, _), replace=force)
    if path is not None:
        click.echo(view.verdict, err=True)
        click.echo(path)
        if show:
            _open_in_browser(path)
    return of_cause(diagnosis.cause)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the page is about, its identifiers replaced.

    ``typed`` hides them in what the user types; ``told`` is what else :func:`view_of` is told, by
    its names.
    """

    examined: Examined
    typed: Redactor
    origin: str
    told: dict[str, Any]


def _examine(
    port: str | None, device_id: str | None, options: Options, now: datetime, names: Pseudonyms
) -> _Found:
    from simdiag.agent import examine, nothing_found
    from simdiag.bundle.material import of_examination
    from simdiag.cli.progress import LayerProgress

    result = nothing_found()
    if targets := find_targets(port, device_id):
        with LayerProgress(1) as progress:
            result = examine(targets[0], options, progress.layer)
    told = {"examined": now, "elapsed_s": result.elapsed_s, "usage": _own_usage(names)}
    material = of_examination(result, now, [])
    return _replaced(material, names, _("a device, examined live"), told)


def _read(source: BinaryIO | Path, profile: CarrierProfile | None, names: Pseudonyms) -> _Found:
    from simdiag.bundle.material import of_run

    material = of_run(source, profile, [])
    return _replaced(material, names, _("a recording or log"), {})


def _replaced(material: Material, names: Pseudonyms, origin: str, told: dict[str, Any]) -> _Found:
    """Replace the identifiers as a bundle does, so that its page and this one agree."""
    from simdiag.bundle.build import redact
    from simdiag.cli.progress import say_hiding
    from simdiag.redact import Redactor

    typed = Redactor(material.evidence, names.reveal)
    told |= {"revealed": names.reveal}
    say_hiding()
    return _Found(redact(material, names).examined, typed, origin, told)


def _open_bundle(path: Path) -> _Found:
    """Examine what a bundle recorded; its identifiers were replaced when it was made."""
    from simdiag.bundle.layout import evidence_of
    from simdiag.bundle.opening import open_bundle
    from simdiag.bundle.pages import usage_report
    from simdiag.bundle.replaying import replayed
    from simdiag.redact import Redactor
    from simdiag.report.page import Bundle

    bundle = open_bundle(path)
    result, manifest = replayed(bundle), bundle.manifest
    told = {
        "bundle": Bundle(bundle.id, bundle.fingerprint or ""),
        "examined": datetime.fromisoformat(manifest.examined) if manifest.examined else None,
        "revealed": frozenset(manifest.redaction.revealed),
        "usage": usage_report(bundle.contents.get(evidence_of("usage"), ())),
        "command": "bundle",
    }
    return _Found(result, Redactor(result.evidence), _("a fault bundle"), told)


def _is_bundle(path: Path) -> bool:
    """Whether a file begins as a bundle does, encrypted or not; what cannot be read is none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(64) if path.is_file() else b""
    except OSError:
        return False
    return head.startswith((b"PK\x03\x04", b"age-encryption.org/"))


def _usage(path: Path, names: Pseudonyms) -> Report | None:
    from simdiag.bundle.collectors.usage import used
    from simdiag.bundle.fields import redacted
    from simdiag.bundle.pages import usage_report

    return usage_report([redacted(event, names) for event in used(path)])


def _own_usage(names: Pseudonyms) -> Report | None:
    """Return what was recorded on this computer; the page does without where that fails."""
    from simdiag.usage import places

    path = places.for_reading()
    try:
        return _usage(path, names) if path.exists() else None
    except SimdiagError as problem:
        click.echo(problem.message.render(_), err=True)
        return None


def _open_in_browser(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        click.echo(_("No web browser could be opened."), err=True)
