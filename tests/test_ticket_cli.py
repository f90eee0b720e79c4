"""``simdiag ticket`` as its users meet it: in scripts, at a terminal, with real desks."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import jsonschema
import pytest

import desk_servers
from simdiag.cli import group
from simdiag.cli.status import Status
from simdiag.errors import SimdiagError
from simdiag.message import message
from simdiag.ticket import export

PYTHON = [sys.executable, "-m", "simdiag", "ticket"]
ANSWERS = {
    "category": "no_service", "happened": "2026-10-01 09:00 +0800", "place": "深圳南山",
    "seen": "Full bars, no page opens", "steps": ["restart: the same"], "seller": "card shop",
    "order": "12345", "bought": "2026-10-01", "plan": "30 GB",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the tickets a home of their own, as the tests' own settings have."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return tmp_path


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


def ticket(*words: object, expect: int = Status.OK) -> Done:
    """Run a command in this process: to start one for each would take most of the time."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with (
        mock.patch.object(sys, "argv", ["simdiag", "ticket", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = group._run()
    done = Done(*(_text(stream) for stream in (out, err)))
    assert status == expect, done.stderr
    return done


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def as_json(*words: object, expect: int = Status.OK) -> Any:
    return json.loads(ticket(*words, "--json", expect=expect).stdout)


@pytest.fixture
def answers(home: Path) -> Path:
    path = home / "answers.json"
    path.write_text(json.dumps(ANSWERS), "utf-8")
    return path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A bundle of a card that fails and one of a card that works."""
    folder = tmp_path_factory.mktemp("bundles")
    logs = {
        "faulty": "AT+CPIN?\n+CME ERROR: 13\nAT+CSQ\n+CSQ: 23,99\nOK\n",
        "healthy": "AT+CPIN?\n+CPIN: READY\nOK\nAT+CEREG?\n+CEREG: 0,1\nOK\nAT+CSQ\n+CSQ: 23,99\nOK\n"
        'AT+CGPADDR\n+CGPADDR: 1,"10.1.2.3"\nOK\n',
    }
    found = {}
    for name, log in logs.items():
        source, found[name] = folder / f"{name}.log", folder / f"{name}.zip"
        source.write_text(log)
        environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
        done = subprocess.run(
            [sys.executable, "-m", "simdiag", "bundle", "--from", source, "-o", found[name]],
            capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        assert found[name].exists(), done.stderr
    return found


# ---- in a script -------------------------------------------------------------------------


def test_what_is_missing_is_named_in_one_sentence() -> None:
    done = ticket("new", expect=Status.USAGE)
    assert "--category, --when, --where, --seen" in done.stderr.splitlines()[-1]


def test_with_a_bundle_only_the_place_is_missing(bundles: dict[str, Path]) -> None:
    done = ticket("new", "--bundle", bundles["faulty"], "--when", "now", expect=Status.USAGE)
    assert "give --where, or" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--category", "bad"], "--category"),
        (["--when", "yesterday evening"], "is no day or time"),
        (["--bought", "2026-13-01"], "is no day or time"),
        (["--desk", "none"], "there is no desk none"),
        (["--profile", "none"], "there is no profile none"),
        (["--answers", "/nonexistent.json"], "cannot be read"),
        (["--bundle", "/nonexistent.sdb"], "/nonexistent.sdb"),
        (["--add", "--again"], "exclude one another"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_bad_input_is_one_sentence_and_keeps_nothing(
    words: list[str], said: str, home: Path
) -> None:
    sentence = said.startswith("--") or "no " in said or "exclude" in said
    expect = Status.USAGE if sentence else Status.NOT_EXAMINED
    assert said in ticket("new", "--where", "x", *words, expect=expect).stderr
    assert not (home / "state" / "simdiag" / "outbox").exists()


def test_a_ticket_by_hand_from_the_text_to_the_end(answers: Path, bundles: dict[str, Path]) -> None:
    made = as_json("new", "--answers", answers, "--profile", "china_mobile", "--urgency", "urgent")
    assert (made["id"], made["stage"], made["desk"], made["rung"]) == (
        "T1",
        "new",
        "paper",
        "seller",
    )
    assert [w["kind"] for w in made["windows"]] == ["return", "exchange"]
    shown = ticket("preview", "T1")
    for said in ("深圳南山", "2026-10-01 09:00 +0800", "card shop", "12345"):
        assert said in shown.stdout
    assert "No file goes with it." in shown.stderr

    sent = as_json("note", "T1", "--number", "8812", "--staff", "2231", "--channel", "phone")
    assert (sent["stage"], sent["number"], sent["staff"]) == ("sent", "8812", "2231")
    promised = as_json(
        "promise", "T1", "--what", "a new card", "--by", "2026-10-03", "--staff", "2231"
    )
    assert promised["promises"][0]["by"].startswith("2026-10-03T23:59:00+")
    assert promised["promises"][0]["overdue"] is True
    heard = as_json("note", "T1", "we send a card", "--said", "--staff", "2231")
    assert heard["stage"] == "answered"
    assert "OVERDUE" in ticket("show", "T1").stderr
    assert "OVERDUE" in ticket("list").stdout

    assert "--bundle" in ticket("confirm", "--help").stdout
    ticket("close", "T1", expect=Status.NOT_EXAMINED)  # nobody has confirmed it
    closed = as_json("confirm", "T1", "--bundle", bundles["healthy"])
    assert closed["stage"] == "closed"
    again = as_json("confirm", "T1", "--bundle", bundles["faulty"], expect=Status.FAULT)
    assert again["stage"] == "reopened"
    history = [event["kind"] for event in as_json("show", "T1")["history"]]
    assert history == ["opened", "sent", "promise", "answer", "confirmed", "closed", "reopened"]
    assert as_json("promise", "T1", "--kept", "1")["promises"][0]["kept"] is True
    assert as_json("confirm", "T1")["stage"] == "closed"
    assert "T1" not in ticket("list").stdout
    assert "T1" in ticket("list", "--all").stdout
    assert "closed already" in ticket("close", "T1", expect=Status.NOT_EXAMINED).stderr
    assert as_json("reopen", "T1", "it fails again")["stage"] == "reopened"


def test_the_examination_that_a_ticket_was_made_from_ends_it_not(bundles: dict[str, Path]) -> None:
    ticket("new", "--bundle", bundles["healthy"], "--category", "no_service", "--when", "now",
           "--where", "x", "--seen", "x")  # fmt: skip
    done = ticket("confirm", "--bundle", bundles["healthy"], expect=Status.NOT_EXAMINED)
    assert "examine again" in done.stderr


def test_escalating_climbs_and_brings_the_history(answers: Path) -> None:
    ticket("new", "--answers", answers, "--profile", "three_hk")
    ticket("note", "T1", "--number", "77", "--staff", "Chan")
    shown = ticket("escalate", "T1", "--preview").stdout
    assert "77" in shown
    assert "Chan" in shown
    assert [as_json("escalate", "T1")["rung"] for _ in range(3)] == [
        "operator", "consumer_body", "regulator",
    ]  # fmt: skip
    assert "nobody above" in ticket("escalate", "T1", expect=Status.NOT_EXAMINED).stderr
    assert as_json("show", "T4")["escalates"] == as_json("show", "T1")["key"]
    assert (
        "there is no rung moon"
        in ticket("escalate", "T1", "--to", "moon", expect=Status.USAGE).stderr
    )


def test_an_escalation_that_failed_is_the_next_one_again(answers: Path) -> None:
    ticket("new", "--answers", answers, "--profile", "three_hk")
    full = SimdiagError(message("the disk is full"))
    with mock.patch("simdiag.ticket.outbox.Outbox.add", side_effect=full):
        ticket("escalate", "T1", expect=Status.NOT_EXAMINED)
    assert [as_json("escalate", "T1")["rung"] for _ in range(2)] == ["operator", "consumer_body"]
    assert as_json("show", "T1")["escalated_to"] == ["operator", "consumer_body"]


def test_what_json_prints_is_what_its_schema_says(answers: Path) -> None:
    ticket("new", "--answers", answers, "--profile", "three_hk")
    ticket("promise", "T1", "--what", "a call", "--by", "3d")
    schema = export.json_schema()
    for words in (("show", "T1"), ("list",)):
        jsonschema.validate(as_json(*words), schema)
    assert "draft" not in as_json("list")
    assert as_json("show", "T1")["draft"]["place"] == "深圳南山"


def test_no_command_invents_a_ticket_or_a_promise(answers: Path) -> None:
    for words in (["show", "T1"], ["preview"], ["note", "T1", "x"], ["sync", "T9"], ["close"]):
        assert "simdiag ticket" in ticket(*words, expect=Status.NOT_EXAMINED).stderr
    ticket("new", "--answers", answers)
    assert "no promise 2" in ticket("promise", "T1", "--kept", "2", expect=Status.USAGE).stderr
    assert "--what and --by" in ticket("promise", "T1", expect=Status.USAGE).stderr
    assert "say what to note" in ticket("note", "T1", expect=Status.USAGE).stderr
    assert "nothing to reopen" in ticket("reopen", "T1", expect=Status.NOT_EXAMINED).stderr


def test_the_calendar_is_printed(answers: Path) -> None:
    ticket("new", "--answers", answers)
    ticket("promise", "T1", "--what", "a call", "--by", "3d")
    assert ticket("list", "--ics").stdout.startswith("BEGIN:VCALENDAR")


def test_a_damaged_casebook_is_one_sentence(answers: Path, home: Path) -> None:
    ticket("new", "--answers", answers)
    book = home / "state" / "simdiag" / "outbox" / "cases.db"
    book.write_bytes(b"x" * 5000)
    done = ticket("list", expect=Status.NOT_EXAMINED)
    assert "damaged" in done.stderr
    assert book.read_bytes() == b"x" * 5000


def test_what_others_wrote_reaches_the_terminal_without_its_escapes(answers: Path) -> None:
    ticket("new", "--answers", answers)
    ticket("note", "T1", "\x1b[31mred\x07 \u202egnp", "--said", "--staff", "\x1b]0;x\x07")
    for words in (["show", "T1"], ["list"], ["show", "T1", "--json"], ["escalate", "--preview"]):
        assert not re.search("[\x07\x1b\u202e]", ticket(*words).stdout)


# ---- the same fault twice ----------------------------------------------------------------


@pytest.fixture
def with_a_card(home: Path) -> Path:
    """A bundle that names a card, so that the same matter is known again."""
    log = home / "card.log"
    log.write_text(
        "AT+CPIN?\n+CPIN: READY\nOK\nAT+QCCID\n+QCCID: 89860012345678901234\nOK\n"
        "AT+CEREG?\n+CEREG: 3,3,,,,0,2\nOK\nAT+CSQ\n+CSQ: 23,99\nOK\n"
    )
    path = home / "card.zip"
    done = subprocess.run(
        [sys.executable, "-m", "simdiag", "bundle", "--from", log, "-o", path],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert path.exists(), done.stderr
    return path


def test_a_fault_reported_already_is_added_to_or_made_anew(with_a_card: Path) -> None:
    new = ("new", "--bundle", with_a_card, "--where", "x", "--when", "now")
    ticket(*new)
    assert "already" in ticket(*new, expect=Status.NOT_EXAMINED).stderr
    assert as_json(*new, "--add")["id"] == "T1"
    assert [e["kind"] for e in as_json("show", "T1")["history"]] == ["opened", "note"]
    assert as_json(*new, "--again")["id"] == "T2"


def test_at_a_terminal_it_is_asked_whether_to_add(with_a_card: Path) -> None:
    new = ("new", "--bundle", with_a_card, "--where", "x", "--when", "now", "--tried", "x", "--wish", "x",
           "--seller", "x", "--order", "x", "--bought", "2026-10-01", "--plan", "x", "--account", "x")  # fmt: skip
    ticket(*new)
    for answer, tickets in (("\r", 1), ("n\r", 2)):
        terminal = Terminal(*new)
        terminal.until("Keep this ticket")
        terminal.type("\r")
        terminal.until("Add it to that ticket?")
        terminal.type(answer)
        assert terminal.end() == Status.OK
        assert len(ticket("list", "--json").stdout.splitlines()) == tickets


# ---- at a terminal -----------------------------------------------------------------------


class Terminal:
    """A program on a terminal: what it shows, and what is typed."""

    def __init__(self, *words: object) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as a shell leaves it
            os.execv(sys.executable, [*PYTHON, *map(str, words)])
        self.seen = ""

    def until(self, text: str) -> str:
        deadline = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            try:
                ready = select.select([self.fd], [], [], 1)[0]
                chunk = os.read(self.fd, 65536) if ready else b" "
            except OSError as problem:  # its end, on Linux
                if problem.errno != errno.EIO:
                    raise
                chunk = b""
            assert chunk, self.seen
            self.seen += chunk.decode("utf-8", "replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self, keys: str = "") -> int:
        """Return the exit status; a program that asks on instead of ending is killed.

        ``keys`` are pressed every three seconds: Python sees a Ctrl-C that comes in the instant
        between its last look and its reading only with the next key.
        """
        press = time.monotonic()
        deadline = press + 30
        while (at := time.monotonic()) < deadline:
            if keys and at >= press:
                self.type(keys)
                press = at + 3
            if select.select([self.fd], [], [], 0.5)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:  # its end, on Linux
                    break
        else:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_enter_alone_makes_a_ticket_from_a_bundle(bundles: dict[str, Path]) -> None:
    terminal = Terminal("new", "--bundle", bundles["faulty"])
    asked = 0
    while "Keep this ticket" not in (said := terminal.until("]: " if asked < 12 else "?")):
        asked += 1
        terminal.type("\r")
    assert "What kind of request" not in said
    terminal.type("\r")
    assert terminal.end() == Status.OK
    shown = as_json("show", "T1")
    assert shown["draft"]["category"] == "card_fault"


def test_account_facts_are_offered_the_next_time(home: Path) -> None:
    for expected in ("[-]", "[card shop]"):
        terminal = Terminal("new", "--category", "enquiry", "--when", "now", "--seen", "x", "--wish", "y",
                            "--tried", "z", "--order", "1", "--bought", "2026-10-01", "--plan", "p",
                            "--account", "a")  # fmt: skip
        terminal.until("Who sold the card?")
        assert expected in terminal.until(": ") + "]"
        terminal.type("card shop\r" if expected == "[-]" else "\r")
        terminal.until("Keep this ticket")
        terminal.type("\r")
        assert terminal.end() == Status.OK
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "simdiag" / "account.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert as_json("show", "T2")["draft"]["seller"] == "card shop"


@pytest.mark.parametrize("after", ["What kind", "Since when", "Keep this ticket"])
def test_ctrl_c_at_any_question_leaves_nothing(after: str, home: Path) -> None:
    terminal = Terminal("new", "--where", "x", "--seen", "x", "--tried", "x", "--wish", "x", "--seller",
                        "x", "--order", "x", "--bought", "2026-10-01", "--plan", "x", "--account", "x")  # fmt: skip
    for question in ("What kind", "Since when", "Keep this ticket"):
        terminal.until(question)
        if question == after:
            break
        terminal.type("\r")
    assert terminal.end("\x03") == 130
    assert not (home / "state" / "simdiag" / "outbox").exists()
    assert not (Path(os.environ["XDG_CONFIG_HOME"]) / "simdiag" / "account.json").exists()


# ---- real desks --------------------------------------------------------------------------


class RoundupAgent:
    """Who works at a Roundup desk: its administrator, by the same interface."""

    kind, waits, open = "roundup", "need-eg", "chatting"
    without = staticmethod(desk_servers.without_roundup)
    serve = staticmethod(desk_servers.roundup)

    def __init__(self, server: desk_servers.Server) -> None:
        self.settings = {"address": server.address, "account": "simdiag"}
        self._web = httpx.Client(
            base_url=f"{server.address}rest/data/", auth=("admin", "admin-of-the-tests"),
            headers={"X-Requested-With": "x", "Referer": server.address,
                     "Origin": server.address.removesuffix("/sim/")}, timeout=30,
        )  # fmt: skip

    def _issue(self, number: str) -> Any:
        found = self._web.get(f"issue/{number}", params={"@verbose": 2}).raise_for_status()
        return found.json()["data"]

    def texts(self, number: str) -> str:
        ids = [message["id"] for message in self._issue(number)["attributes"]["messages"]]
        return "".join(self._web.get(f"msg/{i}/binary_content").text for i in ids)

    def state(self, number: str) -> str:
        return str(self._issue(number)["attributes"]["status"]["name"])

    def files(self, number: str) -> int:
        return len(self._issue(number)["attributes"]["files"])

    def answer(self, number: str, text: str, state: str) -> None:
        body = {"content": text, "author": "admin", "date": "."}
        made = self._web.post("msg", json=body).raise_for_status().json()["data"]["id"]
        for change in ({"@op": "add", "messages": [made]}, {"status": state}):
            etag = {"If-Match": self._issue(number)["@etag"]}
            self._web.patch(f"issue/{number}", json=change, headers=etag).raise_for_status()


class RequestTrackerAgent:
    """Who works at a Request Tracker desk: root, by the same interface."""

    kind, waits, open = "request_tracker", "stalled", "open"
    without = staticmethod(desk_servers.without_request_tracker)
    serve = staticmethod(desk_servers.request_tracker)

    def __init__(self, server: desk_servers.Server) -> None:
        self.settings = {"address": server.address, "queue": "SIM-AfterSales"}
        password = (server.folder / "root-password").read_text().strip()
        base = f"{server.address}/REST/2.0/"
        self._web = httpx.Client(base_url=base, auth=("root", password), timeout=30)

    def _attachments(self, number: str) -> Any:
        fields = {"fields": "Content,Filename,ContentType", "per_page": 100}
        found = self._web.get(f"ticket/{number}/attachments", params=fields).raise_for_status()
        return found.json()["items"]

    def texts(self, number: str) -> str:
        texts = [a for a in self._attachments(number) if a["ContentType"].startswith("text/plain")]
        return "".join(a["Content"] or "" for a in texts)

    def state(self, number: str) -> str:
        return str(self._web.get(f"ticket/{number}").raise_for_status().json()["Status"])

    def files(self, number: str) -> int:
        return sum(str(a["Filename"]).startswith("simdiag-") for a in self._attachments(number))

    def answer(self, number: str, text: str, state: str) -> None:
        body = {"Content": text, "ContentType": "text/plain"}
        self._web.post(f"ticket/{number}/correspond", json=body).raise_for_status()
        self._web.put(f"ticket/{number}", json={"Status": state}).raise_for_status()


@pytest.fixture(params=[RoundupAgent, RequestTrackerAgent], ids=lambda agent: agent.kind)
def agent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real desk, set up in desks.toml, and somebody who works there."""
    if why := request.param.without():
        pytest.skip(why)
    # a short name, and readable for the user that serves
    folder = Path(tempfile.mkdtemp(prefix="desk-"))
    folder.chmod(0o755)
    try:
        with request.param.serve(folder / "d") as server:
            found = request.param(server)
            desks = Path(os.environ["XDG_CONFIG_HOME"]) / "simdiag" / "desks.toml"
            desks.parent.mkdir(parents=True, exist_ok=True)
            table = {"kind": found.kind, "token": "t", **found.settings}
            lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
            desks.write_text("\n".join(["[shop]", *lines, 'languages = ["zh-CN"]']) + "\n")
            monkeypatch.setenv("SIMDIAG_TOKEN_T", server.secret)
            yield found
            found._web.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_real_desk_answers_solves_and_gets_it_back(
    agent: Any, answers: Path, bundles: dict[str, Path]
) -> None:
    made = as_json("new", "--answers", answers, "--bundle", bundles["faulty"])
    assert (made["stage"], made["problem"]) == ("sent", None)
    number = made["number"]
    assert "深圳南山" in agent.texts(number)
    agent.answer(number, "Which device? 请告知设备型号。", agent.waits)
    assert as_json("sync")["stage"] == "waiting"
    assert "请告知设备型号" in ticket("show", "T1").stdout
    assert as_json("note", "T1", "EC25，固件见附件。", "--send")["pending"] == 0
    assert agent.texts(number).count("EC25，固件见附件。") == 1
    agent.answer(number, "Done.", "resolved")
    assert as_json("sync")["stage"] == "solved"
    assert as_json("confirm", "T1")["stage"] == "closed"
    back = as_json("reopen", "T1", "又断了", "--bundle", bundles["healthy"])
    assert (back["stage"], back["pending"]) == ("reopened", 0)
    assert agent.state(number) == agent.open
    assert agent.texts(number).count("又断了") == 1
    assert agent.files(number) == 2
    assert back["response_s"] is not None
    assert ticket("sync").stderr == ""
