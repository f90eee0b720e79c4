"""``simdiag install-udev``: the udev rules for modems' ports, and services."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import language_option
from simdiag.hostfiles import SERVICES


@click.command(
    help=_(
        "Print the udev rules that open modems' ports to the group of serial ports and to the "
        "user at the computer; or install them, and a service that runs `simdiag watch` or "
        "`simdiag usage record`."
    )
)
@click.option("--install", "action", flag_value="install", help=_("Install them (as root)."))
@click.option(
    "--uninstall", "action", flag_value="uninstall", help=_("Take rules and service away.")
)
@click.option(
    "--service", "services", multiple=True, type=click.Choice(list(SERVICES)),
    is_flag=False, flag_value="watch",
    help=_("Add the systemd service simdiag-watch (also without a name) or simdiag-usage."),
)  # fmt: skip
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), metavar="DIR",
    help=_("Work below DIR instead of /, for packages; nothing is started or reloaded."),
)  # fmt: skip
@language_option
def command(action: str | None, services: tuple[str, ...], root: Path) -> None:
    """Print, install or take away."""
    from simdiag.errors import SimdiagError
    from simdiag.hostfiles.installer import own_command
    from simdiag.message import N_, message

    live = root.resolve() == Path("/")
    if action is None:
        click.echo("\n".join(_files(services).values()), nl=False)
        return
    if live and os.geteuid() != 0:
        wanted = (word for service in services for word in ("--service", service))
        again = shlex.join([*own_command(), "install-udev", f"--{action}", *wanted])
        text = N_("only root may change /etc: run `sudo {command}`")
        raise SimdiagError(message(text, command=again))
    if action == "install":
        _install(root, services, live)
    else:
        _uninstall(root, live)


def _files(services: Iterable[str]) -> dict[str, str]:
    from simdiag import host, hostfiles
    from simdiag.cli.common import warn_of_broken_files
    from simdiag.hostfiles.installer import own_command
    from simdiag.registry import drivers

    warn_of_broken_files()
    group = host.serial_group()
    files = {hostfiles.RULES: hostfiles.udev_rules(drivers(), group)}
    for name in (SERVICES[service] for service in services):
        files[name] = hostfiles.service_unit(name, own_command(), group)
    return files


def _install(root: Path, services: tuple[str, ...], live: bool) -> None:
    from simdiag.errors import SimdiagError
    from simdiag.hostfiles import installer
    from simdiag.message import N_, message

    if services and live and (closed := installer.closed_to_others()):
        text = N_(
            "a service cannot run this simdiag, since {path} is closed to other users: install "
            "simdiag where everybody can run it, such as in /opt"
        )
        raise SimdiagError(message(text, path=closed))
    for path, changed in installer.install(_files(services), root):
        text = _("{path} is written.") if changed else _("{path} is up to date.")
        click.echo(text.format(path=path))
    if live:
        installer.tell_udev()
    if live and services:
        installer.tell_systemd()
        text = _("Start the service with `sudo systemctl enable --now {name}`.")
        for service in services:
            click.echo(text.format(name=f"simdiag-{service}"))


def _uninstall(root: Path, live: bool) -> None:
    from simdiag.hostfiles import installer

    if live:
        installer.stop_services()
    removed = list(installer.uninstall(root))
    for path in removed:
        click.echo(_("{path} is removed.").format(path=path))
    if not removed:
        click.echo(_("There is nothing to take away."))
    if live:
        installer.tell_udev()
        installer.tell_systemd()
