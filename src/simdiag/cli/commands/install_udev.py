"""``simdiag install-udev``: the udev rules for modems' ports, and services."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import language_option
from simdiag.hostfiles import OF_USERS, SERVICES, TIMERS


@click.command(
    help=_(
        "Print the udev rules that open modems' ports to the group of serial ports and to the "
        "user at the computer; or install them, and a service that runs `simdiag watch`, "
        "`simdiag usage record` or, again and again, `simdiag ticket sync`."
    )
)
@click.option("--install", "action", flag_value="install", help=_("Install them (as root)."))
@click.option(
    "--uninstall", "action", flag_value="uninstall", help=_("Take rules and service away.")
)
@click.option(
    "--service", "services", multiple=True, type=click.Choice(list(SERVICES)),
    is_flag=False, flag_value="watch",
    help=_(
        "Add a systemd service: simdiag-watch (also without a name), simdiag-usage, or "
        "simdiag-tickets with its timer, for each user's own systemd."
    ),
)  # fmt: skip
@click.option(
    "--user", "own", is_flag=True,
    help=_("Only simdiag-tickets, and only for yourself; needs no root."),
)  # fmt: skip
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), metavar="DIR",
    help=_("Work below DIR instead of /, for packages; nothing is started or reloaded."),
)  # fmt: skip
@language_option
def command(action: str | None, services: tuple[str, ...], own: bool, root: Path) -> None:
    """Print, install or take away."""
    live = root.resolve() == Path("/")
    if own:
        if not live or not OF_USERS.issuperset(services):
            raise click.UsageError(_("--user is for the service tickets alone, and not for --root"))
        services = services or tuple(OF_USERS)
    if action is None:
        click.echo("\n".join(_files(services, own).values()), nl=False)
        return
    if live and not own and os.geteuid() != 0:
        raise _for_root(action, services)
    if action == "install":
        _install(root, services, live=live, own=own)
    else:
        _uninstall(root, live=live, own=own)


def _for_root(action: str, services: tuple[str, ...]) -> Exception:
    from simdiag.errors import SimdiagError
    from simdiag.hostfiles.installer import own_command
    from simdiag.message import N_, message

    wanted = (word for service in services for word in ("--service", service))
    again = shlex.join([*own_command(), "install-udev", f"--{action}", *wanted])
    text = N_("only root may change /etc: run `sudo {command}`")
    return SimdiagError(message(text, command=again))


def _files(services: Iterable[str], own: bool) -> dict[str, str]:
    from simdiag import hostfiles
    from simdiag.cli.common import warn_of_broken_files
    from simdiag.host.permission import serial_group
    from simdiag.hostfiles.installer import own_command
    from simdiag.registry import drivers

    warn_of_broken_files()
    group = serial_group()
    files = {} if own else {hostfiles.RULES: hostfiles.udev_rules(drivers(), group)}
    for name in (unit for service in services for unit in hostfiles.units(service)):
        files[name] = hostfiles.service_unit(name, own_command(), group)
    return files


def _install(root: Path, services: tuple[str, ...], *, live: bool, own: bool = False) -> None:
    from simdiag.errors import SimdiagError
    from simdiag.files import config_folder
    from simdiag.hostfiles import OWN_PLACES, PLACES, installer
    from simdiag.message import N_, message

    if services and live and not own and (closed := installer.closed_to_others()):
        text = N_(
            "a service cannot run this simdiag, since {path} is closed to other users: install "
            "simdiag where everybody can run it, such as in /opt"
        )
        raise SimdiagError(message(text, path=closed))
    root, places = (config_folder(), OWN_PLACES) if own else (root, PLACES)
    for path, changed in installer.install(_files(services, own), root, places):
        text = _("{path} is written.") if changed else _("{path} is up to date.")
        click.echo(text.format(path=path))
    if live and not own:
        installer.tell_udev()
    if live and services:
        installer.tell_systemd(own=own)
        for service in services:
            text = _("Start the service with `sudo systemctl enable --now {name}`.")
            if service in OF_USERS:
                text = _("Start it with `systemctl --user enable --now {name}`, as its user.")
            click.echo(text.format(name=TIMERS.get(service, f"simdiag-{service}")))


def _uninstall(root: Path, *, live: bool, own: bool = False) -> None:
    from simdiag.files import config_folder
    from simdiag.hostfiles import OWN_PLACES, PLACES, installer

    if live:
        installer.stop_services(own=own)
    root, places = (config_folder(), OWN_PLACES) if own else (root, PLACES)
    removed = list(installer.uninstall(root, places))
    for path in removed:
        click.echo(_("{path} is removed.").format(path=path))
    if not removed:
        click.echo(_("There is nothing to take away."))
    if live and not own:
        installer.tell_udev()
    if live:
        installer.tell_systemd(own=own)
