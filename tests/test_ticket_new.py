"""Making a ticket: what is asked, what is judged, what is drafted, in whose language."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simdiag.causes import CAUSES
from simdiag.cli import asking
from simdiag.errors import SimdiagError
from simdiag.log import examine_log
from simdiag.message import Message
from simdiag.registry import profiles
from simdiag.ticket import account, answers, choosing, drafting, judging, languages, settings, times
from simdiag.ticket.answers import Answers
from simdiag.ticket.draft import BundleRef, Category, Complexity, Draft, Urgency
from simdiag.ticket.facts import Facts
from simdiag.ticket.rehearsal import leaving

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 10, 15, 14, 30, tzinfo=CHINA)
NOT_ACTIVATED = b"""AT+CPIN?
+CPIN: READY
OK
AT+QCCID
+QCCID: 89860012345678901234
OK
AT+CIMI
460001234567890
OK
AT+CEREG?
+CEREG: 3,3,,,,0,2
OK
AT+CSQ
+CSQ: 23,99
OK
"""


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """A card that is not activated, as a bundle tells it."""
    path = tmp_path / "log.txt"
    path.write_bytes(NOT_ACTIVATED)
    result = examine_log(path)
    assert result.diagnosis.cause == "sim_not_activated"
    return Facts(
        result.diagnosis, result.evidence, datetime(2026, 10, 14, 1, 0, tzinfo=UTC), path,
        BundleRef(name="simdiag-1.sdb", sha256="a" * 64, size=19824), "e584-cc67",
    )  # fmt: skip


# ---- grading -----------------------------------------------------------------------------


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_makes_some_kind_of_request(cause: str) -> None:
    assert judging.category(cause) in judging.CATEGORIES


def test_every_degree_has_a_name_and_every_kind_a_wish() -> None:
    assert set(judging.CATEGORIES) == set(judging.WISHES) == set(Category)
    assert set(judging.URGENCIES) == set(Urgency)
    assert set(judging.COMPLEXITIES) == set(Complexity)


def test_grading_by_the_evidence(facts: Facts) -> None:
    assert judging.category("sim_not_activated") is Category.ACTIVATION
    assert judging.category("usage_mismatch") is Category.USAGE_DISPUTE
    assert judging.category("data_barred") is Category.TOP_UP
    assert judging.urgency(Category.ACTIVATION, facts) is Urgency.HIGH
    assert judging.urgency(Category.ENQUIRY, None) is Urgency.LOW
    assert judging.complexity(Category.ACTIVATION, facts) is Complexity.SIMPLE
    assert judging.complexity(Category.BILLING_DISPUTE, None) is Complexity.COMPLEX


# ---- drafting ----------------------------------------------------------------------------


def drafted(facts: Facts | None, desk: tuple[str, ...], user: str, **said: Any) -> Draft:
    written_in = languages.of(desk, user)
    profile = profiles().by_id["china_mobile"]
    return drafting.draft(Answers(**said), facts, written_in, profile, NOW)


def test_the_evidence_answers_what_it_can(facts: Facts) -> None:
    draft = drafted(facts, ("en",), "en", place="Shenzhen", happened="2026-10-14 09:00 +0800")
    assert draft.category is Category.ACTIVATION
    assert (draft.cause, draft.profile) == ("sim_not_activated", "china_mobile")
    assert draft.card.startswith("898600")
    assert facts.examined is not None
    for said in ("reject cause 2", times.shown(facts.examined.astimezone()), "Shenzhen", "2026-10-14 09:00 +0800",
                 "-67 dBm", "a" * 64, "e584-cc67", "AT+CEREG? → +CEREG: 3,3,,,,0,2"):  # fmt: skip
        assert said in draft.message


def test_no_identifier_leaves_but_what_the_user_typed(facts: Facts) -> None:
    draft = drafted(facts, ("en",), "zh-CN", account="13800138000")
    kept = draft.canonical()
    for hidden in ("89860012345678901234", "460001234567890", "12345678901234"):
        assert hidden not in kept
    assert "13800138000" in draft.message


@pytest.mark.parametrize(
    ("desk", "user", "expected"),
    [
        (("en",), "en", ("en",)),
        (("zh-CN",), "zh-CN", ("zh-CN",)),
        (("zh-CN",), "en", ("zh-CN", "en")),
        (("en", "zh-CN"), "zh-CN", ("zh-CN",)),
        (("en",), "zh-CN", ("en", "zh-CN")),
        ((), "zh-CN", ("zh-CN",)),
        (("fr",), "zh-CN", ("en", "zh-CN")),
    ],
)
def test_the_message_is_in_the_desks_language_and_the_users(
    facts: Facts, desk: tuple[str, ...], user: str, expected: tuple[str, ...]
) -> None:
    draft = drafted(facts, desk, user, place="深圳")
    assert draft.languages == expected
    titles = {
        "en": "The SIM card is fine, but it is not activated",
        "zh-CN": languages.written([Message(CAUSES["sim_not_activated"].title)], ["zh_CN"]),
    }
    for tag, title in titles.items():
        assert (title in draft.message) == (tag in expected)
    assert draft.message.count("深圳") == len(expected)


def test_nothing_in_the_message_is_a_catalogues_header(facts: Facts) -> None:
    assert "Project-Id-Version" not in drafted(facts, ("zh-CN",), "zh-HK").message


def test_what_the_user_says_goes_before_what_is_judged(facts: Facts) -> None:
    draft = drafted(facts, (), "en", category="complaint", urgency="low", complexity="simple",
                    wish="Money back")  # fmt: skip
    assert (draft.category, draft.urgency, draft.complexity) == ("complaint", "low", "simple")
    assert draft.wish == "Money back"


@given(st.text(max_size=3000), st.text(max_size=400))
def test_whatever_is_typed_makes_a_whole_draft(seen: str, step: str) -> None:
    said = Answers(category=Category.NO_SERVICE, seen=seen, steps=(step,), place="{0}{who}%s")
    draft = drafting.draft(said, None, ("zh_CN", "en"), None, NOW)
    assert Draft.model_validate_json(draft.canonical()) == draft
    assert "{0}{who}%s" in draft.message
    assert "\x1b" not in draft.message
    assert "\n" not in draft.summary


# ---- answers -----------------------------------------------------------------------------


def test_what_is_missing_without_evidence_and_with_it(facts: Facts) -> None:
    assert asking.missing(Answers(), None) == ["category", "happened", "place", "seen"]
    assert asking.missing(Answers(), facts) == ["place"]
    said = Answers(category=Category.BILLING_DISPUTE, happened="2026-10-01", seen="15 CNY")
    assert asking.missing(said, None) == []


def test_a_file_of_answers_is_strict(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(
        '{"schema": "simdiag/ticket-answers/1", "category": "top_up", "bought": "2026-10-01"}'
    )
    found = answers.read(path)
    assert (found.category, str(found.bought)) == (Category.TOP_UP, "2026-10-01")
    for bad, said in (("{", "holds no answers"), ('{"category": "bad"}', "category"),
                      ('{"typo": 1}', "typo"), ("[" * 100_000, "holds no answers")):  # fmt: skip
        path.write_text(bad)
        with pytest.raises(SimdiagError, match=said):
            answers.read(path)
    with pytest.raises(SimdiagError, match="cannot be read"):
        answers.read(tmp_path / "none.json")


def test_what_is_said_by_options_is_checked_as_strictly() -> None:
    found = answers.of({"bought": "2026-10-01", "happened": "now", "steps": ("x",)}, NOW)
    assert (str(found.bought), found.happened) == ("2026-10-01", "2026-10-15 14:30 +0800")
    with pytest.raises(answers.NoAnswer) as problem:
        answers.of({"urgency": "soon"}, NOW)
    assert problem.value.field == "urgency"
    assert "'urgent'" in problem.value.why.render()


def test_the_schema_is_the_one_that_answers_are_read_by() -> None:
    schema = answers.json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) >= {"schema", "category", "happened", "place", "seen", "steps"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-01 09:05 +0800", "2026-10-01 09:05 +0800"),
        ("2026-10-01T09:05Z", "2026-10-01 09:05 +0000"),
        ("now", "2026-10-15 14:30 +0800"),
        ("2026-10-01 09:05 +0800 .. 2026-10-02 10:00 +0800",
         "2026-10-01 09:05 +0800 – 2026-10-02 10:00 +0800"),
    ],
)  # fmt: skip
def test_times_get_their_zone(text: str, expected: str) -> None:
    assert times.period(text, NOW) == expected
    assert times.period(expected, NOW) == expected


def test_a_day_is_a_day_of_this_computer() -> None:
    zone = datetime(2026, 10, 1).astimezone()
    assert times.period("2026-10-01", NOW) == f"2026-10-01 ({zone:%z})"
    assert times.deadline("3d", NOW) == NOW + timedelta(days=3)
    assert times.deadline("48h", NOW) == NOW + timedelta(hours=48)
    assert f"{times.deadline('2026-10-20', NOW):%Y-%m-%d %H:%M}" == "2026-10-20 23:59"


@given(st.text(max_size=80))
def test_any_text_is_a_time_or_a_sentence(text: str) -> None:
    for read in (times.period, times.deadline, times.day):
        with suppress(SimdiagError):
            assert read(text, NOW) is not None


# ---- account facts -----------------------------------------------------------------------


def test_account_facts_are_kept_for_their_user_alone_and_by_card() -> None:
    mine = account.Account(seller="card shop", order="12345")
    account.keep("898600…1", mine)
    account.keep("", account.Account(plan="30 GB"))
    assert account.known("898600…1") == mine
    assert account.known("other") == account.Account()
    path = settings.folder() / account.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    with pytest.raises(SimdiagError, match="damaged"):
        account.known("")
    with pytest.raises(SimdiagError, match="damaged"):
        account.keep("", mine)  # what may be saved by hand is not written over
    assert path.read_text() == "{"


# ---- what leaves -------------------------------------------------------------------------


class _Listener(http.server.BaseHTTPRequestHandler):
    """Takes down requests as they arrive and answers like either desk."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append(  # type: ignore[attr-defined]
            f"{self.requestline}\r\n{self.headers.as_string()}".replace("\n", "\r\n")
            .replace("\r\r\n", "\r\n").encode() + body + b"\r\n"
        )  # fmt: skip
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        told = {"id": 0, "login": "me", "ticket": {"id": 0}}
        told["data"] = {"id": "0", "collection": [{"id": "0"}]}
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words: object) -> None: ...


@pytest.mark.parametrize("kind", ["request_tracker", "roundup", "zammad", "zendesk"])
def test_the_preview_is_what_arrives_but_for_the_secret(
    facts: Facts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_T", "very-secret")
    draft = drafted(facts, ("zh-CN",), "en", place="深圳")
    with socketserver.TCPServer(("127.0.0.1", 0), _Listener) as server:
        server.sent = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        own = {
            "request_tracker": {"queue": "Q"}, "roundup": {"account": "me"},
            "zammad": {"group": "G"}, "zendesk": {"account": "me@simdiag.test"},
        }[kind]  # fmt: skip
        where = f"http://127.0.0.1:{server.server_address[1]}/"
        chosen = settings.kinds()[kind].Settings(
            kind=kind, name="d", address=where, token="t", **own
        )
        shown = leaving(chosen, draft, None)
        assert server.sent == []  # type: ignore[attr-defined]
        desk = settings.connect(chosen)
        desk.create(draft, None)
        desk.close()
        server.shutdown()
        thread.join()
    assert b"very-secret" not in shown
    assert b"Authorization: ***" in shown
    arrived = b"".join(server.sent)  # type: ignore[attr-defined]
    secret = next(line for line in arrived.split(b"\r\n") if line.startswith(b"Authorization: "))
    assert arrived.replace(secret, b"Authorization: ***") == shown


def test_the_preview_of_the_paper_desk_is_its_text(facts: Facts, tmp_path: Path) -> None:
    paper = choosing.desks()[choosing.BY_HAND]
    draft = drafted(facts, (), "en", place="Shenzhen")
    shown = leaving(paper.model_copy(update={"folder": tmp_path}), draft, None)
    desk = settings.connect(paper.model_copy(update={"folder": tmp_path}))
    desk.probe()
    assert (Path(desk.create(draft, None)) / "ticket.txt").read_bytes() == shown


def test_a_desk_says_what_it_reads_else_its_operator() -> None:
    paper = choosing.desks()[choosing.BY_HAND]
    assert choosing.languages(paper, profiles().by_id["china_mobile"]) == ("zh-CN",)
    assert choosing.languages(paper, None) == ()
    told = paper.model_copy(update={"languages": ("en",)})
    assert choosing.languages(told, profiles().by_id["china_mobile"]) == ("en",)


def test_answers_take_no_unknown_field() -> None:
    with pytest.raises(ValidationError):
        Answers(typo="x")  # type: ignore[call-arg]
