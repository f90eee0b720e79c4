"""Writing files as a whole: the name appears, or changes its content, only once all is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def write_whole(
    path: Path, content: str | bytes, mode: int | None = None, *, replace: bool = True
) -> None:
    """Write a file so that nobody ever sees half of it; raises ``OSError``.

    Text is written as UTF-8. ``mode`` is for a file that must have it, whatever the user's mask.
    With ``replace`` false, a file that is there already is left alone: ``FileExistsError``.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
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
