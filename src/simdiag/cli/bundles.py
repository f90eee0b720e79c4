"""What the commands of ``simdiag bundle`` share: where a bundle goes, and what is told of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simdiag.cli.common import in_writable_folder
from simdiag.message import N_, message
from simdiag.sizes import size

if TYPE_CHECKING:
    from simdiag.bundle.build import Built
    from simdiag.bundle.comparing import Difference
    from simdiag.bundle.manifest import Manifest
    from simdiag.bundle.material import Material
    from simdiag.bundle.opening import Bundle
    from simdiag.pseudonym import Pseudonyms

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, readable=False)
"""A bundle or a run: read in a way that has its own sentences for what cannot be."""

_KINDS = {
    "iccid": N_("card numbers (ICCID)"),
    "imsi": N_("subscriber numbers (IMSI)"),
    "imei": N_("device numbers (IMEI)"),
    "eid": N_("numbers of embedded cards (EID)"),
    "msisdn": N_("phone numbers"),
    "ip": N_("IP addresses"),
    "mac": N_("hardware addresses (MAC)"),
    "cell": N_("cells"),
    "area": N_("areas"),
    "position": N_("positions"),
    "host": N_("names of computers"),
    "user": N_("names of users"),
    "serial": N_("serial numbers"),
    "ssid": N_("names of WiFi networks"),
    "apn": N_("private APNs"),
    "program": N_("names of programs"),
    "interface": N_("names of interfaces"),
    "secret": N_("PINs, passwords and messages"),
    "text": N_("words and numbers that are not known to be harmless"),
}
_STATES = {
    "ok": N_("ok"),
    "timeout": N_("took too long; what it told is kept"),
    "truncated": N_("told too much; the beginning is kept"),
    "failed": N_("failed"),
    "skipped": N_("nothing to ask"),
    "denied": N_("this user may not read it"),
}


def kind_name(kind: str) -> str:
    """Return what a kind of identifier is called."""
    return _(_KINDS[kind]) if kind in _KINDS else kind


# ---- identifiers ---------------------------------------------------------------------------
def _kinds(_ctx: click.Context, _param: click.Parameter, value: str) -> frozenset[str]:
    """Return the kinds of identifiers to leave as they are."""
    wanted = frozenset(word.strip().lower() for word in value.split(",") if word.strip())
    if not wanted:
        return wanted
    from simdiag.pseudonym import KINDS

    if unknown := wanted - {*KINDS, "all"}:
        text = _("unknown kind {kind}; choose from {kinds}")
        names = ", ".join((*KINDS, "all"))
        raise click.BadParameter(text.format(kind=", ".join(sorted(unknown)), kinds=names))
    return frozenset(KINDS) if "all" in wanted else wanted


def reveal_option(command: F) -> F:
    """Add ``--reveal`` with the kinds that have stand-ins."""
    return click.option(
        "--reveal", metavar="KINDS", default="", callback=_kinds,
        help=_("Leave these identifiers as they are, such as iccid,imei; the result says so."),
    )(command)  # fmt: skip


def own_names(reveal: frozenset[str] = frozenset()) -> Pseudonyms:
    """Return this installation's stand-ins; their key is made the first time."""
    from simdiag.bundle import keys
    from simdiag.pseudonym import Pseudonyms, new_key

    key = keys.kept("pseudonym.key", new_key)
    if len(key) != len(new_key()):
        raise keys.unusable("pseudonym.key")
    return Pseudonyms(key, reveal)


def hidden(material: Material, names: Pseudonyms, file_name: str = "") -> Built:
    """Return the bundle, with a page in every language; raises ``SimdiagError``."""
    from simdiag.bundle.build import build
    from simdiag.cli.progress import say_hiding
    from simdiag.i18n import available, translator

    languages = [translator(language) for language in available()]
    say_hiding()
    return build(material, names, languages, file_name)


# ---- writing -----------------------------------------------------------------------------
def choose_path(output: Path | None, name: str, force: bool) -> Path:
    """Return where to write; asks before a file is replaced, or fails where nobody can answer."""
    from simdiag.report.terminal import plain

    if str(output) == "-":
        raise click.BadParameter(_("a bundle goes to a file, so name one"), param_hint="-o")
    path = output if output is not None and not output.is_dir() else (output or Path()) / name
    in_writable_folder(path)
    if os.path.lexists(path) and not force:
        question = _("{file} is there already. Replace it?").format(file=plain(str(path)))
        if not (sys.stdin.isatty() and click.confirm(question, err=True)):
            text = _("{file} is there already: choose another name, or add --force")
            raise click.BadParameter(text.format(file=plain(str(path))), param_hint="-o")
    return path


def default_name(built_id: str, when: datetime | None, encrypted: bool) -> str:
    """Return a name of ASCII that sorts by time and says which bundle it is."""
    time = (when or datetime.now(UTC)).astimezone(UTC)
    return f"simdiag-{time:%Y%m%dT%H%M%SZ}-{built_id}.zip{'.age' if encrypted else ''}"


def write(path: Path, data: bytes, *, replace: bool) -> None:
    """Write the whole file, or nothing under its name; raises ``BundleError``."""
    from simdiag.bundle.problems import BundleError
    from simdiag.files import write_whole

    try:
        write_whole(path, data, replace=replace)
    except OSError as problem:
        why = message(problem.strerror or str(problem))
        text = N_("the bundle could not be written to {file}: {why}; nothing is left of it")
        raise BundleError(message(text, file=path, why=why)) from problem


# ---- telling -----------------------------------------------------------------------------
def tell_written(path: Path, data: bytes, built: Built, encrypted: bool) -> None:
    """Say where the bundle is, how big, what it contains and hides, and who signed it."""
    manifest = built.manifest
    _row(_("Bundle"), f"{path} ({size(len(data))})", bold=True)
    _tell_verdict(manifest)
    _tell_contents(manifest)
    _tell_redaction(manifest)
    _row(_("Signed by"), built.fingerprint)
    if encrypted:
        text = _("to the keys given with --to, and to your own: `simdiag bundle show` opens it")
        _row(_("Encrypted"), text)


def tell(bundle: Bundle) -> None:
    """Show what a bundle says of itself."""
    manifest = bundle.manifest
    _row(_("Bundle"), f"{bundle.id} ({size(bundle.size)})", bold=True)
    _tell_verdict(manifest)
    _row(_("Examined"), manifest.examined or _("the time is not known"))
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    _row(_("Made by"), versions)
    if manifest.profile is not None:
        _row(_("Operator"), manifest.profile.id)
    _tell_contents(manifest)
    for entry in manifest.collectors:
        if entry.state.value != "ok":
            _row(f"  {entry.name}", _(_STATES[entry.state.value]))
    _tell_redaction(manifest)
    whose = _("your own key") if bundle.signature and bundle.signature.is_ours else ""
    _row(_("Signed by"), " · ".join(filter(None, (bundle.fingerprint, whose))))
    if bundle.encrypted:
        _row(_("Encrypted"), _("opened with your own key"))


def _tell_verdict(manifest: Manifest) -> None:
    from simdiag.causes import CAUSES

    cause = manifest.verdict.cause
    title = _(CAUSES[cause].title) if cause in CAUSES else ""
    _row(_("Verdict"), f"{title} ({cause})" if title else cause)
    if cause != manifest.verdict.live_cause:
        text = _("with identifiers hidden; with them it was {cause}")
        _row("", text.format(cause=manifest.verdict.live_cause))


def _tell_contents(manifest: Manifest) -> None:
    names = [f"{entry.path} ({size(entry.bytes)})" for entry in manifest.members]
    _row(_("Contains"), ", ".join(names))


def _tell_redaction(manifest: Manifest) -> None:
    hidden = [
        f"{kind_name(kind)} ({counts.get('replaced', 0) + counts.get('masked', 0)})"
        for kind, counts in manifest.redaction.counts.items()
        if counts.get("replaced", 0) + counts.get("masked", 0)
    ]
    _row(_("Hides"), ", ".join(hidden) or _("nothing had to be hidden"))
    if manifest.redaction.revealed:
        _row(_("Shows"), ", ".join(map(kind_name, manifest.redaction.revealed)))


def tell_difference(found: Difference) -> None:
    """Show one difference, the old value before the new one."""
    name = f"{found.part} {found.name}"
    _row(name, f"{_value(found.before)} → {_value(found.after)}")


def _value(value: Any) -> str:
    from simdiag.report.json_text import dumps

    return "–" if value is None else value if isinstance(value, str) else dumps(value)


def _row(title: str, text: str, *, bold: bool = False) -> None:
    """Print a heading and its text, which comes from files of strangers, in lines that fit."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from simdiag.report.terminal import plain

    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=10, style="dim", overflow="fold")
    grid.add_column(overflow="fold")
    grid.add_row(Text(plain(title)), Text(plain(text), "bold" if bold else ""))
    Console(highlight=False).print(grid)


def as_json(manifest: Manifest, **more: Any) -> dict[str, Any]:
    """Return the manifest as ``--json`` prints it, with what is known of the file."""
    return {**more, "manifest": manifest.model_dump(mode="json", by_alias=True)}


def facts(bundle: Bundle) -> dict[str, Any]:
    """Return what ``--json`` tells of a bundle's file."""
    return {"id": bundle.id, "bytes": bundle.size, "sha256": bundle.sha256,
            "encrypted": bundle.encrypted, "fingerprint": bundle.fingerprint}  # fmt: skip


def tell_differences(found: list[Difference], none: str) -> None:
    """Show the differences, or the sentence that there are none."""
    for difference in found:
        tell_difference(difference)
    if not found:
        click.echo(none)
