"""``simdiag watch`` as users and scripts meet it, with emulated modems that come and go."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from simdiag.agent import Examination, Options, Target, examine
from simdiag.cli import archive, bench
from simdiag.cli.shelf import Shelf
from simdiag.discovery import SerialPort, UsbModem
from simdiag.driver import Layer
from simdiag.emulator.pty import Wire
from simdiag.message import Message, message
from simdiag.redact import Redactor
from simdiag.watch import Kept, State, Verdict, Visit
from watch_run import watches

watching = pytest.fixture(watches)

EC25 = UsbModem(
    "usb-0:2", 0x2C7C, 0x0125, manufacturer="Quectel", product="EC25", sys_path="/sys/usb1/1-2",
)  # fmt: skip
BEGAN = datetime(2026, 5, 4, 3, 2, 1, 500_000, tzinfo=UTC)
FAULTY = Verdict(
    "sim_not_activated", "The SIM card is fine, but it is not activated (or no longer).", 0.9,
    "89860000000000000003", 12.3, BEGAN,
)  # fmt: skip
FINE = Verdict("healthy", "Card and device are in order.", 0.95, "89860000000000001234", 3.0, BEGAN)


def test_a_line_of_json_for_each_as_soon_as_it_is_known(watching, emulated):
    watch = watching("--json", "--wait", "1")
    with emulated("quectel-ec2x/sim_puk_required") as first:
        watch.plug(s2=first)
        result = json.loads(watch.line())
        assert (result["device"], result["cause"]) == ("usb-0:2", "sim_puk_required")
        with emulated("quectel-ec2x/healthy") as second:
            watch.plug(s2=first, s3=second)
            result = json.loads(watch.line())
            assert (result["device"], result["cause"]) == ("usb-0:3", "healthy")
            status, out, errors = watch.end()
    assert (status, out) == (0, "")
    assert errors.splitlines() == [
        "No udev is running here: devices are looked for every 2 seconds."
    ]


def test_a_pipe_gets_a_line_for_every_event(watching, emulated):
    watch = watching("--wait", "1")
    with emulated("quectel-ec2x/sim_pin_required") as port:
        watch.plug(s2=port)
        plugged_in, verdict = watch.line(), watch.line()
        watch.plug()
        unplugged = watch.line()
    status, _, errors = watch.end()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 1-2 Quectel EC25 \(2c7c:0125\): plugged in\n", plugged_in)
    assert "The SIM card waits for its PIN. (sim_pin_required, certainty" in verdict
    assert unplugged.endswith(": unplugged\n")
    assert (status, "Traceback" in errors) == (0, False)


def test_unplugged_in_the_middle_it_says_so_and_goes_on(watching, emulated):
    watch = watching("--json", "--wait", "1")
    with emulated("quectel-ec2x/device_removed") as port:
        watch.plug(s2=port)
        assert json.loads(watch.line())["cause"] == "device_removed"
    with emulated("quectel-ec2x/healthy") as port:
        watch.plug(s3=port)
        assert json.loads(watch.line())["cause"] == "healthy"
    assert watch.end()[0] == 0


def test_count_ends_it_with_the_status_of_a_check(watching, emulated):
    watch = watching("--json", "--wait", "1", "--count", "2")
    with emulated("quectel-ec2x/healthy") as one, emulated("quectel-ec2x/sim_failure") as two:
        watch.plug(s1=one, s2=two)
        out, errors = watch.process.communicate(timeout=60)
    causes = {json.loads(line)["cause"] for line in out.splitlines()}
    assert (causes, watch.process.returncode) == ({"healthy", "sim_failure"}, 1)
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_it_restores_every_modem(number, watching, emulated, tmp_path):
    from simdiag.host.holders import port_holders

    watch = watching("--json", "--out", str(tmp_path / "out"))
    with ExitStack() as modems:
        serve = lambda: modems.enter_context(emulated("quectel-ec2x/healthy", Wire(latency_s=0.3)))  # noqa: E731
        ports = [serve() for _ in range(3)]
        watch.plug(**{f"s{n}": port for n, port in enumerate(ports)})
        deadline = time.monotonic() + 60
        while not all(map(port_holders, ports)) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.5)  # some commands later
        status, out, errors = watch.end(number)
        assert (status, out, "Traceback" in errors) == (0, "", False)
        assert [_ask(port) for port in ports] == ["+CMEE: 0"] * 3
    assert list((tmp_path / "out").iterdir()) == []


def _ask(port: str) -> str:
    import serial

    with serial.Serial(port, timeout=5) as line:
        line.write(b"AT+CMEE?\r")
        found = line.read_until(b"OK\r\n").decode().split("\r\n")
    return next(text for text in found if text.startswith("+"))


def test_out_keeps_a_transcript_and_a_result_without_identifiers(watching, emulated, tmp_path):
    watch = watching("--out", str(tmp_path / "deep/out"), "--wait", "1", "--count", "1")
    with emulated("quectel-ec2x/sim_puk_required") as port:
        watch.plug(s2=port)
        watch.process.communicate(timeout=60)
    result, talk = sorted((tmp_path / "deep/out").iterdir())
    assert re.fullmatch(r"watch-\d{8}T\d{6}\.\d{3}Z-1-2-sim_puk_required\.json", result.name)
    assert talk.name == result.name + "l"
    assert json.loads(result.read_text())["cause"] == "sim_puk_required"
    read_again = subprocess.run(
        [sys.executable, "-m", "simdiag", "diagnose", "--json", str(talk)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert json.loads(read_again.stdout)["cause"] == "sim_puk_required"
    imei = next(
        o for o in json.loads(result.read_text())["observations"] if o["name"] == "device.imei"
    )
    assert imei["value"].endswith("*")


def test_out_that_is_no_folder_is_wrong_use(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file/deeper"):
        done = subprocess.run(
            [sys.executable, "-m", "simdiag", "watch", "--out", str(place)],
            capture_output=True, text=True, timeout=60, env=os.environ | {"LANGUAGE": "en"},
        )  # fmt: skip
        assert (done.returncode, str(place) in done.stderr) == (2, True)
        assert "Traceback" not in done.stderr


def test_it_ends_when_nobody_reads_on(watching, emulated):
    watch = watching("--json", "--wait", "1")
    watch.process.stdout.close()
    with emulated("quectel-ec2x/sim_puk_required") as port:
        watch.plug(s2=port)
        assert watch.process.wait(60) == 0


def test_what_cannot_be_kept_is_told_and_the_watch_goes_on(tmp_path, capsys, emulated):
    with emulated("quectel-ec2x/sim_puk_required") as port:
        result = examine(Target(port=port), Options(wait_s=0))
    (visit,) = visits(1)
    archive.Archive(Shelf(tmp_path / "gone", 5)).keep(visit, result, Redactor(result.evidence))
    told = capsys.readouterr().err
    assert "The transcript could not be written: No such file" in told
    assert "The result could not be written: No such file" in told


# ---- the live table ------------------------------------------------------------------------
def visits(count: int, **changes: object) -> list[Visit]:
    devices = [replace(EC25, sys_path=f"/sys/usb1/1-1.{n}") for n in range(count)]
    return [Visit(d, 0.0, 0.0, State.EXAMINED, verdict=FAULTY, **changes) for d in devices]


def drawn(rows: list[Visit], width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines of the screen that the table would fill."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    table = bench.LiveTable(lambda _visit, _examination: None)
    console = Console(file=io.StringIO(), width=width, height=height, highlight=False)
    monkeypatch.setattr(table, "_console", console)
    table.refresh(rows, 5.0)
    console.print(table._live.renderable)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20)])
@pytest.mark.parametrize("count", [1, 4, 16, 100])
def test_the_table_fits_the_screen(count, width, height, monkeypatch):
    lines = drawn(visits(count), width, height, monkeypatch)
    assert len(lines) < height
    assert max(map(cell_len, lines)) <= width
    assert all("…0003" in line for line in lines if "1-1." in line)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20)])
def test_it_fits_in_double_width_too(width, height, monkeypatch):
    monkeypatch.setattr(bench, "_", lambda text: "卡" * len(text))
    lines = drawn(visits(16), width, height, monkeypatch)
    assert len(lines) < height
    assert max(map(cell_len, lines)) <= width


def test_a_row_has_the_whole_verdict_where_there_is_room(monkeypatch):
    text = " ".join(" ".join(drawn(visits(2), 80, 24, monkeypatch)).split())
    assert "1-1.0 Quectel EC25 …0003 The SIM card is fine, but it is 90 % 12 s" in text
    assert "not activated (or no longer)." in text


@pytest.mark.parametrize("kept", [None, Kept("watch-20260504T030201.500Z-1-1-0-healthy.zip")])
def test_a_narrow_screen_has_the_whole_verdict_too(kept, monkeypatch):
    lines = drawn(visits(2, kept=kept), 40, 20, monkeypatch)
    assert max(map(cell_len, lines)) <= 40
    results = " ".join(line[22:34] for line in lines)
    assert " ".join(results.split()).count(FAULTY.title) == 2


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("count", [1, 3])
def test_a_row_has_the_name_of_its_bundle(count, width, monkeypatch):
    name = "watch-20260504T030201.500Z-1-1-0-sim_not_activated.zip"
    lines = drawn(visits(count, kept=Kept(name)), width, 24, monkeypatch)
    assert max(map(cell_len, lines)) <= width
    assert "".join("".join(lines).split()).count(name) == count
    if width == 140:
        assert sum(name in line for line in lines) == count


def test_a_row_has_the_sentence_that_says_why_there_is_no_bundle(monkeypatch):
    problem = message("the bundle could not be made: {why}", why=Message("no\x1b[2J"))
    text = " ".join("".join(drawn(visits(1, kept=Kept("", problem)), 140, 24, monkeypatch)).split())
    assert "the bundle could not be made: no�[2J" in text
    text = " ".join(
        "".join(drawn(visits(1, kept=Kept("w.zip", problem)), 140, 24, monkeypatch)).split()
    )
    assert "w.zip" in text
    assert "the bundle could not be made" in text


def test_a_bundle_in_the_making_is_said(monkeypatch):
    assert "making the bundle …" in "".join(drawn(visits(1, kept=Kept()), 80, 24, monkeypatch))


@pytest.mark.parametrize("count", [1, 4, 8, 16, 100])
def test_it_fits_with_bundles_too(count, monkeypatch):
    """Where there is no room for their names, the verdicts come first."""
    name = "watch-20260504T030201.500Z-1-1-0-sim_not_activated.zip"
    lines = drawn(visits(count, kept=Kept(name)), 80, 24, monkeypatch)
    assert len(lines) < 24
    assert max(map(cell_len, lines)) <= 80
    assert sum("…0003" in line for line in lines) == min(count, 20)
    assert any("watch-2026" in line for line in lines) == (count <= 4)
    if count <= 8:
        text = " ".join("".join(lines).split())
        assert text.count("not activated (or no longer).") == count


def test_what_goes_on_is_shown_before_what_is_over():
    past, running = visits(30), visits(2)
    for visit in running:
        visit.state = State.EXAMINING
    rows = [*running, *past]
    assert bench.newest(rows, 10) == [*running, *past[-8:]]
    assert bench.newest(rows, 1) == running[-1:]
    assert bench.newest(rows, 99) == rows


def test_what_is_left_out_is_counted(monkeypatch):
    assert "84 more are not shown." in drawn(visits(100), 80, 20, monkeypatch)[-1]


def test_every_state_has_its_words(monkeypatch):
    states = [
        Visit(EC25, 0.0, 0.0, State.SETTLING),
        Visit(EC25, 0.0, 0.0, State.EXAMINING),
        Visit(EC25, 0.0, 0.0, State.EXAMINING, layer=Layer.SIM),
        Visit(EC25, 0.0, 0.0, State.LEFT, present=False),
        Visit(EC25, 0.0, 0.0, State.INTERRUPTED),
        Visit(EC25, 0.0, 0.0, State.EXAMINED, present=False, verdict=FINE),
    ]
    text = "\n".join(drawn(states, 100, 30, monkeypatch))
    for words in (
        "settling …", "opening …", "Reading: SIM card …", "unplugged before it could be examined",
        "interrupted", "…1234", "Card and device are in order. (unplugged)",
    ):  # fmt: skip
        assert words in text


def test_every_layer_has_a_title():
    from simdiag.cli.progress import LAYER_TITLES

    assert set(LAYER_TITLES) == {layer.value for layer in Layer}


@pytest.mark.parametrize("evil", ["\x1b]0;owned\x07", "\x1b[2J", "\u202egnp", "[bold]x[/bold]\r"])
def test_a_device_cannot_reach_the_terminal(evil, monkeypatch, capsys):
    device = replace(EC25, product=evil)
    (visit,) = visits(1)
    visit.device = device
    visit.verdict = replace(FAULTY, iccid=f"8986{evil}")
    bench.Lines(lambda _visit, _examination: None).examined(
        visit, Examination(Target(device=device))
    )
    text = "".join(drawn([visit], 80, 24, monkeypatch)) + capsys.readouterr().out.rstrip("\n")
    assert text.isprintable()
    if "bold" in evil:
        assert "[bold]x" in text


def test_a_result_of_a_device_names_its_socket():
    device = replace(EC25, ports=(SerialPort("/dev/ttyNONE"),))
    assert Target(device=device).name == "usb-0:2"
