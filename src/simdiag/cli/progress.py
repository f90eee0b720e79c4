"""Shows which layer is being read, on a terminal only, and asks questions in between."""

from __future__ import annotations

import sys
from gettext import gettext as _
from types import TracebackType
from typing import TYPE_CHECKING

import click

from simdiag.message import N_

if TYPE_CHECKING:
    from simdiag.agent import Target
    from simdiag.driver import Layer

_TITLES = {
    "device": N_("device"),
    "sim": N_("SIM card"),
    "registration": N_("network registration"),
    "radio": N_("signal and cell"),
    "data": N_("data connection"),
    "counters": N_("counters"),
}


class LayerProgress:
    """A line for each layer that is done, and a moving one for what is being read."""

    def __init__(self, devices: int) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status(_("Looking for the modem …"))
        self._several = devices > 1
        self._current: dict[str, str] = {}
        self._shown = self._console.is_terminal and devices > 0

    def __enter__(self) -> LayerProgress:
        if self._shown:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._status.stop()
        if self._shown and kind is None:
            for name in self._current:
                self._print_done(name)

    def layer(self, target: Target, layer: Layer) -> None:
        """Note that a layer is begun, so that the one before it is done."""
        if not self._shown:
            return
        if target.name in self._current:
            self._print_done(target.name)
        self._current[target.name] = title = _(_TITLES[layer.value])
        name = f"{target.name}: " if self._several else ""
        self._status.update(_("Reading: {what} …").format(what=name + title))

    def _print_done(self, name: str) -> None:
        prefix = f"{name}: " if self._several else ""
        self._console.print(f"[green]✓[/green] {prefix}{self._current[name]}")

    def confirm(self, question: str) -> bool:
        """Ask the user; where nobody can answer, the answer is no."""
        self._status.stop()
        try:
            return sys.stdin.isatty() and click.confirm(_(question), err=True)
        finally:
            if self._shown:
                self._status.start()
