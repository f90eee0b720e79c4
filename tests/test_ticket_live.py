"""Request Tracker 5 and Roundup 2, the real ones, on loopback, with the kits of ``docs/desks``."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import desk_servers
import outbox_run as run
from desk_servers import Server
from fault_proxy import FAULTS, faulty
from simdiag.ticket import settings
from simdiag.ticket.desk import AuthRefused, Desk, File, Hold, Mismatch, State
from simdiag.ticket.desks import request_tracker, roundup
from simdiag.ticket.draft import FIELDS, Category, Complexity, Urgency
from simdiag.ticket.outbox import Outbox

pytestmark = [
    pytest.mark.xdist_group("desks"),  # one worker starts the servers
    pytest.mark.timeout(400),
]
KINDS = ("request_tracker", "roundup")


def serve(kind: str) -> Iterator[Server]:
    lacking = getattr(desk_servers, f"without_{kind}")()
    if lacking and os.environ.get("CI"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)
    with tempfile.TemporaryDirectory(prefix=f"{kind}-") as name:
        Path(name).chmod(0o755)  # Roundup serves as nobody, which cannot enter pytest's folders
        with getattr(desk_servers, kind)(Path(name) / "desk") as server:
            yield server


@pytest.fixture(scope="session")
def real_request_tracker() -> Iterator[Server]:
    yield from serve("request_tracker")


@pytest.fixture(scope="session")
def real_roundup() -> Iterator[Server]:
    yield from serve("roundup")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    found: Server = request.getfixturevalue(f"real_{kind}")
    monkeypatch.setenv(run.TOKEN, found.secret)
    return found


@pytest.fixture
def desk(kind: str, server: Server) -> Iterator[Desk]:
    connected = settings.connect(run.desk_settings(kind, server.port))
    yield connected
    connected.close()


def file_of(folder: Path, content: bytes) -> File:
    path = folder / "bundle"
    path.write_bytes(content)
    draft = run.make_draft(content)
    assert draft.bundle is not None
    name = f"simdiag-{draft.bundle.sha256}.sdb"
    return File(name, path, draft.bundle.sha256, len(content))


# ---- what is sent is kept --------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 300_000])
def test_a_file_comes_back_bit_for_bit(desk: Desk, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    file = file_of(tmp_path, content)
    number = desk.create(run.make_draft(None), None)
    desk.attach(number, file)
    (held,) = desk.attachments(number)
    assert held.name == file.name
    assert held.size in (size, None)
    assert desk.download(number, held) == content


def test_every_field_and_the_text_are_kept_as_they_were_sent(desk: Desk) -> None:
    draft = run.make_draft(None)
    number = desk.create(draft, None)
    assert desk.find(draft.key) == [number]
    assert desk.verify(number, draft) == []
    case = desk.case(number)
    assert case.state is State.NEW
    assert [post.text for post in case.posts] == [draft.message]
    assert case.posts[0].ours


@pytest.mark.parametrize("category", Category)
def test_every_category_is_one_of_the_desks(desk: Desk, category: Category) -> None:
    draft = run.make_draft(None, category=category)
    assert desk.verify(desk.create(draft, None), draft) == []


@pytest.mark.parametrize(
    "grade", [*({"urgency": u} for u in Urgency), *({"complexity": c} for c in Complexity)]
)
def test_every_grade_is_one_of_the_desks(real_request_tracker, monkeypatch, grade) -> None:
    monkeypatch.setenv(run.TOKEN, real_request_tracker.secret)
    desk = settings.connect(run.desk_settings("request_tracker", real_request_tracker.port))
    draft = run.make_draft(None, **grade)
    assert desk.verify(desk.create(draft, None), draft) == []
    desk.close()


def test_what_the_desk_drops_or_changes_is_named(desk: Desk) -> None:
    sent = run.make_draft(None)
    number = desk.create(sent, None)
    other = sent.model_copy(update={"place": "北京", "summary": "another", "message": "another"})
    changed = {m.field: m for m in desk.verify(number, other)}
    assert changed["place"] == Mismatch("place", "北京", "上海市 浦东新区")
    assert set(changed) == {"place", "summary", "message"}


def test_a_value_that_request_tracker_drops_while_it_says_201_is_named(
    real_request_tracker: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(run.TOKEN, real_request_tracker.secret)
    desk = settings.connect(run.desk_settings("request_tracker", real_request_tracker.port))
    odd = run.make_draft(None).model_copy(update={"category": "no such category"})
    number = desk.create(odd, None)
    assert desk.verify(number, odd) == [Mismatch("category", "no such category", "")]
    desk.close()


def test_the_kits_make_the_fields_of_a_draft() -> None:
    pl = (desk_servers.KITS / "request-tracker" / "simdiag.pl").read_text("utf-8")
    py = (desk_servers.KITS / "roundup" / "simdiag_schema.py").read_text("utf-8")
    assert {n for n in FIELDS if n != "due" and request_tracker.field_name(n) not in pl} == set()
    assert {n for n in FIELDS if f'"{n}"' not in py} == set()
    assert roundup.field_name("key") == "simdiag_key"


# ---- the guards of the kits ------------------------------------------------------------------


def test_a_key_makes_one_ticket_however_often_it_is_sent(desk: Desk) -> None:
    draft = run.make_draft(None)
    numbers = [desk.create(draft, None) for _ in range(3)]
    assert desk.find(draft.key) == [numbers[0]]
    assert set(numbers) == {numbers[0]}


def test_a_digest_makes_one_file_however_often_request_tracker_gets_it(
    real_request_tracker: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(run.TOKEN, real_request_tracker.secret)
    desk = settings.connect(run.desk_settings("request_tracker", real_request_tracker.port))
    number = desk.create(run.make_draft(None), None)
    first, second = (file_of(tmp_path, content) for content in (b"first", b"second"))
    (tmp_path / "bundle").write_bytes(b"first")
    desk.attach(number, first)
    desk.attach(number, first)
    (tmp_path / "bundle").write_bytes(b"second")
    desk.attach(number, second)
    assert [a.name for a in desk.attachments(number)] == [first.name, second.name]
    desk.close()


_BY_HAND = """
import sys
import roundup.instance
db = roundup.instance.open(sys.argv[1]).open("admin")
print(db.issue.get(db.issue.create(title="by hand"), "simdiag_key"))
db.commit()
"""


def test_people_at_a_roundup_desk_make_issues_without_a_key(real_roundup: Server) -> None:
    command = [desk_servers.ROUNDUP / "python", "-c", _BY_HAND, real_roundup.folder / "tracker"]
    keys = {
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        for _ in range(2)
    }
    assert len(keys) == 2
    assert all(key.startswith("desk-") for key in keys)


# ---- answered, closed and reopened at the desk -----------------------------------------------

_STAFF = """
use RT -init; use utf8;
my $ticket = RT::Ticket->new(RT->SystemUser);
$ticket->Load($ARGV[0]);
my ($done, $why) = $ticket->Correspond(Content => "已激活 – try again");
die $why unless $done;
($done, $why) = $ticket->SetStatus('resolved');
die $why unless $done;
"""


def answer(kind: str, server: Server, number: str) -> None:
    """Do what somebody at the desk does: answer a ticket and close it."""
    if kind == "request_tracker":
        command = ["perl", "-I/usr/share/request-tracker5/lib", "-e", _STAFF, number]
        subprocess.run(command, env=server.environment, check=True, capture_output=True, timeout=60)
        return
    values = {"kind": kind, "name": "staff", "token": "staff", "account": "admin"}
    os.environ["SIMDIAG_TOKEN_STAFF"] = "admin-of-the-tests"
    staff = settings.connect(roundup.Settings(**values, address=server.address))
    staff.comment(number, "已激活 – try again")
    staff.set_state(number, State.SOLVED)
    staff.close()
    del os.environ["SIMDIAG_TOKEN_STAFF"]


def test_answer_and_end_are_read_and_a_ticket_is_reopened(kind, desk: Desk, server) -> None:
    number = desk.create(run.make_draft(None), None)
    desk.comment(number, "有人吗？")
    answer(kind, server, number)
    case = desk.case(number)
    assert case.state is State.SOLVED
    assert case.desk_state == "resolved"
    told = [(post.text, post.ours) for post in case.posts[1:]]
    assert told == [("有人吗？", True), ("已激活 – try again", False)]
    assert all(post.when is not None for post in case.posts)
    desk.set_state(number, State.OPEN)
    assert desk.case(number).state is State.OPEN


# ---- probes ----------------------------------------------------------------------------------


def test_a_desk_that_is_ready_passes_the_probe(desk: Desk) -> None:
    assert desk.probe().reads_back


def test_a_wrong_token_is_told_in_one_sentence(kind, server, monkeypatch) -> None:
    monkeypatch.setenv(run.TOKEN, "1-27-wrong")
    desk = settings.connect(run.desk_settings(kind, server.port))
    with pytest.raises(AuthRefused, match="refuses our token or password"):
        desk.probe()
    desk.close()


def test_an_unknown_queue_is_told_in_one_sentence(real_request_tracker, monkeypatch) -> None:
    monkeypatch.setenv(run.TOKEN, real_request_tracker.secret)
    wanted = run.desk_settings("request_tracker", real_request_tracker.port, queue="Nowhere")
    desk = settings.connect(wanted)
    with pytest.raises(Hold, match="has no queue Nowhere"):
        desk.probe()
    desk.close()


def test_one_desk_is_not_taken_for_another(
    real_request_tracker: Server, real_roundup: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(run.TOKEN, "x")
    desk = settings.connect(run.desk_settings("roundup", real_request_tracker.port))
    with pytest.raises(Exception, match=r"something else answers|no such thing|refuses our"):
        desk.probe()
    desk.close()


# ---- once, whatever happens on the way -------------------------------------------------------


def sent_exactly(
    kind: str, server: Server, tmp_path: Path, bundles: dict[str, bytes], before: dict[str, object]
) -> None:
    direct = run.desk_settings(kind, server.port)
    found = run.count(tmp_path / "outbox", server.folder, direct, bundles)
    wanted = run.exact(len(bundles))
    for total in ("tickets", "attachments"):
        found[total] = int(found[total]) - int(before[total])  # type: ignore[call-overload]
    assert found == wanted


def totals(kind: str, server: Server, tmp_path: Path) -> dict[str, object]:
    with Outbox(tmp_path / "outbox"):
        pass
    return run.count(tmp_path / "outbox", server.folder, run.desk_settings(kind, server.port), {})


def test_12_reports_through_every_fault_are_12_tickets(kind, server, tmp_path) -> None:
    before = totals(kind, server, tmp_path)
    bundles = run.fill(tmp_path / "outbox", 12)
    with faulty(server.port, FAULTS, seed=3) as proxy:
        run.send_with_two(tmp_path / "outbox", run.desk_settings(kind, proxy.port), 300)
        assert {fate for fate, times in proxy.met.items() if times} == set(FAULTS)
    sent_exactly(kind, server, tmp_path, bundles, before)


def test_reports_of_a_sender_that_is_killed_again_and_again(kind, server, tmp_path) -> None:
    before = totals(kind, server, tmp_path)
    bundles = run.fill(tmp_path / "outbox", 4)
    with faulty(server.port, FAULTS, seed=5) as proxy:
        kills = run.send_with_kills(tmp_path / "outbox", kind, proxy.port, 300)
    assert kills
    sent_exactly(kind, server, tmp_path, bundles, before)
