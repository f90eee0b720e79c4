"""Which desks a user has: ``desks.toml`` in the folder of his settings. No secret stands in it.

::

    [shop]
    kind = "request_tracker"
    address = "https://tickets.example.org/"
    queue = "SIM-AfterSales"
    token = "shop"

A kind is a file in :mod:`simdiag.ticket.desks`; its ``Settings`` say what else may stand here.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from simdiag.errors import SimdiagError
from simdiag.files import config_folder
from simdiag.message import N_, message
from simdiag.report.hostile import shown
from simdiag.ticket import desks as package
from simdiag.ticket.credentials import secret
from simdiag.ticket.desk import Desk
from simdiag.ticket.web import DEADLINE_S, is_loopback
from simdiag.validation import first_fault

FILE = "desks.toml"


Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$")]


class DeskSettings(BaseModel):
    """What every kind of desk may be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    """The table's name in the file: what ``--desk`` takes."""
    max_bytes: int | None = Field(default=None, gt=0)
    """The largest file the desk takes, where it does not say so itself."""
    extensions: tuple[Annotated[str, StringConstraints(pattern=r"^\.[a-z0-9.]+$")], ...] = ()
    """Ends of file names the desk takes; the first is given to bundles. Empty: ``.sdb``."""
    languages: tuple[Language, ...] = ()
    """Tags of the languages that are read there, the best first; empty: as the operator's."""

    @property
    def extension(self) -> str:
        """What the name of a sent bundle ends in."""
        return self.extensions[0] if self.extensions else ".sdb"


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(N_("it must begin with https://"))
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(N_("it must begin with https://, for a token goes there"))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(N_("it must hold nothing but host and path"))
    return value.rstrip("/") + "/"


class WebSettings(DeskSettings):
    """What a desk with a web interface may be told."""

    address: Annotated[str, AfterValidator(_address)]
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,100}$")]
    """Name of the token, not the token: the keyring or the environment has it under this name."""
    ca_file: Path | None = None
    """Certificates to trust, PEM; the system's where none is named."""
    deadline_s: float = Field(default=DEADLINE_S, gt=0, le=600)
    """For one request, a file's bytes apart."""

    def base(self, path: str) -> str:
        """Return the address of an interface of this desk."""
        return self.address + path

    def secret(self) -> str:
        """Return the token itself. Raises ``AuthRefused``."""
        return secret(self.token)


def folder() -> Path:
    """Return the folder of the user's settings."""
    return config_folder() / "simdiag"


def kinds() -> dict[str, ModuleType]:
    """Return the kinds of desks, by name: the files that are there."""
    return {
        found.name: importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    }


def read(path: Path | None = None) -> dict[str, DeskSettings]:
    """Return the user's desks by name; none where there is no file. Raises ``SimdiagError``."""
    path = path or folder() / FILE
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        text = N_("{path} cannot be read: {why}")
        raise SimdiagError(message(text, path=path, why=shown(str(problem), 200))) from problem
    return {name: _desk(path, name, table) for name, table in tables.items()}


def connect(settings: DeskSettings) -> Desk:
    """Return the desk that settings describe; nothing is sent yet. Raises ``Hold``."""
    desk: Desk = kinds()[settings.kind].connect(settings)
    return desk


def _desk(path: Path, name: str, table: Any) -> DeskSettings:
    known = kinds()
    kind = table.get("kind") if isinstance(table, dict) else None
    if kind not in known:
        text = N_("{path}: [{desk}] needs a kind out of {kinds}")
        raise SimdiagError(
            message(text, path=path, desk=shown(name, 80), kinds=", ".join(sorted(known)))
        )
    try:
        settings: DeskSettings = known[kind].Settings(**{**table, "name": name})
    except ValidationError as problem:
        where, why = first_fault(problem)
        text = N_("{path}: [{desk}] {key}: {why}")
        raise SimdiagError(
            message(text, path=path, desk=shown(name, 80), key=shown(where or "?", 80), why=why)
        ) from problem
    return settings
