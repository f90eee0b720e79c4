"""The file of a real bench: what it may say, and that it tells the right modem from a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "hil"))

from bench import Capability  # noqa: E402
from real_bench import BenchFileError, open_bench  # noqa: E402


def refused(path: Path) -> str:
    with ExitStack() as stack, pytest.raises(BenchFileError) as error:
        open_bench(path, stack)
    text = str(error.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('port = "p"\nimie = "0000"', "there is no key imie; the nearest is imei"),
        ('port = "p"\nmay_no = []', "there is no key may_no; the nearest is may_not"),
        ("", "name the modem: device (udev's path), port or imei"),
        ('port = "p"\nimei = "12"', "imei: give it in full or its last digits, four at least"),
        ('port = "p"\ndevice = "d"', "name the modem by its device or by its port, not by both"),
        ('port = "p"\nimei = 1234', "imei: Input should be a valid string"),
        ('port = "p"\nmay_not = "interrupts"', "may_not: Input should be a valid list"),
        ('port = "p"\nexpect = "helthy"', "expect: there is no cause helthy; the nearest is healthy"),
        ('port = "p"\nmay_not = ["interupts"]', "may_not.0: there is no capability interupts; the nearest is interrupts"),
        ("port = ", "Invalid value (at end of document)"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(text)
    assert refused(path) == said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    expected = f"the bench's file {path} cannot be read: No such file or directory"
    assert refused(path) == expected


@pytest.fixture
def file(tmp_path: Path, emulated) -> Path:
    """The file of a bench whose modem is emulated: IMEI …0000, ICCID …0003, China Mobile."""
    path = tmp_path / "bench.toml"
    with emulated("quectel-ec2x/sim_not_activated") as port:
        path.write_text(f'port = "{port}"\nexpect = "sim_not_activated"\n')
        yield path


def add(path: Path, line: str) -> Path:
    path.write_text(path.read_text() + line + "\n")
    return path


def test_the_modem_that_is_named(file: Path) -> None:
    add(file, 'imei = "0000"\niccid = "0003"\ncarrier = "china_mobile"\nmay_not = ["interrupts"]')
    with ExitStack() as stack:
        choice = open_bench(file, stack)
    assert choice.capabilities == {Capability.CHANGES_SETTINGS}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('imei = "123456789012345"', "has the IMEI that ends in 0000, not in 2345: nothing was tested"),
        ('iccid = "9999"', "the card in the modem has the ICCID that ends in 0003, not in 9999: nothing was tested"),
        ('carrier = "china_unicom"', "the card belongs to china_mobile, not to china_unicom: nothing was tested"),
    ],
)  # fmt: skip
def test_another_modem_or_card_is_refused(file: Path, line: str, said: str) -> None:
    assert refused(add(file, line)).endswith(said)


def test_a_modem_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Else all would be skipped, for the modem is in another state, and the job would be green."""
    path = tmp_path / "bench.toml"
    path.write_text('port = "/dev/ttyNONE"')
    assert refused(path).startswith(
        "the modem at /dev/ttyNONE cannot be examined: "
        "The examination could not begin: there is no port /dev/ttyNONE."
    )


@pytest.mark.timeout(300)
def test_the_suite_runs_on_it(file: Path) -> None:
    """What the modem's state does not fit, and what the file forbids, is skipped with the reason."""
    add(file, 'imei = "0000"\nmay_not = ["changes_settings"]')
    command = [
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs",
        ROOT / "hil" / "test_check.py", "-k", "not_activated or come_back or keeps", "--bench", file,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the bench real lacks: changes_settings" in done.stdout
    assert "the modem of this bench is sim_not_activated" not in done.stdout
    assert " 2 passed" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--require", "hotplg"], "there is no capability hotplg; the nearest is hotplug"),
        (["--bench", "virtul"], "the bench's file virtul cannot be read: No such file"),
    ],
)
def test_an_option_that_is_wrong(options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ROOT / "hil", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_required_and_missing_fails() -> None:
    command = [
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ROOT / "hil" / "test_unplug.py",
        "--require", "products",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "required, but the bench emulator lacks: products" in done.stdout
