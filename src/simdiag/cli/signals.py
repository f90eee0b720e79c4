"""Commands that run until they are asked to end, and end at a moment of their choosing."""

from __future__ import annotations

import signal
from collections.abc import Callable


def when_asked_to_end(do: Callable[[], object]) -> None:
    """Call this, instead of interrupting, at Ctrl-C, ``kill`` or a closed terminal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as ``nohup`` wants it
            signal.signal(number, lambda _signal, _frame: do())
