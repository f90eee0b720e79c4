"""Makes the bundles of ``simdiag watch``, each in a process of its own.

So that nothing waits for them: neither the table nor the other devices, nor the end of the watch.
A process can be ended, it has a processor of its own, and what it takes in memory it gives back.
Its program is at the end of this file.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NoReturn

from simdiag.agent import Examination
from simdiag.cli.shelf import Shelf, file_name
from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.watch import Kept, Verdict

SUFFIX = ".zip"
LIMIT_S = 120.0
"""For one bundle: four seconds for the collectors, the rest is reckoning, on a slow computer."""
ENDING_S = 8.0
"""For all that are in the making when the watch is ended."""
_GRACE_S = 4.0
"""To tidy up, then it is killed."""
_LOOK_S = 0.1
_NICE = 5
_PROGRAM = "from simdiag.cli.bundling import main; main()"

_TOO_LONG = N_("the bundle was given up: it was not ready after {seconds} seconds")
_ENDED = N_("the bundle was not finished before the end; nothing is left of it")
_CRASHED = N_("the bundle could not be made: {why}; nothing is left of it")


@dataclass(frozen=True, slots=True)
class _Order:
    """What the process is told: make this bundle of that, and write it there."""

    result: Examination
    began: datetime
    path: Path


class Bundling:
    """Makes a bundle of each examination; ``cancel`` says that the watch ends."""

    def __init__(self, shelf: Shelf, cancel: Event) -> None:
        self._shelf, self._cancel = shelf, cancel
        self._ending_s: float | None = None

    def __call__(self, socket: str, verdict: Verdict, result: Examination) -> Kept:
        """Make it, and remove the oldest ones; called in a thread of the watcher's."""
        name = file_name(socket, verdict)
        path = self._shelf.path(name, SUFFIX)
        problem = self._made(_Order(result, verdict.began, path))
        if problem is not None:
            return Kept(problem=problem)
        try:
            self._shelf.prune(name)
        except OSError as error:
            why = message(error.strerror or str(error))
            text = N_("older bundles could not be removed: {why}")
            return Kept(path.name, message(text, why=why))
        return Kept(path.name)

    def _made(self, order: _Order) -> Message | None:
        """Have it made; returns what went wrong, if anything did."""
        if self._left_s() <= 0:
            return Message(_ENDED)
        try:
            process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-P", "-c", _PROGRAM],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is ours to answer
            )  # fmt: skip
        except OSError as error:
            return Message(_CRASHED, {"why": message(error.strerror or str(error))})
        try:
            return self._answer(process, pickle.dumps(order))
        finally:
            _end(process)

    def _answer(self, process: subprocess.Popen[bytes], order: bytes | None) -> Message | None:
        deadline = time.monotonic() + LIMIT_S
        while self._left_s() > 0 and time.monotonic() < deadline:
            try:
                return _read(process, process.communicate(order, timeout=_LOOK_S)[0])
            except subprocess.TimeoutExpired:
                order = None  # it goes on being sent
        if self._left_s() > 0:
            return Message(_TOO_LONG, {"seconds": f"{LIMIT_S:.0f}"})
        return Message(_ENDED)

    def _left_s(self) -> float:
        """Return how long a bundle may still take, as far as the end of the watch is concerned."""
        if not self._cancel.is_set():
            return LIMIT_S
        if self._ending_s is None:
            self._ending_s = time.monotonic() + ENDING_S
        return self._ending_s - time.monotonic()


def _read(process: subprocess.Popen[bytes], told: bytes) -> Message | None:
    """Return what a process that has ended had to say."""
    try:
        answer: Message | None = pickle.loads(told)  # noqa: S301 -- our own program's
    except (EOFError, pickle.UnpicklingError):
        why = message(N_("its program ended ({status})"), status=process.returncode)
        return Message(_CRASHED, {"why": why})
    return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have a process tidy up, if it is still there, and wait for its end, but not for ever."""
    for end in (process.terminate, process.kill):
        end()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
            break
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


# ---- the process's program ---------------------------------------------------------------
def main() -> None:
    """Read an order from standard input, carry it out, and print what went wrong, if anything."""
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _give_up)
    signal.alarm(round(LIMIT_S))  # it may have outlived the watch
    os.nice(_NICE)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else gets there
    problem: Message | None = None
    try:
        _carry_out(pickle.load(sys.stdin.buffer))  # noqa: S301 -- from our own program
    except SimdiagError as error:
        problem = error.message
    except Exception as error:  # whatever it is, the watch goes on, and says so
        problem = Message(_CRASHED, {"why": type(error).__name__})
    with output:
        pickle.dump(problem, output)


def _carry_out(order: _Order) -> None:
    """Do what ``simdiag bundle`` does after it has examined the device."""
    from simdiag.bundle.collecting import Collecting
    from simdiag.bundle.material import of_examination, subject_of
    from simdiag.cli import bundles

    with Collecting() as collecting:
        outcomes = collecting.collect(subject_of(order.result.target))
    material = of_examination(order.result, order.began, outcomes)
    built = bundles.hidden(material, bundles.own_names(), order.path.name)
    bundles.write(order.path, built.data, replace=False)


def _give_up(_number: int, _frame: object) -> NoReturn:
    sys.exit(1)
