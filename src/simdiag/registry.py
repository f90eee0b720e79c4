"""Finds the driver and profile files. There is no list of them anywhere: a file is enough.

A broken file does not stop the rest: its problem, with file and line, is kept in ``problems``.
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import ModuleType

from simdiag.driver import ModemDriver, Reader
from simdiag.errors import SimdiagError
from simdiag.files import config_folder
from simdiag.profile import CarrierProfile

_LOADING = Lock()
"""Many devices are examined at once, and a half-loaded driver file must not be seen."""
GENERIC = "generic-3gpp"
"""The family for a modem that no other driver knows."""


@dataclass(slots=True)
class Drivers:
    """All drivers found, by family, and what was wrong with the files that are left out."""

    by_family: dict[str, ModemDriver] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[ModemDriver]:
        return iter(self.by_family.values())

    @property
    def generic(self) -> ModemDriver:
        """The fall-back driver."""
        return self.by_family[GENERIC]

    def for_usb(self, vid: int, pid: int) -> ModemDriver | None:
        """Return the driver that claims a USB id; one that names the product goes first."""
        exact = [d for d in self for m in d.match if (m.vid, m.pid) == (vid, pid)]
        vendor = [d for d in self for m in d.match if (m.vid, m.pid) == (vid, None)]
        return next(iter(exact or vendor), None)

    def for_description(self, description: str) -> ModemDriver | None:
        """Return the driver whose family the modem's own words name."""
        return next((d for d in self if d.identifies(description)), None)

    @property
    def attempts(self) -> tuple[str, ...]:
        """Return how the commands of all families begin that open a data connection."""
        return tuple(beginning for driver in self for beginning in driver.attempts)

    def readers(self, driver: ModemDriver | None = None) -> dict[str, Reader]:
        """Return the parse functions by answer prefix or command.

        A reader of another family serves where the driver has none: a prefix such as ``+QENG:``
        means the same wherever it turns up, in a log above all, but for a family's ``overrides``.
        """
        pool: dict[str, Reader] = {}
        own = (driver.overrides, driver.readers) if driver else ()
        for readers in (*own, self.generic.readers, *(d.readers for d in self)):
            for key, reader in readers.items():
                pool.setdefault(key.upper(), reader)
        return pool


def drivers() -> Drivers:
    """Return every driver: of the package, of the system and of the user; loaded once."""
    with _LOADING:
        return _load_drivers()


@lru_cache(maxsize=1)
def _load_drivers() -> Drivers:
    import simdiag.drivers as package

    found = Drivers()
    for path in _files(list(package.__path__), "drivers", "*.py"):
        try:
            driver = _load_driver(path)
        except Exception as problem:  # a file of somebody else's may raise anything
            found.problems.append(_where(path, problem))
            continue
        if driver is None:
            continue
        clash = found.by_family.get(driver.family) or next(
            (d for d in found for m in d.match if m in driver.match), None
        )
        if clash:
            found.problems.append(f"{path}: claims what {clash.family} claims; it is left out")
        else:
            found.by_family[driver.family] = driver
    if GENERIC not in found.by_family:
        found.by_family[GENERIC] = ModemDriver(family=GENERIC, vendor="any")
    return found


def _files(folders: list[str], kind: str, pattern: str) -> Iterator[Path]:
    found = [*map(Path, folders), Path("/etc/simdiag") / f"{kind}.d"]
    with suppress(SimdiagError):  # a user without a home
        found.append(config_folder() / "simdiag" / kind)
    for folder in found:
        with suppress(OSError):  # somebody else's home
            files = sorted(folder.glob(pattern)) if folder.is_dir() else []
            yield from (p for p in files if p.name != "__init__.py")


def _load_driver(path: Path) -> ModemDriver | None:
    module = _import(path)
    driver = getattr(module, "DRIVER", None)
    if not isinstance(driver, ModemDriver):
        raise TypeError("has no DRIVER = ModemDriver(...)")
    return driver


def _import(path: Path) -> ModuleType:
    name = f"simdiag.drivers.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _where(path: Path, problem: BaseException) -> str:
    """One line: file, line number where known, and what is wrong."""
    line = getattr(problem, "lineno", None)
    if line is None:
        frames = traceback.extract_tb(problem.__traceback__)
        line = next((f.lineno for f in reversed(frames) if f.filename == str(path)), None)
    what = str(problem).strip().splitlines() or [type(problem).__name__]
    if type(problem).__name__ == "ValidationError":
        what = [" ".join(part.strip() for part in what)]
    return f"{path}{f':{line}' if line else ''}: {what[0][:300]}"


@dataclass(slots=True)
class Profiles:
    """All carrier profiles found, by id, and what was wrong with the files that are left out."""

    by_id: dict[str, CarrierProfile] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def for_card(self, imsi: str | None, iccid: str | None) -> CarrierProfile | None:
        """Return the profile that claims the most digits of the card's numbers."""
        best = max(self.by_id.values(), key=lambda p: p.match(imsi, iccid), default=None)
        return best if best is not None and best.match(imsi, iccid) else self.by_id.get("generic")


def profiles() -> Profiles:
    """Return every profile, loaded once; a later folder's file replaces an earlier of its id."""
    with _LOADING:
        return _load_profiles()


@lru_cache(maxsize=1)
def _load_profiles() -> Profiles:
    import simdiag.profiles as package

    found = Profiles()
    for path in _files(list(package.__path__), "profiles", "*.toml"):
        try:
            profile = CarrierProfile.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (ValueError, OSError) as problem:
            found.problems.append(_where(path, problem))
        else:
            found.by_id[profile.id] = profile
    return found
