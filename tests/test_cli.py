"""The command line as users and scripts meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

NO_CARD = "AT+CPIN?\n+CME ERROR: 10\n"
WELL = 'AT+CPIN?\n+CPIN: READY\nOK\nAT+CEREG?\n+CEREG: 0,1\nOK\nAT+CGPADDR=1\n+CGPADDR: 1,"10.1.2.3"\nOK\n'


def simdiag(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "simdiag", *arguments], input=stdin, capture_output=True, text=True,
        timeout=60, env=os.environ | {"LANGUAGE": "en", "COLUMNS": "100"} | environment,
    )  # fmt: skip


@contextmanager
def emulator(name: str, link: Path, *options: str):
    process = subprocess.Popen(
        [sys.executable, "-m", "simdiag", "emulate", name, "--link", str(link), *options],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("log", "cause", "status"),
    [(NO_CARD, "sim_not_detected", 1), (WELL, "healthy", 0), ("ATE0\nOK\n", "inconclusive", 3)],
)
def test_diagnose_reads_standard_input_and_tells_by_its_exit_status(log, cause, status):
    done = simdiag("diagnose", "--json", "-", stdin=log)
    result = json.loads(done.stdout)
    assert (result["cause"], result["file"], done.returncode) == (cause, "-", status)
    assert done.stderr == ""


def test_several_files_give_one_line_each_in_their_order(tmp_path):
    (tmp_path / "a.log").write_text(WELL)
    (tmp_path / "b.log").write_text(NO_CARD)
    files = [str(tmp_path / n) for n in ("b.log", "missing.log", "a.log")]
    done = simdiag("diagnose", "--json", *files)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["file"] for r in results] == files
    assert [r["cause"] for r in results] == ["sim_not_detected", "inconclusive", "healthy"]
    assert "cannot be read" in results[1]["error"]
    assert done.returncode == 1


def test_the_json_keeps_to_the_published_schema():
    schema = json.loads(simdiag("schema").stdout)
    result = json.loads(simdiag("diagnose", "--json", "-", stdin=NO_CARD).stdout)
    assert set(result) == set(schema["properties"])
    assert set(schema["required"]) <= set(result)
    finding = next(f for f in result["findings"] if f["code"] == result["cause"])
    assert finding["cites"][0]["line"] == "+CME ERROR: 10"
    assert all(a["test"] for a in result["alternatives"])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["check", "--port", "/dev/ttyNONE"], 4, "there is no port /dev/ttyNONE"),
        (["check", "--port", "socket://127.0.0.1:1"], 4, "cannot open socket://127.0.0.1:1"),
        (["check", "--port", "nonsense://x"], 4, "cannot open nonsense://x"),
        (["check", "--port", "x", "--all"], 2, "exclude one another"),
        (["check", "--port", "x", "--record", "/nonexistent/x"], 2, "does not exist"),
        (["check", "--profile", "nobody"], 2, "china_mobile"),
        (["check", "--device", "9-9"], 2, "no such device"),
        (["diagnose", "/nonexistent"], 4, "cannot be read"),
        (["diagnose"], 2, "FILE"),
        (["emulate", "quectel-ec2x/nonsense"], 2, "there is no scenario"),
        (["emulate"], 2, "--list"),
        (["nonsense"], 2, "No such command"),
    ],
)  # fmt: skip
def test_wrong_use_gets_a_sentence_and_its_status(arguments, status, words):
    done = simdiag(*arguments)
    assert done.returncode == status
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_gets_no_colours_and_no_progress(tmp_path):
    with emulator("quectel-ec2x/sim_puk_required", tmp_path / "modem"):
        done = simdiag("check", "--port", str(tmp_path / "modem"))
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert "PUK" in done.stdout
    assert done.returncode == 1


def test_text_of_a_device_cannot_reach_the_terminal_as_an_escape():
    evil = "AT+CGMM\n\x1b]0;owned\x07\x1b[2Jmodel[bold]x\nOK\nAT+CPIN?\n+CME ERROR: 10\n"
    done = simdiag("diagnose", "-", stdin=evil)
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_an_interrupted_examination_restores_the_modem(tmp_path):
    link = tmp_path / "modem"
    with emulator("quectel-ec2x/healthy", link, "--latency", "150"):
        process = subprocess.Popen(
            [sys.executable, "-m", "simdiag", "check", "--port", str(link)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(2.5)
        process.send_signal(2)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "Traceback" not in errors
        assert _ask(link, b"AT+CMEE?\r") == "+CMEE: 0"


def _ask(link: Path, command: bytes) -> str:
    import serial

    with serial.Serial(str(link), timeout=2) as port:
        port.write(command)
        lines = port.read_until(b"OK\r\n").decode().split("\r\n")
    return next(line for line in lines if line.startswith("+"))


def test_a_port_that_another_program_holds_is_named(tmp_path):
    link = tmp_path / "modem"
    with emulator("quectel-ec2x/healthy", link):
        holder = subprocess.Popen(
            [sys.executable, "-c", f"f = open({str(link)!r}, 'rb+', buffering=0); print(flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        holder.stdout.readline()
        done = simdiag("check", "--port", str(link), "--json")
        holder.communicate(b"\n")
    result = json.loads(done.stdout)
    assert (result["cause"], done.returncode) == ("port_busy", 4)
    assert f"pid {holder.pid}" in done.stdout


def test_a_modem_behind_a_socket(tmp_path):
    import socket
    import threading

    from simdiag.emulator import EmulatedModem, scenario

    modem = EmulatedModem(scenario("quectel-ec2x/sim_pin_required"))
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        pending = b""
        with server, connection:
            while data := connection.recv(4096):
                *lines, pending = (pending + data).split(b"\r")
                for line in lines:
                    answer = modem.execute(line.decode())
                    text = "".join(f"\r\n{t}\r\n" for t in (*answer.lines, answer.final))
                    connection.sendall(line + b"\r" + text.encode())

    threading.Thread(target=serve, daemon=True).start()
    done = simdiag("check", "--port", f"socket://127.0.0.1:{server.getsockname()[1]}", "--json")
    assert json.loads(done.stdout)["cause"] == "sim_pin_required"


def test_a_broken_driver_or_profile_is_named_and_the_rest_works(tmp_path):
    folder = tmp_path / "simdiag"
    (folder / "drivers").mkdir(parents=True)
    (folder / "profiles").mkdir()
    (folder / "drivers" / "broken.py").write_text(
        "from simdiag.driver import ModemDriver\n\n1 / 0\n"
    )
    (folder / "profiles" / "broken.toml").write_text('id = "broken"\nname = 3\n')
    done = simdiag("diagnose", "--json", "-", stdin=NO_CARD, XDG_CONFIG_HOME=str(tmp_path))
    assert "broken.py:3: division by zero" in done.stderr
    assert "broken.toml" in done.stderr
    assert json.loads(done.stdout)["cause"] == "sim_not_detected"


def test_a_driver_and_a_profile_of_ones_own_are_one_file_each(tmp_path):
    folder = tmp_path / "simdiag"
    (folder / "drivers").mkdir(parents=True)
    (folder / "profiles").mkdir()
    (folder / "drivers" / "acme.py").write_text(
        "from simdiag.driver import Fact, ModemDriver, fields\n"
        "def level(reply):\n    yield Fact('signal.rsrp_dbm', -int(reply.fields()[0]))\n"
        "DRIVER = ModemDriver(family='acme', vendor='Acme', readers={'$ACME:': level})\n"
    )
    (folder / "profiles" / "acme.toml").write_text(
        'id = "acme"\nname = {en = "Acme"}\nplmns = ["00101"]\nplmns_source = "test network"\n'
    )
    log = "AT+CIMI\n001010123456789\nOK\nAT$ACME\n$ACME: 125\nOK\n"
    done = simdiag("diagnose", "--json", "-", stdin=log, XDG_CONFIG_HOME=str(tmp_path))
    result = json.loads(done.stdout)
    assert (result["profile"], result["cause"]) == ("acme", "weak_signal")


def test_the_list_of_scenarios_has_the_name_first():
    lines = simdiag("emulate", "--list").stdout.splitlines()
    assert "quectel-ec2x/sim_not_activated" in [line.split()[0] for line in lines]


def test_the_emulator_removes_its_link(tmp_path):
    link = tmp_path / "modem"
    with emulator("quectel-ec2x/healthy", link):
        assert link.is_symlink()
    assert not link.is_symlink()
