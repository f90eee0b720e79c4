"""The watcher's threads: devices come and go by script, examinations are held and released."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest

from simdiag.agent import Examination, Options, Target, judge
from simdiag.discovery import SerialPort, UsbModem
from simdiag.driver import Layer
from simdiag.errors import Cancelled
from simdiag.evidence import Observation, Source
from simdiag.watch import Bench, Kept, State, Visit, Watcher, examine_device

LIMIT_S = 30.0
EC25 = UsbModem(
    "usb-0:2", 0x2C7C, 0x0125, product="EC25", sys_path="/sys/devices/usb1/1-2",
    ports=(SerialPort("/dev/ttyNONE"),), bus_node="/dev/bus/usb/001/005",
)  # fmt: skip


def at(number: int) -> UsbModem:
    return replace(EC25, id=f"usb-0:{number}", sys_path=f"/sys/devices/usb1/1-{number}")


class Bus:
    """A USB bus by hand: what is plugged in, and the announcement that it has changed."""

    hint = None

    def __init__(self, *devices: UsbModem) -> None:
        self.devices = list(devices)
        self.looks = 0
        self.is_busy = False
        self._changed: Callable[[], None] = lambda: None

    def look(self) -> list[UsbModem]:
        self.looks += 1
        return list(self.devices)

    def busy(self) -> bool:
        return self.is_busy

    @contextmanager
    def announcing(self, changed: Callable[[], None]) -> Iterator[None]:
        self._changed = changed
        yield

    def now_has(self, *devices: UsbModem, announcements: int = 1) -> None:
        self.devices = list(devices)
        for _ in range(announcements):
            self._changed()


class Log:
    """A display that tests can read, and that can act when something is shown."""

    tick_s = None

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.on: dict[str, Callable[[Visit], None]] = {}
        self.visits: list[Visit] = []

    def _note(self, what: str, visit: Visit) -> None:
        self.events.append((what, visit.socket))
        self.on.get(what, lambda _visit: None)(visit)

    def arrived(self, visit: Visit) -> None:
        self._note("arrived", visit)

    def examined(self, visit: Visit, examination: Examination) -> None:
        assert visit.verdict is not None
        self._note(examination.diagnosis.cause, visit)

    def kept(self, visit: Visit, kept: Kept) -> None:
        self._note(kept.name, visit)

    def left(self, visit: Visit) -> None:
        self._note("left", visit)

    def refresh(self, visits: list[Visit], now_s: float) -> None:
        self.visits = list(visits)


def result(device: UsbModem) -> Examination:
    examination = Examination(Target(device=device))
    examination.evidence.add(Observation("sim.state", "READY", Source(0, "AT+CPIN?", "")))
    judge(examination)
    return examination


def at_once(device: UsbModem, _progress: Callable[[Layer], None]) -> Examination:
    return result(device)


def watcher(bus: Bus, examine, log: Log, cancel: Event | None = None, keep=None) -> Watcher:
    bench = Bench(settle_s=0.0, patience_s=0.0)
    return Watcher(bus, examine, log, cancel or Event(), keep=keep, bench=bench)


def test_it_examines_what_is_attached_and_what_comes():
    bus, log = Bus(at(1)), Log()
    log.on["healthy"] = lambda _visit: bus.now_has(at(1), at(2))
    watcher(bus, at_once, log).run(count=2)
    assert log.events == [
        ("arrived", "1-1"), ("healthy", "1-1"), ("arrived", "1-2"), ("healthy", "1-2"),
    ]  # fmt: skip


def test_new_only_passes_over_what_is_attached():
    bus, log = Bus(at(1)), Log()
    watch = watcher(bus, at_once, log)
    plug = threading.Timer(0.1, lambda: bus.now_has(at(1), at(2)))
    plug.start()
    watch.run(count=1, new_only=True)
    assert log.events == [("arrived", "1-2"), ("healthy", "1-2")]


def test_sixteen_at_once_are_examined_side_by_side():
    together = threading.Barrier(16)

    def examine(device, progress):
        progress(Layer.SIM)
        together.wait(LIMIT_S)  # breaks, and fails the test, unless all sixteen come here
        return result(device)

    bus, log = Bus(*(at(n) for n in range(1, 17))), Log()
    watcher(bus, examine, log).run(count=16)
    assert sorted(v.state for v in log.visits) == [State.EXAMINED] * 16


def test_a_storm_of_announcements_is_one_look():
    bus, log = Bus(), Log()
    done = Event()

    def examine(device, progress):
        if device == at(1):
            bus.now_has(at(1), announcements=500)
            assert done.wait(LIMIT_S)
        return result(device)

    threading.Timer(1.0, done.set).start()
    bus.devices = [at(1)]
    watcher(bus, examine, log).run(count=1)
    assert bus.looks < 12


def test_with_nothing_to_do_it_does_not_look():
    bus, log = Bus(at(1)), Log()
    log.on["healthy"] = lambda _visit: threading.Timer(
        1.0, lambda: bus.now_has(at(1), at(2))
    ).start()
    watch = watcher(bus, at_once, log)
    watch.run(count=2)
    assert bus.looks <= 5  # the start, one before each examination, one or two at the plug-in


def test_unplugged_while_examined_the_row_gets_its_verdict_all_the_same():
    bus, log, gone = Bus(EC25), Log(), Event()
    log.on["left"] = lambda _visit: gone.set()

    def examine(device, progress):
        bus.now_has()
        assert gone.wait(LIMIT_S)
        return examine_device(Options(), device, progress)  # its port is not there any more

    watcher(bus, examine, log).run(count=1)
    assert log.events == [("arrived", "1-2"), ("left", "1-2"), ("device_removed", "1-2")]
    assert not log.visits[0].present


def test_plugged_in_again_while_examined_it_is_examined_again():
    bus, log, second_done = Bus(EC25), Log(), Event()
    again = replace(EC25, bus_node="/dev/bus/usb/001/006")

    def examine(device, progress):
        if device is again:
            second_done.set()
        else:
            bus.now_has(again)
            assert second_done.wait(LIMIT_S)
        return result(device)

    watcher(bus, examine, log).run(count=2)
    assert [name for name, _ in log.events].count("healthy") == 2
    assert [v.present for v in log.visits] == [False, True]


def test_a_device_that_changes_just_before_its_start_is_not_started():
    """Announcements can be lost: the watcher looks once more before it examines."""
    log, seen = Log(), []
    settled = replace(EC25, network_interfaces=("usb0",))

    class Late(Bus):
        def look(self) -> list[UsbModem]:
            found = super().look()
            self.devices = [settled]
            return found

    def examine(device, progress):
        seen.append(device)
        return result(device)

    bench = Bench(settle_s=0.3)
    Watcher(Late(EC25), examine, log, Event(), bench=bench).run(count=1)
    assert seen == [settled]


def test_while_udev_is_busy_it_waits():
    bus, log = Bus(EC25), Log()
    bus.is_busy = True
    threading.Timer(0.5, lambda: setattr(bus, "is_busy", False)).start()
    busy_when_started = []

    def examine(device, progress):
        busy_when_started.append(bus.is_busy)
        return result(device)

    watcher(bus, examine, log).run(count=1)
    assert busy_when_started == [False]


def test_an_interruption_cancels_and_waits_for_what_is_under_examination():
    bus, log, cancel = Bus(at(1), at(2)), Log(), Event()
    under_way = threading.Barrier(2)
    restored = []

    def examine(device, progress):
        if under_way.wait(LIMIT_S) == 0:
            bus.now_has(at(1), at(2), at(3))
        assert cancel.wait(LIMIT_S)
        restored.append(device)
        raise Cancelled("the examination was ended")

    def interrupt(visit: Visit) -> None:
        if visit.socket == "1-3":
            raise KeyboardInterrupt

    log.on["arrived"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        watcher(bus, examine, log, cancel).run()
    assert len(restored) == 2
    assert [v.state for v in log.visits] == [State.INTERRUPTED, State.INTERRUPTED, State.SETTLING]


def test_a_result_that_was_ready_when_it_was_interrupted_is_not_lost():
    bus, log, cancel = Bus(at(1)), Log(), Event()

    def examine(device, progress):
        bus.now_has(at(1), at(2))
        assert cancel.wait(LIMIT_S)
        return result(device)  # too late to be cancelled

    def interrupt(visit: Visit) -> None:
        if visit.socket == "1-2":
            raise KeyboardInterrupt

    log.on["arrived"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        watcher(bus, examine, log, cancel).run()
    assert ("healthy", "1-1") in log.events


def test_no_more_are_started_than_counted():
    bus, log, started = Bus(*(at(n) for n in range(1, 9))), Log(), []

    def examine(device, progress):
        started.append(device)
        return result(device)

    watcher(bus, examine, log).run(count=3)
    assert len(started) == 3


def test_no_thread_is_left_when_it_ends():
    before = set(threading.enumerate())
    watcher(Bus(*(at(n) for n in range(1, 5))), at_once, Log()).run(count=4)
    assert set(threading.enumerate()) <= before


def test_a_device_whose_port_is_gone_was_removed():
    examination = examine_device(Options(), EC25, lambda _layer: None)
    assert examination.diagnosis.cause == "device_removed"
    assert examination.evidence.value("usb.vid") == "2c7c"


def test_a_port_that_is_there_but_cannot_be_used_is_not_called_removed(tmp_path):
    (tmp_path / "port").touch()
    device = replace(EC25, ports=(SerialPort(str(tmp_path / "port")),))
    examination = examine_device(Options(), device, lambda _layer: None)
    assert examination.diagnosis.cause != "device_removed"


# ---- files of examinations -----------------------------------------------------------------
def test_a_file_in_the_making_holds_up_nothing():
    bus, log, others_done = Bus(at(1), at(2)), Log(), Event()

    def keep(socket, verdict, examination):
        if socket in ("1-1", "1-2"):  # as many as are made at once
            assert others_done.wait(LIMIT_S)
        return Kept(f"{socket}.zip")

    def examined(visit: Visit) -> None:
        bus.now_has(*(at(n) for n in range(1, 5)))
        if {name for what, name in log.events if what == "healthy"} >= {"1-3", "1-4"}:
            others_done.set()

    log.on["healthy"] = examined
    watcher(bus, at_once, log, keep=keep).run(count=4)
    assert sorted(e for e in log.events if e[0].endswith(".zip")) == [
        (f"1-{n}.zip", f"1-{n}") for n in range(1, 5)
    ]
    assert {v.socket: v.kept for v in log.visits} == {
        f"1-{n}": Kept(f"1-{n}.zip") for n in range(1, 5)
    }


def test_counted_examinations_are_done_when_their_files_are():
    bus, log = Bus(at(1)), Log()
    made = Event()
    log.on["healthy"] = lambda _visit: threading.Timer(0.3, made.set).start()

    def keep(_socket, _verdict, _examination):
        assert made.wait(LIMIT_S)
        return Kept("a.zip")

    watcher(bus, at_once, log, keep=keep).run(count=1)
    assert log.events[-1] == ("a.zip", "1-1")


def test_an_interruption_lets_what_is_in_the_making_end_by_itself():
    """Those that wait their turn too: they are told what to leave undone by ``cancel``."""
    bus, log, cancel = Bus(*(at(n) for n in range(1, 6))), Log(), Event()

    def keep(_socket, _verdict, _examination):
        assert cancel.wait(LIMIT_S)
        return Kept("late.zip")

    done = []

    def interrupt(visit: Visit) -> None:
        done.append(visit)
        if len(done) == 5:
            raise KeyboardInterrupt

    log.on["healthy"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        watcher(bus, at_once, log, cancel, keep=keep).run()
    assert [v.kept for v in log.visits] == [Kept("late.zip")] * 5


def test_a_file_of_an_examination_before_is_not_shown_beside_the_next():
    """A device gets its AT port late and is examined again, while the first file is made."""
    bare = replace(EC25, ports=(), composition="no port yet")
    bus, log, again = Bus(bare), Log(), Event()

    def keep(_socket, _verdict, examination):
        if examination.target.device == bare:
            assert again.wait(LIMIT_S)
            return Kept("first.zip")
        again.set()
        return Kept("second.zip")

    log.on["healthy"] = lambda _visit: bus.now_has(EC25)
    watcher(bus, at_once, log, keep=keep).run(count=2)
    assert {name for name, _ in log.events} >= {"first.zip", "second.zip"}
    assert [v.kept for v in log.visits] == [Kept("second.zip")]
