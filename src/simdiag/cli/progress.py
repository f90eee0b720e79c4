"""Shows which layer is being read, on a terminal only, and asks questions in between."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import gettext as _
from types import TracebackType
from typing import TYPE_CHECKING

import click

from simdiag.message import N_

if TYPE_CHECKING:
    from rich.status import Status

    from simdiag.agent import Target
    from simdiag.driver import Layer

LAYER_TITLES = {
    "device": N_("device"),
    "sim": N_("SIM card"),
    "registration": N_("network registration"),
    "radio": N_("signal and cell"),
    "data": N_("data connection"),
    "counters": N_("counters"),
    "reasons": N_("what may keep it off the network"),
}


def say(text: str) -> None:
    """Tell a person who waits, on a terminal only, what is being done."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def say_hiding() -> None:
    """Tell that identifiers are being hidden: with a long talk that takes seconds."""
    say(_("Hiding identifiers, and checking that none is left …"))


class LayerProgress:
    """A line for each layer that is done, and a moving one for what is being read.

    Where nobody looks nothing is shown, and what would draw it is not even loaded.
    """

    def __init__(self, devices: int) -> None:
        self._several = devices > 1
        self._current: dict[str, str] = {}
        self._status: Status | None = None
        if sys.stderr.isatty() and devices > 0:
            from rich.console import Console

            console = Console(stderr=True, highlight=False)
            self._status = console.status(_("Looking for the modem …"))

    def __enter__(self) -> LayerProgress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is None:
            return
        self._status.stop()
        if kind is None:
            for name in self._current:
                self._print_done(self._status, name)

    def layer(self, target: Target, layer: Layer) -> None:
        """Note that a layer is begun, so that the one before it is done."""
        if self._status is None:
            return
        if target.name in self._current:
            self._print_done(self._status, target.name)
        self._current[target.name] = title = _(LAYER_TITLES[layer.value])
        name = f"{target.name}: " if self._several else ""
        self._status.update(_("Reading: {what} …").format(what=name + title))

    def _print_done(self, status: Status, name: str) -> None:
        prefix = f"{name}: " if self._several else ""
        status.console.print(f"[green]✓[/green] {prefix}{self._current[name]}")

    def confirm(self, question: str) -> bool:
        """Ask the user; where nobody can answer, the answer is no."""
        if self._status is not None:
            self._status.stop()
        try:
            return sys.stdin.isatty() and click.confirm(_(question), err=True)
        finally:
            if self._status is not None:
                self._status.start()


@contextmanager
def counting(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar for ``total`` steps; call what is yielded after each. Nobody looks, none shown."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)
