"""Who a process is, from what /proc says of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simdiag.usage.owners import look_at, user_name
from simdiag.usage.records import State

USER = "/user.slice/user-1000.slice/user@1000.service"
APP = f"{USER}/app.slice/app-gnome-firefox-4711.scope"
ID = "0123456789abcdef" * 4


class Proc:
    """A folder that looks like /proc, with one process in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "7").mkdir(parents=True)

    def process(
        self, name: str = "curl", exe: str | None = "/usr/bin/curl", cgroup: str = "0::/\n",
        group: int = 7, tty: int = 0, front: int = -1,
    ) -> None:  # fmt: skip
        stat = f"7 ({name}) S 1 {group} 7 {tty} {front} 4194304 0\n"
        (self.folder / "7/stat").write_text(stat)
        (self.folder / "7/cgroup").write_text(cgroup)
        if exe is not None:
            (self.folder / "7/exe").symlink_to(exe)


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


@pytest.mark.parametrize(
    ("name", "exe", "program"),
    [
        ("curl", "/usr/bin/curl", "curl"),
        ("python3", "/usr/bin/python3.11", "python3.11"),
        ("backup.py", "/usr/bin/python3.11", "backup.py"),  # a script by its first line
        ("systemd-resolve", "/usr/lib/systemd/systemd-resolved", "systemd-resolved"),
        ("curl", "/usr/bin/curl (deleted)", "curl"),
        ("kworker/0:1", None, "kworker/0:1"),  # or one whose file may not be seen
        ("a) S 1 (b", "/x/y", "a) S 1 (b"),
        ("\x1b[31mred\u202e", None, "?[31mred?"),
    ],
)
def test_programs(proc: Proc, name: str, exe: str | None, program: str) -> None:
    proc.process(name, exe)
    assert look_at(7, proc.folder).owner.program == program


@pytest.mark.parametrize(
    ("cgroup", "unit", "container"),
    [
        ("0::/system.slice/cups.service\n", "cups.service", ""),
        (f"0::{APP}\n", "app-gnome-firefox-4711.scope", ""),
        (f"0::/system.slice/docker-{ID}.scope\n", f"docker-{ID}.scope"[:64], ID[:12]),
        (f"0::/user.slice/libpod-{ID}.scope/container\n", "", ID[:12]),
        (f"4:memory:/docker/{ID}\n0::/\n1:name=systemd:/docker/{ID}\n", "", ID[:12]),
        ("0::/lxc.payload.web/system.slice/nginx.service\n", "nginx.service", "web"),
        ("0::/machine.slice/machine-web.scope\n", "machine-web.scope", "web"),
        ("3:cpu:/\n1:name=systemd:/system.slice/ssh.service\n0::/\n", "ssh.service", ""),
        ("0::/\n", "", ""),
        ("", "", ""),
    ],
)
def test_units_and_containers(proc: Proc, cgroup: str, unit: str, container: str) -> None:
    proc.process(cgroup=cgroup)
    owner = look_at(7, proc.folder).owner
    assert (owner.unit, owner.container) == (unit, container)


@pytest.mark.parametrize(
    ("cgroup", "tty", "front", "state"),
    [
        ("0::/system.slice/cups.service\n", 0, -1, State.BACKGROUND),
        (f"0::{APP}\n", 0, -1, State.UNKNOWN),
        (f"0::{USER}/background.slice/tracker-miner-fs-3.service\n", 0, -1, State.BACKGROUND),
        (f"0::{USER}/background.slice/background-sync.slice/x.scope\n", 0, -1, State.BACKGROUND),
        (f"0::{USER}/session.slice/org.gnome.Shell@wayland.service\n", 0, -1, State.UNKNOWN),
        (f"0::{USER}/app.slice/background.slice/x.scope\n", 0, -1, State.UNKNOWN),
        ("0::/background.slice/x.scope\n", 0, -1, State.UNKNOWN),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", 0, -1, State.UNKNOWN),
        (f"0::{APP}\n", 34816, 7, State.FOREGROUND),
        (f"0::{APP}\n", 34816, 99, State.BACKGROUND),
    ],
)
def test_states(proc: Proc, cgroup: str, tty: int, front: int, state: State) -> None:
    proc.process(cgroup=cgroup, tty=tty, front=front)
    assert look_at(7, proc.folder).state is state


def test_a_process_that_is_gone(proc: Proc) -> None:
    assert look_at(8, proc.folder) is None


def test_a_real_process() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        owner = look_at(sleeping.pid).owner
        sleeping.kill()
    assert (owner.program, owner.uid) == ("sleep", os.getuid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        wanted = Path(os.path.realpath(sys.executable)).name
        deadline = time.monotonic() + 30
        while look_at(waiting.pid).owner.program != wanted:  # until it is what was asked for
            assert time.monotonic() < deadline
            time.sleep(0.01)
        waiting.kill()
    assert look_at(sleeping.pid) is None


def test_a_user_without_a_name() -> None:
    assert user_name(0) == "root"
    assert user_name(4_000_000_000) == "4000000000"
