"""``simdiag report``: where the page goes, what is told, and the exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from page_scenes import ICCID, LOGS

OTHER = "89860099887766554432"
"""A card whose number has nothing in common with the subscriber's, as there are none in life."""


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


def bundle(folder: Path, *arguments: str | Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "simdiag", "bundle", *map(str, arguments), "-o", "b.zip"],
        cwd=folder, env=os.environ | {"XDG_STATE_HOME": str(folder / "state")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def test_a_bundle_is_examined_again(tmp_path: Path, log: Path) -> None:
    bundle(tmp_path, "--from", log)
    done = report(tmp_path, "--from", "b.zip", "-o", "-")
    assert done.returncode == 1, done.stderr
    assert "a fault bundle" in done.stdout
    assert "Signed with key" in done.stdout
    assert "stand-ins of the same form" in done.stdout
    assert "simdiag bundle --reveal" in done.stdout
    assert ICCID not in done.stdout


def main_part(html: str) -> str:
    """What a page says, without how it was made."""
    return re.sub(r"<footer>.*", "", html.partition("<header")[2], flags=re.DOTALL)


@pytest.mark.parametrize("reveal", ["", "iccid,area"])
def test_a_page_alone_and_one_in_a_bundle_agree(tmp_path: Path, reveal: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text(LOGS["healthy"].replace(ICCID, OTHER))
    bundle(tmp_path, "--from", log, "--reveal", reveal)
    alone = report(tmp_path, "--from", log, "-o", "-", "--reveal", reveal).stdout
    assert "*" not in main_part(alone)
    assert (OTHER in alone) == ("iccid" in reveal)
    again = report(tmp_path, "--from", "b.zip", "-o", "-").stdout
    with zipfile.ZipFile(tmp_path / "b.zip") as file:
        inside = file.read("report.en.html").decode()
    assert main_part(alone) == main_part(inside) == main_part(again)
    assert "</main>" in main_part(alone)


def test_a_piped_transcript_makes_the_same_page_and_bundle(tmp_path: Path, log: Path) -> None:
    """A pipe can be read once only."""
    events = [
        {"t": 0.1, "port": "ttyUSB2", "dir": "tx", "data": "AT+CPIN?\\r"},
        {"t": 0.2, "port": "ttyUSB2", "dir": "rx", "data": "\\r\\n+CME ERROR: 10\\r\\n"},
    ]
    text = "\n".join(map(json.dumps, events)) + "\n"
    (tmp_path / "talk.jsonl").write_bytes(text.encode("utf-16"))  # as Windows redirects it
    found = report(tmp_path, "--from", "talk.jsonl", "-o", "-")
    assert "sim_not_detected" in found.stdout
    piped = subprocess.run(
        [sys.executable, "-m", "simdiag", "bundle", "--from", "/dev/stdin", "--json"],
        input=(tmp_path / "talk.jsonl").read_bytes(), cwd=tmp_path, capture_output=True,
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}, timeout=60,
    )  # fmt: skip
    assert json.loads(piped.stdout)["manifest"]["verdict"]["cause"] == "sim_not_detected"


def test_no_key_no_page(tmp_path: Path, log: Path) -> None:
    done = report(tmp_path, "--from", log, "-o", "page.html", XDG_STATE_HOME="/proc/nowhere")
    assert done.returncode == 4
    assert "XDG_STATE_HOME" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "page.html").exists()
