"""``simdiag emulate``: a modem in a given state, on a pty."""

from __future__ import annotations

from contextlib import nullcontext
from gettext import gettext as _
from pathlib import Path

import click

from simdiag.cli.common import language_option


@click.command(
    help=_("Open a pty that behaves as a modem in a given state; without SCENARIO, see --list.")
)
@click.argument("name", metavar="SCENARIO", required=False)
@click.option(
    "--list", "list_all", is_flag=True, help=_("List the scenarios, one a line, name first.")
)
@click.option(
    "--link",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help=_("Keep a symbolic link to the pty at PATH."),
)
@click.option(
    "--latency",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="MS",
    show_default=True,
    help=_("Milliseconds before each answer."),
)
@click.option(
    "--chunk",
    type=click.IntRange(min=0),
    default=0,
    metavar="BYTES",
    help=_("Send answers so many bytes at a time (0: all at once)."),
)
@click.option(
    "--noise",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="CHANCE",
    help=_("Chance of binary noise before each line."),
)
@click.option(
    "--urcs",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="CHANCE",
    help=_("Chance of an unsolicited line before each line."),
)
@click.option("--seed", type=int, default=0, metavar="N", help=_("Seed of the chances."))
@language_option
def command(
    name: str | None, list_all: bool, link: Path | None, latency: float, chunk: int, noise: float,
    urcs: float, seed: int,
) -> int:  # fmt: skip
    """Serve the scenario until interrupted."""
    from simdiag.emulator import EmulatedModem, scenario, scenario_names

    if list_all:
        width = max(map(len, scenario_names()))
        for each in scenario_names():
            click.echo(f"{each:<{width}}  {scenario(each).title}")
        return 0
    if name is None:
        raise click.UsageError(_("name a scenario, or use --list to see them all"))
    from simdiag.emulator.pty import PtyModem, Wire, linked

    modem = EmulatedModem(scenario(name))
    pty = PtyModem(modem, Wire(latency / 1000, chunk, noise, urcs, seed))
    with linked(pty.path, link) if link else nullcontext():
        click.echo(
            _("{name} answers on {path}; Ctrl-C ends it.").format(name=name, path=link or pty.path)
        )
        try:
            pty.serve()
        except KeyboardInterrupt:
            return 0
    return 0
