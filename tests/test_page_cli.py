"""``simdiag report``: where the page goes, what is told, and the exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from page_scenes import ICCID, LOGS


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text(LOGS["not_activated"])
    return path


def report(folder: Path, *arguments: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LANGUAGE": "en", "XDG_STATE_HOME": str(folder / "state")} | extra
    return subprocess.run(
        [sys.executable, "-m", "simdiag", "report", *map(str, arguments)], cwd=folder,
        env=environment, capture_output=True, encoding="utf-8", timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_path_is_told_and_nothing_is_written_over(tmp_path: Path, log: Path) -> None:
    done = report(tmp_path, "--from", log, "-o", "page.html")
    assert (done.returncode, done.stdout) == (1, "page.html\n")
    assert done.stderr == "The SIM card is fine, but it is not activated (or no longer).\n"
    first = (tmp_path / "page.html").read_text("utf-8")
    assert first.startswith("<!DOCTYPE html>\n")
    assert first.endswith("</html>\n")
    assert [p.name for p in tmp_path.glob(".*")] == []

    (tmp_path / "page.html").write_text("mine")
    again = report(tmp_path, "--from", log, "-o", "page.html")
    assert again.returncode == 2
    assert "page.html exists already" in again.stderr
    assert (tmp_path / "page.html").read_text() == "mine"
    assert report(tmp_path, "--from", log, "-o", "page.html", "--force").returncode == 1
    assert (tmp_path / "page.html").read_text("utf-8") != "mine"


def test_the_default_name_is_of_this_folder(tmp_path: Path, log: Path) -> None:
    done = report(tmp_path, "--from", log)
    assert (tmp_path / done.stdout.strip()).read_text("utf-8").count("<h1>") == 1
    assert done.stdout.startswith("simdiag-2")
    assert done.stdout.endswith(".html\n")


def test_standard_output_is_utf8_in_every_locale(tmp_path: Path, log: Path) -> None:
    done = report(tmp_path, "--from", log, "-o", "-", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "·" in done.stdout
    assert done.stdout.endswith("</html>\n")
    assert list(tmp_path.glob("*.html")) == []


def test_options_reach_the_page(tmp_path: Path, log: Path) -> None:
    tried = ["--tried", "Restarted: no change", "--tried", f"Asked the desk about {ICCID}"]
    done = report(tmp_path, "--from", log, "-o", "-", *tried, "--profile", "rogers")
    assert "Restarted: no change" in done.stdout
    assert "Rogers" in done.stdout
    assert ICCID not in done.stdout
    assert ICCID in report(tmp_path, "--from", log, "-o", "-", "--reveal", "iccid").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--from", "none.txt"], 4, "none.txt"),
        (["--from", "log.txt", "--port", "/dev/ttyUSB2"], 2, "leave out --port"),
        (["--from", "log.txt", "-o", "missing/page.html"], 2, "the folder missing does not exist"),
        (["--from", "log.txt", "-o", "."], 2, "is a directory"),
        (["--from", "empty.txt"], 4, "holds no AT commands"),
        (["--from", "broken.zip"], 4, "broken.zip is refused"),
        (["--from", "log.txt", "--usage", "none.db"], 4, "none.db"),
        (["--from", "log.txt", "--reveal", "shoe"], 2, "unknown kind shoe"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_a_sentence_and_no_page(
    tmp_path: Path, log: Path, arguments: list[str], status: int, words: str
) -> None:
    (tmp_path / "empty.txt").write_text("hello\n")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04nonsense")
    done = report(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("**/*.html")) == []


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("quectel-ec2x/sim_not_activated", 1), ("quectel-ec2x/healthy", 0)],
)
def test_a_device_is_examined(emulated, tmp_path: Path, scenario: str, status: int) -> None:
    with emulated(scenario) as port:
        done = report(tmp_path, "--port", port, "-o", "page.html", "--wait", "1")
    assert done.returncode == status, done.stderr
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "Quectel EC25" in html
    assert "a device, examined live" in html


def test_a_bundle_is_examined_again(tmp_path: Path, log: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    made = subprocess.run(
        [sys.executable, "-m", "simdiag", "bundle", "--from", str(log), "-o", "b.zip"],
        cwd=tmp_path, env=os.environ | state, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = report(tmp_path, "--from", "b.zip", "-o", "-")
    assert done.returncode == 1, done.stderr
    assert "a fault bundle" in done.stdout
    assert "Signed with key" in done.stdout
    assert "stand-ins of the same form" in done.stdout
    assert ICCID not in done.stdout
