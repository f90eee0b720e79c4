"""Options and small things that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from simdiag.profile import CarrierProfile

F = TypeVar("F", bound=Callable[..., Any])

_REVEAL = ("iccid", "imsi", "imei", "ip", "cell", "all")


def _reveal(_ctx: click.Context, _param: click.Parameter, value: str) -> frozenset[str]:
    kinds = frozenset(k.strip().lower() for k in value.split(",") if k.strip())
    if unknown := kinds - set(_REVEAL):
        raise click.BadParameter(
            _("unknown kind {kind}; choose from {kinds}").format(
                kind=", ".join(sorted(unknown)), kinds=", ".join(_REVEAL)
            )
        )
    return kinds


def reveal_option(command: F) -> F:
    """Add ``--reveal``."""
    return click.option(
        "--reveal", metavar="KINDS", default="", callback=_reveal,
        help=_("Show identifiers in full: iccid, imsi, imei, ip, cell or all, comma between."),
    )(command)  # fmt: skip


def language_option(command: F) -> F:
    """Add ``--lang``; it was read before the commands were made, so nothing is left to do."""
    return click.option(
        "--lang", metavar="LANG", expose_value=False, help=_("Language, such as en or zh-CN.")
    )(command)


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help=_("Print JSON, one object per line (`simdiag schema`)."),
    )(command)


def _writable(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    if path is None or os.access(path, os.F_OK):
        return path  # click has looked whether an existing file is writable
    return in_writable_folder(path)


def in_writable_folder(path: Path) -> Path:
    """Return a path to write to; a usage error where its folder does not allow it."""
    folder = path.parent
    if not os.access(folder, os.F_OK):
        raise click.BadParameter(_("the folder {folder} does not exist").format(folder=folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        text = _("{name} {filename!r} is not writable.")
        raise click.BadParameter(text.format(name=_("directory"), filename=str(folder)))
    return path


def record_option(command: F) -> F:
    """Add ``--record``."""
    return click.option(
        "--record", type=click.Path(path_type=Path, dir_okay=False, readable=False, writable=True),
        metavar="FILE", callback=_writable,
        help=_("Write the exchanges to FILE, identifiers hidden unless revealed."),
    )(command)  # fmt: skip


def output_options(command: F) -> F:
    """Add ``--output`` and ``--force``."""
    for option in (
        click.option("--force", is_flag=True, help=_("Write over a file that exists.")),
        click.option(
            "-o", "--output",
            type=click.Path(path_type=Path, dir_okay=False, readable=False, allow_dash=True),
            metavar="FILE", help=_("File to write (- for standard output)."),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def free_path(output: Path | None, default: str, force: bool) -> Path | None:
    """Return where to write, ``None`` for standard output; a usage error where that cannot be.

    So that nobody waits for an examination whose result has no place, and nothing is lost.
    """
    if output is not None and str(output) == "-":
        return None
    path = output or Path(default)
    if os.path.lexists(path) and not force:
        text = _("{file} exists already: choose another name, or --force to write over it")
        raise click.BadParameter(text.format(file=path), param_hint="--output")
    return in_writable_folder(path)


def profile_option(command: F) -> F:
    """Add ``--profile``."""
    return click.option(
        "--profile", "profile_id", metavar="ID",
        help=_("Carrier profile to use instead of the one that the card's numbers choose."),
    )(command)  # fmt: skip


def wait_option(command: F) -> F:
    """Add ``--wait``."""
    return click.option(
        "--wait", "wait_s", type=click.FloatRange(min=0, max=600), default=10.0,
        show_default=True, metavar="SECONDS",
        help=_("How long to watch a device that is starting or searching."),
    )(command)  # fmt: skip


def interrupt_option(command: F) -> F:
    """Add ``--interrupt``."""
    return click.option(
        "--interrupt", is_flag=True,
        help=_(
            "Have ModemManager let go of the device even if that interrupts a data connection."
        ),
    )(command)  # fmt: skip


def chosen_profile(profile_id: str | None) -> CarrierProfile | None:
    """Return the profile that the user named; a wrong name is a usage error that lists all."""
    from simdiag.registry import profiles

    found = profiles()
    if profile_id is None:
        return None
    if profile_id not in found.by_id:
        raise click.BadParameter(
            _("there is no profile {name}; known are {names}").format(
                name=profile_id, names=", ".join(sorted(found.by_id))
            ),
            param_hint="--profile",
        )
    return found.by_id[profile_id]


def warn_of_broken_files() -> None:
    """Name driver and profile files that were left out; the rest still works."""
    from simdiag.registry import drivers, profiles

    for problem in (*drivers().problems, *profiles().problems):
        click.echo(_("Left out: {problem}").format(problem=problem), err=True)
