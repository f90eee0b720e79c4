"""``simdiag ticket``: every module here is one of its commands, found by its file name."""

from __future__ import annotations

import importlib
import pkgutil
from gettext import gettext as _

import click


@click.group(help=_("Report a fault to a support desk, and follow it up until it is solved."))
def command() -> None:
    """Hold the commands together."""


for _found in pkgutil.iter_modules(__path__):
    command.add_command(importlib.import_module(f"{__name__}.{_found.name}").command, _found.name)
