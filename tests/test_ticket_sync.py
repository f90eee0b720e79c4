"""Tickets that wait: until when, how they get away by themselves, what is said meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from unittest import mock

import pytest

from desk_stubs import Zammad, stub
from simdiag.cli.commands.ticket import sync
from simdiag.cli.status import Status
from simdiag.message import message
from simdiag.ticket.desk import NotDone
from simdiag.ticket.entry import packed, unpacked
from simdiag.ticket.outbox import Outbox, default_folder
from simdiag.ticket.payload import kept, sweep
from test_ticket_cli import ANSWERS, as_json, ticket


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LANGUAGE", "en")
    return tmp_path


def desk_at(port: int, **more: str) -> None:
    """Set up the desk ``shop``."""
    values = {"kind": "zammad", "address": f"http://127.0.0.1:{port}/", "group": "SIM",
              "token": "stub", **more}  # fmt: skip
    path = Path(os.environ["XDG_CONFIG_HOME"], "simdiag", "desks.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{key} = "{value}"' for key, value in values.items() if value]
    path.write_text("\n".join(["[shop]", *lines, ""]))


def nobody() -> int:
    """Return a port of this computer that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def waiting(home: Path) -> None:
    """A ticket for a desk that cannot be reached."""
    answers = home / "answers.json"
    answers.write_text(json.dumps(ANSWERS), "utf-8")
    desk_at(nobody())
    ticket("new", "--answers", answers, "--desk", "shop")


# ---- when it is tried again ----------------------------------------------------------------


def test_every_waiting_ticket_says_when_it_is_tried_again(waiting: None) -> None:
    said = ticket("list").stdout
    assert "cannot be reached (Connection refused)" in said
    assert "next attempt " in said
    assert ", in 1 min" in said
    (found,) = map(json.loads, ticket("list", "--json").stdout.splitlines())
    assert 0 < found["next_attempt_s"] <= 19
    left = datetime.fromisoformat(found["next_attempt"]) - datetime.now().astimezone()
    assert abs(left.total_seconds() - found["next_attempt_s"]) < 5
    done = ticket("sync", expect=Status.NOT_EXAMINED)
    assert "T1: next attempt " in done.stderr
    assert done.stderr.count("cannot be reached") == 1


def test_who_asks_need_not_wait_for_the_next_attempt(waiting: None) -> None:
    with stub(Zammad) as server:
        desk_at(server.server_address[1])
        assert "sent, no answer yet (shop 1)" in ticket("sync").stdout
        assert len(server.tickets) == 1
    (found,) = map(json.loads, ticket("list", "--json").stdout.splitlines())
    assert (found["next_attempt"], found["next_attempt_s"]) == (None, None)


def test_what_may_still_arrive_is_waited_for_even_then(waiting: None) -> None:
    with stub(Zammad) as server:
        server.lost = ["lost"]
        desk_at(server.server_address[1])
        ticket("sync", expect=Status.NOT_EXAMINED)
        done = ticket("sync")
        assert "T1: next attempt " in done.stderr
        assert ", in 2 min" in done.stderr
        assert len(server.tickets) == 1


# ---- by itself -----------------------------------------------------------------------------


def test_in_the_background_nothing_is_said_where_there_is_nothing_to_say(home: Path) -> None:
    done = ticket("sync", "--background")
    assert (done.stdout, done.stderr) == ("", "")


def test_in_the_background_a_desk_that_is_away_is_no_news(waiting: None) -> None:
    with Outbox(default_folder()) as outbox:
        outbox.release("shop")
    done = ticket("sync", "--background")
    assert (done.stdout, done.stderr) == ("", "")
    (found,) = map(json.loads, ticket("list", "--json").stdout.splitlines())
    assert found["next_attempt_s"] > 19, "it was tried, and waits longer now"
    with stub(Zammad) as server:
        desk_at(server.server_address[1])
        assert ticket("sync", "--background").stdout == "", "it is not due"
        with Outbox(default_folder()) as outbox:
            outbox.release("shop")
        assert "sent, no answer yet (shop 1)" in ticket("sync", "--background").stdout
        assert ticket("sync", "--background").stdout == ""


def test_in_the_background_a_desk_to_be_put_right_is_told_once_and_left_alone(
    waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "wrong")
    with Outbox(default_folder()) as outbox:
        outbox.release("shop")
    with stub(Zammad) as server:
        desk_at(server.server_address[1])
        first = ticket("sync", "--background", expect=Status.NOT_EXAMINED)
        assert "refuses our token" in first.stderr
        said = " ".join(ticket("list").stdout.split())
        assert "until that is put right: then run `simdiag ticket sync`" in said
        second = ticket("sync", "--background")
        assert (second.stdout, second.stderr) == ("", "")
        monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
        assert "sent, no answer yet" in ticket("sync").stdout


def test_wait_stays_until_all_is_sent(waiting: None) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        with sqlite3.connect(default_folder() / "outbox.db") as database:
            database.execute("UPDATE ticket SET wait_s = 0")
        database.close()

    with stub(Zammad) as server, mock.patch.object(sync.time, "sleep", sleep):
        server.lost = ["lost"]
        desk_at(server.server_address[1])
        done = ticket("sync", "--wait")
        assert "sent, no answer yet (shop 1)" in done.stdout
        assert done.stderr.count("next attempt") == 1
        assert len(server.tickets) == 1
    assert 1 <= slept[0] <= 60


def test_ctrl_c_ends_the_waiting_and_loses_nothing(waiting: None) -> None:
    words = [sys.executable, "-m", "simdiag", "ticket", "sync", "--wait"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("next attempt" in line for line in lines)
        process.send_signal(signal.SIGINT)
        assert "Interrupted." in process.stderr.read()
        assert process.wait(20) == 130
    (found,) = map(json.loads, ticket("list", "--json").stdout.splitlines())
    assert found["outbox"] == "queued"


def test_two_wishes_that_exclude_one_another_are_refused(home: Path) -> None:
    assert "exclude" in ticket("sync", "--wait", "--background", expect=Status.USAGE).stderr


# ---- what a refusal, a desk that is closed, a folder that may not be written make of it ------


def test_a_refused_ticket_says_so_and_what_to_do(waiting: None) -> None:
    with Outbox(default_folder()) as outbox:
        outbox.dead(outbox.entries()[0].key, message("shop refuses the ticket"))
    for command in ("list", "show"):
        said = " ".join(ticket(command).stdout.split())
        assert "refused by the desk" in said
        assert "not sent yet" not in said
        assert "shop refuses the ticket" in said
        assert "simdiag ticket preview T1" in said
        assert "next attempt" not in said
    ticket("note", "T1", "--number", "8812")
    assert "refused" not in ticket("list").stdout


def test_what_is_noted_for_a_desk_that_takes_mail_alone_is_never_kept_for_it(
    waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIMDIAG_TOKEN_STUB")
    with mock.patch("simdiag.ticket.credentials._from_keyring", return_value=None):
        desk_at(0, kind="email", address="desk@simdiag.test", sender="me@simdiag.test",
                server="127.0.0.1", group="")  # fmt: skip
        done = ticket("note", "T1", "called again", "--send", "--later")
        assert "cannot be written to from here" in done.stderr
        assert as_json("show", "T1")["pending"] == 0


def test_the_list_is_in_the_users_language_whatever_the_desk_reads(
    waiting: None, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    answers = home / "answers.json"
    answers.write_text(json.dumps({**ANSWERS, "seen": "4G"}), "utf-8")
    desk_at(nobody(), **{"languages": ""})
    path = Path(os.environ["XDG_CONFIG_HOME"], "simdiag", "desks.toml")
    path.write_text(path.read_text() + 'languages = ["zh-CN"]\n')
    ticket("new", "--answers", answers, "--desk", "shop", "--again")
    assert "无服务" in as_json("show", "T2")["summary"]
    said = ticket("list").stdout
    assert "no service, or a poor one" in said
    assert "无服务" not in said


def test_why_it_waits_is_kept_so_that_it_can_be_told_in_any_language() -> None:
    problem = NotDone(message("{desk}: {why}", desk="shop", why=message("Connection refused")))
    again = unpacked(packed(problem.message))
    assert again is not None
    words = {"{desk}: {why}": "{desk}：{why}", "Connection refused": "连接被拒绝"}
    assert again.render(lambda text: words[text]) == "shop：连接被拒绝"


def test_half_copies_of_a_killed_program_are_swept_but_none_in_use(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / ".left").write_bytes(b"half")
    source = tmp_path / "pipe"
    os.mkfifo(source)
    child = os.fork()
    if child == 0:
        kept(source, folder)
        os._exit(0)
    with source.open("wb") as pipe:  # opens once the other side reads, under its lock
        pipe.write(b"whole")
        pipe.flush()
        while len(list(folder.iterdir())) < 2:
            time.sleep(0.01)
        sweep(folder)
        assert len(list(folder.glob(".*"))) == 2, "somebody is copying"
    assert os.waitpid(child, 0)[1] == 0
    sweep(folder)
    (there,) = folder.iterdir()
    assert there.read_bytes() == b"whole"


def test_the_outbox_sweeps_when_it_is_opened(waiting: None) -> None:
    left = default_folder() / "files" / ".0b7e"
    left.write_bytes(b"half")
    ticket("list")
    assert not left.exists()


def test_a_folder_that_may_not_be_written_is_read(
    waiting: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another user, where this one may write everywhere."""
    ticket("list")  # all modules are loaded now: another user may not be able to
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        for kind in ("STATE", "CONFIG"):
            shutil.copytree(os.environ[f"XDG_{kind}_HOME"], place / kind)
            monkeypatch.setenv(f"XDG_{kind}_HOME", str(place / kind))
        folder = default_folder()
        for path in sorted(place.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
        with another_user():
            done = ticket("list")
        assert f"{folder} cannot be written, so it is only read." in done.stderr
        assert "not sent yet (shop)" in done.stdout
        assert "next attempt" in done.stdout
        with another_user():
            assert f"{folder} cannot be used: " in ticket("sync", expect=4).stderr
        assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
        for path in place.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


@contextmanager
def another_user() -> Iterator[None]:
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
