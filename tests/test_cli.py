"""The command line as users and scripts meet it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from simdiag.cli.targets import find_target
from simdiag.errors import SimdiagError
from simdiag.host.holders import port_holders
from simdiag.report.json_text import dumps

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root becomes another user"
)
NO_CARD = "AT+CPIN?\n+CME ERROR: 10\n"
WELL = 'AT+CPIN?\n+CPIN: READY\nOK\nAT+CEREG?\n+CEREG: 0,1\nOK\nAT+CGPADDR=1\n+CGPADDR: 1,"10.1.2.3"\nOK\n'


def simdiag(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "simdiag", *arguments], input=stdin, capture_output=True, text=True,
        timeout=60, env=os.environ | {"LANGUAGE": "en", "COLUMNS": "100"} | environment,
    )  # fmt: skip


def shell(script: str, **environment: str) -> subprocess.CompletedProcess:
    """Run ``$simdiag`` as a line of a shell has it, with what that does to its streams."""
    command = shlex.join([sys.executable, "-m", "simdiag"])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script.replace("$simdiag", command)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        env=os.environ | {"LANGUAGE": "en", "COLUMNS": "100"} | environment,
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "a.log").write_text(NO_CARD)
    return tmp_path / "a.log"


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
        (["check", "--port", "rfc2217://lab"], 4, "needs a host and a port number"),
        (["check", "--port", "socket://lab:x"], 4, "needs a host and a port number"),
        (["check", "--port", "socket://127.0.0.1:1"], 4, "cannot open socket://127.0.0.1:1"),
        (["check", "--port", "nonsense://x"], 4, "cannot open nonsense://x"),
        (["check", "--port", "x", "--all"], 2, "exclude one another"),
        (["check", "--port", "x", "--record", "/nonexistent/x"], 2, "does not exist"),
        (["check", "--port", ""], 2, "there is no port ''"),
        (["check", "--port", "a\u202eb", "--json"], 2, "there is no port 'a\\u202eb'"),
        (["check", "--port", "", "--all"], 2, "exclude one another"),
        (["check", "--port", "/dev/ttyNONE"], 4, "Other devices were not"),
        (["check", "--profile", "nobody"], 2, "china_mobile"),
        (["check", "--device", "9-9"], 2, "no such device"),
        (["diagnose", "/nonexistent"], 4, "cannot be read"),
        (["diagnose", "/dev/zero"], 4, "/dev/zero cannot be read: it is no regular file"),
        (["diagnose", "/proc"], 4, "/proc cannot be read: Is a directory"),
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
        deadline = time.monotonic() + 30
        while not port_holders(str(link)) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.8)  # some commands later, in the middle of the examination
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


# ---- whatever the streams, the environment and the user's rights are ----------------------
@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ("- <&-", b"- holds no AT commands"),
        ("- 0>/dev/null", b"- cannot be read: Bad file descriptor"),
        ("- </dev/zero", b"- holds no AT commands"),
        ("$log >&-", b"the output cannot be written: Bad file descriptor"),
        ("$log --json >&-", b"the output cannot be written: Bad file descriptor"),
        ("$log >/dev/full", b"the output cannot be written: No space left on device"),
        ("$log --json >/dev/full", b"the output cannot be written: No space left on device"),
    ],
)
def test_a_stream_that_is_closed_or_full_gets_a_sentence(stream, words, log):
    done = shell(f"$simdiag diagnose {stream.replace('$log', str(log))}")
    assert done.returncode == 4
    assert done.stderr.startswith(b"simdiag: " + words)
    assert done.stderr.count(b"\n") == 1


def test_closed_errors_leave_the_result_alone(log):
    done = shell(f"$simdiag diagnose --json {log} {log}.no 2>&-")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("reader", ["head -1", "true"])
@pytest.mark.parametrize("options", ["", "--json"])
@pytest.mark.parametrize(("content", "status"), [(NO_CARD, 1), (WELL, 0)])
def test_a_closed_pipe_changes_nothing(reader, options, content, status, log):
    log.write_text(content)
    done = shell(f"$simdiag diagnose {options} {log} | {reader}")
    assert (done.returncode, done.stderr) == (status, b"")


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_watch_ends_when_nobody_reads_on(options, tmp_path):
    link = tmp_path / "modem"
    with emulator("quectel-ec2x/healthy", link):
        start = time.monotonic()
        done = shell(
            f"$simdiag monitor --port {link} --interval 0.2 --duration 50 {options} | head -1"
        )
        assert time.monotonic() - start < 25
        assert _ask(link, b"AT+CMEE?\r") == "+CMEE: 0"
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_any_encoding_of_the_output_will_do(encoding, language, log):
    log.write_text('AT+COPS?\n+COPS: 0,0,"\U0001f4f1 é",7\nOK\n' + NO_CARD)
    for options in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "simdiag", "diagnose", "--lang", language, *options, str(log)],
            capture_output=True, timeout=60,
            env=os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "zh_CN.GBK"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode("gbk" if encoding == "gbk" else "utf-8")
    names = [o["value"] for o in json.loads(text)["observations"] if o["name"] == "operator.name"]
    assert names == ["\U0001f4f1 é"]


def test_a_file_name_that_is_no_utf_8(log):
    odd = os.fsencode(log.parent) + b"/\xff.log"
    Path(os.fsdecode(odd)).write_text(NO_CARD)
    done = shell(f"$simdiag diagnose --json {log.parent}/*.log {log.parent}/no$'\\xff'")
    names = [Path(json.loads(line)["file"]).name for line in done.stdout.splitlines()]
    assert sorted(names) == ["\\udcff.log", "a.log", "no\\udcff"]
    assert done.returncode == 1


def test_json_brings_no_control_character_to_the_terminal():
    name = "a\u2066b\u2069c"
    done = simdiag("diagnose", "--json", "-", stdin=f'AT+COPS?\n+COPS: 0,0,"{name}",7\nOK\n')
    assert done.stdout.strip().isprintable()
    values = {o["name"]: o["value"] for o in json.loads(done.stdout)["observations"]}
    assert values["operator.name"] == name


@pytest.mark.parametrize("columns", ["0", "-1", "x", "²", "9" * 12])
def test_a_width_that_is_none_counts_as_not_given(columns, log):
    wanted = simdiag("diagnose", str(log), COLUMNS="", LINES="").stdout
    assert "SIM" in wanted
    assert simdiag("diagnose", str(log), COLUMNS=columns, LINES=columns).stdout == wanted


def test_a_fifo_is_refused_and_what_the_shell_hands_over_is_read(log):
    fifo = log.with_name("fifo")
    os.mkfifo(fifo)
    done = simdiag("diagnose", str(fifo))
    assert (done.returncode, "no regular file" in done.stderr) == (4, True)
    assert b"sim_not_detected" in shell(f"$simdiag diagnose --json <(cat {log})").stdout
    assert b"sim_not_detected" in shell(f"cat {log} | $simdiag diagnose --json /dev/stdin").stdout


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [*AS_NOBODY, sys.executable, "-m", "simdiag", *arguments], capture_output=True, text=True,
        timeout=60, env=os.environ | {"LANGUAGE": "en"} | environment,
    )  # fmt: skip
    if "No module named" in done.stderr or done.returncode in (126, 127):
        pytest.skip("nobody may not run this Python")
    return done


@needs_root
def test_a_file_without_permission_is_one_result_among_others(public):
    for name, mode in (("a", 0o000), ("b", 0o644)):
        (public / name).write_text(NO_CARD)
        (public / name).chmod(mode)
    done = as_nobody("diagnose", "--json", str(public / "a"), str(public / "b"))
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["error"].endswith("Permission denied")
    assert (second["cause"], done.returncode) == ("sim_not_detected", 1)
    assert as_nobody("diagnose", str(public / "a")).returncode == 4


@needs_root
@pytest.mark.parametrize("home", ["closed", ""])
def test_a_home_that_is_closed_or_missing_is_passed_over(home, public):
    (public / "closed").mkdir(mode=0o700)
    (public / "log").write_text(NO_CARD)
    (public / "log").chmod(0o644)
    done = as_nobody("diagnose", str(public / "log"), HOME=str(public / home), XDG_CONFIG_HOME="")
    assert (done.returncode, done.stderr) == (1, "")


def test_a_user_without_a_home(monkeypatch):
    from simdiag import registry

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", nowhere)
    assert list(registry._files([str(Path(__file__).parent)], "drivers", "conftest.py"))


@needs_root
def test_a_place_for_the_record_is_looked_at_before_the_examination(public):
    (public / "shut").touch(0o600)
    (public / "open").touch()
    (public / "open").chmod(0o666)
    for name in ("new", "shut"):
        done = as_nobody("check", "--port", "/dev/ttyNONE", "--record", str(public / name))
        assert (done.returncode, "is not writable" in done.stderr) == (2, True)
    done = as_nobody("check", "--port", "/dev/ttyNONE", "--record", str(public / "open"))
    assert (done.returncode, done.stderr) == (4, "")


def test_a_device_is_not_replaced_by_a_record(tmp_path):
    with emulator("quectel-ec2x/sim_puk_required", tmp_path / "modem"):
        done = shell(
            f"$simdiag check --json --port {tmp_path}/modem --record {tmp_path}/out; rm {tmp_path}/out"
            f" && mkfifo {tmp_path}/out && (cat {tmp_path}/out & $simdiag check --port {tmp_path}/modem"
            f" --record {tmp_path}/out >/dev/null; wait; test -p {tmp_path}/out && echo still a pipe)"
        )
    assert b'"dir": "tx"' in done.stdout
    assert b"still a pipe" in done.stdout


def test_only_a_link_that_an_emulator_left_is_replaced(tmp_path):
    link, precious = tmp_path / "modem", tmp_path / "precious"
    link.symlink_to(precious)
    done = simdiag("emulate", "quectel-ec2x/healthy", "--link", str(link))
    assert (done.returncode, done.stderr) == (
        2, f"simdiag: the link {link} cannot be made: File exists\n"
    )  # fmt: skip
    assert link.readlink() == precious
    link.unlink()
    link.symlink_to("/dev/pts/99999")
    with emulator("quectel-ec2x/healthy", link):
        assert _ask(link, b"AT+CMEE?\r") == "+CMEE: 0"


def _signals_by_default() -> None:
    """Undo what ``nohup`` hands down: to ignore SIGHUP, which the program would respect."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _signalled(*arguments: str, number: int, when: Callable[[Path], bool]) -> tuple[int, str]:
    """Run a command, send it a signal once what ``/proc`` says of it is so; status and errors."""
    with subprocess.Popen(
        [sys.executable, "-m", "simdiag", *arguments], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"LANGUAGE": "en"},
        preexec_fn=_signals_by_default,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while not when(Path(f"/proc/{process.pid}")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(number)
        errors = process.stderr.read()
    # Python itself ends by SIGINT where an import was interrupted: shells call that 130 too
    status = 130 if process.returncode == -signal.SIGINT else process.returncode
    return status, errors.strip()


def _handles_signals(process: Path) -> bool:
    caught = re.search(r"SigCgt:\s*(\w+)", (process / "status").read_text())[1]
    return bool(int(caught, 16) >> signal.SIGHUP - 1 & 1)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("diagnose -", signal.SIGINT), ("diagnose -", signal.SIGTERM), ("diagnose -", signal.SIGHUP),
        ("bundle --from /dev/stdin", signal.SIGINT), ("report --from - -o -", signal.SIGINT),
    ],
)  # fmt: skip
def test_an_interrupted_command_without_a_modem_restores_none(command, number):
    done = _signalled(*command.split(), number=number, when=_handles_signals)
    assert done == (130, "Interrupted.")


def test_a_closed_terminal_ends_an_examination_properly(tmp_path):
    link = tmp_path / "modem"

    def has_the_port_open(process: Path) -> bool:
        with suppress(FileNotFoundError):  # closed while this looks
            return link.readlink() in [fd.readlink() for fd in (process / "fd").iterdir()]
        return False

    with emulator("quectel-ec2x/healthy", link, "--latency", "150"):
        done = _signalled(
            "check", "--port", str(link), number=signal.SIGHUP, when=has_the_port_open
        )
        assert done == (130, "Interrupted; the modem's settings are restored.")
        assert _ask(link, b"AT+CMEE?\r") == "+CMEE: 0"


def test_without_a_device_there_is_nothing_to_examine(monkeypatch):
    monkeypatch.setattr("simdiag.discovery.discover", list)
    with pytest.raises(SimdiagError, match="no modem is attached"):  # status 4
        find_target(None, None)


def test_json_hides_nothing_from_whoever_looks_at_it():
    text = dumps({"name": "a\u202eb\x9b", "text": "卡"})
    assert text.isprintable()
    assert "卡" in text
    assert json.loads(text) == {"name": "a\u202eb\x9b", "text": "卡"}
