"""Files: where a user's settings are, and writing as a whole.

The name of a file appears, or its content changes, only once all is there.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message


def config_folder() -> Path:
    """Return where the user's settings of all programs are; ``SimdiagError`` without a home."""
    return _of_user("XDG_CONFIG_HOME", ".config")


def state_folder() -> Path:
    """Return where we keep what is the user's own; ``SimdiagError`` without a home."""
    return _of_user("XDG_STATE_HOME", ".local/state") / "simdiag"


def _of_user(variable: str, below_home: str) -> Path:
    if named := os.environ.get(variable):
        return Path(named)
    try:
        return Path.home() / below_home
    except RuntimeError as problem:
        text = N_("your home folder is not known: set HOME, or {variable}")
        raise SimdiagError(message(text, variable=variable)) from problem


def write_whole(
    path: Path, content: str | bytes, mode: int | None = None, *, replace: bool = True
) -> None:
    """Write a file so that nobody ever sees half of it; raises ``OSError``.

    Text is written as UTF-8. ``mode`` is for a file that must have it, whatever the user's mask.
    With ``replace`` false, a file that is there already is left alone: ``FileExistsError``. What
    is no file, such as ``/dev/stdout``, is never replaced but written to.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        _write_into(path, data)
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as stream:  # nobody else's, in a folder such as /tmp
            stream.write(data)
            stream.flush()
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        if not replace and path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_into(path: Path, data: bytes) -> None:
    """Write to a device or a pipe; one that nobody reads from is an error, not waited for."""
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
