"""Interfaces and their totals; the kernel's own answers."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.usage import links
from simdiag.usage.links import Interface
from simdiag.usage.netlink import ROUTE, SOCK_DIAG, Netlink, attribute, attributes
from simdiag.usage.records import Amount, Link, Remote
from simdiag.usage.remotes import Neighbourhood

RAW = Amount(rx_bytes=10_000, tx_bytes=20_000, rx_packets=10, tx_packets=20)


def interface(driver: str, hardware: int = 1) -> Interface:
    return Interface(Link("usb:1", "usb0", driver), 4, hardware, RAW)


@pytest.mark.parametrize(
    ("driver", "hardware", "rx", "tx", "measured"),
    [
        ("cdc_ether", 1, 10_000, 20_000 - 20 * 14, True),
        ("cdc_ncm", 1, 10_000, 20_000 - 20 * 14, True),
        ("rndis_host", 1, 10_000, 20_000 - 20 * 58, True),
        ("cdc_eem", 1, 10_000, 20_000 - 20 * 20, True),
        ("veth", 1, 10_000 - 140, 20_000 - 280, True),
        ("tun", 65534, 10_000, 20_000, True),
        ("qmi_wwan", 65534, 10_000, 20_000, False),  # raw IP
        ("iwlwifi", 1, 10_000 - 140, 20_000 - 280, False),
    ],
)
def test_a_drivers_headers_are_taken_off(
    driver: str, hardware: int, rx: int, tx: int, measured: bool
) -> None:
    found = interface(driver, hardware)
    assert found.reading.counters == Amount(rx, tx, 10, 20)
    assert found.is_measured is measured


def test_loopback_counts_what_is_sent_over_it() -> None:
    before = links.find("lo")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.sendto(bytes(972), one.getsockname())
    after = links.find("lo")
    assert after.index == 1
    assert after.reading.boot
    grown = after.reading.since(before.reading)
    assert grown.rx_bytes >= 1000
    assert grown.rx_packets >= 1


def test_there_is_no_such_interface() -> None:
    assert links.find("nosuch0") is None
    assert links.find("n" * 200) is None
    with pytest.raises(SimdiagError, match=r"no network interface nosuch0; there are: .*lo"):
        links.choose("nosuch0")


def modem(name: str, index: int, identity: str = "usb:2c7c:0125") -> Interface:
    return Interface(Link(f"{identity}:{name}", name, "cdc_ether"), index, 1, RAW)


@pytest.mark.parametrize(
    ("there", "routed", "chosen"),
    [
        ([modem("usb0", 4)], [], "usb0"),
        ([modem("eth0", 2, "virtio_net"), modem("usb0", 4)], [2], "usb0"),
        ([modem("usb0", 4), modem("usb1", 5)], [5], "usb1"),
        ([modem("usb0", 4), modem("usb1", 5)], [], "several modems .*usb0, usb1"),
        ([modem("eth0", 2, "virtio_net")], [2], "no modem's network interface .*eth0"),
    ],
)
def test_the_modems_interface_is_found(
    monkeypatch: pytest.MonkeyPatch, there: list[Interface], routed: list[int], chosen: str
) -> None:
    monkeypatch.setattr(links, "interfaces", lambda: there)
    monkeypatch.setattr(links, "default_gateways", lambda: {index: [] for index in routed})
    if " " not in chosen:
        assert links.choose(None).link.name == chosen
        return
    with pytest.raises(SimdiagError, match=chosen):
        links.choose(None)


def test_a_modem_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said once; a new one is taken by the name that udev gives it."""
    looks = iter([[], [], [modem("usb0", 4)], *2 * [[modem("enx02", 4)]]])
    said: list[str] = []
    monkeypatch.setattr(links, "_LOOK_S", 0)
    monkeypatch.setattr(links, "interfaces", lambda: next(looks))
    found = links.await_one(None, lambda: False, lambda text: said.append(text.render()))
    assert found == modem("enx02", 4)
    assert [text.partition(":")[0] for text in said] == [
        "no modem's network interface was found", "Recording begins as soon as it is there.",
    ]  # fmt: skip
    monkeypatch.setattr(links, "interfaces", list)
    assert links.await_one(None, lambda: True, lambda _text: None) is None


@pytest.mark.parametrize(
    ("there", "replaced"),
    [
        ([], False),
        ([modem("usb0", 9)], False),  # the same one, plugged in again
        ([modem("usb1", 5)], True),
        ([modem("usb1", 5), modem("usb2", 6)], False),  # which of them?
    ],
)
def test_another_modem_takes_its_place(
    monkeypatch: pytest.MonkeyPatch, there: list[Interface], replaced: bool
) -> None:
    monkeypatch.setattr(links, "interfaces", lambda: there)
    monkeypatch.setattr(links, "default_gateways", dict)
    assert links.is_replaced(modem("usb0", 4).link) is replaced


def test_a_device_is_found_under_a_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = modem("usb0", 4).link, Interface(modem("usb0", 4).link, 9, 1, RAW)
    monkeypatch.setattr(links, "find", lambda name: None)
    monkeypatch.setattr(links, "interfaces", lambda: [modem("usb7", 3), new])
    assert links.present(old) is new
    monkeypatch.setattr(links, "interfaces", lambda: [modem("usb7", 3)])
    assert links.present(old) is None


def test_an_identity_holds_no_serial_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A modem's serial number may be its IMEI."""
    device = tmp_path / "devices/usb1/1-2/1-2:1.4"
    device.mkdir(parents=True)
    for name, text in (("idVendor", "2c7c"), ("idProduct", "0125"), ("serial", "860000000000000")):
        (device.parent / name).write_text(text + "\n")
    (device / "bInterfaceNumber").write_text("04\n")
    (tmp_path / "net/wwan0").mkdir(parents=True)
    (tmp_path / "net/wwan0/device").symlink_to(device)
    monkeypatch.setattr(links, "_SYS", tmp_path / "net")
    first = links.identity("wwan0", "qmi_wwan")
    assert first.startswith("usb:2c7c:0125:")
    assert first.endswith(":04")
    assert "86000" not in first
    (device.parent / "serial").write_text("860000000000001\n")
    assert links.identity("wwan0", "qmi_wwan") != first


# ---- netlink -----------------------------------------------------------------------------
def test_attributes_are_read_as_they_are_written() -> None:
    packed = attribute(3, b"lo\0") + attribute(7, b"")
    assert attributes(packed) == {3: b"lo\0", 7: b""}


@pytest.mark.parametrize("data", [b"", b"\x03", b"\x00\x00\x01\x00rest", b"\xff\xff\x01\x00rest"])
def test_broken_attributes_end_the_reading(data: bytes) -> None:
    assert set(attributes(data)) <= {1}


def test_an_error_of_the_kernel_is_raised() -> None:
    with Netlink(SOCK_DIAG) as netlink, pytest.raises(OSError, match="Invalid argument"):
        list(netlink.dump(20, b""))
    with Netlink(ROUTE) as netlink, pytest.raises(OSError, match=r".+"):
        netlink.ask(9999, bytes(16))


# ---- where the other end is --------------------------------------------------------------
NEAR = Neighbourhood(
    frozenset(map(ipaddress.ip_network, ("192.168.8.0/24", "203.0.113.0/24", "2001:db8:8::/64"))),
    frozenset(map(ipaddress.ip_address, ("192.168.8.1", "2001:db8:8::1"))),
)


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("198.51.100.7", Remote.INTERNET),
        ("203.0.113.9", Remote.INTERNET),  # next to it by its mask, but public: the operator's
        ("10.20.30.40", Remote.INTERNET),  # a private APN's server is billed
        ("192.168.8.1", Remote.DEVICE),
        ("192.168.8.77", Remote.LOCAL),
        ("192.168.9.77", Remote.INTERNET),
        ("169.254.1.1", Remote.LOCAL),
        ("224.0.0.251", Remote.LOCAL),
        ("255.255.255.255", Remote.LOCAL),
        ("2001:db8:9::1", Remote.INTERNET),
        ("2001:db8:8::1", Remote.DEVICE),
        ("2001:db8:8::2", Remote.LOCAL),
        ("fe80::1", Remote.LOCAL),
        ("ff02::fb", Remote.LOCAL),
    ],
)
def test_remotes(address: str, remote: Remote) -> None:
    assert NEAR.remote(ipaddress.ip_address(address)) is remote


def test_the_neighbourhood_is_read_from_the_kernel() -> None:
    networks, gateways = links.neighbourhood(links.find("lo").index)
    assert ipaddress.ip_network("127.0.0.0/8") in networks
    assert gateways == set()
    assert ipaddress.ip_address("127.0.0.1") in links.local_addresses(1)
