"""What the bench makes of snapshots: settling, unplugging, replugging, mode switches, storms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from simdiag.discovery import Kind, SerialPort, UsbModem
from simdiag.watch import Bench, State, Verdict, Visit

EC25 = UsbModem(
    "usb-0:2", 0x2C7C, 0x0125, product="EC25", sys_path="/sys/devices/usb1/1-2",
    ports=(SerialPort("/dev/ttyUSB2"),), bus_node="/dev/bus/usb/001/005",
)  # fmt: skip
BARE = replace(EC25, ports=(), composition="no port yet")
DRIVE = replace(BARE, pid=0x1F01, storage=True, composition="storage mode")
BEGAN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
FINE = Verdict("healthy", "All is well.", 0.95, "89860000000000000003", 3.0, BEGAN)


def at(device: UsbModem, number: int) -> UsbModem:
    """The same device in another socket."""
    return replace(device, id=f"usb-0:{number}", sys_path=f"/sys/devices/usb1/1-{number}")


def plugged_again(device: UsbModem) -> UsbModem:
    return replace(device, bus_node="/dev/bus/usb/001/006")


def started(bench: Bench, now_s: float, *, busy: bool = False) -> list[Visit]:
    return bench.start_settled(now_s, busy=busy, most=64)


def examined(bench: Bench, device: UsbModem) -> Visit:
    """Bring a device to its verdict, from second 0 to second 10."""
    bench.see([device], 0.0)
    (visit,) = started(bench, 10.0)
    bench.finish(visit, FINE)
    return visit


def test_a_device_is_examined_once_nothing_of_it_has_changed_for_half_a_second():
    bench = Bench()
    bench.see([replace(EC25, ports=())], 0.0)
    bench.see([EC25], 0.7)
    assert bench.next_due_s() == pytest.approx(1.2)
    assert started(bench, 1.1) == []
    (visit,) = started(bench, 1.2)
    assert (visit.device, visit.state, visit.began_s) == (EC25, State.EXAMINING, 1.2)
    assert started(bench, 9.0) == []


def test_its_age_alone_does_not_count_as_a_change():
    bench = Bench()
    bench.see([replace(EC25, plugged_in_s=0.1)], 0.0)
    bench.see([replace(EC25, plugged_in_s=0.9)], 0.8)
    assert len(started(bench, 1.0)) == 1


def test_a_device_that_never_settles_is_examined_after_the_limit():
    bench = Bench()
    for tenth in range(100):
        bench.see([replace(EC25, product=f"{tenth}")], tenth / 10)
        assert started(bench, tenth / 10) == []
    assert len(started(bench, 10.0)) == 1


def test_a_device_without_a_port_gets_more_time_than_one_with():
    bench = Bench()
    bench.see([BARE, at(EC25, 3)], 0.0)
    assert [v.socket for v in started(bench, 1.0)] == ["1-3"]
    assert started(bench, 5.9) == []
    assert [v.socket for v in started(bench, 6.0)] == ["1-2"]


def test_while_udev_is_busy_nothing_is_settled_but_not_for_ever():
    bench = Bench()
    bench.see([EC25], 0.0)
    assert started(bench, 9.9, busy=True) == []
    assert len(started(bench, 10.0, busy=True)) == 1


def test_what_was_attached_long_since_is_settled_at_once():
    bench = Bench()
    bench.attached([replace(EC25, plugged_in_s=3600.0), at(EC25, 3)], 100.0, pass_over=False)
    assert [v.socket for v in started(bench, 100.0)] == ["1-2"]
    assert [v.socket for v in started(bench, 101.0)] == ["1-3"]


def test_what_is_passed_over_is_examined_when_it_is_plugged_in_again():
    bench = Bench()
    bench.attached([EC25], 0.0, pass_over=True)
    assert (bench.visits, started(bench, 5.0)) == ([], [])
    assert bench.see([], 6.0) == ([], [])
    (visit,), left = bench.see([plugged_again(EC25)], 7.0)
    assert (left, started(bench, 8.0)) == ([], [visit])


def test_only_modems_have_visits():
    bench = Bench()
    bench.see([replace(EC25, kind=Kind.SERIAL_ADAPTER), replace(EC25, kind=Kind.UNKNOWN)], 0.0)
    assert bench.visits == []


def test_a_device_that_goes_before_it_has_settled_is_not_examined():
    bench = Bench()
    (visit,), _ = bench.see([EC25], 0.0)
    assert bench.see([], 0.5) == ([], [visit])
    assert (visit.state, visit.present, visit.active) == (State.LEFT, False, False)
    assert started(bench, 30.0) == []
    assert bench.next_due_s() is None


def test_a_mode_switch_continues_the_visit():
    bench = Bench()
    (visit,), _ = bench.see([DRIVE], 0.0)
    bench.see([], 2.0)
    assert bench.see([plugged_again(BARE)], 4.0) == ([visit], [])
    modem = plugged_again(EC25)
    bench.see([modem], 5.0)
    assert started(bench, 6.0) == [visit]
    assert (bench.visits, visit.device) == ([visit], modem)


def test_a_mode_switch_between_two_looks_continues_the_visit_too():
    bench = Bench()
    (visit,), _ = bench.see([DRIVE], 0.0)
    assert bench.see([EC25], 2.0) == ([visit], [visit])
    assert (bench.visits, visit.device.pid, visit.state) == ([visit], 0x0125, State.SETTLING)


def test_a_device_that_comes_back_much_later_is_a_new_visit():
    bench = Bench()
    (first,), _ = bench.see([EC25], 0.0)
    bench.see([], 0.5)
    (second,), _ = bench.see([plugged_again(EC25)], 11.0)
    assert bench.visits == [first, second]


def test_unplugged_while_examined_it_keeps_its_row_and_gets_its_verdict():
    bench = Bench()
    bench.see([EC25], 0.0)
    (visit,) = started(bench, 1.0)
    assert bench.see([], 2.0) == ([], [visit])
    assert (visit.state, visit.present, visit.active) == (State.EXAMINING, False, True)
    bench.finish(visit, FINE)
    assert (visit.state, visit.active) == (State.EXAMINED, False)


@pytest.mark.parametrize("seen_in_between", [True, False])
def test_plugged_in_again_while_examined_it_is_a_new_visit(seen_in_between):
    bench = Bench()
    bench.see([EC25], 0.0)
    (first,) = started(bench, 1.0)
    if seen_in_between:
        bench.see([], 1.5)
    (second,), _ = bench.see([plugged_again(EC25)], 2.0)
    assert (first.present, second.present) == (False, True)
    assert started(bench, 3.0) == [second]
    bench.finish(second, FINE)
    assert (first.state, second.state) == (State.EXAMINING, State.EXAMINED)


def test_an_examined_device_is_left_alone_whatever_else_it_shows():
    bench = Bench()
    visit = examined(bench, EC25)
    assert bench.see([replace(EC25, network_interfaces=("usb0",))], 11.0) == ([], [])
    assert (visit.state, bench.next_due_s()) == (State.EXAMINED, None)


def test_a_device_that_gets_its_port_only_later_is_examined_again():
    bench = Bench()
    visit = examined(bench, BARE)
    assert bench.see([EC25], 20.0) == ([], [])
    assert (visit.state, visit.verdict) == (State.SETTLING, None)
    assert started(bench, 21.0) == [visit]


def test_a_neighbour_that_changes_the_id_is_no_replug():
    bench = Bench()
    visit = examined(bench, EC25)
    twin = replace(at(EC25, 4), id="usb-0:2@1-4")
    arrived, left = bench.see([replace(EC25, id="usb-0:2@1-2"), twin], 11.0)
    assert ([v.socket for v in arrived], left) == (["1-4"], [])
    assert visit.present


def test_a_hub_with_sixteen_modems_switched_on_at_once():
    bench = Bench()
    hub = [at(EC25, number) for number in range(1, 17)]
    for ready in range(17):  # one after another gets its ports
        bench.see([*hub[:ready], *(at(BARE, n) for n in range(ready + 1, 17))], ready / 10)
    assert len(started(bench, 2.6)) == 16
    assert len(bench.visits) == 16


def test_no_more_are_started_than_wanted():
    bench = Bench()
    bench.see([at(EC25, number) for number in range(1, 6)], 0.0)
    assert len(bench.start_settled(1.0, most=2)) == 2
    assert len(bench.start_settled(1.0, most=64)) == 3


def test_the_past_is_bounded_and_what_goes_on_is_kept():
    bench = Bench(history=10)
    bench.see([at(EC25, 9)], 0.0)
    (running,) = started(bench, 1.0)
    for number in range(50):
        now_s = 100.0 + 20 * number
        bench.see([at(EC25, 9), EC25], now_s)
        (visit,) = started(bench, now_s + 1)
        bench.finish(visit, FINE)
        bench.see([at(EC25, 9)], now_s + 2)
    assert len(bench.visits) == 10
    assert bench.visits[0] is running


def test_an_interrupted_visit_still_takes_a_result_that_was_ready():
    bench = Bench()
    bench.see([EC25, at(EC25, 3)], 0.0)
    first, second = started(bench, 1.0)
    bench.interrupt()
    bench.finish(second, FINE)
    assert (first.state, second.state) == (State.INTERRUPTED, State.EXAMINED)


def test_of_the_card_only_four_digits_are_shown():
    assert FINE.card == "0003"
    assert replace(FINE, iccid=None).card == ""
