"""Zammad and Zendesk, by stubs that enforce the published contracts (``desk_stubs.py``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from desk_stubs import Stub, Zammad, Zendesk, stub
from outbox_run import make_draft
from simdiag.ticket import settings
from simdiag.ticket.desk import AuthRefused, Hold, Never, State, Unknown
from simdiag.ticket.moment import Moment
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import Patience, send_due
from test_ticket_outbox import bundle_file

KINDS = {"zammad": Zammad, "zendesk": Zendesk}


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return str(request.param)


@pytest.fixture
def server(kind) -> Iterator[Stub]:
    with stub(KINDS[kind]) as running:
        yield running


def settings_of(kind: str, server: Stub, **more: Any):
    own: dict[str, Any] = {
        "zammad": {"group": "SIM"},
        "zendesk": {"account": "agent@simdiag.test", "fields": {"card": 360001, "place": 360002}},
    }[kind]
    values = {"kind": kind, "name": "desk", "address": server.address, "token": "stub", **own}
    return settings.kinds()[kind].Settings(**{**values, **more})


@pytest.fixture
def desk(kind, server, monkeypatch):
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    connected = settings.connect(settings_of(kind, server))
    yield connected
    connected.close()


def test_a_report_arrives_whole(kind, server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    content = os.urandom(5000)
    draft = make_draft(content)
    with Outbox(tmp_path / "outbox") as outbox:
        outbox.add(draft, "desk", [bundle_file(tmp_path, content)])
        (result,) = send_due(outbox, {"desk": settings_of(kind, server)})
    assert result.entry.state == "verified"
    desk = settings.connect(settings_of(kind, server))
    (held,) = desk.attachments(result.entry.number)
    assert held.name == f"simdiag-{draft.bundle.sha256}.sdb"
    assert desk.download(result.entry.number, held) == content
    desk.close()
    if kind == "zammad":  # fields that its administrator has not made are dropped, and named
        assert {m.field for m in result.entry.missing} >= {"wish", "order", "bundle"}
        assert {m.field for m in result.entry.missing} & {
            "card",
            "key",
            "summary",
            "message",
        } == set()
    else:
        assert result.entry.missing == ()


def test_state_and_answers_are_read_and_changed(kind, desk) -> None:
    number = desk.create(make_draft(None), None)
    assert desk.case(number).state is State.NEW
    desk.comment(number, "有人吗？")
    assert [post.text for post in desk.case(number).posts][1:] == ["有人吗？"]
    assert all(post.ours for post in desk.case(number).posts)
    desk.set_state(number, State.SOLVED)
    assert desk.case(number).state in (State.SOLVED, State.CLOSED)
    desk.set_state(number, State.OPEN)
    assert desk.case(number).state is State.OPEN


def test_a_wrong_token_is_told(kind, server, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "wrong")
    desk = settings.connect(settings_of(kind, server))
    with pytest.raises(AuthRefused, match="refuses our token"):
        desk.probe()
    desk.close()


def test_an_unknown_group_or_field_is_told(kind, server, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    wrong = {"zammad": {"group": "Nowhere"}, "zendesk": {"fields": {"card": 1}}}[kind]
    desk = settings.connect(settings_of(kind, server, **wrong))
    with pytest.raises(Hold, match=r"has no (group Nowhere|field with the number 1)"):
        desk.probe()
    desk.close()


def test_zendesk_refuses_another_text_under_a_key(monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    with stub(Zendesk) as server:
        desk = settings.connect(settings_of("zendesk", server))
        draft = make_draft(None)
        first = desk.create(draft, None)
        assert desk.create(draft, None) == first
        with pytest.raises(Never, match="IdempotentRequestError"):
            desk.create(draft.model_copy(update={"message": "another"}), None)
        desk.close()
        assert len(server.tickets) == 1


def test_zendesk_hangs_nothing_to_a_ticket_that_changed_meanwhile(monkeypatch, tmp_path) -> None:
    from simdiag.ticket.desk import File

    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    with stub(Zendesk) as server:
        desk = settings.connect(settings_of("zendesk", server))
        number = desk.create(make_draft(None), None)
        upload = desk._web.upload

        def change_meanwhile(*words: Any, **more: Any) -> Any:
            server.tickets[int(number)]["updated_at"] = "later"
            return upload(*words, **more)

        desk._web.upload = change_meanwhile
        path = bundle_file(tmp_path, b"bundle")
        with pytest.raises(Unknown, match="UpdateConflict"):
            desk.attach(number, File("simdiag-x.sdb", path, path.stem, 6))
        assert desk.attachments(number) == []
        desk.close()


def test_what_came_twice_to_zammad_is_merged(monkeypatch, tmp_path) -> None:
    """Its search lags, so the second look comes too early; the read-back finds both."""
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    with stub(Zammad) as server:
        wanted = settings_of("zammad", server)
        draft = make_draft(b"bundle")
        with closing(settings.connect(wanted)) as desk:
            desk.create(draft, None)
        server.tickets[1]["at"] += 3600  # not in the index yet
        with Outbox(tmp_path / "outbox") as outbox:
            outbox.add(draft, "desk", [bundle_file(tmp_path, b"bundle")])
            create = Zammad._create

            def indexed(self: Zammad, given: dict[str, Any]) -> dict[str, Any]:
                server.tickets[1]["at"] = 0  # it is by now
                return create(self, given)

            monkeypatch.setattr(Zammad, "_create", indexed)
            (result,) = send_due(outbox, {"desk": wanted})
        assert result.entry.state == "verified"
        open_ones = [n for n, t in server.tickets.items() if "into" not in t]
        assert [str(n) for n in open_ones] == [result.entry.number]


@limits(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(lost=st.lists(st.sampled_from(["", "lost"]), max_size=8))
@pytest.mark.parametrize("kind", KINDS)
def test_lost_answers_make_no_second_ticket(kind, lost, tmp_path_factory) -> None:
    folder: Path = tmp_path_factory.mktemp("stub")
    os.environ["SIMDIAG_TOKEN_STUB"] = "right"
    clock = [1000.0]
    with stub(KINDS[kind]) as server, Outbox(folder / "outbox") as outbox:
        server.lost = list(lost)
        outbox.add(make_draft(b"bundle"), "desk", [bundle_file(folder, b"bundle")])
        for _ in range(20):
            send_due(
                outbox, {"desk": settings_of(kind, server)}, Patience(),
                lambda: Moment(clock[0], "boot", clock[0]),
            )  # fmt: skip
            clock[0] += 40_000
            if outbox.entries()[0].state == "verified":
                break
        (entry,) = outbox.entries()
        desk = settings.connect(settings_of(kind, server))
        assert entry.state == "verified"
        assert len(server.tickets) == 1
        assert len(desk.attachments(entry.number)) == 1
        desk.close()
    del os.environ["SIMDIAG_TOKEN_STUB"]
