"""The session against a modem that does as it pleases, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simdiag.errors import PortGone, UnsafeCommand
from simdiag.evidence import Exchange
from simdiag.session import AtSession


class FakeModem:
    """A transport and a clock: ``answers`` maps a command to (delay, bytes) to come back."""

    name = "fake"

    def __init__(
        self, answers: dict[str, list[tuple[float, bytes]]], default: bytes = b"\r\nOK\r\n"
    ):
        self.now = 0.0
        self._busy_until = 0.0
        self.sent: list[str] = []
        self._answers, self._default = answers, default
        self._coming: list[tuple[float, bytes]] = []

    def clock(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        text = data.decode().strip()
        self.sent.append(text)
        start = max(self.now, self._busy_until)  # a modem does one thing after the other
        for delay, answer in self._answers.get(text, [(0.01, self._default)]):
            self._coming.append((start + delay, answer))
            self._busy_until = start + delay

    def read(self, timeout_s: float) -> bytes:
        self._coming.sort(key=lambda c: c[0])
        if self._coming and self._coming[0][0] <= self.now + timeout_s:
            at, data = self._coming.pop(0)
            self.now = max(self.now, at)
            if data == b"gone":
                raise PortGone("fake", "fake vanished")
            return data
        self.now += max(timeout_s, 0.001)
        return b""

    def close(self) -> None:
        pass


Answers = dict[str, list[tuple[float, bytes]]]


def session_with(answers: Answers) -> tuple[AtSession, FakeModem, list[Exchange]]:
    modem, seen = FakeModem(answers), []
    declared = frozenset({"AT+CSQ"})
    return AtSession(modem, seen.append, declared=declared, clock=modem.clock), modem, seen


def test_an_exchange_holds_the_lines_and_the_error():
    session, _, seen = session_with({
        "AT+CSQ": [(0.02, b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n")],
        "AT+CPIN?": [(0.02, b"AT+CPIN?\r\r\n+CME ERROR: 10\r\n")],
    })  # fmt: skip
    assert session.execute("AT+CSQ").lines == ("+CSQ: 20,99",)
    failed = session.execute("AT+CPIN?")
    assert str(failed.error) == "+CME ERROR: 10"
    assert [e.command for e in seen] == ["AT+CSQ", "AT+CPIN?"]


def test_silence_ends_at_the_deadline_and_is_an_answer_too():
    session, modem, _ = session_with({"AT+CSQ": []})
    exchange = session.execute("AT+CSQ", timeout_s=2)
    assert exchange.error is not None
    assert exchange.error.silent
    assert 2 <= modem.now < 2.6


@pytest.mark.parametrize("echo", [b"", b"AT+CREG?\r"])
def test_an_answer_that_comes_late_is_never_the_next_commands(echo):
    session, _, seen = session_with({
        "AT+CREG?": [(0.01, echo), (2.5, b"\r\n+CREG: 0,1\r\n\r\nOK\r\n")],
        "AT+CMEE?": [(0.9, b"\r\n+CMEE: 1\r\n\r\nOK\r\n")],
        "AT+CPIN?": [(0.9, b"\r\n+CPIN: READY\r\n\r\nOK\r\n")],
    })  # fmt: skip
    assert session.execute("AT+CREG?", timeout_s=1).error.silent
    assert session.execute("AT+CPIN?").lines == ("+CPIN: READY",)
    late = [e for e in seen if e.lines == ("+CREG: 0,1",)]
    assert [e.unsolicited for e in late] == [True]


def test_an_ok_that_follows_an_error_does_not_answer_the_next_command():
    session, _, _ = session_with({
        "AT+CPIN?": [(0.01, b"\r\n+CME ERROR: 10\r\n"), (0.03, b"\r\nOK\r\n")],
        "AT+CSQ": [(0.05, b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n")],
    })  # fmt: skip
    assert session.execute("AT+CPIN?").error is not None
    assert session.execute("AT+CSQ").lines == ("+CSQ: 9,99",)


def test_what_was_changed_is_restored_last_first():
    session, modem, _ = session_with({})
    session.change("AT+CMEE=1", "AT+CMEE=0")
    session.change("AT+CEREG=3", "AT+CEREG=0")
    session.restore_settings()
    assert modem.sent == ["AT+CMEE=1", "AT+CEREG=3", "AT+CEREG=0", "AT+CMEE=0"]


def test_a_setting_is_restored_even_if_it_seemed_refused():
    """The error may have been another program's."""
    session, modem, _ = session_with({"AT+CEREG=3": [(0.01, b"\r\nERROR\r\n")]})
    session.change("AT+CEREG=3", "AT+CEREG=0")
    session.restore_settings()
    assert modem.sent == ["AT+CEREG=3", "AT+CEREG=0"]


def test_a_second_interruption_waits_until_all_is_restored():
    session, modem, _ = session_with({})
    session.change("AT+CMEE=1", "AT+CMEE=0")
    session.change("AT+CEREG=3", "AT+CEREG=0")
    read = modem.read

    def interrupted(timeout_s: float) -> bytes:
        modem.read = read
        raise KeyboardInterrupt

    modem.read = interrupted
    with pytest.raises(KeyboardInterrupt):
        session.restore_settings()
    assert modem.sent[2:] == ["AT+CEREG=0", "AT+CMEE=0", "AT+CEREG=0"]


def test_settings_are_restored_after_an_interruption_in_mid_command():
    session, modem, _ = session_with({"AT+COPS?": []})
    session.change("AT+CMEE=1", "AT+CMEE=0")
    read: Callable[[float], bytes] = modem.read

    def interrupted(timeout_s: float) -> bytes:
        modem.read = read  # type: ignore[method-assign]
        raise KeyboardInterrupt

    modem.read = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        session.execute("AT+COPS?")
    session.restore_settings()
    assert modem.sent[-1] == "AT+CMEE=0"


def test_a_port_that_vanishes_leaves_what_was_said():
    session, modem, seen = session_with(
        {"AT+CSQ": [(0.01, b"AT+CSQ\r\r\n+CSQ: 2"), (0.02, b"gone")]}
    )
    session.change("AT+CMEE=1", "AT+CMEE=0")
    with pytest.raises(PortGone):
        session.execute("AT+CSQ")
    session.restore_settings()
    assert (seen[-1].command, seen[-1].ended) == ("AT+CSQ", False)
    assert modem.sent[-1] == "AT+CSQ"


@pytest.mark.parametrize(
    "text",
    ['AT+CPIN="0000"', "AT+CFUN=0", "AT&W", "ATZ", "AT+COPS=?", "AT+CRSM=214,28539,0,0,3,\"FFFFFF\"",
     'AT+CLCK="SC",0,"0000"', "AT+EGMR=1,7,\"0\"", "AT+CGDCONT=1,\"IP\",\"x\"", "ATD*99#", "AT+CSQ;+CFUN=0",
     'AT+CSIM=10,"0020000100"', "AT+CMGS=\"1\"", "AT+QPOWD", "AT+UNKNOWNACTION"],
)  # fmt: skip
def test_nothing_that_changes_anything_is_ever_sent(text):
    session, modem, _ = session_with({})
    with pytest.raises(UnsafeCommand):
        session.execute(text)
    assert modem.sent == []


def test_a_setting_that_is_met_with_silence_keeps_no_other_from_being_restored():
    session, modem, seen = session_with({"AT+COPS=3,0": []})
    session.change("AT+CMEE=1", "AT+CMEE=0")
    session.change("AT+COPS=3,2", "AT+COPS=3,0")
    before = len(seen)
    session.restore_settings()
    assert modem.sent[2:] == ["AT+COPS=3,0", "AT+CMEE=0", "AT+COPS=3,0"]
    assert len(seen) == before  # no evidence of a modem that does not answer


def test_a_modem_that_is_given_back_its_numeric_answers_has_answered():
    session, modem, _ = session_with({"ATV0": [(0.01, b"0\r")]})
    session.change("ATV1", "ATV0")
    session.restore_settings()
    assert modem.sent == ["ATV1", "ATV0"]
