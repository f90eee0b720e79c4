"""Who comes next, what they are told, until when a card goes back, and reminders."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.cli.ticket_report import desk_times, duration
from simdiag.cli.tickets import reminders
from simdiag.registry import profiles
from simdiag.ticket import drafting, escalation, ladder
from simdiag.ticket.answers import Answers
from simdiag.ticket.calendar import calendar
from simdiag.ticket.casebook import Casebook
from simdiag.ticket.draft import Category, Draft, Urgency, new_key
from simdiag.ticket.history import Ticket
from simdiag.ticket.states import Kind

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
OPERATORS = sorted(id_ for id_, p in profiles().by_id.items() if p.contacts)


def a_ticket(
    folder: Path,
    *happened: tuple[Kind, timedelta, dict[str, Any]],
    rung: str = "seller",
    **more: Any,
) -> Ticket:
    draft = Draft(**{
        "key": new_key(), "created": NOW, "category": Category.NO_SERVICE, "summary": "no service",
        "message": "Signal, no data.", "profile": "china_mobile", "wish": "a new card", **more,
    })  # fmt: skip
    with Casebook(folder) as book:
        ticket = book.open_ticket(draft, "shop", rung, NOW)
        for kind, later, data in happened:
            ticket = book.note(ticket, kind, NOW + later, **data)
    return ticket


def promise(what: str, by: timedelta) -> dict[str, Any]:
    return {"who": "agent 7", "channel": "phone", "what": what, "by": (NOW + by).isoformat()}


# ---- the ladder --------------------------------------------------------------------------


@pytest.mark.parametrize("id_", OPERATORS)
def test_a_complaint_climbs_every_rung_once_and_then_is_at_the_top(
    id_: str, tmp_path: Path
) -> None:
    ticket = a_ticket(tmp_path, profile=id_)
    climbed = []
    while (rung := ladder.following(ticket)) is not None:
        climbed.append(rung.role)
        with Casebook(tmp_path) as book:
            ticket = book.note(ticket, Kind.ESCALATED, NOW, to="x", rung=rung.role)
    assert climbed == [r.role for r in profiles().by_id[id_].ladder][1:]
    for role in climbed:
        assert ladder.contacts(ticket.draft, role)


@pytest.mark.parametrize(
    ("id_", "roles"),
    [
        ("china_mobile", ["operator", "consumer_body", "regulator", "public"]),
        ("three_hk", ["operator", "consumer_body", "regulator"]),
        ("bell", ["operator", "consumer_body", "regulator"]),
    ],
)
def test_the_order_of_each_region(id_: str, roles: list[str], tmp_path: Path) -> None:
    assert [r.role for r in ladder.of(a_ticket(tmp_path, profile=id_).draft)][1:] == roles


def test_who_is_at_the_bodies_of_each_region(tmp_path: Path) -> None:
    def reached(id_: str, role: str) -> set[str]:
        return {c.address for c in ladder.contacts(a_ticket(tmp_path, profile=id_).draft, role)}

    assert "12315" in reached("xiaomi_mobile", "consumer_body")
    assert "12300" in reached("china_unicom", "regulator")
    assert "https://www.ccts-cprst.ca" in reached("telus", "consumer_body")
    assert "https://crtc.gc.ca" in reached("rogers", "regulator")
    assert "+85229292222" in reached("csl_1010", "consumer_body")
    assert "+85229616333" in reached("three_hk", "regulator")


def test_a_first_ticket_goes_to_the_seller_where_one_is_named(tmp_path: Path) -> None:
    assert ladder.first_rung(a_ticket(tmp_path, seller="shop").draft) == "seller"
    assert ladder.first_rung(a_ticket(tmp_path).draft) == "operator"
    for unknown in ("", "generic", "gone"):
        assert ladder.first_rung(a_ticket(tmp_path, profile=unknown).draft) == "seller"


def test_an_unknown_operator_still_has_a_ladder(tmp_path: Path) -> None:
    rung = ladder.following(a_ticket(tmp_path, profile=""))
    assert rung is not None
    assert rung.role == "operator"


# ---- the next text -----------------------------------------------------------------------


def test_the_next_text_tells_the_whole_history(tmp_path: Path) -> None:
    day = timedelta(days=1)
    ticket = a_ticket(
        tmp_path,
        (Kind.SENT, day, {"number": "C-8812", "channel": "phone", "staff": "2231"}),
        (Kind.ANSWER, day, {"author": "2231", "text": "we look\ninto it", "channel": "phone"}),
        (Kind.PROMISE, day, promise("working within 24 h", 2 * day)),
        (Kind.PROMISE, day, promise("a call", 3 * day)),
        (Kind.PROMISE_KEPT, 3 * day, {"promise": 2}),
        (Kind.NOTE, 4 * day, {"text": "called, nobody knows"}),
    )
    rung = ladder.following(ticket)
    assert rung is not None
    draft = escalation.draft(ticket, rung, ("en",), NOW + 9 * day)
    for said in ("9 days", "C-8812", "2231", "we look into it", "working within 24 h",
                 "2026-10-02 12:00 +0000", "Promise 1: not kept by 2026-10-03 12:00 +0000",
                 "Promise 2: kept", "called, nobody knows", "Signal, no data.", "a new card"):  # fmt: skip
        assert said in draft.message
    assert draft.category is Category.COMPLAINT
    assert draft.urgency is Urgency.HIGH
    assert draft.key != ticket.key
    assert draft.summary == "Complaint: no service"


def test_a_complaint_is_called_so_once_however_far_it_climbs(tmp_path: Path) -> None:
    ticket = a_ticket(tmp_path, category=Category.COMPLAINT, summary="Complaint: x" * 20)
    rung = ladder.following(ticket)
    assert rung is not None
    draft = escalation.draft(ticket, rung, ("en",), NOW)
    assert draft.summary.startswith("Complaint: x")
    assert len(draft.summary) <= 251


# ---- windows -----------------------------------------------------------------------------


@given(days=st.integers(-400, 400))
def test_days_left_of_the_windows(days: int) -> None:
    bought = date(2026, 10, 1)
    draft = Draft(key=new_key(), created=NOW, category=Category.CARD_FAULT, summary="x", message="",
                  profile="china_mobile", bought=bought)  # fmt: skip
    left = {
        one.window.kind: one.days for one in ladder.windows(draft, bought + timedelta(days=days))
    }
    assert left == {"return": 7 - days, "exchange": 30 - days}


def test_no_window_runs_without_an_order_or_off_the_calendar() -> None:
    values = {"key": new_key(), "created": NOW, "category": Category.CARD_FAULT, "summary": "x",
              "message": "", "profile": "china_mobile"}  # fmt: skip
    assert list(ladder.windows(Draft(**values), NOW.date())) == []
    far = Draft(**values, bought=date(9999, 12, 31))
    assert list(ladder.windows(far, NOW.date())) == []


# ---- reminders, calendar, times ----------------------------------------------------------


def test_promises_are_called_due_before_their_time_and_overdue_after(tmp_path: Path) -> None:
    ticket = a_ticket(
        tmp_path,
        (Kind.PROMISE, timedelta(), promise("a new card", timedelta(days=5))),
        (Kind.PROMISE, timedelta(), promise("a call", timedelta(days=1))),
        (Kind.PROMISE_KEPT, timedelta(), {"promise": 2}),
    )

    def said(later: timedelta) -> list[str]:
        return list(reminders([ticket], NOW + later))

    assert said(timedelta(days=2)) == []
    [due] = said(timedelta(days=4))
    assert "due by 2026-10-06 12:00 +0000" in due
    [overdue] = said(timedelta(days=6))
    assert "OVERDUE" in overdue
    assert "a new card" in overdue
    assert "agent 7" in overdue


def test_an_operator_that_does_not_answer_in_its_time_is_named(tmp_path: Path) -> None:
    ticket = a_ticket(tmp_path, (Kind.SENT, timedelta(), {"number": "1"}), rung="operator")
    assert list(reminders([ticket], NOW + timedelta(days=14))) == []
    [line] = reminders([ticket], NOW + timedelta(days=16))
    assert "escalate T1" in line


def test_the_calendar_holds_the_open_promises_in_lines_that_fit(tmp_path: Path) -> None:
    ticket = a_ticket(
        tmp_path,
        (
            Kind.PROMISE,
            timedelta(),
            promise("换新卡；退款, 50 元\nBEGIN:VEVENT" * 9, timedelta(days=5)),
        ),
        (Kind.PROMISE, timedelta(), promise("done", timedelta(days=5))),
        (Kind.PROMISE_KEPT, timedelta(), {"promise": 2}),
    )
    text = calendar([ticket], NOW, str)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text.count("\r\nBEGIN:VEVENT") == 1
    assert "DTSTART:20261006T120000Z" in text
    unfolded = text.replace("\r\n ", "")
    assert r"退款\, 50 元 BEGIN:VEVENT" in unfolded


def test_the_times_of_a_desk_are_the_middle_ones(tmp_path: Path) -> None:
    found = []
    for number, minutes in enumerate((10, 30, 5000)):
        folder = tmp_path / str(number)
        folder.mkdir()
        found.append(a_ticket(
            folder, (Kind.SENT, timedelta(), {"number": "1"}),
            (Kind.ANSWER, timedelta(minutes=minutes), {"text": "", "author": ""}),
        ))  # fmt: skip
    [line] = desk_times(found)
    assert "30 min" in line
    assert duration(timedelta(minutes=5000)) == "3 d 11 h"


def test_a_draft_says_by_when_an_answer_is_wanted_where_a_rule_does() -> None:
    profile = profiles().by_id["china_unicom"]
    answers = Answers(category=Category.NO_SERVICE)
    due = {rung.role: rung.days for rung in profile.ladder}["operator"]
    made = drafting.draft(answers, None, ("en",), profile, NOW)
    assert due
    assert made.due == NOW + timedelta(days=due)
    assert drafting.draft(answers, None, ("en",), None, NOW).due is None
