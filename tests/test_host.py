"""Who holds a port, why it may not be opened, what the network looks like from here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from simdiag.host import holders, network, permission
from simdiag.host.holders import holders_of, port_holders, port_lock, possible_holders
from simdiag.host.network import Interface, default_routes4, default_routes6, network_facts
from simdiag.host.permission import explain_denied


@pytest.fixture
def pty() -> Iterator[tuple[int, int, str]]:
    master, slave = os.openpty()
    yield master, slave, os.ttyname(slave)
    os.close(master)
    os.close(slave)


@contextmanager
def process(*fds: int) -> Iterator[int]:
    """Another process that has inherited these files, and only these."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=fds,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it runs
        try:
            yield child.pid
        finally:
            child.kill()


# ---- who holds a port --------------------------------------------------------------------
def test_another_process_that_has_the_port_open_is_named(pty: tuple[int, int, str]):
    _, slave, path = pty
    with process(slave) as pid:
        (holder,) = port_holders(path)
    assert holder.pid == pid
    assert "python" in holder.name
    assert holder.user == holders._process_user(os.getpid())
    assert str(pid) in str(holder)


def test_we_ourselves_are_not_a_holder(pty: tuple[int, int, str]):
    assert port_holders(pty[2]) == []


def test_the_holder_is_gone_with_its_process(pty: tuple[int, int, str]):
    with process(pty[1]):
        pass
    assert port_holders(pty[2]) == []


def test_the_other_end_of_a_pty_is_not_a_holder(pty: tuple[int, int, str]):
    master, slave, path = pty
    with process(master, slave):
        assert port_holders(path) == []


def test_the_other_end_of_another_pty_may_be_one(pty: tuple[int, int, str]):
    _, slave, path = pty
    other_master, other_slave = os.openpty()
    with process(other_master, slave) as pid:
        assert [holder.pid for holder in port_holders(path)] == [pid]
    os.close(other_master)
    os.close(other_slave)


def test_a_link_to_the_port_and_several_ports_at_once(pty: tuple[int, int, str], tmp_path: Path):
    link = tmp_path / "modem"
    link.symlink_to(pty[2])
    with process(pty[1]) as pid:
        found = holders_of([str(link), "/dev/null/none", pty[2]])
    assert [holder.pid for holder in found[str(link)]] == [pid]
    assert [holder.pid for holder in found[pty[2]]] == [pid]
    assert found["/dev/null/none"] == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes device nodes")
def test_a_second_node_of_the_same_device_is_recognised_by_its_number(tmp_path: Path):
    node = tmp_path / "ttyCopy"
    try:
        os.mknod(node, 0o600 | 0o020000, Path("/dev/zero").stat().st_rdev)
    except OSError:
        pytest.skip("device nodes are not allowed here")
    with Path("/dev/zero").open("rb") as zero, process(zero.fileno()) as pid:
        assert pid in {holder.pid for holder in port_holders(str(node))}


def test_a_process_that_may_not_be_looked_at_is_passed_over(
    pty: tuple[int, int, str], monkeypatch: pytest.MonkeyPatch
):
    real = os.listdir

    def listdir(path: object) -> list[str]:
        if str(path).endswith("/fd"):
            raise PermissionError(13, "denied", str(path))
        return real(str(path))

    monkeypatch.setattr(os, "listdir", listdir)
    with process(pty[1]) as pid:
        assert port_holders(pty[2]) == []
        monkeypatch.setattr(holders, "_PORT_TAKERS", {holders._process_name(pid)})
        assert pid in {suspect.pid for suspect in possible_holders(pty[2])}


def test_nobody_is_suspected_whose_files_can_be_read(
    pty: tuple[int, int, str], monkeypatch: pytest.MonkeyPatch
):
    with process() as pid:
        monkeypatch.setattr(holders, "_PORT_TAKERS", {holders._process_name(pid)})
        assert pid not in {suspect.pid for suspect in possible_holders(pty[2])}


def test_a_port_that_does_not_exist_has_no_holder():
    assert port_holders("/dev/ttyUSB-none") == []
    assert possible_holders("/dev/ttyUSB-none") == []


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(holders, "_LOCK_FOLDERS", (str(tmp_path),))
    return tmp_path


@pytest.mark.parametrize("style", ["%10d\n", "%d minicom root\n", "binary"])
def test_the_process_in_a_lock_file_is_a_holder(locks: Path, style: str):
    file = locks / "LCK..ttyUSB2"
    with process() as pid:
        file.write_bytes(
            pid.to_bytes(4, sys.byteorder) if style == "binary" else (style % pid).encode()
        )
        assert port_lock("/dev/ttyUSB2") == holders.Lock(str(file), pid, stale=False)
        (holder,) = port_holders("/dev/ttyUSB2")
    assert (holder.pid, holder.lock) == (pid, str(file))


def test_a_lock_file_of_a_dead_process_is_stale_and_holds_nothing(locks: Path):
    with process() as pid:
        pass
    (locks / "LCK..ttyUSB2").write_text(f"{pid:10d}\n")
    lock = port_lock("/dev/ttyUSB2")
    assert lock is not None
    assert lock.stale
    assert port_holders("/dev/ttyUSB2") == []


@pytest.mark.parametrize("content", [b"", b"who knows", b"99999999999999999999999999", b"-1"])
def test_a_broken_lock_file_is_no_proof(locks: Path, content: bytes):
    (locks / "LCK..ttyUSB2").write_bytes(content)
    assert port_holders("/dev/ttyUSB2") == []


def test_holder_and_lock_of_one_process_are_one_holder(pty: tuple[int, int, str], locks: Path):
    with process(pty[1]) as pid:
        (locks / f"LCK..{Path(pty[2]).name}").write_text(f"{pid:10d}\n")
        assert [holder.pid for holder in port_holders(pty[2])] == [pid]


# ---- why a port may not be opened --------------------------------------------------------
@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine with a group for serial ports that the user is not in."""
    groups = {0: ("root", []), 20: ("dialout", [])}
    found = SimpleNamespace(members=groups[20][1])

    def entry(gid: int) -> SimpleNamespace:
        return SimpleNamespace(gr_name=groups[gid][0], gr_mem=groups[gid][1])

    monkeypatch.setattr(permission.grp, "getgrgid", entry)
    monkeypatch.setattr(
        permission.grp, "getgrnam", lambda name: entry({"root": 0, "dialout": 20}[name])
    )
    monkeypatch.setattr(permission.grp, "getgrall", lambda: [entry(0), entry(20)])
    monkeypatch.setattr(permission.pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="anna"))
    monkeypatch.setattr(permission.os, "getgroups", lambda: [])
    monkeypatch.setattr(permission.os, "getegid", lambda: 0)
    return found


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    status = SimpleNamespace(st_gid=20, st_mode=0o020660)
    real = Path.stat

    def stat(path: Path, **kwargs: bool) -> object:
        return status if str(path) == "/dev/ttyUSB2" else real(path, **kwargs)

    monkeypatch.setattr(Path, "stat", stat)
    yield status
    monkeypatch.undo()


def test_the_group_how_to_join_it_and_the_rule_are_named(
    machine: SimpleNamespace, port: SimpleNamespace
):
    text = explain_denied("/dev/ttyUSB2", 0x2C7C).render()
    assert "group dialout" in text
    assert "sudo usermod -aG dialout $USER" in text
    assert "log in again" in text
    assert 'SUBSYSTEM=="tty", ATTRS{idVendor}=="2c7c", GROUP="dialout", MODE="0660"' in text
    assert text.count(". ") == 0
    assert text.endswith(".")


def test_without_a_vendor_the_rule_names_none(machine: SimpleNamespace, port: SimpleNamespace):
    assert 'SUBSYSTEM=="tty", GROUP="dialout"' in explain_denied("/dev/ttyUSB2").render()


def test_who_joined_the_group_after_logging_in_need_only_log_in_again(
    machine: SimpleNamespace, port: SimpleNamespace
):
    machine.members.append("anna")
    text = explain_denied("/dev/ttyUSB2").render()
    assert "log out and in again" in text
    assert "usermod" not in text


@pytest.mark.parametrize(("gid", "mode"), [(0, 0o020600), (20, 0o020600), (0, 0o020660)])
def test_nobody_is_told_to_join_root_or_a_group_without_access(
    machine: SimpleNamespace, port: SimpleNamespace, gid: int, mode: int
):
    port.st_gid, port.st_mode = gid, mode
    text = explain_denied("/dev/ttyUSB2").render()
    assert "usermod -aG dialout" in text
    assert text.index("udev rule") < text.index("usermod")


def test_a_port_that_cannot_be_looked_at_is_explained_too():
    assert "/dev/ttyUSB-none" in explain_denied("/dev/ttyUSB-none").render()


# ---- the network -------------------------------------------------------------------------
ROUTES4 = """\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
usb0\t00000000\t01E1A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0
usb0\t00000000\t01E1A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
wwan0\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0
*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
broken
"""
ZERO = "0" * 32
ROUTES6 = f"""\
{ZERO} 00 {ZERO} 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo
fe80{"0" * 28} 40 {ZERO} 00 {ZERO} 00000100 00000002 00000000 00000001     eth0
broken
"""


def test_default_routes_are_those_that_are_up_and_for_everything():
    assert default_routes4(ROUTES4) == {"eth0": 100, "usb0": 600}
    assert default_routes6(ROUTES6) == {"eth0": 0x400}
    assert default_routes4("") == default_routes6("") == {}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    texts = {"/proc/net/route": ROUTES4, "/proc/net/ipv6_route": ROUTES6}
    monkeypatch.setattr(network, "_text", lambda path: texts.get(path, ""))
    return texts


def test_an_interface_of_this_machine(files: dict[str, str]):
    network = network_facts(["lo", "wwan-none"])
    loopback, absent = network.interfaces
    assert loopback.exists
    assert loopback.up
    assert loopback.ipv4
    assert loopback.rx_bytes is not None
    assert loopback.rx_bytes >= 0
    assert loopback.default_metric is None
    assert absent == Interface("wwan-none", exists=False)
    assert network["wwan-none"] is absent
    assert not network["never-asked"].exists


def test_the_default_interface_is_the_one_of_the_lowest_metric(files: dict[str, str]):
    network = network_facts(["usb0"])
    assert network.default_interface == "eth0"
    assert network["usb0"].default_metric == 600
    files["/proc/net/route"] = ""
    assert network_facts([]).default_interface == "eth0"
    files.clear()
    assert network_facts([]).default_interface is None


@pytest.mark.parametrize(
    ("text", "version", "usable"),
    [
        ("192.168.225.20", 4, True),
        ("192.168.225.20", 6, False),
        ("169.254.3.4", 4, False),
        ("2001:db8::1", 6, True),
        ("fd00::1", 6, True),
        ("fe80::1%usb0", 6, False),
        ("02:00:00:00:00:01", 6, False),
    ],
)
def test_an_address_that_reaches_only_the_link_is_none(text: str, version: int, usable: bool):
    assert network._is_usable_address(text, version) is usable


def test_resolvers_are_counted_behind_the_local_stub_too(files: dict[str, str]):
    assert not network_facts([]).has_resolver
    files["/etc/resolv.conf"] = "# nameserver 9.9.9.9\nnameserver 1.1.1.1\nnameserver\nsearch x\n"
    assert network_facts([]).nameservers == 1
    files["/etc/resolv.conf"] = "nameserver 127.0.0.53\n"
    assert network_facts([]).has_resolver
    files["/run/systemd/resolve/resolv.conf"] = "# none known\n"
    assert not network_facts([]).has_resolver


def test_a_sandbox_that_shows_no_interfaces_is_no_error(monkeypatch: pytest.MonkeyPatch):
    import psutil

    def denied() -> None:
        raise PermissionError(13, "no netlink here")

    monkeypatch.setattr(psutil, "net_if_stats", denied)
    assert network_facts(["lo"])["lo"].exists is None  # unknown, which is not absent


def test_this_machine_can_be_asked():
    network = network_facts([])
    assert network.interfaces == ()
    assert network.nameservers >= 0
