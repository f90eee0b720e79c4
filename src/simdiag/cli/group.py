"""The command group: every module of ``cli/commands`` is a command, found by its file name."""

from __future__ import annotations

import codecs
import errno
import importlib
import io
import os
import pkgutil
import re
import signal
import sys
from gettext import gettext as _
from typing import Any, TextIO

import click

from simdiag import __version__
from simdiag.cli import commands
from simdiag.cli.status import Status
from simdiag.errors import ScenarioError, SimdiagError
from simdiag.message import N_, message

_ENDLESS = ("monitor", "watch")
"""Commands that go on printing until they are ended."""


class CommandGroup(click.Group):
    """Imports a command when it is asked for."""

    asked: str | None = None
    """The command that was asked for, once that is known."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Note which command is asked for."""
        found = super().resolve_command(ctx, args)
        self.asked = found[0]
        return found

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
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as ``nohup`` wants it
            signal.signal(number, _terminated)
    for name in ("COLUMNS", "LINES"):
        if not re.fullmatch("[1-9][0-9]{0,3}", os.environ.get(name, "")):
            os.environ.pop(name, None)
    output = _take_over_streams()
    status = _run()
    sys.stdout.flush()
    if output.problem is None or output.problem.errno == errno.EPIPE:
        return status
    why = message(output.problem.strerror or str(output.problem))
    text = N_("the output cannot be written: {why}")
    return _say(SimdiagError(message(text, why=why)), Status.NOT_EXAMINED)


def _run() -> int:
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
        click.echo(_interrupted(), err=True)
        return 130
    return int(result or 0)


def _interrupted() -> str:
    """Return what to say after Ctrl-C; of settings only if a modem was talked to."""
    session = sys.modules.get("simdiag.session")  # who never loaded it talked to no modem
    if session is not None and session.AtSession.restored:
        return _("Interrupted; the modem's settings are restored.")
    return _("Interrupted.")


def _say(problem: SimdiagError, status: Status) -> int:
    click.echo(f"simdiag: {problem.message.render(_)}", err=True)
    return status


def _terminated(number: int, _frame: object) -> None:
    """Treat a signal as Ctrl-C, so that settings are restored and links removed.

    ``timeout`` sends it twice: the second one must not end the tidying up.
    """
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


class _Outlet(io.RawIOBase):
    """Where an output stream ends: what cannot be written is dropped, and the reason kept.

    So no command ends half-way, with a modem's settings changed, because nobody reads on, and
    each keeps its own exit status.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.problem: OSError | None = None

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        try:
            return os.write(self._fd, data)
        except OSError as problem:
            first, self.problem = self.problem is None, problem
            if first and cli.asked in _ENDLESS:  # it would go on for nobody
                signal.raise_signal(signal.SIGINT)
            return memoryview(data).nbytes


def _take_over_streams() -> _Outlet:
    """Make the standard streams whole and printing to them safe; returns where stdout ends.

    A stream that was closed gets its number filled, so that no file or port slips into it.
    """
    codecs.register_error("simdiag", _escaped)
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    sys.stdout, output = _safe(sys.stdout)
    sys.stderr, _errors = _safe(sys.stderr)
    return output


def _safe(stream: TextIO | None) -> tuple[TextIO, _Outlet]:
    fd = os.open(os.devnull, os.O_RDONLY) if stream is None else stream.fileno()
    outlet = _Outlet(fd)
    text = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        stream.encoding if stream else None,
        errors="simdiag",
        line_buffering=bool(stream and stream.line_buffering),
    )
    return text, outlet


def _escaped(problem: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as JSON does, so that JSON stays JSON."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    units = problem.object[problem.start : problem.end].encode("utf-16-be", "surrogatepass").hex()
    return re.sub("(....)", r"\\u\1", units), problem.end
