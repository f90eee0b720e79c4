"""Files of the outbox: copied under their digest, and on the disk before anything names them.

Whoever copies shares a lock on the folder, which ends with the process. So what is half copied
while nobody holds it was left by one that was killed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simdiag.database import DiskFull
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.ticket.entry import Payload


def kept(path: Path, folder: Path) -> Payload:
    """Copy a file into a folder, named by its SHA-256; it survives a power cut after this.

    Raises ``DiskFull``, ``SimdiagError``; then nothing of it is left there.
    """
    temporary = folder / f".{uuid.uuid4()}"
    digest, size = hashlib.sha256(), 0
    try:
        with _locked(folder, fcntl.LOCK_SH) as names:
            try:
                with path.open("rb") as source, temporary.open("wb") as copy:
                    while chunk := source.read(1 << 20):
                        digest.update(chunk)
                        size += copy.write(chunk)
                    copy.flush()
                    os.fsync(copy.fileno())
                temporary.replace(folder / digest.hexdigest())
                os.fsync(names)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise cannot(Path(problem.filename or path), problem) from problem
    return Payload(folder / digest.hexdigest(), digest.hexdigest(), size)


def sweep(folder: Path) -> None:
    """Remove what killed programs left half copied; another time, while somebody copies."""
    left = list(folder.glob(".*"))
    with suppress(OSError):
        if left:
            with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                for path in left:
                    path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


def cannot(path: Path, problem: OSError) -> SimdiagError:
    """Return the sentence for a file of the outbox that could not be written or read."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        text = N_("{path} cannot be kept: the disk is full; nothing was changed")
        return DiskFull(message(text, path=path))
    why = message(problem.strerror or str(problem))
    return SimdiagError(message(N_("{path} cannot be used: {why}"), path=path, why=why))
