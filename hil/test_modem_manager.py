"""Beside ModemManager: it lets go of the one device that is examined, and gets it back."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import SIMDIAG, TIMEOUT_S, finish
from virtual_bench import VirtualBench, VirtualDevice, modem_manager, printed

pytestmark = [pytest.mark.modem_manager, pytest.mark.timeout(400)]
ORDINARY_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--groups=dialout")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[None]:
    with modem_manager(tmp_path / "modem-manager.log"):
        yield


def modems() -> dict[str, str]:
    """The modems that ModemManager shows: its object's path by the device's path in sysfs."""
    found = {}
    for path in _mmcli("--list-modems").get("modem-list", []):
        if modem := _mmcli("--modem", path).get("modem"):
            found[modem["generic"]["device"]] = path
    return found


def _mmcli(*words: str) -> dict[str, Any]:
    done = subprocess.run(["mmcli", "--output-json", *words], capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2 * TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, modems()
        time.sleep(0.3)


def shown(device: VirtualDevice) -> str | None:
    """The path of ModemManager's object for a device."""
    controller = f"/dummy_hcd.{device.usb.bus}/"
    return next((path for name, path in modems().items() if controller in name), None)


@pytest.mark.usefixtures("manager")
def test_it_lets_go_of_the_examined_device_alone_and_gets_it_back(bench: VirtualBench) -> None:
    examined = bench.product("quectel-ec25", "quectel-ec2x/sim_not_activated")
    other = bench.product("simcom-sim7600", "simcom-sim7600/healthy")
    result = examined.check("--wait", "2")  # at once: ModemManager is still looking at it
    assert (result.json["cause"], result.errors) == ("sim_not_activated", "")
    wait_for(lambda: shown(examined) is not None and shown(other) is not None)
    before = shown(other)
    ordinary_user_takes_the_second_port(examined)

    program = examined.start_check("--wait", "2")
    wait_for(lambda: shown(examined) is None)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    wait_for(lambda: shown(examined) is not None)
    assert shown(other) == before


def ordinary_user_takes_the_second_port(device: VirtualDevice) -> None:
    """Only root may ask ModemManager to let go; the port that it leaves alone serves as well."""
    before = shown(device)
    command = [*ORDINARY_USER, *SIMDIAG, "check", *device.options, "--json", "--wait", "2"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    result = finish(program)
    assert (result.json["cause"], result.errors) == ("sim_not_activated", "")
    assert shown(device) == before


@pytest.mark.usefixtures("manager")
def test_watch_takes_what_is_plugged_in_and_gives_it_back(bench: VirtualBench) -> None:
    """Also when it is killed in the middle, of an examination that has a minute's patience."""
    watch = bench.start(["watch", "--json", "--wait", "1"])
    device = bench.product("quectel-ec25", "quectel-ec2x/searching")
    (result,) = printed(watch, 1)  # it had to wait until ModemManager had looked at the device
    assert (result["device"], result["cause"]) == (device.usb.id, "searching")
    wait_for(lambda: shown(device) is not None)
    watch.send_signal(signal.SIGINT)
    ended = finish(watch)
    assert (ended.status, len(ended.lines), ended.errors) == (0, 1, "")

    watch = bench.start(["watch", "--json", "--wait", "60"])
    wait_for(lambda: shown(device) is None)
    watch.kill()
    assert watch.communicate() == ("", "")
    wait_for(lambda: shown(device) is not None)
