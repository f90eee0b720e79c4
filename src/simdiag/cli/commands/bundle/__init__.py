"""``simdiag bundle``: one file that proves a fault. The modules here read one, a command each."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.bundles import FILE, reveal_option
from simdiag.cli.common import (
    interrupt_option,
    json_option,
    language_option,
    profile_option,
    wait_option,
)
from simdiag.cli.targets import port_options

if TYPE_CHECKING:
    from simdiag.agent import Options
    from simdiag.bundle.material import Material
    from simdiag.bundle.sealing import Recipient
    from simdiag.profile import CarrierProfile


def _keys(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> list[Recipient]:
    """Return the keys to encrypt to."""
    if not value:
        return []
    from simdiag.bundle import sealing
    from simdiag.bundle.problems import BundleError

    try:
        return sealing.recipients(value)
    except BundleError as problem:
        raise click.BadParameter(problem.message.render(_)) from problem


@click.group(
    invoke_without_command=True,
    help=_(
        "Make a fault bundle: one file that proves the fault, hides who you are, and can be "
        "examined again. The other commands read one, also one that was encrypted to you."
    ),
)
@port_options
@click.option(
    "--from", "run", type=FILE, metavar="RUN",
    help=_("Make it of a transcript, a log or what `watch --out` wrote; no device is asked."),
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help=_("File or folder to write to; without it a name with time and id, in this folder."),
)  # fmt: skip
@click.option("--force", is_flag=True, help=_("Replace a file that is there already."))
@reveal_option
@click.option(
    "--to", multiple=True, metavar="KEY", callback=_keys,
    help=_("Encrypt to this age public key (age1…) and to your own; may be given several times."),
)  # fmt: skip
@profile_option
@wait_option
@interrupt_option
@json_option
@language_option
@click.pass_context
def command(
    ctx: click.Context, port: str | None, device_id: str | None, baud: int, run: Path | None,
    output: Path | None, force: bool, reveal: frozenset[str], to: list[Recipient],
    profile_id: str | None, wait_s: float, interrupt: bool, as_json: bool,
) -> int | None:  # fmt: skip
    """Make a bundle, unless another command is asked for."""
    if ctx.invoked_subcommand is not None:
        return None
    from simdiag.agent import Options
    from simdiag.bundle import sealing
    from simdiag.cli import bundles
    from simdiag.cli.common import chosen_profile, in_writable_folder, warn_of_broken_files
    from simdiag.report.json_text import dumps

    if run is not None and (port is not None or device_id is not None):
        raise click.UsageError(_("--from and a device exclude one another"))
    profile = chosen_profile(profile_id)
    warn_of_broken_files()
    names = bundles.own_names(reveal)
    if output is None or output.is_dir():  # said before the modem is asked
        in_writable_folder((output or Path()) / "a bundle")
    else:
        output, force = bundles.choose_path(output, "", force), True
    if run is not None:
        material = _recorded(run, profile)
    else:
        material = _examined(port, device_id, Options(profile, wait_s, baud, interrupt))
    built = bundles.hidden(material, names, output.name if output else "")
    data = sealing.encrypt(built.data, to) if to else built.data
    name = bundles.default_name(built.id, material.examined, bool(to))
    path = output if output and not output.is_dir() else bundles.choose_path(output, name, force)
    bundles.write(path, data, replace=True)
    if as_json:
        facts = {"file": str(path), "bytes": len(data), "id": built.id, "encrypted": bool(to),
                 "fingerprint": built.fingerprint}  # fmt: skip
        click.echo(dumps(bundles.as_json(built.manifest, **facts)))
    else:
        bundles.tell_written(path, data, built, bool(to))
    return 0


def _recorded(run: Path, profile: CarrierProfile | None) -> Material:
    from simdiag.bundle.collecting import skipped
    from simdiag.bundle.material import of_run

    return of_run(run, profile, skipped())


def _examined(port: str | None, device_id: str | None, options: Options) -> Material:
    """Examine the device, then ask this computer about it."""
    from simdiag.agent import examine, nothing_found
    from simdiag.bundle.collecting import Collecting
    from simdiag.bundle.material import of_examination, subject_of
    from simdiag.cli.progress import LayerProgress, say
    from simdiag.cli.targets import find_targets

    targets = find_targets(port, device_id)
    began = datetime.now(UTC)
    with Collecting() as collecting:
        if targets:
            with LayerProgress(1) as progress:
                result = examine(targets[0], options, progress.layer)
        else:
            result = nothing_found()
        say(_("Asking this computer about the device …"))
        outcomes = collecting.collect(subject_of(result.target))
    return of_examination(result, began, outcomes)


for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    command.add_command(_module.command, _found.name.replace("_", "-"))
