"""``simdiag install-udev``: the udev rules for modems' ports, and the watch service."""

from __future__ import annotations

import os
import shlex
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import language_option


@click.command(
    help=_(
        "Print the udev rules that open modems' ports to the group of serial ports and to the "
        "user at the computer; or install them, and a service that runs `simdiag watch`."
    )
)
@click.option("--install", "action", flag_value="install", help=_("Install them (as root)."))
@click.option(
    "--uninstall", "action", flag_value="uninstall", help=_("Take rules and service away.")
)
@click.option("--service", is_flag=True, help=_("Add the systemd service simdiag-watch."))
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), metavar="DIR",
    help=_("Work below DIR instead of /, for packages; nothing is started or reloaded."),
)  # fmt: skip
@language_option
def command(action: str | None, service: bool, root: Path) -> None:
    """Print, install or take away."""
    from simdiag.errors import SimdiagError
    from simdiag.hostfiles.installer import own_command
    from simdiag.message import N_, message

    live = root.resolve() == Path("/")
    if action is None:
        click.echo("\n".join(_files(service).values()), nl=False)
        return
    if live and os.geteuid() != 0:
        again = shlex.join([*own_command(), "install-udev", f"--{action}"])
        text = N_("only root may change /etc: run `sudo {command}`")
        raise SimdiagError(message(text, command=again + " --service" * service))
    if action == "install":
        _install(root, service, live)
    else:
        _uninstall(root, live)


def _files(service: bool) -> dict[str, str]:
    from simdiag import host, hostfiles
    from simdiag.cli.common import warn_of_broken_files
    from simdiag.hostfiles.installer import own_command
    from simdiag.registry import drivers

    warn_of_broken_files()
    group = host.serial_group()
    files = {hostfiles.RULES: hostfiles.udev_rules(drivers(), group)}
    if service:
        files[hostfiles.SERVICE] = hostfiles.service_unit(own_command(), group)
    return files


def _install(root: Path, service: bool, live: bool) -> None:
    from simdiag.errors import SimdiagError
    from simdiag.hostfiles import installer
    from simdiag.message import N_, message

    if service and live and (closed := installer.closed_to_others()):
        text = N_(
            "a service cannot run this simdiag, since {path} is closed to other users: install "
            "simdiag where everybody can run it, such as in /opt"
        )
        raise SimdiagError(message(text, path=closed))
    for path, changed in installer.install(_files(service), root):
        text = _("{path} is written.") if changed else _("{path} is up to date.")
        click.echo(text.format(path=path))
    if live:
        installer.tell_udev()
    if live and service:
        installer.tell_systemd()
        click.echo(_("Start the service with `sudo systemctl enable --now simdiag-watch`."))


def _uninstall(root: Path, live: bool) -> None:
    from simdiag.hostfiles import installer

    if live:
        installer.stop_service()
    removed = list(installer.uninstall(root))
    for path in removed:
        click.echo(_("{path} is removed.").format(path=path))
    if not removed:
        click.echo(_("There is nothing to take away."))
    if live:
        installer.tell_udev()
        installer.tell_systemd()
