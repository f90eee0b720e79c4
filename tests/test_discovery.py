"""What discovery makes of devices as udev lists them: those of the virtual bench, and more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from simdiag import discovery
from simdiag.discovery import (
    Kind,
    Node,
    SerialPort,
    UsbModem,
    best_at_port,
    candidates,
    discover,
    group,
)
from simdiag.driver import ModemDriver, PortRole, usb
from simdiag.registry import Drivers, drivers

QUECTEL_PORTS = {
    0: PortRole.DIAG,
    1: PortRole.GNSS,
    2: PortRole.AT_PRIMARY,
    3: PortRole.AT_SECONDARY,
}
KNOWN = Drivers(
    {
        "quectel": ModemDriver("quectel", "Quectel", match=usb(0x2C7C), ports=QUECTEL_PORTS),
        "zte": ModemDriver(
            "zte",
            "ZTE",
            match=usb(0x19D2, 0x1589),
            compositions={(0x19D2, 0x1405): "ZTE's own words"},
        ),
    }
)
NONE = Drivers()
PCI = "/sys/devices/pci0000:00/0000:00:14.0/usb1"
DUMMY = "/sys/devices/platform/dummy_hcd.0/usb1"


def device(
    vid: int,
    pid: int,
    *interfaces: tuple[int, str | None, str],
    socket: str = "1-2",
    root: str = PCI,
    cls: str = "ff",
    **properties: str,
) -> list[Node]:
    """A USB device; an interface is (number, kernel driver, its node: "ttyUSB0", "net usb0")."""
    path = f"{root}/{socket}"
    attributes = {
        "idVendor": f"{vid:04x}",
        "idProduct": f"{pid:04x}",
        "manufacturer": "Maker",
        "product": "Thing",
        "serial": "SECRET123",
    }
    nodes = [
        Node("usb", path, "usb_device", driver="usb", properties=properties, attributes=attributes)
    ]
    for number, driver, made in interfaces:
        here = f"{path}/{socket}:1.{number}"
        text = {"bInterfaceNumber": f"{number:02x}", "bInterfaceClass": cls}
        nodes.append(Node("usb", here, "usb_interface", driver=driver, attributes=text))
        subsystem, _, name = made.rpartition(" ")
        if name.startswith("ttyUSB"):
            link = f"/dev/serial/by-id/usb-Maker_Thing_SECRET123-if{number:02x}-port0"
            nodes.append(
                Node("tty", f"{here}/{name}/tty/{name}", "", f"/dev/{name}", links=(link,))
            )
        elif name.startswith("ttyACM"):
            nodes.append(Node("tty", f"{here}/tty/{name}", "", f"/dev/{name}"))
        elif name:
            node = f"/dev/{name}" if subsystem == "usbmisc" else None
            nodes.append(Node(subsystem, f"{here}/{subsystem}/{name}", "", node))
    return nodes


def one(nodes: list[Node], known: Drivers = KNOWN) -> UsbModem:
    (found,) = group(nodes, known)
    return found


def ec25(first_tty: int = 0, net: str = "usb0", **where: str) -> list[Node]:
    ttys = [(n, "option", f"ttyUSB{first_tty + n}") for n in range(4)]
    return device(0x2C7C, 0x0125, *ttys, (4, "cdc_ether", f"net {net}"), **where)


# ---- the devices of the virtual bench ----------------------------------------------------
def test_a_claimed_modem_has_its_ports_with_their_roles_and_its_network_link():
    modem = one(ec25())
    assert (modem.usb_id, modem.kind, modem.family) == ("2c7c:0125", Kind.MODEM, "quectel")
    assert [(p.path, p.interface, p.role) for p in modem.ports] == [
        ("/dev/ttyUSB0", 0, PortRole.DIAG),
        ("/dev/ttyUSB1", 1, PortRole.GNSS),
        ("/dev/ttyUSB2", 2, PortRole.AT_PRIMARY),
        ("/dev/ttyUSB3", 3, PortRole.AT_SECONDARY),
    ]
    assert modem.ports[2].by_id == "/dev/serial/by-id/usb-Maker_Thing_SECRET123-if02-port0"
    assert modem.network_interfaces == ("usb0",)
    assert modem.kernel_drivers == ("cdc_ether", "option")
    assert modem.composition is None


@pytest.mark.parametrize(
    ("nodes", "paths"),
    [
        pytest.param(
            device(0x1E0E, 0x9001, *[(n, "option", f"ttyUSB{n}") for n in range(4)]),
            ["/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyUSB2", "/dev/ttyUSB3"],
            id="SIM7600",
        ),
        pytest.param(
            device(
                0x1199,
                0x9071,
                (0, "qcserial", "ttyUSB0"),
                (1, None, ""),
                (2, "qcserial", "ttyUSB1"),
            ),
            ["/dev/ttyUSB0", "/dev/ttyUSB1"],
            id="EM7455",
        ),
        pytest.param(
            device(0x1546, 0x1141, *[(2 * n, "cdc_acm", f"ttyACM{n}") for n in range(3)]),
            ["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyACM2"],
            id="LARA",
        ),
        pytest.param(
            device(0x1782, 0x4E00, (0, "rndis_host", "net eth1"), (2, "option", "ttyUSB0")),
            ["/dev/ttyUSB0"],
            id="Air724UG",
        ),
        pytest.param(
            device(0xFFF0, 1, (0, "option", "ttyUSB0")), ["/dev/ttyUSB0"], id="unknown, by option"
        ),
    ],
)
def test_without_a_driver_file_it_is_a_modem_all_the_same(nodes: list[Node], paths: list[str]):
    modem = one(nodes, NONE)
    assert (modem.kind, modem.family, modem.composition) == (Kind.MODEM, None, None)
    assert [port.path for port in candidates(modem, held=())] == paths


def test_interface_numbers_of_sparse_ports_stay_true():
    nodes = device(0x1199, 0x9071, (0, "qcserial", "ttyUSB0"), (2, "qcserial", "ttyUSB1"))
    assert [(p.interface, p.kernel_driver) for p in one(nodes).ports] == [
        (0, "qcserial"),
        (2, "qcserial"),
    ]


def test_a_network_only_device_has_no_at_port_and_says_so_in_the_drivers_words():
    nodes = device(0x19D2, 0x1405, (0, "rndis_host", "net usb0"), (2, None, ""), (3, None, ""))
    modem = one(nodes)
    assert (modem.kind, modem.family, modem.storage) == (Kind.MODEM, "zte", False)
    assert modem.composition == "ZTE's own words"
    assert best_at_port(modem) is None
    assert "web page" in (one(nodes, NONE).composition or "")


@pytest.mark.parametrize(
    ("vid", "pid", "bound", "words"),
    [
        (0x2ECC, 0x3012, "rndis_host", "router mode"),
        (0x05C6, 0x9024, "rndis_host", "Android"),
        (0x2DEE, 0x4D22, "cdc_ncm", "web page"),
    ],
)
def test_network_only_makers_without_a_driver_file(vid: int, pid: int, bound: str, words: str):
    modem = one(device(vid, pid, (0, bound, "net eth1")), NONE)
    assert modem.kind == "modem"
    assert words in (modem.composition or "")


@pytest.mark.parametrize("pid", [0x1F01, 0xABCD])
def test_a_stick_that_still_shows_its_drive(pid: int):
    modem = one(device(0x12D1, pid, (0, "usb-storage", ""), cls="08"), NONE)
    assert modem.storage
    assert "usb_modeswitch" in (modem.composition or "")


def test_a_card_slot_beside_serial_ports_is_no_storage_mode():
    nodes = [
        *device(0x2C7C, 0x0125, (2, "option", "ttyUSB0")),
        Node(
            "usb",
            f"{PCI}/1-2/1-2:1.5",
            "usb_interface",
            driver="usb-storage",
            attributes={"bInterfaceClass": "08"},
        ),
    ]
    modem = one(nodes)
    assert (modem.storage, modem.composition) == (False, None)


def test_a_stick_that_no_kernel_driver_took_tells_how_to_bind_it():
    nodes = device(0x12D1, 0x1506, *[(n, None, "") for n in range(3)], root=DUMMY, socket="1-1")
    modem = one(nodes, NONE)
    assert "option1/new_id" in (modem.composition or "")
    assert modem.id == "platform-dummy_hcd.0-usb-0:1"


def test_a_qmi_only_modem():
    nodes = device(
        0x2C7C, 0x0800, (0, "qmi_wwan", "net wwan0"), (1, "qmi_wwan", "usbmisc cdc-wdm0")
    )
    modem = one(nodes)
    assert (modem.cdc_wdm, modem.network_interfaces) == (("/dev/cdc-wdm0",), ("wwan0",))
    assert "QMI" in (modem.composition or "")


def test_a_boot_loaders_port_is_not_asked():
    modem = one(device(0x05C6, 0x9008, (0, "qcserial", "ttyUSB0")), NONE)
    assert candidates(modem) == []
    assert "download mode" in (modem.composition or "")


# ---- what is not, or perhaps, a modem ----------------------------------------------------
@pytest.mark.parametrize(
    ("vid", "pid", "bound", "tty"),
    [
        (0x0403, 0x6001, "ftdi_sio", "ttyUSB0"),
        (0x10C4, 0xEA60, "cp210x", "ttyUSB0"),
        (0x1A86, 0x7523, "ch341", "ttyUSB0"),
        (0x1A86, 0x55D4, "cdc_acm", "ttyACM0"),
        (0x067B, 0x2303, "pl2303", "ttyUSB0"),
    ],
)
def test_a_serial_adapter_is_listed_as_one(vid: int, pid: int, bound: str, tty: str):
    adapter = one(device(vid, pid, (0, bound, tty)))
    assert adapter.kind == "serial-adapter"
    assert adapter.ports[0].path == f"/dev/{tty}"


@pytest.mark.parametrize(
    ("vid", "pid", "bound", "made"),
    [
        pytest.param(0x2341, 0x0043, "cdc_acm", "ttyACM0", id="Arduino"),
        pytest.param(0x1546, 0x01A8, "cdc_acm", "ttyACM0", id="u-blox satellite receiver"),
        pytest.param(0x18D1, 0x4EE3, "rndis_host", "net usb0", id="tethering phone"),
    ],
)
def test_what_may_or_may_not_be_a_modem_is_unknown(vid: int, pid: int, bound: str, made: str):
    assert one(device(vid, pid, (0, bound, made))).kind == "unknown"


@pytest.mark.parametrize(
    ("nodes"),
    [
        pytest.param(device(0x046D, 0xC077, (0, "usbhid", ""), cls="03"), id="mouse"),
        pytest.param(device(0x0781, 0x5567, (0, "usb-storage", ""), cls="08"), id="memory stick"),
        pytest.param(device(0x0BDA, 0x8153, (0, "cdc_ether", "net eth1")), id="Ethernet adapter"),
        pytest.param(device(0x2357, 0x0601, (0, "cdc_ether", "net eth1")), id="TP-Link Ethernet"),
        pytest.param(device(0x0E8D, 0x1887, (0, "usb-storage", ""), cls="08"), id="DVD drive"),
        pytest.param(device(0x12D1, 0x3A07, (0, "snd-usb-audio", ""), cls="01"), id="headset"),
        pytest.param(device(0x1D6B, 2, (0, "hub", ""), cls="09"), id="hub"),
    ],
)
def test_other_devices_are_left_out(nodes: list[Node]):
    assert group(nodes, KNOWN) == []


def test_a_maker_of_many_things_needs_a_kernel_driver_for_modems():
    assert one(device(0x2001, 0x7E3D, (0, "option", "ttyUSB0")), NONE).kind == "modem"


# ---- several devices, odd records --------------------------------------------------------
def test_two_identical_modems_stay_apart_also_behind_a_hub():
    hub = [
        Node(
            "usb", f"{PCI}/1-1", "usb_device", attributes={"idVendor": "05e3", "idProduct": "0608"}
        )
    ]
    nodes = [
        *hub,
        *ec25(0, "usb0", root=f"{PCI}/1-1", socket="1-1.3"),
        *ec25(4, "usb1", root=f"{PCI}/1-1", socket="1-1.10"),
    ]
    first, second = group(reversed(nodes), KNOWN)
    assert (first.id, second.id) == (
        "pci-0000:00:14.0-usb-0:1.3",
        "pci-0000:00:14.0-usb-0:1.10",
    )
    assert [port.path[-1] for port in first.ports + second.ports] == list("01234567")
    assert (first.network_interfaces, second.network_interfaces) == (("usb0",), ("usb1",))


def test_sockets_of_the_same_number_on_both_buses_of_a_controller_stay_apart():
    usb3 = PCI.replace("usb1", "usb2")
    nodes = [*ec25(), *ec25(4, root=usb3, socket="2-2")]
    assert {modem.id for modem in group(nodes, KNOWN)} == {
        "pci-0000:00:14.0-usb-0:2@1-2",
        "pci-0000:00:14.0-usb-0:2@2-2",
    }


def test_modems_come_before_adapters():
    adapter = device(0x0403, 0x6001, (0, "ftdi_sio", "ttyUSB9"), socket="1-1")
    assert [m.kind for m in group([*adapter, *ec25()], KNOWN)] == ["modem", "serial-adapter"]


def test_udevs_own_path_and_time_are_used():
    nodes = ec25(ID_PATH="platform-x-usb-0:2", USEC_INITIALIZED="90000000")
    (modem,) = group(nodes, KNOWN, now_s=100.0)
    assert modem.id == "platform-x-usb-0:2"
    assert modem.plugged_in_s == pytest.approx(10.0)
    assert one(ec25()).plugged_in_s is None


def test_a_device_whose_files_cannot_be_read_falls_back_or_is_skipped():
    path = f"{PCI}/1-4"
    nameless = Node("usb", path, "usb_device")
    interface = Node("usb", f"{path}/1-4:1.10", "usb_interface", driver="option")
    tty = Node("tty", f"{path}/1-4:1.10/ttyUSB7/tty/ttyUSB7")
    assert one([nameless, interface, tty, *ec25()]).usb_id == "2c7c:0125"

    by_event = Node("usb", path, "usb_device", properties={"PRODUCT": "2c7c/125/318"})
    modem = one([by_event, interface, tty])
    assert modem.usb_id == "2c7c:0125"
    assert (modem.ports[0].path, modem.ports[0].interface) == ("/dev/ttyUSB7", 10)


def test_the_devices_own_words_are_bounded_and_harmless():
    nodes = ec25()
    hostile = {**nodes[0].attributes, "product": "\x1b[31mEC25\n" + "x" * 1000}
    modem = one([Node("usb", nodes[0].sys_path, "usb_device", attributes=hostile), *nodes[1:]])
    assert modem.product is not None
    assert modem.product.isprintable()
    assert len(modem.product) <= 100


def test_the_serial_number_is_not_printed():
    modem = one(ec25())
    assert modem.serial == "SECRET123"
    assert "SECRET123" not in repr(modem)


def test_modemmanagers_tags_give_roles_where_no_driver_file_does():
    nodes = device(0x1E0E, 0x9001, (2, "option", "ttyUSB2"), (3, "option", "ttyUSB3"))
    tagged = [
        Node("tty", n.sys_path, "", n.dev_node, properties={"ID_MM_PORT_TYPE_AT_PRIMARY": "1"})
        if n.dev_node == "/dev/ttyUSB3"
        else n
        for n in nodes
    ]
    best = best_at_port(one(tagged, NONE), held=())
    assert best is not None
    assert best.path == "/dev/ttyUSB3"


# ---- the port to talk to -----------------------------------------------------------------
def ports(*roles: PortRole | None) -> UsbModem:
    made = tuple(SerialPort(f"/dev/ttyUSB{n}", n, role) for n, role in enumerate(roles))
    return UsbModem("x", 0x2C7C, 0x0125, ports=made)


ALL = (PortRole.DIAG, PortRole.GNSS, PortRole.AT_PRIMARY, PortRole.AT_SECONDARY)


@pytest.mark.parametrize(
    ("roles", "held", "order"),
    [
        pytest.param(ALL, "", "23", id="primary first, never DIAG or GNSS"),
        pytest.param(ALL, "2", "32", id="secondary when the primary is held"),
        pytest.param(ALL, "23", "23", id="all held: the primary, to name its holder"),
        pytest.param((None, None, PortRole.GNSS), "", "01", id="unknown roles by interface"),
        pytest.param((None, None), "0", "10", id="unknown roles, the free one"),
        pytest.param((None, PortRole.PPP, PortRole.AT_PRIMARY), "", "210", id="PPP after AT"),
        pytest.param((None, PortRole.AT_PRIMARY), "1", "10", id="held AT before a guess"),
        pytest.param((PortRole.OTHER, None), "", "10", id="a role that is something else last"),
        pytest.param((PortRole.DIAG,), "", "", id="nothing to ask"),
    ],
)
def test_order_of_trying(roles: tuple[PortRole | None, ...], held: str, order: str):
    found = candidates(ports(*roles), held={f"/dev/ttyUSB{n}" for n in held})
    assert "".join(port.path[-1] for port in found) == order


def test_holders_are_looked_up_if_not_given(pty_held: str, pty_free: str):
    modem = UsbModem(
        "x",
        0x2C7C,
        0x0125,
        ports=(
            SerialPort(pty_held, 2, PortRole.AT_PRIMARY),
            SerialPort(pty_free, 3, PortRole.AT_SECONDARY),
        ),
    )
    best = best_at_port(modem)
    assert best is not None
    assert best.path == pty_free


@pytest.fixture
def pty_free() -> Iterator[str]:
    import os

    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.fixture
def pty_held() -> Iterator[str]:
    import os

    master, slave = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[slave],
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield os.ttyname(slave)
        holder.kill()
    os.close(master)
    os.close(slave)


# ---- reading udev ------------------------------------------------------------------------
def test_this_machine_can_be_asked():
    assert all(isinstance(modem, UsbModem) for modem in discover())


def test_no_udev_library_means_no_devices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyudev", None)
    assert discover() == []


class FakeDevice(SimpleNamespace):
    device_type = device_node = driver = None
    device_links = ()

    def __getattr__(self, name: str) -> Any:
        raise OSError("vanished")


def test_one_unreadable_device_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch):
    good = FakeDevice(
        subsystem="usb",
        sys_path=f"{PCI}/1-2",
        device_type="usb_device",
        properties={"ID_PATH": "here", "SECRET": "no"},
        attributes={"idVendor": b"2c7c", "idProduct": b"0125", "product": b"\xff"},
    )
    vanished = FakeDevice(subsystem="usb", sys_path=f"{PCI}/1-3", device_type="usb_device")

    class Below(list[FakeDevice]):
        def match_subsystem(self, _name: str) -> None:
            if not self:
                raise OSError("the hub has gone")

    def list_devices(parent: str = "", **hubs: str) -> Iterable[Any]:
        return {"usb1": Below(), "usb2": Below([vanished, good])}.get(parent, ["usb1", "usb2"])

    context = SimpleNamespace(list_devices=list_devices)
    monkeypatch.setitem(sys.modules, "pyudev", SimpleNamespace(Context=lambda: context))
    (node,) = discovery.read_nodes()
    assert (node.sys_name, node.properties) == ("1-2", {"ID_PATH": "here"})
    assert node.attributes["product"] == "�"


def test_importing_discovery_loads_neither_udev_nor_the_command_line():
    heavy = {"pyudev", "click", "rich", "psutil"}
    code = f"import simdiag.discovery, sys; print({heavy} & {{*sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "set()"


def test_the_bench_modem_under_the_drivers_that_are_installed():
    modem = one(ec25(), drivers())
    assert modem.kind == "modem"
    assert modem.composition is None
