"""Following up: what may happen to a ticket, that nothing is lost, and what desks say."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simdiag.errors import SimdiagError
from simdiag.message import message
from simdiag.ticket.casebook import FILE, Casebook
from simdiag.ticket.desk import (
    Attachment,
    Capabilities,
    Case,
    File,
    Guard,
    Mismatch,
    NotDone,
    Post,
    State,
    Unknown,
)
from simdiag.ticket.draft import BundleRef, Category, Draft, new_key
from simdiag.ticket.following import Following, Trouble
from simdiag.ticket.history import Ticket
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import Patience
from simdiag.ticket.settings import DeskSettings
from simdiag.ticket.states import TABLE, Kind, Refused, Stage, after

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


def a_draft(**more: Any) -> Draft:
    values = {
        "key": new_key(), "created": NOW, "category": Category.NO_SERVICE, "summary": "no service",
        "message": "Signal found, no data since 2026-10-01 09:00 +0800.", **more,
    }  # fmt: skip
    return Draft(**values)


# ---- the table ---------------------------------------------------------------------------


def test_every_kind_but_the_first_has_a_row() -> None:
    assert set(TABLE) == set(Kind) - {Kind.OPENED}


@pytest.mark.parametrize("kind", TABLE, ids=str)
def test_what_is_refused_is_said_in_a_sentence(kind: Kind) -> None:
    for stage in set(Stage) - set(TABLE[kind]):
        with pytest.raises(Refused) as problem:
            after(stage, kind)
        assert "{" not in str(problem.value)


def test_only_what_was_confirmed_is_closed() -> None:
    assert set(TABLE[Kind.CLOSED]) == {Stage.CONFIRMED}
    ways = {kind for kind, row in TABLE.items() if Stage.CONFIRMED in row.values()
            and any(stage is not Stage.CONFIRMED for stage, to in row.items() if to is Stage.CONFIRMED)}  # fmt: skip
    assert ways == {Kind.CONFIRMED}


def test_whatever_the_desk_says_reopens_and_closes_nothing() -> None:
    for kind in (Kind.ANSWER, Kind.DESK_OPEN, Kind.DESK_WAITING, Kind.DESK_SOLVED):
        assert TABLE[kind][Stage.CLOSED] is Stage.CLOSED
        assert Stage.CLOSED not in {to for at, to in TABLE[kind].items() if at is not Stage.CLOSED}


DATA: dict[Kind, dict[str, Any]] = {
    Kind.SENT: {"number": "7"}, Kind.ANSWER: {"text": "we look into it", "author": "a"},
    Kind.DESK_OPEN: {"word": "open"}, Kind.DESK_WAITING: {"word": "stalled"},
    Kind.DESK_SOLVED: {"word": "resolved"}, Kind.NOTE: {"text": "called again"},
    Kind.TRIED: {"of": 1}, Kind.DELIVERED: {"of": 1},
    Kind.ESCALATED: {"to": "key", "rung": "operator"}, Kind.CONFIRMED: {},
    Kind.REOPENED: {"text": "not solved"}, Kind.CLOSED: {},
}  # fmt: skip


class Books(RuleBasedStateMachine):
    """Anything may be tried on a ticket, at any time, and the program may be ended in between."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.book = Casebook(Path(self.folder.name))
        self.ticket = self.book.open_ticket(a_draft(), "shop", "seller", NOW)
        self.at = NOW
        self.happened = [self.ticket.events[0]]
        self.promised: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.close()
            self.folder.cleanup()

    def do(self, kind: Kind, **data: Any) -> None:
        self.at += timedelta(minutes=7)
        before = self.ticket
        try:
            self.ticket = self.book.note(before, kind, self.at, **data)
        except Refused:
            assert before.stage not in TABLE[kind]
            assert self.book.find(before.key) == before
            return
        assert self.ticket.stage is TABLE[kind][before.stage]
        self.happened.append(self.ticket.events[-1])

    @rule(kind=st.sampled_from(sorted(DATA)))
    def something_happens(self, kind: Kind) -> None:
        self.do(kind, **DATA[kind])

    @rule(what=st.text(min_size=1, max_size=20), hours=st.integers(-100, 100))
    def something_is_promised(self, what: str, hours: int) -> None:
        until = (self.at + timedelta(hours=hours)).isoformat()
        self.do(Kind.PROMISE, who="agent", channel="phone", what=what, by=until)
        self.promised.append(what)

    @precondition(lambda self: self.promised)
    @rule(data=st.data(), kind=st.sampled_from([Kind.PROMISE_KEPT, Kind.PROMISE_BROKEN]))
    def a_promise_ends(self, data: st.DataObject, kind: Kind) -> None:
        self.do(kind, promise=data.draw(st.integers(1, len(self.promised))))

    @rule()
    def the_program_is_ended(self) -> None:
        self.book.close()
        self.book = Casebook(Path(self.folder.name))

    @invariant()
    def nothing_is_lost(self) -> None:
        found = self.book.find(self.ticket.key)
        assert found == self.ticket
        assert list(found.events) == self.happened
        assert [promise.what for promise in found.promises] == self.promised

    @invariant()
    def a_closed_one_can_be_reopened(self) -> None:
        if self.ticket.stage is Stage.CLOSED:
            assert after(Stage.CLOSED, Kind.REOPENED) is Stage.REOPENED


Books.TestCase.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestBooks = Books.TestCase


# ---- the file ----------------------------------------------------------------------------


def test_the_database_itself_forgets_and_changes_nothing(tmp_path: Path) -> None:
    with Casebook(tmp_path) as book:
        book.open_ticket(a_draft(), "shop", "seller", NOW)
    raw = sqlite3.connect(tmp_path / FILE)
    for statement in ("DELETE FROM event", "UPDATE event SET data = '{}'", "DELETE FROM ticket"):
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(statement)
    raw.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), "damaged"),
        (lambda path: path.write_bytes(b"hello" * 1000), "damaged"),
        (lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99"), "newer"),
        (lambda path: sqlite3.connect(path).execute("PRAGMA application_id = 7"), "not a database"),
    ],
    ids=["damaged", "no database", "newer", "somebody else's"],
)
def test_a_bad_file_is_one_sentence_and_stays(tmp_path: Path, spoil: Any, said: str) -> None:
    with Casebook(tmp_path) as book:
        book.open_ticket(a_draft(), "shop", "seller", NOW)
    for extra in tmp_path.glob(f"{FILE}-*"):
        extra.unlink()
    held = spoil(tmp_path / FILE)
    if held is not None and hasattr(held, "connection"):
        held.connection.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(SimdiagError, match=said):
        Casebook(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_an_event_of_an_unknown_kind_is_one_sentence(tmp_path: Path) -> None:
    with Casebook(tmp_path) as book:
        book.open_ticket(a_draft(), "shop", "seller", NOW)
    raw = sqlite3.connect(tmp_path / FILE)
    raw.execute(
        "INSERT INTO event (ticket, at, kind, data) VALUES (1, ?, 'eaten', '{}')",
        (NOW.isoformat(),),
    )
    raw.commit()
    raw.close()
    with Casebook(tmp_path) as book, pytest.raises(SimdiagError, match="T1"):
        book.tickets()


def test_the_casebook_is_for_its_user_alone(tmp_path: Path) -> None:
    Casebook(tmp_path).close()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key_end", ["9617437a", "96174378"])
def test_a_ticket_is_found_by_its_names(tmp_path: Path, key_end: str) -> None:
    with Casebook(tmp_path) as book:
        first = book.open_ticket(a_draft(), "shop", "seller", NOW)
        assert book.find(None).key == first.key
        second = a_draft(key=f"{new_key()[:-8]}{key_end}")
        second = book.open_ticket(second, "shop", "seller", NOW)
        second = book.note(second, Kind.SENT, NOW, number="C-880")
        for name in ("T2", "t2", "2", "C-880", second.key, second.key[-8:]):
            assert book.find(name).key == second.key
        for name in ("T3", "nothing", "\x1b[31m"):
            with pytest.raises(SimdiagError, match="no ticket") as problem:
                book.find(name)
            assert "\x1b" not in str(problem.value)
        with pytest.raises(SimdiagError, match="several"):
            book.find(None)


def test_times_of_a_desk_are_measured_from_when_it_had_the_ticket(tmp_path: Path) -> None:
    with Casebook(tmp_path) as book:
        ticket = book.open_ticket(a_draft(), "shop", "seller", NOW - timedelta(days=9))
        assert (ticket.response(), ticket.solution()) == (None, None)
        ticket = book.note(ticket, Kind.SENT, NOW, number="1")
        told = (NOW + timedelta(minutes=20)).isoformat()
        ticket = book.note(
            ticket, Kind.ANSWER, NOW + timedelta(hours=3), id="5", text="", when=told
        )
        assert ticket.response() == timedelta(minutes=20)
        ticket = book.note(ticket, Kind.CONFIRMED, NOW + timedelta(days=2))
        ticket = book.note(ticket, Kind.CLOSED, NOW + timedelta(days=2))
        assert ticket.solution() == timedelta(days=2)
        ticket = book.note(ticket, Kind.REOPENED, NOW + timedelta(days=3), text="no")
        assert ticket.solution() is None


# ---- desks -------------------------------------------------------------------------------


@dataclass
class ADesk:
    """A desk in memory that can fail before or after it has done what was asked."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities(Guard.SERVER))
    keys: dict[str, str] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    state: State = State.NEW
    fails: list[str] = field(default_factory=list)
    """What goes wrong next: ``refused``, ``lost`` (done, but the answer is lost), ``""``."""

    def _asked(self) -> str:
        fault = self.fails.pop(0) if self.fails else ""
        if fault == "refused":
            raise NotDone(message("cannot be reached"))
        return fault

    @contextmanager
    def _writing(self) -> Iterator[None]:
        fault = self._asked()
        yield
        if fault == "lost":
            raise Unknown(message("the connection broke off"))

    def probe(self) -> Capabilities:
        return self.capabilities

    def find(self, key: str) -> list[str]:
        return [self.keys[key]] if key in self.keys else []

    def create(self, draft: Draft, file: File | None) -> str:
        self.keys[draft.key] = str(len(self.keys) + 1)
        return self.keys[draft.key]

    def attachments(self, number: str) -> list[Attachment]:
        return [Attachment(name, None, name) for name in self.files]

    def attach(self, number: str, file: File) -> None:
        with self._writing():
            assert file.path.exists()
            self.files.append(file.name)

    def download(self, number: str, attachment: Attachment) -> bytes:
        return b""

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        return []

    def case(self, number: str) -> Case:
        return Case(number, self.state, str(self.state), tuple(self.posts))

    def comment(self, number: str, text: str) -> None:
        with self._writing():
            self.posts.append(Post(f"c{len(self.posts)}", "me", NOW, text + "\r\n", ours=True))

    def set_state(self, number: str, state: State) -> None:
        with self._writing():
            self.state = state

    def merge(self, keep: str, extra: str) -> None:
        raise AssertionError

    def close(self) -> None: ...

    def answer(self, text: str, when: datetime | None = None) -> None:
        self.posts.append(Post(f"a{len(self.posts)}", "agent\x1b[31m", when, text, ours=False))


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def desk() -> ADesk:
    return ADesk()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def following(tmp_path: Path, desk: ADesk, clock: Clock) -> Iterator[Following]:
    outbox = Outbox(tmp_path / "outbox")
    book = Casebook(outbox.folder)
    desks = {"shop": DeskSettings(kind="any", name="shop")}
    yield Following(book, outbox, desks, clock, lambda _settings: desk, Patience(first_s=0))
    book.close()
    outbox.close()


def begun(following: Following, **more: Any) -> Ticket:
    draft = a_draft(**more)
    following.outbox.add(draft, "shop")
    following.adopt()
    return following.book.find(draft.key)


def synced(following: Following, ticket: Ticket) -> tuple[Ticket, list[Trouble]]:
    troubles = list(following.sync())
    return following.book.find(ticket.key), troubles


def test_a_ticket_is_sent_answered_solved_and_closed(
    following: Following, desk: ADesk, clock: Clock
) -> None:
    from simdiag.ticket import ending

    ticket, troubles = synced(following, begun(following))
    assert (ticket.stage, ticket.number, troubles) == (Stage.SENT, "1", [])
    clock.now += timedelta(hours=2)
    desk.answer("Which city? 请告知城市。", NOW + timedelta(minutes=30))
    desk.state = State.WAITING
    ticket, _ = synced(following, ticket)
    assert ticket.stage is Stage.WAITING
    assert ticket.response() == timedelta(minutes=30)
    answer = next(e for e in ticket.events if e.kind is Kind.ANSWER)
    assert answer.data["text"] == "Which city? 请告知城市。"
    assert "\x1b" not in answer.data["author"]
    desk.state = State.SOLVED
    ticket, _ = synced(following, ticket)
    assert ticket.stage is Stage.SOLVED
    ticket = ending.confirm(following, ticket, clock())
    assert ticket.stage is Stage.CLOSED
    ticket, _ = synced(following, ticket)
    assert not ticket.pending()
    count = len(ticket.events)
    ticket, _ = synced(following, ticket)
    assert len(ticket.events) == count  # what is known is not noted again


def test_a_reopened_ticket_is_opened_at_the_desk_with_its_bundle(
    following: Following, desk: ADesk, clock: Clock, tmp_path: Path
) -> None:
    from simdiag.ticket import ending

    ticket, _ = synced(following, begun(following))
    ticket = ending.confirm(following, ticket, clock())
    ticket, _ = synced(following, ticket)
    assert desk.state is State.SOLVED
    path = tmp_path / "x.sdb"
    path.write_bytes(b"bundle")
    kept = following.outbox.keep(path)
    bundle = {"name": "x.sdb", "sha256": kept.sha256, "size": kept.size}
    history = ticket.events
    ticket = ending.reopen(following, ticket, clock(), text="It fails again.", bundle=bundle)
    ticket, _ = synced(following, ticket)
    assert ticket.stage is Stage.REOPENED
    assert ticket.events[: len(history)] == history
    assert desk.state is State.OPEN
    assert [post.text.strip() for post in desk.posts] == ["It fails again."]
    assert desk.files == [f"simdiag-{kept.sha256}.sdb"]


@pytest.mark.parametrize(
    "fails",
    [
        [],
        ["refused"],
        ["lost"],
        ["", "lost"],
        ["lost", "refused", "lost"],
        ["refused"] * 3 + ["lost"],
    ],
    ids=lambda fails: "-".join(fails) or "none",
)
def test_a_note_with_its_file_arrives_once(
    following: Following, desk: ADesk, clock: Clock, tmp_path: Path, fails: list[str]
) -> None:
    ticket, _ = synced(following, begun(following))
    path = tmp_path / "y.sdb"
    path.write_bytes(b"more")
    kept = following.outbox.keep(path)
    bundle = {"name": "y.sdb", "sha256": kept.sha256, "size": kept.size}
    ticket = following.book.note(
        ticket, Kind.NOTE, clock(), text="Two\nlines", to_desk=True, bundle=bundle
    )
    desk.fails = list(fails)
    for _attempt in range(10):
        ticket, troubles = synced(following, ticket)
        assert bool(troubles) <= bool(fails)
        ticket, troubles = synced(following, ticket)  # too early to look: nothing is sent
        assert not troubles
        clock.now += timedelta(minutes=5)
    assert not ticket.pending()
    assert [post.text for post in desk.posts] == ["Two\nlines\r\n"]
    assert len(desk.files) == 1


def test_the_same_words_twice_are_two_notes(
    following: Following, desk: ADesk, clock: Clock
) -> None:
    ticket, _ = synced(following, begun(following))
    for _i in range(2):
        ticket = following.book.note(ticket, Kind.NOTE, clock(), text="Any news?", to_desk=True)
    ticket, _ = synced(following, ticket)
    assert len(desk.posts) == 2
    clock.now += timedelta(hours=1)
    synced(following, ticket)
    assert len(desk.posts) == 2


def test_nothing_is_added_before_the_ticket_is_there(
    following: Following, desk: ADesk, clock: Clock
) -> None:
    ticket = begun(following)
    ticket = following.book.note(ticket, Kind.NOTE, clock(), text="more", to_desk=True)
    following = replace(following, desks={})
    ticket, troubles = synced(following, ticket)
    assert ticket.stage is Stage.NEW
    assert troubles
    assert desk.posts == []


def test_a_desk_that_fails_keeps_no_other_ticket_waiting(
    following: Following, desk: ADesk, clock: Clock
) -> None:
    tickets = [synced(following, begun(following))[0] for _ in range(2)]
    for ticket in tickets:
        following.book.note(ticket, Kind.NOTE, clock(), text=ticket.name, to_desk=True)
    desk.fails = ["refused"]
    troubles = list(following.sync())
    assert [t.ticket.name for t in troubles if t.ticket] == ["T1"]
    assert [post.text.strip() for post in desk.posts] == ["T2"]


def test_an_outbox_that_was_filled_without_a_casebook_is_taken_over(following: Following) -> None:
    draft = a_draft()
    following.outbox.add(draft, "shop")  # and the program was killed
    following.adopt()
    following.adopt()
    assert [t.key for t in following.book.tickets()] == [draft.key]


@pytest.mark.parametrize("sent", [False, True])
def test_a_lost_outbox_is_made_anew_from_the_casebook_and_nothing_is_sent_twice(
    following: Following, desk: ADesk, tmp_path: Path, sent: bool
) -> None:
    bundle = tmp_path / "b.zip"
    bundle.write_bytes(b"bundle")
    digest = hashlib.sha256(b"bundle").hexdigest()
    draft = a_draft(bundle=BundleRef(name="b.zip", sha256=digest, size=6))
    following.outbox.add(draft, "shop", [bundle])
    following.adopt()
    if sent:
        list(following.sync())
    (tmp_path / "outbox" / "outbox.db").rename(tmp_path / "moved.db")
    with Outbox(tmp_path / "outbox") as empty:
        again = replace(following, outbox=empty)
        again.adopt()
        assert [e.files[0].path.read_bytes() for e in empty.entries()] == [b"bundle"]
        assert not list(again.sync())
        assert empty.entry(draft.key).number == "1"
    assert list(desk.keys) == [draft.key]
    assert len(desk.files) == 1


def test_an_escalation_that_was_cut_short_is_taken_over_with_its_rung(
    following: Following, clock: Clock
) -> None:
    ticket, draft = begun(following), a_draft()
    following.book.note(ticket, Kind.ESCALATED, clock(), to=draft.key, rung="regulator")
    following.outbox.add(draft, "shop")  # and the program was killed
    following.adopt()
    made = following.book.find(draft.key)
    assert (made.rung, made.previous) == ("regulator", ticket.key)


def test_a_desk_that_only_takes_mail_is_never_written_to_again(
    following: Following, desk: ADesk, clock: Clock
) -> None:
    from simdiag.ticket import ending

    desk.capabilities = Capabilities(Guard.MESSAGE_ID, reads_back=False)
    ticket, _ = synced(following, begun(following))
    assert ticket.stage is Stage.SENT
    assert not following.by_hand("shop")
    ticket = ending.confirm(following, ticket, clock())
    assert not ticket.pending()
    ticket, troubles = synced(following, ending.reopen(following, ticket, clock(), text="no"))
    assert (troubles, desk.posts, ticket.stage) == ([], [], Stage.REOPENED)


def test_a_flood_from_the_desk_is_bounded(following: Following, desk: ADesk) -> None:
    ticket, _ = synced(following, begun(following))
    desk.answer("x" * 1_000_000)
    ticket, _ = synced(following, ticket)
    answer = next(e for e in ticket.events if e.kind is Kind.ANSWER)
    assert len(answer.data["text"]) < 25_000


def test_names_of_answers_that_are_no_text_do_not_stop_the_rest(following, desk, clock) -> None:
    ticket, _ = synced(following, begun(following))
    desk.answer("hello")
    desk.posts[-1] = replace(desk.posts[-1], id="\ud800\x1b[31m")
    for _ in range(2):
        ticket, troubles = synced(following, ticket)
        assert troubles == []
    assert [e.data["text"] for e in ticket.events if e.kind is Kind.ANSWER] == ["hello"]


@pytest.mark.parametrize("words", ["yes", "no data", "Signal"])
def test_a_note_whose_words_stand_somewhere_else_is_sent(following, desk, clock, words) -> None:
    """In the first message, or in an answer of the desk's."""
    ticket, _ = synced(following, begun(following))
    desk.answer(f"We saw no data yesterday. Signal? {words}")
    ticket = following.book.note(ticket, Kind.NOTE, clock(), text=words, to_desk=True)
    desk.fails = ["refused", "lost"]
    for _ in range(4):
        ticket, _ = synced(following, ticket)
        clock.now += timedelta(minutes=5)
    assert [p.text.strip() for p in desk.posts if p.ours] == [words]
    assert not ticket.pending()


def test_whoever_was_waiting_for_the_desk_reads_the_book_again(following, desk, clock) -> None:
    """Another program has fetched and delivered between the reading and the lock."""
    ticket, _ = synced(following, begun(following))
    ticket = following.book.note(ticket, Kind.NOTE, clock(), text="news?", to_desk=True)
    desk.answer("hello")
    stale = [following.book.find(ticket.key)]
    synced(following, ticket)
    assert list(following._desk("shop", stale)) == []
    ticket = following.book.find(ticket.key)
    assert [p.text.strip() for p in desk.posts if p.ours] == ["news?"]
    assert [e.data["text"] for e in ticket.events if e.kind is Kind.ANSWER] == ["hello"]
    assert sum(e.kind is Kind.DELIVERED for e in ticket.events) == 1
