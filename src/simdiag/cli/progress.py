"""Shows which layer is being read, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import gettext as _
from typing import TYPE_CHECKING

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


@contextmanager
def layer_progress(devices: int) -> Iterator[Callable[[Target, Layer], None] | None]:
    """Yield the callback for an examination's progress; ``None`` where nobody watches."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or not devices:
        yield None
        return
    with console.status(_("Looking for the modem …")) as status:
        current: dict[str, str] = {}

        def progress(target: Target, layer: Layer) -> None:
            name = f"{target.name}: " if devices > 1 else ""
            if done := current.get(target.name):
                console.print(f"[green]✓[/green] {name}{done}")
            current[target.name] = _(_TITLES[layer.value])
            status.update(_("Reading: {what} …").format(what=f"{name}{current[target.name]}"))

        yield progress
        for name, layer in current.items():
            console.print(f"[green]✓[/green] {name + ': ' if devices > 1 else ''}{layer}")
