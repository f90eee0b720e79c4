"""The operator is asked by message: what it answers counts, what others write does not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.emulator import EmulatedModem
from simdiag.emulator.messages import deliver
from simdiag.emulator.pty import Wire, running
from simdiag.evidence import Evidence
from simdiag.profile import UsageQuery
from simdiag.reconcile.answer import Answer
from simdiag.reconcile.claim import read
from simdiag.reconcile.sms import by_sms
from simdiag.redact import Redactor
from simdiag.session import AtSession
from simdiag.transcript.recorded import Recording, write_transcript
from simdiag.transport import SerialTransport
from sms_modem import Direct, modem_with
from usage_command import october

WORDS = "您好，您本月套餐内流量共有30GB，已使用12.34GB，剩余17.66GB。"
LONG = "尊敬的客户：" + "截至今日零点的套餐使用情况如下，仅供参考，以账单为准。" * 3 + WORDS
QUERY = UsageQuery(channel="sms", address="10086", text="CXLL", source="a test")
OTHER = "13900000000"


def asked(
    modem: EmulatedModem, query: UsageQuery = QUERY, **more: object
) -> tuple[Answer, Direct, AtSession]:
    """Ask over a direct line, and put everything back as an examination does."""
    direct = Direct(modem, **more)  # type: ignore[arg-type]
    session = AtSession(direct, lambda _: None, clock=direct.clock)
    try:
        return by_sms(session, query), direct, session
    finally:
        session.restore_settings()


def settings_of(modem: EmulatedModem) -> tuple[object, ...]:
    box = modem.messages
    return box.format, tuple(box.reports), box.memory, modem.execute("AT+CMEE?").lines


CHANGED = {
    "message_format": 1,
    "message_reports": (1, 0, 0, 0, 0),
    "message_memories": ("SM", "ME"),
}


# ---- answers -----------------------------------------------------------------------------
@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("text", [WORDS, LONG])
def test_an_answer_is_read_whole_whichever_part_comes_first(text: str, order: str) -> None:
    modem = modem_with(message_reply=text, message_order=order, **CHANGED)
    before = settings_of(modem)
    answer, direct, _ = asked(modem)
    assert answer == Answer(text)
    assert read(answer.text).used is not None
    assert direct.now < 20
    assert settings_of(modem) == before
    assert all(kept.unread is False for kept in modem.messages.kept["ME"])  # read, and left there


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5), st.booleans(), st.booleans(),
    st.sampled_from([WORDS, LONG]), st.sampled_from([0, 1, 2]), st.sampled_from(["first", "last"]),
)  # fmt: skip
def test_whatever_the_pieces_and_the_settings_the_answer_is_read(
    sizes: list[int], echo: bool, announced: bool, text: str, mt: int, order: str
) -> None:
    modem = modem_with(
        message_reply=text, echo=echo, message_announced=announced, message_order=order,
        message_reports=(0, mt, 0, 0, 0), message_format=mt % 2,
    )  # fmt: skip
    before = settings_of(modem)
    answer, _, _ = asked(modem, sizes=sizes)
    assert answer == Answer(text)
    assert settings_of(modem) == before


@pytest.mark.parametrize("stay", [True, False])
@pytest.mark.parametrize("announced", [True, False])
def test_a_modem_that_can_show_messages_unread_leaves_them_unread(
    stay: bool, announced: bool
) -> None:
    earlier = deliver(OTHER, "See you at five")
    modem = modem_with(
        message_reply=WORDS, messages_stay_unread=stay, message_announced=announced,
        messages=tuple(earlier),
    )  # fmt: skip
    answer, _, _ = asked(modem)
    assert answer == Answer(WORDS)
    first, second = modem.messages.kept["ME"]
    assert second.unread is stay
    assert first.unread is (stay or announced)  # what is not announced has to be looked for


def test_messages_of_others_are_no_answer() -> None:
    modem = modem_with(message_reply=WORDS, message_sender=OTHER)
    answer, direct, _ = asked(modem)
    assert answer.problem is not None
    assert "was sent and may still be answered" in answer.problem.render()
    assert "--claim-file" in answer.problem.render()
    assert 120 <= direct.now < 135
    named = QUERY.model_copy(update={"senders": ("+" + OTHER,)})
    assert asked(modem_with(message_reply=WORDS, message_sender=OTHER), named)[0] == Answer(WORDS)


@pytest.mark.parametrize("announced", [True, False])
def test_an_older_message_of_the_operator_is_no_answer(announced: bool) -> None:
    old = datetime.now(UTC) - timedelta(hours=2)
    modem = modem_with(
        messages=tuple(deliver("10086", "Used 99GB", old)), message_reply=WORDS,
        message_announced=announced,
    )  # fmt: skip
    assert asked(modem)[0] == Answer(WORDS)


def test_a_message_that_is_handed_over_is_read_too() -> None:
    modem = modem_with(
        message_reply=LONG, message_order="last", message_reports=(2, 2, 0, 0, 0),
        unsupported=["+CNMI"],
    )  # fmt: skip
    answer, direct, _ = asked(modem, sizes=[11])
    assert answer == Answer(LONG)
    assert b"CMGR" not in direct.written


def test_a_modem_that_falls_silent_after_the_text_may_have_sent_it() -> None:
    class Silent(EmulatedModem):
        def take_message(self, body: bytes, end: bytes):  # type: ignore[no-untyped-def]
            response = super().take_message(body, end)
            response.lines, response.final = [], ""
            return response

    modem = Silent(modem_with(message_reply=WORDS, **CHANGED).scenario)
    before = settings_of(modem)
    answer, _, _ = asked(modem)
    assert answer == Answer(WORDS)
    assert settings_of(modem) == before


def test_a_first_message_that_tells_nothing_is_waited_out() -> None:
    class Polite(EmulatedModem):
        def take_message(self, body: bytes, end: bytes):  # type: ignore[no-untyped-def]
            response = super().take_message(body, end)
            thanks = deliver("10086", "Your question is being dealt with.")[0]
            response.later.insert(0, (0.1, lambda: self.messages._arrive(thanks)))
            response.later = [response.later[0], *((20.0, what) for _, what in response.later[1:])]
            return response

    modem = Polite(modem_with(message_reply=WORDS).scenario)
    answer, direct, _ = asked(modem)
    assert answer == Answer(WORDS)
    assert direct.now >= 20
    alone = Polite(modem_with(message_reply="").scenario)
    assert asked(alone)[0] == Answer("Your question is being dealt with.")


def test_a_part_that_never_comes_is_said() -> None:
    class Losing(EmulatedModem):
        def take_message(self, body: bytes, end: bytes):  # type: ignore[no-untyped-def]
            response = super().take_message(body, end)
            del response.later[0]
            return response

    answer, _, _ = asked(Losing(modem_with(message_reply=LONG).scenario))
    assert answer.problem is not None
    assert "only a part of it came" in answer.problem.render()


# ---- refusals ----------------------------------------------------------------------------
@pytest.mark.parametrize("prompt", ["> ", ""])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (330, "no number of a service centre"),
        (50, "the network refuses messages"),
        (332, "try again later"),
        (500, "the modem refused it (+CMS ERROR: 500)"),
    ],
)
def test_a_refusal_gets_a_sentence_and_nothing_is_waited_for(
    code: int, sentence: str, prompt: str
) -> None:
    modem = modem_with(message_error=code, message_prompt=prompt, **CHANGED)
    before = settings_of(modem)
    answer, direct, _ = asked(modem)
    assert answer.problem is not None
    assert sentence in answer.problem.render()
    assert direct.now < 5
    assert settings_of(modem) == before


def test_a_modem_without_messages_is_told_nothing() -> None:
    answer, direct, _ = asked(modem_with(unsupported=["+CMGF"]))
    assert answer.problem is not None
    assert "does not deal with messages" in answer.problem.render()
    assert b"CMGS" not in direct.written


def test_a_full_memory_is_said_before_anything_is_sent() -> None:
    modem = modem_with(messages=tuple(deliver(OTHER, "x")[0] for _ in range(23)))
    answer, direct, _ = asked(modem)
    assert answer.problem is not None
    assert "is full" in answer.problem.render()
    assert b"CMGS" not in direct.written


def test_a_modem_that_does_not_prompt_is_left_ready() -> None:
    modem = modem_with(message_prompt="", **CHANGED)
    before = settings_of(modem)
    answer, direct, _ = asked(modem)
    assert answer.problem is not None
    assert "did not ask for the message's text" in answer.problem.render()
    assert (direct.prompted, settings_of(modem)) == (False, before)


@pytest.mark.parametrize("line", ["+CPMS: ", '+CPMS: "S\r",1,2', '+CPMS: "&W",1,20,"&F",1,20,"Z;",1,20', "+CNMI: 9,9",
                                  "+CNMI: 2,7,0,0,0", "+CMGF: 7", "+CMGF: x"])  # fmt: skip
def test_odd_answers_change_no_setting_and_raise_nothing(line: str) -> None:
    class Odd(EmulatedModem):
        def execute(self, text: str):  # type: ignore[no-untyped-def]
            response = super().execute(text)
            if text == f"AT{line.partition(':')[0]}?":
                response.lines = [line]
            return response

    answer, direct, _ = asked(Odd(modem_with(message_reply=WORDS).scenario))
    assert (answer == Answer(WORDS)) is ("CMGF" not in line)
    changed = re.findall(rb"AT(\+C(?:PMS|NMI|MGF)=[^\r]*)", direct.written)
    assert changed == []


# ---- however it ends, everything is back --------------------------------------------------
@pytest.mark.parametrize("sizes", [[7], [10_000]])
def test_wherever_ctrl_c_comes_all_is_as_it_was(sizes: list[int]) -> None:
    for number in range(1, 400):
        modem = modem_with(message_reply=WORDS, **CHANGED)
        before = settings_of(modem)
        direct = Direct(modem, sizes, interrupt_at=number)
        session = AtSession(direct, lambda _: None, clock=direct.clock)
        try:
            answer = by_sms(session, QUERY)
        except KeyboardInterrupt:
            answer = None
        direct._interrupt_at = 0
        session.restore_settings()
        assert not direct.prompted
        assert settings_of(modem) == before
        if answer is not None:
            assert answer == Answer(WORDS)
            break
    assert answer is not None
    assert number > 8


# ---- what is recorded ---------------------------------------------------------------------
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_a_recording_holds_neither_number_nor_words(size: int, tmp_path: Path) -> None:
    secret = "13812345678"
    modem = modem_with(
        message_reply=f"手机号{secret}，余额88.5元。{WORDS}", message_sender=secret,
        message_reports=(2, 2, 0, 0, 0), message_error=None,
    )  # fmt: skip
    query = QUERY.model_copy(update={"address": secret})
    direct = Direct(modem, [size])
    session = AtSession(direct, lambda _: None, clock=direct.clock)
    answer = by_sms(session, query)
    session.restore_settings()
    assert secret in answer.text
    events = session.recorder.events
    wire = b"".join(event.data for event in events)
    pdu = modem.messages.kept["ME"][0].pdu.encode()
    assert modem.messages.sent[0].encode() in wire
    assert pdu in wire or size == 1
    path = tmp_path / "record.jsonl"
    write_transcript(path, events, Redactor(Evidence()).data)
    shown = b"".join(Recording.from_json(line).data for line in path.read_text().splitlines())
    assert len(shown) == len(wire)
    for hidden in (
        modem.messages.sent[0].encode(),
        pdu,
        secret.encode(),
        b"3118325476",
        b"0031003300380031",
        b"4432C93",
    ):
        assert hidden not in shown
    assert not re.search(rb"[0-9A-F]{20}", shown)
    assert b"AT+CNMI=" in shown


def test_what_a_session_observes_holds_nothing_of_a_message() -> None:
    seen = []
    direct = Direct(modem_with(message_reply=WORDS, message_reports=(2, 2, 0, 0, 0)))
    session = AtSession(direct, seen.append, clock=direct.clock)
    by_sms(session, QUERY)
    lines = [line for exchange in seen if exchange.unsolicited for line in exchange.lines]
    assert not [line for line in lines if re.search("[0-9A-F]{20}", line)]


# ---- over a terminal ----------------------------------------------------------------------
@pytest.mark.parametrize("wire", [Wire(), Wire(latency_s=0.02, chunk=1), Wire(chunk=3, urcs=0.5)])
def test_over_a_real_terminal_in_pieces_and_among_other_lines(wire: Wire) -> None:
    modem = modem_with(
        message_reply=LONG, message_order="last", message_reply_after_s=0.3,
        urcs=("+CREG: 1", '+CMTI: "SM",9'), **CHANGED,
    )  # fmt: skip
    before = settings_of(modem)
    with running(modem, wire) as port:
        session = AtSession(SerialTransport(port), lambda _: None)
        try:
            answer = by_sms(session, QUERY, wait_s=20)
        finally:
            session.restore_settings()
            session.close()
    assert answer == Answer(LONG)
    assert settings_of(modem) == before


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return october(tmp_path, "sms", "10086")


def words_for(recorded: Path, port: str, *more: str) -> tuple[list[str], dict[str, str]]:
    words = ["usage", "reconcile", "--db", str(recorded), "--since", "2026-10-01",
             "--until", "2026-10-31T00:30", "--fetch", "--profile", "mine", "--port", port, *more]  # fmt: skip
    surroundings = {"LANGUAGE": "en", "COLUMNS": "100", "XDG_CONFIG_HOME": str(recorded.parent)}
    return [sys.executable, "-m", "simdiag", *words], os.environ | surroundings


def reconciled(recorded: Path, port: str, *more: str) -> subprocess.CompletedProcess[str]:
    words, surroundings = words_for(recorded, port, *more)
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=60,
        env=surroundings,
        stdin=subprocess.DEVNULL,
    )


def test_the_command_asks_by_message_only_with_a_yes(recorded: Path) -> None:
    modem = modem_with(message_reply=f"{WORDS} 13812345678", message_order="last", **CHANGED)
    before = settings_of(modem)
    with running(modem) as port:
        no = reconciled(recorded, port)
        assert no.returncode == 4
        assert "the operator was not asked" in no.stderr
        assert modem.messages.sent == []
        yes = reconciled(recorded, port, "--yes", "--json")
    assert yes.returncode == 0, yes.stderr
    assert len(modem.messages.sent) == 1
    assert '"consistent"' in yes.stdout
    assert "13812345678" not in yes.stdout + yes.stderr
    assert settings_of(modem) == before


def test_a_refusal_ends_the_command_with_a_sentence(recorded: Path) -> None:
    with running(modem_with(message_error=330)) as port:
        done = reconciled(recorded, port, "--yes")
    assert done.returncode == 4
    assert "the operator gave no answer: the card holds no number of a service" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_sent_where_there_is_nothing_to_compare_with(
    tmp_path: Path, recorded: Path
) -> None:
    modem = modem_with(message_reply=WORDS)
    with running(modem) as port:
        words, surroundings = words_for(tmp_path / "none.db", port, "--yes")
        surroundings["XDG_CONFIG_HOME"] = str(recorded.parent)
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=surroundings)
    assert done.returncode == 4
    assert "cannot be read" in done.stderr
    assert modem.messages.sent == []


def test_ctrl_c_while_waiting_leaves_the_modem_as_it_was(recorded: Path) -> None:
    modem = modem_with(**CHANGED)  # which is never answered
    before = settings_of(modem)
    with running(modem) as port:
        words, surroundings = words_for(recorded, port, "--yes")
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        while not modem.messages.sent and process.poll() is None:
            time.sleep(0.05)
        assert settings_of(modem) != before
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The message was sent" in said
    assert settings_of(modem) == before
