"""The outbox and its sender: durable, and once from the desk's point of view, whatever happens."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbox_run import make_draft
from simdiag.database import DiskFull
from simdiag.errors import SimdiagError
from simdiag.message import message
from simdiag.ticket.desk import (
    Attachment,
    AuthRefused,
    Capabilities,
    File,
    Guard,
    Mismatch,
    Missing,
    Never,
    NotDone,
    NotTaken,
    Unknown,
    Unreached,
)
from simdiag.ticket.draft import Draft, content_key, new_key
from simdiag.ticket.entry import Step
from simdiag.ticket.moment import Moment
from simdiag.ticket.moment import now as real_now
from simdiag.ticket.one_way import OneWay
from simdiag.ticket.outbox import AlreadyThere, Outbox
from simdiag.ticket.sender import Patience, Result, send_due
from simdiag.ticket.settings import DeskSettings

SETTINGS = {"desk": DeskSettings(kind="fake", name="desk")}
PATIENCE = Patience(first_s=10, most_s=1000, settle_s=120)
HOLD_S = 100.0
"""How late a request may be carried out; shorter than the senders' settle time."""


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


class FakeDesk(OneWay):
    """A desk without any guard, in a world whose clock the test moves. ``fates`` are for writes."""

    def __init__(self, fates: Iterator[str]) -> None:
        self.fates = fates
        self.clock = 1000.0
        self.last = 0
        self.tickets: list[tuple[str, Draft]] = []
        self.files: dict[str, list[tuple[str, bytes]]] = {}
        self.coming: list[tuple[float, object]] = []
        self.capabilities = Capabilities(Guard.SEARCH)
        self.problem: Exception | None = None
        self.probes = 0

    def now(self) -> Moment:
        return Moment(self.clock, "boot", self.clock)

    def wait(self, seconds: float) -> None:
        self.clock += seconds
        for when, act in list(self.coming):
            if when <= self.clock:
                self.coming.remove((when, act))
                act()  # type: ignore[operator]

    def probe(self) -> Capabilities:
        self.probes += 1
        if self.problem:
            raise self.problem
        return self.capabilities

    def find(self, key: str) -> list[str]:
        return [number for number, draft in self.tickets if draft.key == key]

    def create(self, draft: Draft, file: File | None = None) -> str:
        self.last += 1  # a number is given once, also to what comes late
        number = str(self.last)

        def act() -> None:
            self.tickets.append((number, draft))
            self.files.setdefault(number, [])

        self._write(act)
        return number

    def attachments(self, number: str) -> list[Attachment]:
        return [Attachment(name, len(content), name) for name, content in self.files[number]]

    def attach(self, number: str, file: File) -> None:
        content = file.path.read_bytes()
        self._write(lambda: self.files[number].append((file.name, content)))

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        kept = dict(self.tickets)[number]
        return [] if kept == draft else [Mismatch("message", draft.message, kept.message)]

    def _write(self, act) -> None:
        fate = next(self.fates, "ok")
        if fate == "killed before":
            raise Killed
        if fate == "refused":
            raise NotDone(message("refused"))
        if fate == "cut":
            raise Unknown(message("cut"))
        if fate == "late":
            self.coming.append((self.clock + HOLD_S, act))
            raise Unknown(message("time-out"))
        if fate == "killed, late":
            self.coming.append((self.clock + HOLD_S, act))
            raise Killed
        act()
        if fate == "lost":
            raise Unknown(message("the answer is lost"))
        if fate == "killed after":
            raise Killed


FATES = ["ok", "refused", "cut", "lost", "late", "killed before", "killed after", "killed, late"]


def send(outbox: Outbox, desk: FakeDesk) -> list[Result]:
    return send_due(outbox, SETTINGS, PATIENCE, desk.now, lambda _: desk)


def bundle_file(folder: Path, content: bytes) -> Path:
    path = folder / f"{hashlib.sha256(content).hexdigest()}.sdb"
    path.write_bytes(content)
    return path


def queued(outbox: Outbox, folder: Path, content: bytes = b"bundle", **more: object) -> str:
    draft = make_draft(content, **more)
    return outbox.add(draft, "desk", [bundle_file(folder, content)], again=True).key


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox") as opened:
        yield opened


# ---- once from the desk's point of view ------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(FATES), max_size=14), st.integers(1, 3))
def test_every_report_becomes_one_ticket_with_one_file(
    tmp_path_factory, fates: list[str], reports: int
) -> None:
    folder = tmp_path_factory.mktemp("law")
    desk = FakeDesk(iter(fates))
    contents = {}
    with Outbox(folder / "outbox") as outbox:
        for number in range(reports):
            content = b"bundle %d" % number
            contents[queued(outbox, folder, content)] = content
        for _ in range(200):
            with suppress(Killed):
                send(outbox, desk)
            desk.wait(60)
            if all(e.step is Step.VERIFIED for e in outbox.entries()):
                break
        desk.wait(HOLD_S)
        entries = outbox.entries()
    assert [e.step for e in entries] == [Step.VERIFIED] * reports
    assert not [e.missing for e in entries if e.missing]
    assert sorted(draft.key for _, draft in desk.tickets) == sorted(contents)
    for entry in entries:
        held = desk.files[entry.number]
        assert [content for _, content in held] == [contents[entry.key]]
        assert held[0][0] == f"simdiag-{hashlib.sha256(contents[entry.key]).hexdigest()}.sdb"


def test_without_waiting_a_late_request_would_make_a_second_ticket(outbox, tmp_path) -> None:
    """The law above can fail: with a settle time shorter than the desk's delay it does."""
    desk = FakeDesk(iter(["late"]))
    queued(outbox, tmp_path)
    hasty = Patience(first_s=1, most_s=1, settle_s=1)
    for _ in range(3):
        send_due(outbox, SETTINGS, hasty, desk.now, lambda _: desk)
        desk.wait(60)
    desk.wait(HOLD_S)
    assert len(desk.tickets) == 2


def test_a_desk_that_another_sender_is_at_is_left_to_it(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    queued(outbox, tmp_path)
    with Outbox(tmp_path / "outbox") as other, other.sending("desk") as alone:
        assert alone
        assert send(outbox, desk) == []
    assert [r.entry.state for r in send(outbox, desk)] == ["verified"]


def test_a_dead_network_is_not_asked_for_every_ticket(outbox, tmp_path) -> None:
    desk = FakeDesk(iter(["refused"] * 100))
    for _ in range(20):
        queued(outbox, tmp_path)
    assert len(send(outbox, desk)) == 4


def test_the_wait_grows_and_stays_with_the_ticket(outbox, tmp_path) -> None:
    desk = FakeDesk(iter(["refused"] * 20))
    key = queued(outbox, tmp_path)
    waits = []
    for _ in range(6):
        send(outbox, desk)
        with Outbox(tmp_path / "outbox") as again:
            waits.append(again.entry(key).wait_s)
        desk.wait(waits[-1])
    assert waits == sorted(waits)
    assert 7 <= waits[0] <= 13
    assert 240 <= waits[5] <= 400


@pytest.mark.parametrize(
    ("problem", "least", "most"), [(Unreached, 450, 750), (NotDone, 16_000, 27_000)]
)
def test_who_was_offline_for_a_day_does_not_wait_for_hours(
    problem: type[NotDone], least: float, most: float
) -> None:
    assert least <= Patience().after(50, problem(message("away"))) <= most


def test_nothing_is_sent_before_its_wait_is_over(outbox, tmp_path) -> None:
    desk = FakeDesk(iter(["refused"]))
    queued(outbox, tmp_path)
    send(outbox, desk)
    desk.wait(5)
    assert send(outbox, desk) == []
    assert desk.probes == 1


# ---- clocks ----------------------------------------------------------------------------------


@given(
    st.floats(-1e9, 4e9), st.floats(-1e9, 4e9), st.floats(0, 1e6), st.floats(0, 1e6),
    st.floats(0, 21600),
)  # fmt: skip
def test_a_jump_of_the_clock_changes_no_wait(then, later, ticks, gone, wait_s) -> None:
    since = Moment(then, "boot", ticks)
    left = Moment(later, "boot", ticks + gone).left_of(wait_s, since)
    assert left == pytest.approx(max(0.0, wait_s - gone), abs=1e-3)


@given(st.floats(-1e9, 4e9), st.floats(-1e9, 4e9), st.floats(0, 21600))
def test_after_a_reboot_nothing_waits_longer_than_it_should(then, later, wait_s) -> None:
    left = Moment(later, "second", 1.0).left_of(wait_s, Moment(then, "first", 1e5))
    assert 0 <= left <= wait_s


def test_time_runs() -> None:
    first = real_now()
    second = real_now()
    assert first.boot == second.boot
    assert second.ticks >= first.ticks


# ---- what a desk refuses ---------------------------------------------------------------------


def test_a_refused_token_holds_every_ticket_of_that_desk_and_of_no_other(outbox, tmp_path) -> None:
    first, second = FakeDesk(iter([])), FakeDesk(iter([]))
    first.problem = AuthRefused(message("refuses our token"))
    for desk in ("desk", "desk", "other"):
        draft = make_draft(None)
        outbox.add(draft, desk, again=True)
    both = {"desk": SETTINGS["desk"], "other": DeskSettings(kind="fake", name="other")}

    def opened(chosen: DeskSettings) -> FakeDesk:
        return first if chosen.name == "desk" else second

    results = send_due(outbox, both, PATIENCE, first.now, opened)
    assert [(r.desk, r.problem.render() if r.problem else "") for r in results] == [
        ("desk", "refuses our token"), ("other", ""),
    ]  # fmt: skip
    assert [e.state for e in outbox.entries()] == ["held", "held", "verified"]
    first.problem = None
    assert send_due(outbox, both, PATIENCE, first.now, opened) == []
    assert first.probes == 1, "a desk that refuses us is left alone"
    outbox.release("desk")
    send_due(outbox, both, PATIENCE, first.now, opened)
    assert [e.state for e in outbox.entries()] == ["verified"] * 3


def test_what_the_desk_will_never_take_stays_here_with_the_reason(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    desk.create = lambda draft, file: (_ for _ in ()).throw(Never(message("no such thing")))  # type: ignore[method-assign]
    key = queued(outbox, tmp_path)
    (result,) = send(outbox, desk)
    assert result.problem is not None
    entry = outbox.entry(key)
    assert entry.state == "dead"
    assert entry.problem is not None
    assert entry.problem.render() == "no such thing"
    assert entry.files[0].path.read_bytes() == b"bundle"


@pytest.mark.parametrize("told", ["by the probe", "by a refusal"])
def test_a_desk_that_takes_no_large_file_gets_the_next_smaller_one(outbox, tmp_path, told) -> None:
    desk = FakeDesk(iter([]))
    sizes = [b"x" * 9000, b"x" * 5000, b"x" * 100]
    if told == "by the probe":
        desk.capabilities = replace(desk.capabilities, max_bytes=1000)
    else:
        take = desk.attach

        def attach(number: str, file: File) -> None:
            if file.size > 1000:
                raise NotTaken(message("too large"))
            take(number, file)

        desk.attach = attach  # type: ignore[method-assign]
    draft = make_draft(sizes[0])
    outbox.add(draft, "desk", [bundle_file(tmp_path, content) for content in sizes])
    (result,) = send(outbox, desk)
    assert result.entry.state == "verified"
    ((_, content),) = desk.files[result.entry.number]
    assert content == sizes[2]
    assert dict(desk.tickets)[result.entry.number] == draft, "the ticket itself is unchanged"


@pytest.mark.parametrize("problem", [Missing(message("404")), KeyError("id")])
def test_what_is_missing_for_an_hour_kills_no_ticket(outbox, tmp_path, problem) -> None:
    """A gateway says 404 while the desk starts anew, and a broken one answers anything."""
    key, desk = queued(outbox, tmp_path), FakeDesk(iter([]))
    with mock.patch.object(desk, "find", side_effect=problem):
        (result,) = send(outbox, desk)
    assert result.problem is not None
    assert outbox.entry(key).step is Step.QUEUED
    desk.wait(1000)
    send(outbox, desk)
    assert outbox.entry(key).step is Step.VERIFIED


def test_a_desk_that_takes_no_file_gets_the_ticket_and_we_are_told(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    desk.capabilities = replace(desk.capabilities, extensions=(".txt",))
    queued(outbox, tmp_path)
    (result,) = send(outbox, desk)
    assert result.entry.state == "verified"
    assert [m.field for m in result.entry.missing] == ["file"]
    assert not desk.files[result.entry.number]


def test_what_the_desk_changed_is_named(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    desk.verify = lambda number, draft: [Mismatch("card", draft.card, "")]  # type: ignore[method-assign]
    key = queued(outbox, tmp_path)
    send(outbox, desk)
    assert outbox.entry(key).missing == (Mismatch("card", "898600********1234", ""),)


def test_a_desk_that_the_settings_lack_is_named_and_its_tickets_wait(outbox, tmp_path) -> None:
    queued(outbox, tmp_path)
    (result,) = send_due(outbox, {}, PATIENCE)
    assert "no desk desk" in result.problem.render()
    assert outbox.entries()[0].state == "queued"


# ---- durable -------------------------------------------------------------------------------------

ADDER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from outbox_run import make_draft
from simdiag.ticket.outbox import Outbox
folder = Path({folder!r})
with Outbox(folder / "outbox") as outbox:
    for number in range(1000):
        content = b"%d" % number * 5000
        (folder / "bundle").write_bytes(content)
        draft = make_draft(content)
        outbox.add(draft, "desk", [folder / "bundle"], again=True)
        print(draft.key, flush=True)
"""


def test_whoever_is_killed_has_kept_what_was_returned(tmp_path) -> None:
    script = ADDER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    adder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert adder.stdout is not None
    first = adder.stdout.readline()
    time.sleep(random.uniform(0.0, 0.3))
    adder.send_signal(signal.SIGKILL)
    returned = [first.strip(), *(line.strip() for line in adder.stdout.readlines() if "\n" in line)]
    adder.stdout.close()
    adder.wait()
    with Outbox(tmp_path / "outbox") as outbox:
        entries = {e.key: e for e in outbox.entries()}
    assert set(returned) <= set(entries)
    for entry in entries.values():
        content = entry.files[0].path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry.draft.bundle.sha256


def test_a_ticket_is_never_changed_under_its_key(outbox, tmp_path) -> None:
    key = queued(outbox, tmp_path)
    with sqlite3.connect(tmp_path / "outbox" / "outbox.db") as direct:
        for column in ("key", "desk", "draft", "content"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                direct.execute(f"UPDATE ticket SET {column} = 'x'")
    direct.close()
    with pytest.raises(SimdiagError):
        outbox.add(
            make_draft(b"bundle", key=key), "desk", [bundle_file(tmp_path, b"bundle")], again=True
        )


def test_only_the_user_can_read_the_outbox(outbox, tmp_path) -> None:
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0


def test_a_bundle_that_is_not_the_named_one_is_not_taken(outbox, tmp_path) -> None:
    draft = make_draft(b"bundle")
    with pytest.raises(SimdiagError, match="not the one that the ticket names"):
        outbox.add(draft, "desk", [bundle_file(tmp_path, b"another")])
    assert outbox.entries() == []


# ---- one meaning, one ticket -----------------------------------------------------------------


def test_the_same_matter_of_one_day_is_told_with_its_number(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    first = make_draft(None)
    outbox.add(first, "desk")
    send(outbox, desk)
    with pytest.raises(AlreadyThere, match="already, as ticket 1 at desk") as told:
        outbox.add(make_draft(None), "desk")
    assert told.value.entry.key == first.key
    assert outbox.add(make_draft(None), "desk", again=True).state == "queued"


@pytest.mark.parametrize(
    "other",
    [{"card": "898600********9999"}, {"cause": "no_signal"},
     {"created": datetime.now(UTC) + timedelta(days=2)}, {"card": ""}],
)  # fmt: skip
def test_another_matter_is_none_of_it(outbox, other) -> None:
    outbox.add(make_draft(None), "desk")
    assert outbox.add(make_draft(None, **other), "desk").state == "queued"


def test_a_draft_without_card_and_cause_resembles_none() -> None:
    assert content_key(make_draft(None, card="")) == ""


@given(st.lists(st.none(), min_size=2, max_size=50))
def test_keys_are_uuids_of_version_7_and_all_different(times) -> None:
    keys = [new_key() for _ in times]
    assert len(set(keys)) == len(keys)
    assert all(key[14] == "7" and key[19] in "89ab" for key in keys)


@given(st.text(max_size=400))
def test_no_text_breaks_a_line_or_a_field(text) -> None:
    draft = make_draft(None, place=text, seller=text)
    assert len(draft.place) <= 260
    assert "\n" not in draft.place
    assert Draft.model_validate_json(draft.canonical()) == draft


# ---- handed over another way, ended ----------------------------------------------------------


def test_a_ticket_handed_over_another_way_is_not_sent(outbox, tmp_path) -> None:
    desk = FakeDesk(iter([]))
    key = queued(outbox, tmp_path)
    outbox.receipt(key, "T-17")
    assert send(outbox, desk) == []
    assert outbox.entry("T-17").key == key
    outbox.closed(key)
    assert outbox.entry(key).state == "closed"
    outbox.reopened(key)
    assert outbox.entry(key).state == "verified"


@pytest.mark.parametrize("step", [Step.QUEUED, Step.CREATED, Step.ATTACHED, Step.VERIFIED])
def test_a_reopened_ticket_goes_on_where_it_was(step, outbox, tmp_path) -> None:
    """One whose file had not gone yet when it was closed is not taken for whole."""
    key = queued(outbox, tmp_path)
    outbox.progress(key, step, "T-17" if step is not Step.QUEUED else "")
    for _ in range(2):
        outbox.closed(key)
    outbox.reopened(key)
    entry = outbox.entry(key)
    assert (entry.step, entry.doing) == (step, "")


def test_a_ticket_that_is_not_there_is_told(outbox) -> None:
    with pytest.raises(SimdiagError, match="there is no ticket 17"):
        outbox.entry("17")


# ---- the database ----------------------------------------------------------------------------


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)


def newer(path: Path) -> None:
    Outbox(path.parent).close()
    with sqlite3.connect(path) as direct:
        direct.execute("PRAGMA user_version = 99")
    direct.close()


def strange(path: Path) -> None:
    with sqlite3.connect(path) as direct:
        direct.execute("CREATE TABLE music (title)")
    direct.close()


@pytest.mark.parametrize(
    "change", ["step = 'bogus'", "missing = '[1]'", "problem = '{'", "draft = '{}'", "held = 'x'"]
)
def test_a_row_that_nobody_wrote_is_one_sentence(outbox, tmp_path, change) -> None:
    queued(outbox, tmp_path)
    outbox.hold("desk", message("no"))
    with sqlite3.connect(outbox.folder / "outbox.db") as direct:
        direct.execute("DROP TRIGGER never_changed")
        direct.execute(f"UPDATE {'desk' if 'held' in change else 'ticket'} SET {change}")
    with pytest.raises(SimdiagError, match="cannot be used") as caught:
        outbox.entries()
    assert "\n" not in caught.value.message.render()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(damaged, "is damaged: move it away"), (newer, "was written by a newer simdiag"),
     (strange, "is not a database of simdiag's")],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_left_as_it_is(tmp_path, make, sentence) -> None:
    path = tmp_path / "outbox" / "outbox.db"
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()
    with pytest.raises(SimdiagError, match=sentence):
        Outbox(path.parent)
    assert path.read_bytes() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", folder]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root to mount a small file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_keeps_what_is_there_and_says_so(small_disk, tmp_path) -> None:
    content = b"x" * 60_000
    with Outbox(small_disk / "outbox") as outbox:

        def fill() -> None:
            for number in range(100):
                queued(outbox, tmp_path, content + b"%d" % number)

        with pytest.raises(DiskFull, match="the disk is full"):
            fill()
        kept = outbox.entries()
        assert kept
        assert all(e.files[0].path.stat().st_size == e.files[0].size for e in kept)
    with Outbox(small_disk / "outbox") as again:
        assert len(again.entries()) == len(kept)
    assert not list((small_disk / "outbox" / "files").glob(".*"))


def test_a_disk_that_was_filled_meanwhile_is_named_and_not_an_io_error(
    small_disk, tmp_path
) -> None:
    with Outbox(small_disk / "outbox") as outbox:
        key = queued(outbox, tmp_path)
    rest = small_disk / "rest"
    with suppress(OSError), rest.open("ab", buffering=0) as filling:
        while True:
            filling.write(bytes(1024))
    with pytest.raises(DiskFull, match="the disk is full"):
        Outbox(small_disk / "outbox")
    rest.unlink()
    with Outbox(small_disk / "outbox") as outbox:
        assert outbox.entry(key).step is Step.QUEUED
