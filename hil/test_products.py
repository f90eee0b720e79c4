"""What only a USB bus can show: composition, drivers, names, hot-plug and mode switch."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from virtual_bench import VirtualBench

pytestmark = pytest.mark.products


def test_what_the_kernel_made_of_it(bench: VirtualBench) -> None:
    """Interfaces, roles, drivers, names and age, as the real sysfs and the real udev tell them."""
    before = time.monotonic()
    device = bench.product("unisoc-air724", "unisoc-air724/healthy")
    entry = listed(bench)[device.usb.id]
    assert (entry["usb_id"], entry["name"]) == ("1782:4e00", "Luat Air724UG")
    assert entry["sys_path"].startswith(f"/sys/devices/platform/dummy_hcd.{device.usb.bus}/usb")
    assert entry["kernel_drivers"] == ["cdc_ether", "option"]
    assert [(p["interface"], p["role"]) for p in entry["ports"]] == [
        (2, "at-primary"), (3, "ppp"), (4, "diag"),
    ]  # fmt: skip
    assert len(entry["network_interfaces"]) == 1
    assert Path("/sys/class/net", entry["network_interfaces"][0]).exists()
    assert 0 < entry["plugged_in_s"] <= time.monotonic() - before


def listed(bench: VirtualBench) -> dict[str, dict[str, Any]]:
    """Return what ``simdiag devices`` says, by id."""
    return {entry["id"]: entry for entry in bench.run("devices", "--json").lines}


def test_the_table_hides_the_serial_number(bench: VirtualBench) -> None:
    """udev's lasting names hold it."""
    device = bench.product("ublox-lara", "ublox-sara/healthy")
    links = [link.name for link in Path("/dev/serial/by-id").iterdir()]
    assert f"usb-u-blox_LARA_{device.usb.serial}-if00" in links
    shown = bench.run("devices").output
    assert "usb-u-blox_LARA_" in shown
    assert device.usb.serial not in shown


@pytest.mark.alone
@pytest.mark.two_devices
def test_two_at_once(bench: VirtualBench) -> None:
    first = bench.product("quectel-ec25", "quectel-ec2x/sim_not_activated")
    second = bench.product("ublox-lara", "ublox-sara/healthy")
    refused = bench.run("check", "--json")
    assert refused.status == 2
    assert first.usb.id in refused.errors
    assert second.usb.id in refused.errors
    result = bench.run("check", "--all", "--json", "--wait", "2")
    assert {line["device"]: line["cause"] for line in result.lines} == {
        first.usb.id: "sim_not_activated", second.usb.id: "healthy",
    }  # fmt: skip
    assert (result.errors, result.status) == ("", 1)


@pytest.mark.alone
@pytest.mark.hotplug
def test_plugged_out_and_in(bench: VirtualBench) -> None:
    """What is not there is not listed; what comes back has its old id, and needs no option."""
    device = bench.product("fibocom-l850", "fibocom-l8xx/healthy")
    assert list(listed(bench)) == [device.usb.id]
    device.unplug()
    gone = bench.run("devices", "--json")
    assert (gone.output, gone.status) == ("", 4)
    nothing = bench.run("check", "--json")
    assert (nothing.json["cause"], nothing.status) == ("no_modem_found", 4)
    device.plug()
    back = bench.run("check", "--json", "--wait", "2").json
    assert (back["device"], back["cause"]) == (device.usb.id, "healthy")


# ---- no port that answers ------------------------------------------------------------------
@pytest.mark.network_link
@pytest.mark.parametrize("name", ["zte-mifi-rndis", "asr1803-rndis"])
def test_network_only(bench: VirtualBench, name: str) -> None:
    result = bench.product(name).check()
    assert (result.json["cause"], result.status) == ("no_at_port", 1)
    assert "router mode" in result.json["findings"][0]["text"]


def test_a_product_that_no_driver_takes(bench: VirtualBench) -> None:
    """The advice that is given makes the ports appear."""
    device = bench.product("huawei-e3372", "huawei-stick/healthy")
    result = device.check()
    assert (result.json["cause"], result.status) == ("no_at_port", 1)
    new_id = Path("/sys/bus/usb-serial/drivers/option1/new_id")
    assert str(new_id) in result.json["findings"][0]["text"]
    subprocess.run(["modprobe", "option"], check=True)
    new_id.write_text(device.usb.product.usb.replace(":", " "))
    device.usb.settle()
    assert device.check("--wait", "2").json["cause"] == "healthy"


@pytest.mark.mode_switch
@pytest.mark.parametrize(
    ("drive", "name", "scenario", "cause"),
    [
        ("zte-mf190-drive", "zte-mf190", "zte-mf/healthy", "healthy"),
        ("zte-mifi-drive", "zte-mifi-rndis", "", "no_at_port"),
    ],
)
def test_mode_switch(bench: VirtualBench, drive: str, name: str, scenario: str, cause: str) -> None:
    """First a drive, then nothing for a moment, then another USB id in the same socket."""
    with ExitStack() as stack:
        before = bench.product(drive, stack=stack)
        result = before.check("--wait", "2")
        assert (result.json["cause"], result.status) == ("no_at_port", 1)
        assert "storage mode" in result.json["findings"][0]["text"]
    between = before.check()
    assert (between.status, between.output) == (2, "")
    assert "no such device" in between.errors
    after = bench.product(name, scenario)
    assert after.usb.id == before.usb.id
    assert after.check("--wait", "2").json["cause"] == cause
