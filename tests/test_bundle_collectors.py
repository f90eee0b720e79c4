"""What the collectors make of log lines, of sysfs and of the kernel's tables."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from simdiag.agent import Target
from simdiag.bundle import loglines
from simdiag.bundle.collector import Collector, Denied, Skipped, Subject, collectors
from simdiag.bundle.loglines import LogLine
from simdiag.bundle.material import subject_of

KERNEL, MANAGER = collectors()["kernel_log"], collectors()["modem_manager_log"]
MODEM = Subject(
    sys_path="/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.3", ports=("ttyUSB2",),
    interfaces=("wwan0",), controls=("cdc-wdm0",),
)  # fmt: skip

# As Linux 5.10 to 6.12 prints them; hub 1-2, modem 1-2.3.
KNOWN = {
    "usb 1-2.3: new high-speed USB device number 5 using xhci_hcd": {
        "event": "new_device", "path": "1-2.3", "speed": "high-speed", "number": 5,
        "controller": "xhci_hcd",
    },
    "usb 2-1: new SuperSpeed USB device number 3 using xhci_hcd": None,
    "usb 1-2.3: New USB device found, idVendor=2c7c, idProduct=0125, bcdDevice= 3.18": {
        "event": "found", "vendor": "2c7c", "product": "0125",
    },
    "usb 1-2.3: SerialNumber: 867698041234567": {"event": "serial_text"},
    "usb 1-2.3: Product: EC25-E": {"event": "product_text"},
    "usb 1-2.3: device descriptor read/64, error -71": {
        "event": "descriptor_error", "error": -71, "count": 64,
    },
    "usb 1-2.3: device not accepting address 9, error -71": {"event": "address_refused", "number": 9},
    "usb 1-2-port3: unable to enumerate USB device": {
        "event": "not_enumerated", "hub_port": "1-2-port3",
    },
    "usb 1-2-port3: over-current change #4": {"event": "over_current", "count": 4},
    "usb usb1-port2: Cannot enable. Maybe the USB cable is bad?": {"event": "cannot_enable"},
    "usb usb1-port7: over-current change #1": None,
    "usb 1-2.3: USB disconnect, device number 5": {"event": "disconnect", "number": 5},
    "usb 1-2.4: USB disconnect, device number 6": None,
    "usb 1-2: USB disconnect, device number 2": {"event": "disconnect", "path": "1-2"},
    "usb 1-2.3: reset high-speed USB device number 5 using xhci_hcd": {"event": "reset"},
    "option 1-2.3:1.2: GSM modem (1-port) converter detected": {
        "event": "serial_detected", "driver": "option", "path": "1-2.3:1.2",
    },
    "usb 1-2.3: GSM modem (1-port) converter now attached to ttyUSB2": {
        "event": "serial_attached", "port": "ttyUSB2",
    },
    "option1 ttyUSB2: GSM modem (1-port) converter now disconnected from ttyUSB2": {
        "event": "serial_detached", "port": "ttyUSB2",
    },
    "cdc_acm 1-2.3:1.0: ttyACM0: USB ACM device": {"event": "acm_attached", "port": "ttyACM0"},
    "qmi_wwan 1-2.3:1.4: cdc-wdm0: USB WDM device": {"event": "control_attached", "port": "cdc-wdm0"},
    "qmi_wwan 1-2.3:1.4 wwan0: register 'qmi_wwan' at usb-0000:00:14.0-2.3, WWAN/QMI device, 02:50:f3:00:11:22": {
        "event": "network_attached", "interface": "wwan0", "driver": "qmi_wwan",
    },
    "NETDEV WATCHDOG: wwan0 (qmi_wwan): transmit queue 0 timed out": {"event": "network_stalled"},
    "usb 1-2.3: rejected 1 configuration due to insufficient available bus power": {
        "event": "too_little_power",
    },
}  # fmt: skip
STRANGE = [
    "audit: type=1400 user=anna host=annas-laptop",
    "usb 1-2.3: new high-speed USB device number 5 using xhci_hcd anna",
    "EXT4-fs (sda1): mounted filesystem 89860112345678901237",
]


def kernel(monkeypatch, lines: list[str], subject: Subject = MODEM) -> list[dict]:
    found = [LogLine(1000 + i, text) for i, text in enumerate(lines)]
    monkeypatch.setattr(loglines, "kernel_lines", lambda: iter(found))
    return [event.model_dump(exclude_none=True) for event in KERNEL.collect(subject)]


@pytest.mark.parametrize("line", KNOWN)
def test_a_kernel_line_about_the_device_becomes_an_event(line: str, monkeypatch) -> None:
    *events, last = kernel(monkeypatch, [line])
    assert last["count"] == 0, "it fits a known message"
    if KNOWN[line] is None:
        assert events == []
    else:
        assert events[0] | KNOWN[line] == events[0]


def test_a_line_that_fits_nothing_is_only_counted(monkeypatch) -> None:
    told = kernel(monkeypatch, STRANGE)
    assert [e["event"] for e in told] == ["no_known_message"]
    assert told[0]["count"] == len(STRANGE)
    assert "anna" not in json.dumps(told)


def test_no_text_of_the_devices_own_gets_through(monkeypatch) -> None:
    told = json.dumps(kernel(monkeypatch, [*KNOWN]))
    for secret in ("867698041234567", "02:50:f3", "EC25"):
        assert secret not in told


def test_without_a_device_all_of_the_bus_counts(monkeypatch) -> None:
    assert len(kernel(monkeypatch, [*KNOWN], Subject())) == len(KNOWN) + 1


def test_the_newest_events_are_kept(monkeypatch) -> None:
    line = "usb 1-2.3: USB disconnect, device number 5"
    told = kernel(monkeypatch, [line] * 5000)
    assert len(told) == 401
    assert told[-2]["t_us"] == 1000 + 4999


MANAGED = {
    "<info>  [modem3] state changed (disabled -> enabling)": {
        "event": "state", "modem": 3, "before": "disabled", "after": "enabling",
    },
    "[modem0] 3GPP registration state changed (searching -> denied)": {
        "event": "registration", "before": "searching", "after": "denied",
    },
    "<warn>  [modem0] couldn't initialize: 'Couldn't check unlock status: SIM not inserted'": {
        "event": "not_initialised", "reason": "SIM not inserted",
    },
    "<info>  [modem0] simple connect state (5/10): wait to get fully enabled": {
        "event": "connecting", "step": 5, "count": 10,
    },
    "[device /sys/devices/pci0000:00/usb1/1-2] creating modem with plugin 'quectel' and '6' ports": {
        "event": "creating", "plugin": "quectel", "count": 6,
    },
    "<info>  [modem0/bearer0] connection #1 finished: duration 74s, tx: 1000 bytes, rx: 2000 bytes": {
        "event": "connection_ended", "number": 1, "seconds": 74,
    },
    "<info>  ModemManager (version 1.20.4) starting in system bus...": {
        "event": "started", "version": "1.20.4",
    },
}  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path, monkeypatch):
    """Stand in for ``journalctl``: it prints these records, or fails as the real one does."""

    def write(records: list[dict], error: str = "", status: int = 0) -> None:
        (tmp_path / "out").write_text("".join(json.dumps(r) + "\n" for r in records))
        (tmp_path / "err").write_text(error)
        program = tmp_path / "journalctl"
        program.write_text(
            f"#!/bin/sh\ncat {tmp_path}/out; cat {tmp_path}/err >&2; exit {status}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return write


def record(text: object, t: int = 5) -> dict:
    return {"__MONOTONIC_TIMESTAMP": str(t), "MESSAGE": text}


@pytest.mark.parametrize("line", MANAGED)
def test_a_line_of_modem_manager_becomes_an_event(line: str, journal) -> None:
    journal([record(line, 77)])
    event, last = (e.model_dump(exclude_none=True) for e in MANAGER.collect(Subject()))
    assert event | MANAGED[line] | {"t_us": 77} == event
    assert last["count"] == 0


_HUB = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2"
_CREATING = "[device {place}] creating modem with plugin 'generic' and '4' ports"
TWO_MODEMS = (  # ours is 1-2.3: modem 1, and after the restart modem 0
    (False, "[modem1] state changed (registered -> connected)"),  # whose, nobody can say
    (True, "ModemManager (version 1.20.4) starting in system bus..."),
    (False, _CREATING.format(place=f"{_HUB}/1-2.4")),
    (False, f"[base-manager] modem for device '{_HUB}/1-2.4' successfully created"),
    (True, f"<info>  {_CREATING.format(place=f'{_HUB}/1-2.3')}"),
    (True, f"[base-manager] modem for device '{_HUB}/1-2.3' successfully created"),
    (False, "<info>  [modem0] state changed (disabled -> enabling)"),
    (True, "<info>  [modem1] state changed (locked -> failed)"),
    (False, "[modem0/bearer0] connected"),
    (False, "[modem10] state changed (disabled -> enabling)"),
    (True, "[modem1/bearer1] couldn't connect: Operation not allowed"),
    (False, "[ttyUSB7/at] at port timed out 5 consecutive times"),
    (True, "[ttyUSB2/at] at port timed out 5 consecutive times"),
    (False, "[base-manager] port cdc-wdm1 released by device '/sys/devices/x/usb2/2-3'"),
    (True, "ModemManager is shut down"),
    (True, "ModemManager (version 1.20.4) starting in system bus..."),
    (True, _CREATING.format(place=f"{_HUB}/1-2.3")),
    (True, "[modem0] 3GPP registration state changed (searching -> denied)"),
    (False, "[modem1] modem is locked"),
)


def test_lines_about_other_modems_are_left_out(journal) -> None:
    journal([record(text, number) for number, (_, text) in enumerate(TWO_MODEMS)])
    *events, last = MANAGER.collect(MODEM)
    ours = [number for number, (is_ours, _) in enumerate(TWO_MODEMS) if is_ours]
    assert [event.t_us for event in events] == ours  # type: ignore[attr-defined]
    assert last.count == 0  # type: ignore[attr-defined]


def test_records_of_the_journal_that_are_strange(journal) -> None:
    """Bytes that are no UTF-8 come as a list, a field too large as null, others without a time."""
    good = record("[modem0] state changed (enabled -> registered)")
    journal([record([1, 2]), record(None), {"MESSAGE": "x"}, good, record("IMEI 867698041234567")])
    events = [e.model_dump(exclude_none=True) for e in MANAGER.collect(Subject())]
    assert [e["event"] for e in events] == ["state", "no_known_message"]
    assert "867698041234567" not in json.dumps(events)


def test_a_journal_that_may_not_be_read_or_is_not_there(journal, monkeypatch) -> None:
    journal([], "No journal files were opened due to insufficient permissions.", 1)
    with pytest.raises(Denied):
        list(MANAGER.collect(MODEM))
    journal([])
    with pytest.raises(Skipped):
        list(MANAGER.collect(MODEM))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Skipped):
        list(MANAGER.collect(MODEM))


def test_a_kernel_buffer_that_is_denied_is_looked_for_in_the_journal(journal, monkeypatch) -> None:
    monkeypatch.setattr(loglines, "_KMSG", Path("/nowhere/kmsg"))
    journal([record("usb 1-2.3: USB disconnect, device number 5", 9)])
    events = [e.model_dump(exclude_none=True) for e in KERNEL.collect(MODEM)]
    assert (events[0]["t_us"], events[0]["event"]) == (9, "disconnect")


def sysfs(root: Path) -> Path:
    """A hub with a modem behind it, as sysfs shows them."""
    hub = root / "usb1/1-2"
    modem = hub / "1-2.3"
    for folder, facts in (
        (root / "usb1", {"idVendor": "1d6b", "idProduct": "0002", "speed": "480", "bMaxPower": "0mA"}),
        (hub, {"idVendor": "05e3", "idProduct": "0608", "speed": "480", "bDeviceClass": "09"}),
        (modem, {"idVendor": "2c7c", "idProduct": "0125", "speed": "12", "bMaxPower": "500mA",
                 "serial": "ANNA-1234", "bConfigurationValue": "1", "port/over_current_count": "3",
                 "power/control": "auto"}),
        (modem / "1-2.3:1.2", {"bInterfaceClass": "ff", "ttyUSB2/dev": "188:2"}),
        (modem / "1-2.3:1.4", {"bInterfaceClass": "ff", "net/wwan0/mtu": "1500", "usbmisc/cdc-wdm0/dev": "1"}),
    ):  # fmt: skip
        for name, value in facts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{value}\n")
    (root / "drivers/option").mkdir(parents=True)
    (modem / "1-2.3:1.2/driver").symlink_to(root / "drivers/option")
    return modem


def test_the_usb_tree_from_the_root_to_the_interfaces(tmp_path: Path) -> None:
    subject = MODEM.model_copy(update={"sys_path": str(sysfs(tmp_path))})
    nodes = {n.path: n for n in collectors()["usb"].collect(subject)}  # type: ignore[attr-defined]
    assert list(nodes) == ["usb1", "1-2", "1-2.3", "1-2.3:1.2", "1-2.3:1.4"]
    modem = nodes["1-2.3"]
    assert (modem.vendor, modem.speed_mbit, modem.current_ma) == ("2c7c", 12.0, 500)
    assert (modem.over_current, modem.serial, modem.power) == (3, "ANNA-1234", "auto")
    assert (nodes["1-2.3:1.2"].driver, nodes["1-2.3:1.2"].ports) == ("option", ("ttyUSB2",))
    assert nodes["1-2.3:1.4"].interfaces == ("wwan0",)
    assert nodes["1-2.3:1.4"].ports == ("cdc-wdm0",)


def test_a_device_that_is_unplugged_by_then(tmp_path: Path) -> None:
    for subject in (Subject(), Subject(sys_path=str(tmp_path / "gone"))):
        with pytest.raises(Skipped):
            list(collectors()["usb"].collect(subject))


@pytest.mark.parametrize("collector", [KERNEL, MANAGER])
def test_of_a_modem_that_is_elsewhere_no_log_here_tells(collector: Collector) -> None:
    with pytest.raises(Skipped):
        list(collector.collect(subject_of(Target(port="socket://192.0.2.1:5000"))))


def test_usage_that_was_recorded_is_summed_up(tmp_path: Path, monkeypatch) -> None:
    from simdiag.usage import places
    from simdiag.usage.records import Amount, Label, Link, Method, Owner, Reading
    from simdiag.usage.store import Store

    path = tmp_path / "usage.db"
    link = Link("usb:2c7c:0125", "wwan0", "qmi_wwan")
    with Store(path) as store:
        store.add(1e9, link, Reading("boot", 3, Amount(0, 0, 0, 0)), {})
        label = Label(Method.KERNEL, Owner("firefox", "anna", 1000))
        amounts = {label: Amount(700, 300, 7, 3)}
        store.add(1e9 + 1, link, Reading("boot", 3, Amount(1000, 500, 10, 5)), amounts)
    monkeypatch.setattr(places, "for_reading", lambda: path)
    rows = {u.row: u for u in collectors()["usage"].collect(Subject())}  # type: ignore[attr-defined]
    assert (rows["program"].program, rows["program"].user) == ("firefox", "anna")
    assert rows["interface"].rx_bytes == 1000
    assert rows["unattributed"].rx_bytes == 300
