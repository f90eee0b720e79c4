"""Records: interval by interval, a method's counts and the interface's total go into the store."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

from simdiag.database import DiskFull
from simdiag.errors import SimdiagError
from simdiag.message import N_, Message, message
from simdiag.usage import links
from simdiag.usage.departures import Departures
from simdiag.usage.kernel import KernelMeter
from simdiag.usage.links import Interface
from simdiag.usage.meter import InterfaceMeter, Meter
from simdiag.usage.records import Amount, Label, Link, Method
from simdiag.usage.sockets import SocketMeter
from simdiag.usage.store import Store

INTERVAL_S = 5.0
"""From one write to the next: what a power cut costs at most."""
_STEP_S = 0.5
_ROLL_UP_S = 3600.0
_JUMP_S = 60.0
"""Who was asleep for longer, or whose clock was set by more, did not record what lies between."""

Say = Callable[[Message], None]


def best_meter(name: str, say: Say) -> Meter:
    """Return the most exact method that works here for an interface; what others lack is said."""
    methods: dict[Method, Callable[[], Meter]] = {
        Method.KERNEL: lambda: KernelMeter(name),
        Method.SOCKETS: SocketMeter,
    }
    for method, make in methods.items():
        try:
            return make()
        except SimdiagError as problem:
            text = N_("No {method} counting: {why}.")
            say(message(text, method=method.value, why=problem.message))
    return InterfaceMeter()


class Recorder:
    """Files what a meter counts over one link.

    ``say`` is told what the user should know while it runs: the device is away, the disk is full.
    """

    def __init__(self, store: Store, link: Link, meter: Meter, say: Say) -> None:
        self._store, self._link, self._meter, self._say = store, link, meter, say
        self._pending: dict[Label, Amount] = defaultdict(Amount)
        self._losses: Counter[str] = Counter()
        self._away = self._full = False
        self._rolled_up: float | None = None
        self._before: Interface | None = None  # as it was filed the last time
        self._ahead: float | None = None  # the clock, of the time that the computer was awake

    @property
    def is_away(self) -> bool:
        """Whether the link was away when its counts were filed the last time."""
        return self._away

    def run(self, ended: Callable[[], bool]) -> None:
        """Record until ``ended()``, which is asked twice a second; then file the last counts.

        Nothing is raised into it to end it: counts that were read are filed. Raises
        ``SimdiagError`` where the store or the kernel's answers fail for good.
        """
        try:
            with Departures() as self._departures:
                self._file()
                filed = time.monotonic()
                while not ended():
                    self._meter.wait(_STEP_S)
                    if time.monotonic() - filed >= INTERVAL_S:
                        self._file_if_room()
                        filed = time.monotonic()
                self._file()
        except OSError as problem:
            text = N_("the kernel does not tell of its interfaces: {why}")
            raise SimdiagError(
                message(text, why=message(problem.strerror or str(problem)))
            ) from problem

    def _file_if_room(self) -> None:
        """File, or keep what was counted for the next time while the disk is full."""
        try:
            self._file()
        except DiskFull as problem:
            if not self._full:
                self._say(problem.message)
            self._full = True
        else:
            self._full = False

    def _file(self) -> None:
        interface = links.present(self._link)
        for label, amount in self._meter.read(interface).items():
            self._pending[label] += amount
        self._losses.update(self._meter.losses())
        # Once more, after the meter: what it counted has to be in the total.
        interface = links.present(self._link)
        self._tell_of_absence(away=interface is None)
        now = time.time()
        self._notice_jump(now - time.monotonic())
        if departed := self._departed(interface):
            self._store.add(now, self._link, departed.reading, {})
        reading = interface.reading if interface else None
        self._store.add(now, self._link, reading, self._pending, self._losses)
        self._before = interface
        self._pending.clear()
        self._losses.clear()
        if self._rolled_up is None or time.monotonic() - self._rolled_up > _ROLL_UP_S:
            self._store.roll_up(now)
            self._rolled_up = time.monotonic()

    def _departed(self, now: Interface | None) -> Interface | None:
        """Return the interface as it left since the last time, if it did."""
        before = self._before
        if before is None or (now is not None and now.index == before.index):
            return None
        counters = self._departures.of(before.index)
        return None if counters is None else replace(before, counters=counters)

    def _notice_jump(self, ahead: float) -> None:
        if self._ahead is not None and abs(ahead - self._ahead) > _JUMP_S:
            self._store.interrupt()
        self._ahead = ahead

    def _tell_of_absence(self, *, away: bool) -> None:
        if away != self._away:
            gone = N_("{name} is gone; recording goes on when it is back.")
            back = N_("{name} is back.")
            self._say(message(gone if away else back, name=self._link.name))
        self._away = away
