"""Which device a command is about: the options, and how they are turned into targets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simdiag.errors import SimdiagError
from simdiag.message import N_

if TYPE_CHECKING:
    from simdiag.agent import Target
    from simdiag.discovery import UsbModem


class NothingAttached(SimdiagError):
    """There is no device, and no port was named."""


F = TypeVar("F", bound=Callable[..., Any])


def port_options(command: F) -> F:
    """Add ``--port``, ``--device`` and ``--baud``."""
    for option in (
        click.option(
            "--baud", type=click.IntRange(min=300), default=115200, show_default=True,
            help=_("Speed of a real serial line; USB ports ignore it."),
        ),
        click.option(
            "--device", "device_id", metavar="ID",
            help=_("Device to examine, as `simdiag devices` names it."),
        ),
        click.option(
            "--port", metavar="URL",
            help=_("Port to use: /dev/…, socket://HOST:PORT or rfc2217://HOST:PORT."),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def find_targets(port: str | None, device_id: str | None, every: bool = False) -> list[Target]:
    """Return what the options name; with none given, the one device that is attached.

    Empty if nothing is attached; a usage error if the choice is not clear.
    """
    from simdiag.agent import Target
    from simdiag.discovery import Kind, discover

    if (port is not None) + (device_id is not None) + every > 1:
        raise click.UsageError(_("--port, --device and --all exclude one another"))
    if port is not None:
        if not port.strip() or not port.isprintable():
            raise click.BadParameter(
                _("there is no port {port}").format(port=ascii(port)), param_hint="--port"
            )
        return [Target(port=port, device=_owner(port))]
    modems = [d for d in discover() if d.kind is Kind.MODEM]
    if device_id is not None:
        found = [d for d in modems if device_id in (d.id, d.usb_id, *(p.path for p in d.ports))]
        if not found:
            raise click.BadParameter(
                _("no such device; attached are: {ids}").format(
                    ids=", ".join(d.id for d in modems) or _("none")
                ),
                param_hint="--device",
            )
        modems = found
    if len(modems) > 1 and not every:
        lines = "\n".join(f"  --device {d.id}   {d.name}" for d in modems)
        raise click.UsageError(
            _("several devices are attached; choose one, or --all:\n{list}").format(list=lines)
        )
    return [Target(device=d) for d in modems]


def _owner(port: str) -> UsbModem | None:
    """Return the USB device that a port belongs to, so that all of it can be taken into account."""
    from simdiag.discovery import discover

    node = os.path.realpath(port)
    if not re.match(r"/dev/tty[A-Z]", node):
        return None
    return next((d for d in discover() if any(p.path == node for p in d.ports)), None)


def find_target(port: str | None, device_id: str | None) -> Target:
    """Return the one device that the options name; raises where there is none."""
    targets = find_targets(port, device_id)
    if not targets:
        raise NothingAttached(N_("no modem is attached; name a port with --port"))
    return targets[0]
