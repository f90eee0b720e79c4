"""The recorder, with a link and a meter that are made up, and a store that is real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from simdiag.cli.commands import usage
from simdiag.database import DiskFull
from simdiag.message import Message, message
from simdiag.usage import links, recorder
from simdiag.usage.ledger import report
from simdiag.usage.links import Interface
from simdiag.usage.meter import InterfaceMeter
from simdiag.usage.recorder import Recorder
from simdiag.usage.records import Amount, By, Label, Link, Method, Owner
from simdiag.usage.store import Store
from simdiag.usage.totals import totals

LINK = Link("usb:1", "usb0", "cdc_ether")
FIREFOX = Label(Method.KERNEL, Owner("firefox", "ann", 1000))


class Counting(InterfaceMeter):
    """Counts a byte of firefox's, and a loss, whenever it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def wait(self, seconds: float) -> None:
        """Take no time."""

    def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
        self.reads += 1
        return {FIREFOX: Amount(1, 0, 1, 0)}

    def losses(self) -> Mapping[str, int]:
        return {"map_overflow": 1}


class Bench:
    """Records over a link whose counter shows one number after the other; ``None``: away."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.meter = Counting()
        self.said: list[str] = []
        self._patch = monkeypatch
        monkeypatch.setattr(recorder, "INTERVAL_S", 0)

    def record(self, store: Store, *counters: int | None) -> None:
        left = list(counters)

        def present(link: Link) -> Interface | None:
            return None if left[0] is None else Interface(link, 4, 1, Amount(left[0]))

        def ended() -> bool:
            del left[:1]
            return len(left) == 1

        self._patch.setattr(links, "present", present)
        Recorder(store, LINK, self.meter, self._say).run(ended)

    def _say(self, text: Message) -> None:
        self.said.append(text.render())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path / "usage.db", monkeypatch)


@pytest.mark.parametrize(
    ("times", "percent"),
    [
        ((1000, 1000, 2000, 2000), 0),  # asleep, or a clock that was wrong until now
        ((2000, 2000, 1000, 1000), 0),
        ((1000, 1050, 1100, 1150), 15),  # it drifts
    ],
)
def test_what_a_clock_jumps_over_was_not_recorded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, times: tuple[int, ...], percent: int
) -> None:
    clock = iter(times)
    monkeypatch.setattr(recorder.time, "time", lambda: next(clock))
    with Store(bench.path) as store:
        bench.record(store, *range(len(times)))
    assert totals(bench.path, 1000, 2000).recorded_percent == percent
    assert report(bench.path, By.PROCESS).interface.rx_bytes == len(times) - 1


def test_every_count_is_filed(bench: Bench) -> None:
    with Store(bench.path) as store:
        bench.record(store, 100, 150, 170, 175)
    found = report(bench.path, By.PROCESS)
    assert found.interface.rx_bytes == 75
    assert found.rows[0].amount.rx_bytes == bench.meter.reads
    assert found.losses == {"map_overflow": bench.meter.reads}
    assert bench.said == []


def test_a_device_that_is_pulled_out_and_comes_back(bench: Bench) -> None:
    with Store(bench.path) as store:
        bench.record(store, 100, 150, None, None, 30, 50)
    assert report(bench.path, By.PROCESS).interface.rx_bytes == 50 + 50
    assert bench.said == ["usb0 is gone; recording goes on when it is back.", "usb0 is back."]


def test_another_modem_that_takes_its_place_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no interface was named; the one before keeps what was filed under it."""
    there = [Interface(LINK, 4, 1, Amount(100))]
    other = Interface(Link("usb:2", "usb1", "cdc_ether"), 5, 1, Amount(7))
    recorded: list[str] = []

    class Swapped(Counting):
        def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
            if self.reads == 2:
                there[:] = [other]
            return super().read(interface)

    def meter(name: str, _say: object) -> Counting:
        recorded.append(name)
        return Swapped()

    monkeypatch.setattr(recorder, "best_meter", meter)
    monkeypatch.setattr(recorder, "INTERVAL_S", 0)
    monkeypatch.setattr(links, "_LOOK_S", 0)
    monkeypatch.setattr(links, "interfaces", lambda: there)
    monkeypatch.setattr(
        links, "find", lambda name: there[0] if there[0].link.name == name else None
    )
    monkeypatch.setattr(usage, "_end", lambda _duration: lambda: len(recorded) == 2)
    path = tmp_path / "usage.db"
    assert usage.record.main(["--db", str(path)], standalone_mode=False) == 0
    assert recorded == ["usb0", "usb1"]
    found = report(path, By.PROCESS)
    assert (found.links, found.rows[0].amount.rx_bytes >= 4) == (("usb0", "usb1"), True)


class Full(Store):
    """A store whose disk is full at some of its turns."""

    full: tuple[int, ...] = ()
    turn = 0

    def add(self, *values: object) -> None:  # type: ignore[override]
        self.turn += 1
        if self.turn in self.full:
            raise DiskFull(message("the disk is full"))
        super().add(*values)  # type: ignore[arg-type]


def test_a_disk_that_is_full_for_a_while_costs_nothing(bench: Bench) -> None:
    with Full(bench.path) as store:
        store.full = (2, 3)
        bench.record(store, 100, 150, 170, 175, 180)
    found = report(bench.path, By.PROCESS)
    assert found.interface.rx_bytes == 80
    assert found.rows[0].amount.rx_bytes == bench.meter.reads
    assert found.losses == {"map_overflow": bench.meter.reads}
    assert bench.said == ["the disk is full"]


def test_a_disk_that_is_full_at_the_end_is_said(bench: Bench) -> None:
    with Full(bench.path) as store:
        store.full = (4,)
        with pytest.raises(DiskFull):
            bench.record(store, 100, 150, 170, 175)
    assert report(bench.path, By.PROCESS).interface.rx_bytes == 70
