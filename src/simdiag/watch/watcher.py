"""Runs the bench: looks when something has changed, and examines in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Protocol

from simdiag.agent import Examination, Options, Target, examine, judge
from simdiag.collect.computer import usb_observations
from simdiag.discovery import UsbModem
from simdiag.driver import Layer
from simdiag.errors import Cancelled
from simdiag.evidence import Observation
from simdiag.evidence import Source as Origin
from simdiag.watch.bench import Bench, Kept, Verdict, Visit
from simdiag.watch.source import Source

_AT_ONCE = 64
_KEPT_AT_ONCE = 2
"""Files are made beside the examinations, which must not wait for the processor."""
_PAUSE_S = 0.2
"""Between two looks: one plug-in is a storm of announcements."""

Examine = Callable[[UsbModem, Callable[[Layer], None]], Examination]
"""Examines a device, telling which layer it has come to; raises ``Cancelled``."""
Keep = Callable[[str, Verdict, Examination], Kept]
"""Makes a file of what was examined in a socket, in its own time; raises nothing."""


class Display(Protocol):
    """Where what happens is shown. All is called in the thread that runs the watcher."""

    tick_s: float | None
    """How often to refresh while something is going on; ``None`` where no time is shown."""

    def arrived(self, visit: Visit) -> None:
        """Show that a device was plugged in."""

    def examined(self, visit: Visit, examination: Examination) -> None:
        """Show the result of an examination."""

    def kept(self, visit: Visit, kept: Kept) -> None:
        """Show what became of the file that was made of an examination."""

    def left(self, visit: Visit) -> None:
        """Show that a device was unplugged."""

    def refresh(self, visits: list[Visit], now_s: float) -> None:
        """Show all as it is now, by the clock of the visits."""


class Watcher:
    """Examines devices as they come. ``cancel`` must be the one that ``examine`` and ``keep`` heed.

    With ``keep``, an examination is done when its file is.
    """

    def __init__(
        self,
        source: Source,
        examine: Examine,
        display: Display,
        cancel: Event,
        *,
        keep: Keep | None = None,
        bench: Bench | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._examine, self._display = source, examine, display
        self._cancel, self._clock, self._keep = cancel, clock, keep
        self._bench = bench or Bench()
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._pool = ThreadPoolExecutor(_AT_ONCE, "examination")
        self._keepers = ThreadPoolExecutor(_KEPT_AT_ONCE, "keeper")
        self.was_ended = False
        self._started = 0
        self._finished = 0
        self._stale = False
        self._looked_s = 0.0

    def run(self, *, count: int | None = None, new_only: bool = False) -> None:
        """Watch until ``count`` examinations are done, or until ``end``; to be called once.

        However it ends, every modem under examination gets its settings back first. ``new_only``
        passes over what is plugged in at the start.
        """
        with self._source.announcing(partial(self._inbox.put, self._note_change)), self._ending():
            self._looked_s = self._clock()
            devices = self._source.look()
            self._bench.attached(devices, self._looked_s, pass_over=new_only)
            for visit in self._bench.visits:
                self._display.arrived(visit)
            while not self.was_ended and (count is None or self._finished < count):
                self._step(_AT_ONCE if count is None else count - self._started)

    def end(self) -> None:
        """Have it end soon; may be called in any thread and in signal handlers.

        Nothing is interrupted: what has been found is told, and settings go back undisturbed.
        """
        self.was_ended = True
        self.wake()

    def wake(self) -> None:
        """Have the display refreshed; may be called in any thread and in signal handlers."""
        self._inbox.put(lambda: None)

    # ---- the loop ------------------------------------------------------------------------
    def _step(self, most: int) -> None:
        """Do what is due, then wait for what comes next; with nothing to come, without end."""
        now_s = self._clock()
        due = (due_s := self._due_s(most)) is not None and due_s <= now_s
        if due or (self._stale and now_s >= self._looked_s + _PAUSE_S):
            self._look(now_s)  # before a start as well: announcements can be lost, or not exist
        if due:
            self._start(now_s, most)
        self._display.refresh(self._bench.visits, now_s)
        self._wait(self._timeout_s(now_s, self._due_s(most)))

    def _due_s(self, most: int) -> float | None:
        return self._bench.next_due_s() if most > 0 else None

    def _look(self, now_s: float) -> None:
        self._stale, self._looked_s = False, now_s
        arrived, left = self._bench.see(self._source.look(), now_s)
        for visit in left:
            self._display.left(visit)
        for visit in arrived:
            self._display.arrived(visit)

    def _start(self, now_s: float, most: int) -> None:
        for visit in self._bench.start_settled(now_s, busy=self._source.busy(), most=most):
            self._started += 1
            work = self._pool.submit(self._examine, visit.device, partial(self._reached, visit))
            work.add_done_callback(partial(self._ended, visit))

    def _timeout_s(self, now_s: float, due_s: float | None) -> float | None:
        waits = []
        if self._stale:
            waits.append(self._looked_s + _PAUSE_S - now_s)
        if due_s is not None:
            waits.append(max(due_s - now_s, _PAUSE_S))  # due already: udev is busy
        if self._display.tick_s and any(visit.active for visit in self._bench.visits):
            waits.append(self._display.tick_s)
        return max(0.0, min(waits)) if waits else None

    def _wait(self, timeout_s: float | None) -> None:
        try:
            work = self._inbox.get(timeout=timeout_s)
            while True:
                work()
                work = self._inbox.get_nowait()
        except Empty:
            return

    # ---- what comes in -------------------------------------------------------------------
    def _note_change(self) -> None:
        self._stale = True

    def _reached(self, visit: Visit, layer: Layer) -> None:
        """Called in the thread of the examination, as the next."""
        self._inbox.put(partial(setattr, visit, "layer", layer))

    def _ended(self, visit: Visit, work: Future[Examination]) -> None:
        self._inbox.put(partial(self._finish, visit, work))

    def _finish(self, visit: Visit, work: Future[Examination]) -> None:
        try:
            result = work.result()
        except (Cancelled, CancelledError):
            return
        verdict = _verdict(result)
        self._bench.finish(visit, verdict)
        if self._keep is None:
            self._finished += 1
        else:
            visit.kept = Kept()
            making = self._keepers.submit(self._keep, visit.socket, verdict, result)
            making.add_done_callback(partial(self._made, visit, verdict))
        self._display.examined(visit, result)

    def _made(self, visit: Visit, verdict: Verdict, making: Future[Kept]) -> None:
        self._inbox.put(partial(self._note_kept, visit, verdict, making))

    def _note_kept(self, visit: Visit, verdict: Verdict, making: Future[Kept]) -> None:
        self._finished += 1
        kept = making.result()
        if visit.verdict is verdict:  # no newer examination has begun
            visit.kept = kept
        self._display.kept(visit, kept)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """End the examinations, so that the settings of every modem are restored; then the files.

        Files in the making may be finished: what was found is not lost if that takes but a moment.
        """
        try:
            yield
        finally:
            self._cancel.set()
            self._bench.interrupt()
            for pool in (self._pool, self._keepers):
                self._display.refresh(self._bench.visits, self._clock())
                pool.shutdown(cancel_futures=pool is self._pool)
                self._wait(0)
            self._display.refresh(self._bench.visits, self._clock())


def _verdict(result: Examination) -> Verdict:
    """Return what is kept of an examination that has just ended."""
    found, iccid = result.diagnosis, result.evidence.value("sim.iccid")
    began = datetime.now(UTC) - timedelta(seconds=result.elapsed_s)
    return Verdict(found.cause, found.entry.title, found.confidence, iccid, result.elapsed_s, began)


def examine_device(
    options: Options, device: UsbModem, progress: Callable[[Layer], None]
) -> Examination:
    """Examine a device that was there a moment ago: if its ports are not, it was removed."""
    target = Target(device=device)
    result = examine(target, options, lambda _target, layer: progress(layer))
    gone = target.paths and not any(Path(path).exists() for path in target.paths)
    return _removed(result) if gone and result.diagnosis.cause == "no_modem_found" else result


def _removed(examined: Examination) -> Examination:
    """Return an examination with the verdict for a device that vanished before it answered."""
    result = Examination(examined.target, events=examined.events, elapsed_s=examined.elapsed_s)
    if (device := examined.target.device) is not None:
        for observation in usb_observations(device):
            result.evidence.add(observation)
    where = ", ".join(examined.target.paths)
    result.evidence.add(Observation("host.port_lost", where, Origin(-1, "", where)))
    judge(result)
    return result
