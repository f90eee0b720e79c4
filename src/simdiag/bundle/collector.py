"""What a collector is: a function that tells typed events about the computer, and its limits."""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from simdiag.bundle.fields import Event


class Subject(BaseModel):
    """What the bundle is about, as far as this computer knows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sys_path: str = ""
    """The USB device in sysfs; empty where none is known."""
    ports: tuple[str, ...] = ()
    """Names of its serial ports, such as ``ttyUSB2``."""
    interfaces: tuple[str, ...] = ()
    """Names of its network interfaces."""
    controls: tuple[str, ...] = ()
    """Names of its control devices, such as ``cdc-wdm0``."""

    elsewhere: bool = False
    """Whether it was reached over a port that no USB device of this computer has: what is logged
    here is about others."""

    @property
    def bus_path(self) -> str:
        """The place on the bus, such as ``1-2.3``; empty where no device is known."""
        return self.sys_path.rpartition("/")[2]


class Skipped(Exception):
    """There is nothing to collect here."""


class Denied(Exception):
    """The user may not read it."""


@dataclass(frozen=True, slots=True)
class Collector:
    """One source of typed events.

    ``collect`` runs in a process of its own and yields events of the class ``event`` as it finds
    them: what it told before its time or its bytes are used up is kept. It may raise
    :class:`Skipped`, :class:`Denied` (also as ``PermissionError``) or anything else.
    """

    event: type[Event]
    collect: Callable[[Subject], Iterable[Event]]
    limit_s: float = 4.0
    limit_bytes: int = 128 * 1024


FOLDER = Path(__file__).parent / "collectors"


@cache
def collectors(folder: Path = FOLDER) -> dict[str, Collector]:
    """Return the collectors of a folder by name, which is the file's."""
    return {
        name: _load(folder / f"{name}.py")
        for name in sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    }


def _load(path: Path) -> Collector:
    package = "simdiag.bundle.collectors" if path.parent == FOLDER else f"collectors_{id(path)}"
    name = f"{package}.{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(name)
        sys.modules[name] = importlib.util.module_from_spec(spec)  # pydantic looks there
        spec.loader.exec_module(sys.modules[name])
    found: Collector = sys.modules[name].COLLECTOR
    return found
