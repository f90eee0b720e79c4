"""Secrets of this installation: made once, kept in the user's state folder, never in a bundle."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.files import state_folder
from simdiag.message import N_, message

_LONGEST = 4096


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the secret of that name; ``make`` gives it the first time.

    Two programs that ask at the same time get the same one. Raises ``SimdiagError`` with a
    sentence where it can be neither read nor written.
    """
    path = state_folder() / name
    try:
        if secret := found(name):
            return secret
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.{secrets.token_hex(8)}")
        try:
            _write(temporary, make())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)  # the first one stays
        finally:
            temporary.unlink(missing_ok=True)
        return _read(path)
    except OSError as problem:
        why = problem.strerror or str(problem)
        text = N_(
            "the key {path} can be neither read nor made: {why}; XDG_STATE_HOME may name another "
            "folder"
        )
        raise SimdiagError(message(text, path=path, why=message(why))) from problem


def found(name: str) -> bytes | None:
    """Return the secret of that name if it was ever made; raises ``OSError``, ``SimdiagError``."""
    with contextlib.suppress(FileNotFoundError):
        return _read(state_folder() / name)
    return None


def unusable(name: str) -> SimdiagError:
    """Return the error for a secret that is none."""
    text = N_("the key {path} is damaged: restore it, or move it away and a new one is made")
    return SimdiagError(message(text, path=state_folder() / name))


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_LONGEST)


def _write(path: Path, secret: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(secret)
        stream.flush()
        os.fsync(stream.fileno())
