"""The command group: every module of ``cli/commands`` is a command, found by its file name."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from gettext import gettext as _
from typing import Any

import click

from simdiag import __version__
from simdiag.cli import commands
from simdiag.cli.status import Status
from simdiag.errors import ScenarioError, SimdiagError


class CommandGroup(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the modules in ``cli/commands``."""
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of that name and return its ``command``."""
        if name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=_("Says what is wrong with a SIM in a modem, why, who can fix it and what to do next."),
)
@click.version_option(__version__, message="simdiag %(version)s")
@click.option(
    "--lang", metavar="LANG", expose_value=False, help=_("Language, such as en or zh-CN.")
)
def cli() -> None:
    """Hold the commands together."""


def run() -> int:
    """Run the command line and return the exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        result: Any = cli.main(prog_name="simdiag", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        return Status.USAGE
    except ScenarioError as problem:
        return _say(problem, Status.USAGE)
    except SimdiagError as problem:
        return _say(problem, Status.NOT_EXAMINED)
    except (KeyboardInterrupt, click.Abort):
        click.echo(_("Interrupted; the modem's settings are restored."), err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.OK
    return int(result or 0)


def _say(problem: SimdiagError, status: Status) -> int:
    click.echo(f"simdiag: {problem.message.render(_)}", err=True)
    return status


def _terminated(_signal: int, _frame: object) -> None:
    """Treat SIGTERM as Ctrl-C, so that settings are restored and links removed."""
    raise KeyboardInterrupt
