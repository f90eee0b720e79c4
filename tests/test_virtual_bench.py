"""The virtual bench from outside: what it says when it cannot run, and that no QEMU outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "hil"))

from virtual import guest, kernel  # noqa: E402
from virtual.gadget import products  # noqa: E402
from virtual.problem import BenchProblem  # noqa: E402

BOOTS = "touch $results/started; "


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a script in the place of QEMU; ``$results`` in it is the shared folder."""
    results = tmp_path / "results"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(guest, "CACHE", tmp_path)
    monkeypatch.setattr(guest, "RESULTS", results)
    monkeypatch.setattr(guest, "install_packages", lambda: None)
    made = kernel.Kernel(tmp_path / "vmlinuz", tmp_path / "initramfs", tmp_path / "modules")
    monkeypatch.setattr(guest, "prepare", lambda _: made)
    monkeypatch.setattr(guest, "_accelerators", lambda: ["tcg"])

    def write(script: str) -> None:
        qemu = tmp_path / "qemu-system-x86_64"
        start = (
            f"results={results}; echo $$ > {tmp_path}/pid; echo booting > $results/console.log; "
        )
        qemu.write_text(f"#!/bin/sh\n{start}{script}\n")
        qemu.chmod(0o755)

    return write


def is_running(tmp_path: Path) -> bool:
    pid = int((tmp_path / "pid").read_text())
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_command_status_is_handed_on(machine, tmp_path: Path) -> None:
    machine(BOOTS + "echo 3 > $results/status")
    assert guest.run(["true"]) == 3


@pytest.mark.parametrize(
    ("script", "limit_s", "said"),
    [
        ("exec sleep 1000", 0.5, "The guest did not boot"),
        ("exit 1", 60, "The guest did not boot"),
        (BOOTS + "exec sleep 1000", 0.5, "The guest was not done within its time limit"),
        (BOOTS, 60, "The guest broke down"),
    ],
)
def test_a_guest_that_fails_leaves_its_console_log(
    machine, tmp_path: Path, script: str, limit_s: float, said: str
) -> None:
    machine(script)
    with pytest.raises(BenchProblem) as problem:
        guest.run(["true"], limit_s)
    log = tmp_path / "results" / "console.log"
    assert str(problem.value) == f"{said}; its console log is {log}."
    assert log.read_text() == "booting\n"
    assert not is_running(tmp_path)


def test_kvm_that_does_not_work_is_replaced(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "_accelerators", lambda: ["kvm", "tcg"])
    machine(f'case "$*" in *"-accel kvm"*) exit 1;; esac; {BOOTS} echo 0 > $results/status')
    assert guest.run(["true"]) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_qemu_outlives_the_program(machine, tmp_path: Path, how: signal.Signals) -> None:
    machine(BOOTS + "exec sleep 1000")
    program = f"""
import sys; sys.path.append({str(ROOT / "hil")!r})
from pathlib import Path
from virtual import guest, kernel
guest.CACHE = Path({str(tmp_path)!r}); guest.RESULTS = guest.CACHE / "results"
guest.install_packages = lambda: None
guest.prepare = lambda cache: kernel.Kernel(cache, cache, cache)
guest._accelerators = lambda: ["tcg"]
sys.exit(guest.main(["true"]))
"""
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "results" / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else -how)
    assert errors.decode() == guest._NO_KVM
    deadline = time.monotonic() + 60
    while is_running(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_packages_are_named_to_who_may_not_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_installed", lambda name: name != "qemu-system-x86")
    monkeypatch.setattr(kernel.os, "geteuid", lambda: 1000)
    with pytest.raises(BenchProblem) as problem:
        kernel.install_packages()
    assert str(problem.value) == (
        "The virtual bench needs packages that are not installed: "
        "sudo apt-get install qemu-system-x86"
    )


def test_no_kernel_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-cache"
    apt.write_text("#!/bin/sh\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(kernel.os, "geteuid", lambda: 1000)
    with pytest.raises(BenchProblem) as problem:
        kernel.prepare(tmp_path / "cache")
    assert str(problem.value) == (
        "No Linux kernel package can be downloaded (apt knows no linux-image-amd64): "
        "check the network, run `sudo apt-get update`, and run this again."
    )


def test_a_download_that_fails_leaves_no_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in {
        "apt-cache": "echo '  Depends: linux-image-6.1.0-1-amd64'",
        "apt-get": "echo 'E: Failed to fetch it' >&2; exit 100",
    }.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchProblem, match=r"downloaded \(E: Failed to fetch it\): check the netw"):
        kernel.prepare(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("file", "{cache}: File exists."),
        ("owner", "{cache}/lock is another user's: `sudo chown -R $USER {cache}`."),
        ("program", "`modprobe -S 6.1` failed: modprobe: FATAL: no such module"),
    ],
)
def test_what_keeps_it_from_being_made_ready_is_a_sentence(
    machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, way: str, said: str
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setattr(guest, "CACHE", cache)
    if way == "file":
        cache.touch()
    failures = {
        "owner": PermissionError(13, "Permission denied", f"{cache}/lock"),
        "program": subprocess.CalledProcessError(
            1, ["modprobe", "-S", "6.1"], stderr="modprobe: FATAL: no such module\n"
        ),
    }

    def prepare(_cache: Path) -> kernel.Kernel:
        raise failures[way]

    monkeypatch.setattr(guest, "prepare", prepare)
    assert guest.main(["true"]) == 2
    expected = f"The virtual bench cannot be made ready: {said.format(cache=cache)}\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("script", ["init", "guest.sh"])
def test_the_scripts_are_shell(script: str) -> None:
    subprocess.run(["sh", "-n", ROOT / "hil" / "virtual" / script], check=True)


@pytest.mark.parametrize("name", products())
def test_the_answering_interfaces_are_serial_ports(name: str) -> None:
    product = products()[name]
    assert {product.numbered[interface] for interface in product.at} <= {"gser", "acm"}
    assert sum(function in ("gser", "acm") for function in product.functions) <= 4
