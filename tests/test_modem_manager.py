"""How ModemManager is asked to let go, over a bus of the test's own.

The manager here is a stand-in with the answers of the real one (states and errors as ModemManager
1.20 gives them); the real one is met in ``hil/`` on the virtual bench.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread

import pytest
from jeepney import MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from simdiag import modem_manager
from simdiag.modem_manager import Release, let_go

DEVICE = "/sys/devices"  # any path that is there: a device that is pulled out is not waited for
NAME = "org.freedesktop.ModemManager1"
CONNECTED, DISABLED = 11, 3

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is missing"
)


@dataclass
class StandIn:
    """Shows one modem in a state, or none at first, and notes who inhibits it."""

    connection: DBusConnection
    state: int = DISABLED
    hidden_answers: int = 0
    refusal: str | None = None
    inhibited: list[tuple[str, bool]] = field(default_factory=list)

    def serve(self) -> None:
        try:
            while True:
                message = self.connection.receive()
                if message.header.message_type is MessageType.method_call:
                    self.connection.send(self.answer(message))
        except (OSError, EOFError):
            return

    def answer(self, message):
        from jeepney import HeaderFields

        if message.header.fields[HeaderFields.member] == "InhibitDevice":
            if self.refusal:
                return new_error(message, self.refusal, "s", ("no",))
            self.inhibited.append(message.body)
            return new_method_return(message)
        modem = {f"{NAME}.Modem": {"Device": ("s", DEVICE), "State": ("i", self.state)}}
        objects = {} if self.hidden_answers > 0 else {f"/{NAME.replace('.', '/')}/Modem/0": modem}
        self.hidden_answers -= 1
        return new_method_return(message, "a{oa{sa{sv}}}", (objects,))


@pytest.fixture
def bus(monkeypatch, tmp_path) -> Iterator[str]:
    process = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address",
         f"--address=unix:path={tmp_path}/bus"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
        process.terminate()


@pytest.fixture
def manager(bus) -> Iterator[StandIn]:
    connection = open_dbus_connection(bus)
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    stand_in = StandIn(connection)
    thread = Thread(target=stand_in.serve, daemon=True)
    thread.start()
    yield stand_in
    connection.sock.shutdown(2)
    thread.join(5)
    connection.close()


def test_an_idle_device_is_let_go(manager):
    with let_go(DEVICE) as release:
        assert release == Release(inhibited=True)
    assert manager.inhibited == [(DEVICE, True)]


def test_the_connection_that_holds_the_inhibition_lasts_as_long_as_the_block(manager, bus):
    """The bus then tells ModemManager that it has gone: nothing else has to give the device back."""
    watcher = open_dbus_connection(bus)

    def clients() -> set[str]:
        names = watcher.send_and_get_reply(message_bus.ListNames()).body[0]
        return {name for name in names if name.startswith(":")}

    before = clients()
    with let_go(DEVICE):
        assert len(clients() - before) == 1
    deadline = time.monotonic() + 5
    while clients() != before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert clients() == before
    watcher.close()


def test_a_device_that_carries_data_is_left_alone_unless_told_otherwise(manager):
    manager.state = CONNECTED
    with let_go(DEVICE) as release:
        assert not release.inhibited
        assert "--interrupt" in release.reason.render()
    assert manager.inhibited == []
    with let_go(DEVICE, interrupt=True) as release:
        assert release.inhibited


def test_other_devices_are_none_of_our_business(manager):
    with let_go("/sys/devices/system") as release:
        assert release == Release()
    assert manager.inhibited == []


def test_one_that_was_just_plugged_in_is_waited_for(manager, monkeypatch):
    monkeypatch.setattr(modem_manager, "_LOOK_AGAIN_S", 0.01)
    manager.hidden_answers = 3
    with let_go(DEVICE, plugged_in_s=1.0) as release:
        assert release.inhibited


def test_one_that_is_pulled_out_is_not_waited_for(manager, tmp_path):
    manager.hidden_answers = 10**6
    with let_go(str(tmp_path / "1-1"), plugged_in_s=1.0) as release:
        assert release == Release()


def test_the_wait_ends(manager, monkeypatch):
    monkeypatch.setattr(modem_manager, "_LOOK_AGAIN_S", 0.01)
    manager.hidden_answers = 10**6
    with let_go(DEVICE, plugged_in_s=modem_manager._SETTLED_S - 0.2) as release:
        assert "still examining" in release.reason.render()
    with let_go(DEVICE, plugged_in_s=1.0, cancelled=lambda: True) as release:
        assert release == Release()


def test_an_ordinary_user_is_told_what_to_do(manager):
    manager.refusal = "org.freedesktop.DBus.Error.AccessDenied"
    with let_go(DEVICE) as release:
        assert "sudo" in release.reason.render()


def test_without_modem_manager_nothing_is_done(bus):
    with let_go(DEVICE) as release:
        assert release == Release()


@pytest.mark.parametrize("address", ["unix:path=none", "tcp:host=127.0.0.1,port=1", "none", ";"])
def test_without_a_bus_nothing_is_done(monkeypatch, tmp_path, address):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with let_go(DEVICE) as release:
        assert release == Release()


def test_a_manager_that_hangs_up_is_no_traceback(manager):
    def hang_up(message):
        manager.connection.sock.shutdown(2)
        raise OSError

    manager.answer = hang_up
    with let_go(DEVICE) as release:
        assert not release.inhibited
