"""Desks whose answers mean harm or nothing, days that are none, texts without measure."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from desk_stubs import Zammad, Zendesk, stub
from outbox_run import make_draft
from simdiag.errors import SimdiagError
from simdiag.i18n import translator
from simdiag.profile import Rung
from simdiag.ticket import (
    answers,
    drafting,
    escalation,
    ladder,
    languages,
    settings,
    times,
)
from simdiag.ticket.calendar import calendar
from simdiag.ticket.casebook import Casebook
from simdiag.ticket.desk import Unknown, number_of
from simdiag.ticket.desks.zammad import Zammad as ZammadDesk
from simdiag.ticket.entry import Step
from simdiag.ticket.history import Promise
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import send_due
from simdiag.ticket.states import Kind
from test_ticket_outbox import PATIENCE, SETTINGS, FakeDesk, bundle_file, queued
from test_ticket_stubs import settings_of


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")


# ---- answers of the right shape ----------------------------------------------------------


@pytest.mark.parametrize(
    "told", [None, True, "", "../1", "a/b", "1?x=1", "\x1b[31m", "\ud800", "x" * 99, 1.5, [], {}]
)
def test_what_no_ticket_is_called(told: object) -> None:
    with pytest.raises(Unknown):
        number_of(told)


def test_a_number_without_end_in_an_answer_is_one_sentence(tmp_path, monkeypatch) -> None:
    """JSON's 1e999 is a float without end, of which no integer can be made."""

    def hostile(self: Zendesk, ticket: dict[str, Any], given: dict[str, Any]) -> None:
        file = {"file_name": "x", "size": float("inf"), "content_url": "x"}
        ticket["comments"].append({"id": 1, "body": "x", "attachments": [file]})

    monkeypatch.setattr(Zendesk, "_comment", hostile)
    with stub(Zendesk) as server, Outbox(tmp_path / "outbox") as outbox:
        outbox.add(make_draft(b"b"), "desk", [bundle_file(tmp_path, b"b")])
        (result,) = send_due(outbox, {"desk": settings_of("zendesk", server)})
        assert "something that its kind of desk does not answer" in str(result.problem)
        assert outbox.entries()[0].state == "created"


def test_a_search_that_is_out_of_order_takes_no_ticket_of_others(monkeypatch, tmp_path) -> None:
    """It finds everything, whatever is asked: nothing is hung to those, and none is merged."""
    with stub(Zammad) as server, Outbox(tmp_path / "outbox") as outbox:
        wanted = settings_of("zammad", server)
        with closing(settings.connect(wanted)) as strangers:
            for _ in range(3):
                strangers.create(make_draft(), None)
        monkeypatch.setattr(ZammadDesk, "find", lambda *_: [str(n) for n in sorted(server.tickets)])
        outbox.add(make_draft(b"b"), "desk", [bundle_file(tmp_path, b"b")])
        (result,) = send_due(outbox, {"desk": wanted})
        assert result.entry.state == "verified"
        others = [t for n, t in server.tickets.items() if str(n) != result.entry.number]
        assert len(others) == 3
        assert not [t for t in others if "into" in t or len(t["articles"]) > 1]


@pytest.mark.parametrize("kind", ["zammad", "zendesk"])
def test_what_was_merged_is_not_merged_again(kind, monkeypatch) -> None:
    """It may still be found by its key, and a second merge is refused."""
    with (
        stub({"zammad": Zammad, "zendesk": Zendesk}[kind]) as server,
        closing(settings.connect(settings_of(kind, server))) as found,
    ):
        draft = make_draft()
        keep = found.create(draft, None)
        server.keys.clear()
        extra = found.create(draft, None)
        for _ in range(3):
            found.merge(keep, extra)


# ---- the outbox and the books --------------------------------------------------------------


def test_a_ticket_that_was_handed_over_meanwhile_is_not_sent(tmp_path) -> None:
    with Outbox(tmp_path / "outbox") as outbox:
        first, second = (queued(outbox, tmp_path, bytes([n])) for n in range(2))
        fake = FakeDesk(iter(()))
        create = fake.create

        def meanwhile(draft, file=None):
            if draft.key == first:
                outbox.receipt(second, "by phone")
            return create(draft, file)

        fake.create = meanwhile  # type: ignore[method-assign]
        send_due(outbox, SETTINGS, PATIENCE, fake.now, lambda _: fake)
        assert [draft.key for _, draft in fake.tickets] == [first]
        assert outbox.entry(second).step is Step.VERIFIED


def test_a_desk_cannot_take_the_names_of_other_tickets(tmp_path) -> None:
    """It calls its ticket T1, or like the key of another one."""
    with Outbox(tmp_path / "outbox") as outbox, Casebook(outbox.folder) as book:
        drafts = [make_draft() for _ in range(3)]
        for draft in drafts:
            outbox.add(draft, "desk", again=True)
            book.open_ticket(draft, "desk", "seller", draft.created)
        for draft, number in zip(drafts[1:], ("T1", drafts[0].key), strict=True):
            outbox.receipt(draft.key, number)
            book.note(book.find(draft.key), Kind.SENT, draft.created, number=number)
        assert [book.find(d.key).draft for d in drafts] == drafts
        assert book.find("T1").draft == book.find("t1").draft == drafts[0]
        assert [outbox.entry(d.key).draft for d in drafts] == drafts


# ---- days --------------------------------------------------------------------------------
NOON = datetime(2026, 12, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31", "1969-12-31 23:59", "2200-01-01 00:00"]
)
def test_no_day_is_at_an_end_of_the_calendar(text: str) -> None:
    for read in (times.deadline, times.day, times.period):
        with pytest.raises(SimdiagError):
            read(text, NOON)


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("hours", [-12, 0, 14])
def test_a_promise_at_an_end_of_the_calendar_that_is_in_the_book_breaks_nothing(
    year, hours
) -> None:
    zone = timezone(timedelta(hours=hours))
    by = datetime(1, 1, 1, tzinfo=zone) if year == 1 else datetime(9999, 12, 31, 23, tzinfo=zone)
    promise = Promise(1, NOON, "x", "phone", "an answer", by)
    assert promise.is_due(NOON) == promise.is_overdue(NOON) == (year == 1)
    ticket = type("T", (), {"promises": [promise], "key": "k", "name": "T1", "desk": "d"})
    assert f"DTSTART:{year:04}" in calendar([ticket], NOON, str)  # type: ignore[list-item]


def test_a_day_without_its_year_is_the_one_that_is_meant(monkeypatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    january = datetime(2027, 1, 5, tzinfo=UTC)
    assert str(times.day("12-30", january)) == "2026-12-30"
    assert str(times.day("01-05", january)) == "2027-01-05"
    assert times.period("12-30 .. 01-02", january).startswith("2026-12-30 (+0000) – 2027-01-02")
    assert times.deadline("01-08", NOON).date().isoformat() == "2027-01-08"
    assert times.deadline("12-20", NOON).date().isoformat() == "2026-12-20"


def test_a_clock_that_was_never_set_promises_no_answer() -> None:
    """Else the desk would get a ticket that was due in 1970."""
    day = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    draft = make_draft(created=NOON, profile="china_mobile")
    assert ladder.answer_due(draft, "operator") is not None
    assert ladder.answer_due(draft.model_copy(update={"created": day}), "operator") is None


# ---- texts without measure ---------------------------------------------------------------


@pytest.mark.parametrize("user", ["en", "zh-CN"])
def test_a_text_that_is_pasted_whole_leaves_room_for_the_rest(user: str) -> None:
    said = {"category": "no_service", "happened": "2026-10-01", "place": "x",
            "seen": "日志 log line\n" * 80_000, "steps": ["restart " * 99] * 20}  # fmt: skip
    made = drafting.draft(
        answers.of(said, NOON), None, languages.of(("zh-CN", "en"), user), None, NOON
    )
    last = languages.of(("zh-CN", "en"), user)[-1]
    told = translator(last)("Please answer with a case number, what will be done, and by when.")
    assert made.message.endswith(told)


def test_a_complaint_quotes_the_report_once_however_far_it_climbs(tmp_path) -> None:
    """In two languages it would double at every rung, and push out the second one."""
    with Outbox(tmp_path / "outbox") as outbox, Casebook(outbox.folder) as book:
        draft = make_draft(message="THE REPORT " * 900)
        for role in ("operator", "consumer_body", "regulator"):
            ticket = book.open_ticket(draft, "paper", "seller", NOON)
            rung = Rung(role=role, source="x")  # type: ignore[arg-type]
            draft = escalation.draft(ticket, rung, ("zh_CN", "en"), NOON)
        assert draft.message.count("THE REPORT") == 900
        assert "has not solved this matter" in draft.message
