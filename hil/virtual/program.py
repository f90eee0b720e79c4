"""Runs of simdiag, forked from a process that has loaded it already.

Under an emulated processor, to load the program takes longer than to examine a modem.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import forkserver
from pathlib import Path

LOADED = multiprocessing.get_context("forkserver")
LOADED.set_forkserver_preload(["virtual.warm", __name__])


def warm_up() -> None:
    """Begin to load simdiag in the process that the others are forked from."""
    forkserver.ensure_running()


class Forked:
    """A run of simdiag."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self._output, self._errors = folder / "output", folder / "errors"
        arguments = (words, self._output, self._errors)
        self._process = LOADED.Process(target=_run, args=arguments)
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The status; negative after a signal, ``None`` while it runs."""
        return self._process.exitcode

    def communicate(self, input: None = None, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; return what it printed, and what it said on standard error."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("simdiag", timeout or 0)
        return self._output.read_text(), self._errors.read_text()

    def poll(self) -> int | None:
        """Return the status, or ``None`` while it runs."""
        return self.returncode

    def printed(self) -> str:
        """Return what it has printed so far."""
        return self._output.read_text() if self._output.exists() else ""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _run(words: Sequence[str], output: Path, errors: Path) -> None:
    """Be ``simdiag WORDS``, printing into two files."""
    from simdiag.cli import main

    sys.argv = ["simdiag", *words]
    with output.open("w") as sys.stdout, errors.open("w") as sys.stderr:
        main()
