"""The udev rules and the service: what is in them, and how they get into the system."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simdiag import hostfiles
from simdiag.cli.commands import install_udev
from simdiag.driver import ModemDriver, usb
from simdiag.errors import SimdiagError
from simdiag.hostfiles import RULES, SERVICES, installer, service_unit, udev_rules, units
from simdiag.registry import drivers

RULE = "etc/udev/rules.d/70-simdiag.rules"
WATCH = SERVICES["watch"]
UNIT = f"etc/systemd/system/{WATCH}"
OTHER_UNIT = f"etc/systemd/system/{SERVICES['usage']}"


def simdiag(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "simdiag", *arguments], capture_output=True, text=True, timeout=60,
        env=os.environ | {"LANGUAGE": "en"},
    )  # fmt: skip


def rule_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def opened(text: str) -> set[tuple[int, int | None]]:
    """Return the USB ids that the rules give away."""
    found = set()
    for line in rule_lines(text):
        if vendor := re.search(r'ATTRS\{idVendor\}=="(\w{4})"', line):
            products = re.search(r'ATTRS\{idProduct\}=="([\w|]+)"', line)
            for pid in products[1].split("|") if products else [None]:
                found.add((int(vendor[1], 16), pid and int(pid, 16)))
    return found


def test_the_rules_open_what_the_drivers_claim_and_nothing_else():
    claimed = {(m.vid, m.pid) for driver in drivers() for m in driver.match}
    assert opened(udev_rules(drivers(), "dialout")) == claimed


def test_a_driver_that_claims_all_of_a_vendor_makes_a_shorter_rule():
    text = udev_rules([ModemDriver("a", "A", match=usb(0x2C7C) + usb(0x2C7C, 1))], "uucp")
    assert 'ATTRS{idVendor}=="2c7c", GOTO="simdiag_modem"' in text
    assert opened(text) == {(0x2C7C, None)}
    assert 'GROUP="uucp", MODE="0660", TAG+="uaccess"' in text


def test_every_line_is_what_udev_reads():
    """Pairs of key, operator and value; jumps lead forward to a label that is there."""
    lines = rule_lines(udev_rules(drivers(), "dialout"))
    pair = r'[A-Z]+(\{\w+\})?(==|!=|\+=|=)"[^"]*"'
    assert [line for line in lines if not re.fullmatch(rf"{pair}(, {pair})*", line)] == []
    labels = {
        found[1]: n for n, line in enumerate(lines) if (found := re.match(r'LABEL="(\w+)', line))
    }
    for number, line in enumerate(lines):
        for target in re.findall(r'GOTO="(\w+)"', line):
            assert labels[target] > number
    assert max(map(len, lines)) < 1000  # udev reads lines of a bounded length


def test_only_what_no_jump_leads_past_is_changed():
    """Everything that is no tty below USB ends before the line that gives permissions."""
    lines = rule_lines(udev_rules(drivers(), "dialout"))
    (change,) = [n for n, line in enumerate(lines) if line.startswith("GROUP=")]
    assert lines[change - 2 : change] == ['GOTO="simdiag_end"', 'LABEL="simdiag_modem"']


@pytest.mark.parametrize(
    ("service", "words"),
    [("watch", "watch --bundles %S/simdiag/bundles --keep 1000"), ("usage", "usage record --wait"),
     ("tickets", "ticket sync --background")],
)  # fmt: skip
def test_a_service_starts_what_is_installed(service, words):
    text = service_unit(SERVICES[service], ["/opt/sim diag/100%/$x/simdiag"], "dialout")
    assert f'ExecStart="/opt/sim diag/100%%/$$x/simdiag" {words}\n' in text
    assert ("SupplementaryGroups=dialout\n" in text) == (service == "watch")
    assert "@" not in re.sub(r"@system-service", "", text)


@pytest.mark.parametrize("service", SERVICES)
def test_systemd_takes_a_service(service, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in units(service):
        text = service_unit(name, [sys.executable, "-m", "simdiag"], "dialout")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / units(service)[-1])],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "simdiag-" in line]
    assert (done.returncode, told) == (0, [])


def test_udev_takes_the_rules(tmp_path):
    """``udevadm verify`` came with systemd 254."""
    (tmp_path / RULES).write_text(udev_rules(drivers(), "dialout"))
    udevadm = shutil.which("udevadm")
    command = [udevadm or "", "verify", "--resolve-names=never", str(tmp_path / RULES)]
    if udevadm is None or "verify" not in subprocess.run(
        [udevadm, "--help"], capture_output=True, text=True, timeout=60
    ).stdout:  # fmt: skip
        pytest.skip("this udevadm has no verify")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the command ---------------------------------------------------------------------------
def test_without_an_option_it_prints_and_changes_nothing():
    done = simdiag("install-udev")
    assert (done.returncode, done.stderr) == (0, "")
    assert opened(done.stdout)
    assert "[Service]" not in done.stdout
    assert " watch --bundles" in simdiag("install-udev", "--service").stdout
    assert " usage record" in simdiag("install-udev", "--service", "usage").stdout
    assert "'moon' is not one of" in simdiag("install-udev", "--service", "moon").stderr


def test_it_installs_again_without_a_change_and_takes_all_away(tmp_path):
    install = (
        "install-udev", "--service", "--service", "usage", "--install", "--root", str(tmp_path)
    )  # fmt: skip
    first = simdiag(*install)
    files = [tmp_path / RULE, tmp_path / UNIT, tmp_path / OTHER_UNIT]
    assert (first.returncode, first.stdout) == (0, "".join(f"{f} is written.\n" for f in files))
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o644}
    before = [f.stat().st_mtime_ns for f in files]
    assert simdiag(*install).stdout == "".join(f"{f} is up to date.\n" for f in files)
    assert [f.stat().st_mtime_ns for f in files] == before
    (tmp_path / RULE).write_text("# mine\n")
    assert f"{tmp_path / RULE} is written." in simdiag(*install).stdout
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == set(files)

    remove = ("install-udev", "--uninstall", "--root", str(tmp_path))
    assert simdiag(*remove).stdout == "".join(f"{f} is removed.\n" for f in files)
    assert simdiag(*remove).stdout == "There is nothing to take away.\n"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("action", ["--install", "--uninstall"])
def test_others_than_root_are_told_what_to_run(action, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SimdiagError) as refused:
        install_udev.command.main([action, "--service", "usage"], standalone_mode=False)
    told = r"only root may change /etc: run `sudo .* install-udev {} --service usage`"
    assert re.fullmatch(told.format(action), str(refused.value))


@pytest.mark.parametrize("action", ["--install", "--uninstall"])
def test_a_place_that_cannot_be_written_gets_a_sentence(action, tmp_path):
    (tmp_path / RULE / "in the way").mkdir(parents=True)
    done = simdiag("install-udev", action, "--root", str(tmp_path))
    assert done.returncode == 4
    assert re.fullmatch(rf"simdiag: {tmp_path / RULE} cannot be \w+: .*\n", done.stderr)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_service_that_nobody_else_can_run_is_refused(monkeypatch, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "simdiag").touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(home / "simdiag")])
    assert installer.own_command() == [str(home / "simdiag")]
    assert installer.closed_to_others() is not None


def test_a_service_whose_python_is_closed_to_others_is_refused(monkeypatch, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "python3").touch(0o755)
    (tmp_path / "python3").symlink_to(home / "python3")
    monkeypatch.setattr(sys, "prefix", "/usr")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setattr(installer, "own_command", lambda: ["/usr/bin/env"])
    assert installer.closed_to_others() == home


@pytest.fixture
def told(monkeypatch, tmp_path) -> list[str]:
    """The system that ``--install`` changes, without a system."""
    calls: list[str] = []
    monkeypatch.setattr(installer, "tell_udev", lambda: calls.append("udev"))
    for name, word in (("tell_systemd", "systemd"), ("stop_services", "stop")):
        told = {False: word, True: f"own {word}"}
        monkeypatch.setattr(installer, name, lambda own, told=told: calls.append(told[own]))
    monkeypatch.setattr(installer, "closed_to_others", lambda: None)
    return calls


def test_udev_and_systemd_are_told_in_the_right_order(told, tmp_path, capsys):
    install_udev._install(tmp_path, (), live=True)
    assert told == ["udev"]
    install_udev._install(tmp_path, ("watch", "usage"), live=True)
    assert told == ["udev", "udev", "systemd"]
    shown = capsys.readouterr().out
    assert "sudo systemctl enable --now simdiag-watch" in shown
    assert "sudo systemctl enable --now simdiag-usage" in shown
    del told[:]
    install_udev._uninstall(tmp_path, live=True)
    assert told == ["stop", "udev", "systemd"]


def test_tickets_are_sent_by_each_users_own_systemd(told, tmp_path, capsys):
    install_udev._install(tmp_path, ("tickets",), live=True)
    folder = tmp_path / "etc" / "systemd" / "user"
    assert {path.name for path in folder.iterdir()} == {*units("tickets")}
    assert "systemctl --user enable --now simdiag-tickets.timer`" in capsys.readouterr().out


def test_a_user_installs_and_removes_the_timer_without_root(told, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    main = install_udev.command.main
    main(["--user", "--install"], standalone_mode=False)
    wanted = {tmp_path / "systemd" / "user" / name for name in units("tickets")}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == wanted
    assert "enable --now simdiag-tickets.timer" in capsys.readouterr().out
    main(["--user", "--uninstall"], standalone_mode=False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert told == ["own systemd", "own stop", "own systemd"]


@pytest.mark.parametrize("more", [("--service", "watch"), ("--root", "/tmp")])
def test_what_is_not_a_users_own_is_refused(more):
    done = simdiag("install-udev", "--user", "--install", *more)
    assert (done.returncode, "--user is for the service tickets" in done.stderr) == (2, True)


def test_the_timer_asks_no_clock_and_the_service_says_nothing_of_its_own():
    timer = service_unit("simdiag-tickets.timer", [], "")
    assert "OnCalendar" not in timer
    service = service_unit("simdiag-tickets.service", ["simdiag"], "")
    assert "LogLevelMax=notice\nSyslogLevel=notice\n" in service


def test_a_program_of_the_system_that_fails_gets_a_sentence():
    for command in (("false",), ("no-such-program",)):
        with pytest.raises(SimdiagError, match=f"but `{command[0]}` failed; run it again: "):
            installer._run(*command)


def test_every_template_has_its_place():
    folder = Path(hostfiles.__file__).parent
    templates = {p.name for p in folder.iterdir() if p.suffix not in (".py", "") and p.is_file()}
    assert templates == set(hostfiles.PLACES)
