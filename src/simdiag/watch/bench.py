"""Which devices come, settle, are examined and go: decisions from snapshots, without a clock.

A USB modem announces itself in pieces (the device, its interfaces, one port after another), may
show a drive first and come back as a modem, and may be pulled out at any moment. Nothing here
rests on single events, which can be lost: each snapshot is compared with what was there before.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from simdiag.discovery import Kind, UsbModem
from simdiag.driver import Layer
from simdiag.message import Message

_SETTLE_S = 0.5
_PATIENCE_S = 6.0
_LIMIT_S = 10.0
_RETURN_S = 10.0
_HISTORY = 100


class State(enum.StrEnum):
    """How far a visit has come."""

    SETTLING = "settling"
    EXAMINING = "examining"
    EXAMINED = "examined"
    LEFT = "left"
    """It went before it could be examined."""
    INTERRUPTED = "interrupted"
    PASSED_OVER = "passed over"
    """It was there already, and only new devices were wanted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is kept of an examination.

    ``title`` is the cause in words, to be translated; ``confidence`` goes from 0 to 1; ``iccid``
    is the card's number in full; ``began`` (UTC) is when the examination began.
    """

    cause: str
    title: str
    confidence: float
    iccid: str | None
    elapsed_s: float
    began: datetime

    @property
    def card(self) -> str:
        """The last four digits of the card's number, all that is shown of it; may be empty."""
        return (self.iccid or "")[-4:]


@dataclass(frozen=True, slots=True)
class Kept:
    """The file that is made of an examination. Both are empty while it is in the making.

    ``problem`` says what went wrong; without a ``name`` there is then no file.
    """

    name: str = ""
    problem: Message | None = None


@dataclass(slots=True, eq=False)
class Visit:
    """The stay of a device in a socket, from plug-in to unplug. Times are of the caller's clock.

    ``began_s`` is when it was plugged in, then when its examination began; ``changed_s`` when
    it, or what hangs below it, last changed. ``kept`` is ``None`` where no file is wanted.
    """

    device: UsbModem
    began_s: float
    changed_s: float
    state: State = State.SETTLING
    present: bool = True
    left_s: float = 0.0
    layer: Layer | None = None
    verdict: Verdict | None = None
    kept: Kept | None = None

    @property
    def socket(self) -> str:
        """The kernel's short name of the socket, as in ``1-2.3``."""
        return self.device.sys_path.rpartition("/")[2] or self.device.id

    @property
    def active(self) -> bool:
        """Whether something is still going on."""
        return self.state is State.EXAMINING or (self.state is State.SETTLING and self.present)


class Bench:
    """All visits, those of the past within bounds.

    A device counts as settled when nothing of it has changed for ``settle_s``; one that shows
    no AT port gets ``patience_s`` instead, since drivers may still load and a drive may still
    turn into a modem. After ``limit_s`` it is examined as it is. A device that goes and comes
    back to its socket within ``return_s`` before it was examined continues its visit: that is
    what a mode switch looks like.
    """

    def __init__(
        self,
        *,
        settle_s: float = _SETTLE_S,
        patience_s: float = _PATIENCE_S,
        limit_s: float = _LIMIT_S,
        return_s: float = _RETURN_S,
        history: int = _HISTORY,
    ) -> None:
        self.visits: list[Visit] = []
        self._settle_s, self._patience_s = settle_s, patience_s
        self._limit_s, self._return_s = limit_s, return_s
        self._history = history
        self._present: dict[str, Visit] = {}

    def attached(self, devices: Iterable[UsbModem], now_s: float, *, pass_over: bool) -> None:
        """Take what is there at the start: settled long since, or to be passed over."""
        for device in _modems(devices):
            visit = self._arrive(device, now_s)
            visit.changed_s -= device.plugged_in_s or 0.0
            if pass_over:
                visit.state = State.PASSED_OVER
                self.visits.remove(visit)

    def see(self, devices: Iterable[UsbModem], now_s: float) -> tuple[list[Visit], list[Visit]]:
        """Compare with what is there now; returns the visits that began and those that ended."""
        found = {_place(device): device for device in _modems(devices)}
        left = []
        for place, visit in list(self._present.items()):
            device = found.get(place)
            if device is None or _plug(device) != _plug(visit.device):
                left.append(self._leave(place, now_s))
            elif _has_news(device, visit):
                if visit.state is State.EXAMINED:
                    visit.state, visit.began_s = State.SETTLING, now_s
                    visit.verdict = visit.kept = None
                visit.device, visit.changed_s = device, now_s
        new = [device for place, device in found.items() if place not in self._present]
        arrived = [self._arrive(device, now_s) for device in new]
        return arrived, [visit for visit in left if visit.state is not State.PASSED_OVER]

    def start_settled(self, now_s: float, *, busy: bool = False, most: int) -> list[Visit]:
        """Turn at most ``most`` settled visits to examining and return them.

        ``busy`` says that udev has not finished with all devices, so that ports may have yet
        to get their permissions.
        """
        started: list[Visit] = []
        for visit in self._settling():
            due = self._limit(visit) if busy else self._due(visit)
            if due <= now_s and len(started) < most:
                visit.state, visit.began_s = State.EXAMINING, now_s
                started.append(visit)
        return started

    def next_due_s(self) -> float | None:
        """Return when the next device will have settled, if any is about to."""
        return min(map(self._due, self._settling()), default=None)

    def finish(self, visit: Visit, verdict: Verdict) -> None:
        """Note the result of an examination."""
        visit.state, visit.verdict, visit.layer = State.EXAMINED, verdict, None

    def interrupt(self) -> None:
        """Note that no examination goes on; one that has ended may still bring its result."""
        for visit in self.visits:
            if visit.state is State.EXAMINING:
                visit.state = State.INTERRUPTED

    def _settling(self) -> Iterator[Visit]:
        return (v for v in self._present.values() if v.state is State.SETTLING)

    def _due(self, visit: Visit) -> float:
        has_port = visit.device.composition is None
        quiet = visit.changed_s + (self._settle_s if has_port else self._patience_s)
        return min(quiet, self._limit(visit))

    def _limit(self, visit: Visit) -> float:
        return visit.began_s + self._limit_s

    def _arrive(self, device: UsbModem, now_s: float) -> Visit:
        place = _place(device)
        visit = next((v for v in self.visits if self._returns(v, place, now_s)), None)
        if visit is None:
            visit = Visit(device, now_s, now_s)
            self.visits.append(visit)
            self._forget()
        else:
            visit.device, visit.state, visit.present = device, State.SETTLING, True
            visit.began_s = visit.changed_s = now_s
        self._present[place] = visit
        return visit

    def _returns(self, visit: Visit, place: str, now_s: float) -> bool:
        return (
            visit.state is State.LEFT
            and _place(visit.device) == place
            and now_s - visit.left_s <= self._return_s
        )

    def _leave(self, place: str, now_s: float) -> Visit:
        visit = self._present.pop(place)
        visit.present, visit.left_s = False, now_s
        if visit.state is State.SETTLING:
            visit.state = State.LEFT
        return visit

    def _forget(self) -> None:
        """Drop the oldest visits that are over."""
        over = [v for v in self.visits if not v.active]
        for visit in over[: max(0, len(self.visits) - self._history)]:
            self.visits.remove(visit)


def _modems(devices: Iterable[UsbModem]) -> Iterator[UsbModem]:
    return (device for device in devices if device.kind is Kind.MODEM)


def _place(device: UsbModem) -> str:
    """The socket; the sysfs path rather than the id, which a neighbour's plug-in may change."""
    return device.sys_path or device.id


def _plug(device: UsbModem) -> tuple[str, str | None]:
    """What is another after a replug or a mode switch, however short."""
    return device.usb_id, device.bus_node


def _has_news(device: UsbModem, visit: Visit) -> bool:
    """Whether a device still announces itself, or has got the AT port that it did not have."""
    before = visit.device
    if visit.state is State.EXAMINED:
        return before.composition is not None and device.composition is None
    changed = replace(device, plugged_in_s=None) != replace(before, plugged_in_s=None)
    return visit.state is State.SETTLING and changed
