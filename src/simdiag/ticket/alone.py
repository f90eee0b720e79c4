"""One sender at a time: a lock of the operating system, which ends with the process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simdiag.ticket.payload import cannot


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold the lock of a file in the block; false where another program holds it."""
    try:
        lock = path.open("ab")
    except OSError as problem:
        raise cannot(path, problem) from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
