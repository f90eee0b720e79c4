"""An end in time for a whole conversation: a socket's own time-out begins anew at every byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def ended_after(seconds: float, talking: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut off the connection of the block once its time is over, however slowly the other talks.

    ``talking`` returns the socket that is in use. Whoever waits on it then sees that the other side
    has gone.
    """

    def cut() -> None:
        with suppress(OSError):
            if (connection := talking()) is not None:
                # past TLS, which the block may be in the middle of
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
