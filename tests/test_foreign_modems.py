"""Modems, emulators and devices that talk otherwise than the families of this project.

Each peculiarity is one that somebody else's modem or emulator has; they run on a clock of
their own, so that no test waits.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from simdiag.at import Dialect
from simdiag.at.lines import final_result
from simdiag.collect.at import AtExamination
from simdiag.diagnose import Diagnosis, diagnose
from simdiag.evidence import Evidence
from simdiag.log import examine_log
from simdiag.registry import drivers

HEALTHY = {
    "AT": "", "ATI": "Acme\rM1\rR1", "AT+CFUN?": "+CFUN: 1", "AT+CPIN?": "+CPIN: READY",
    "AT+CIMI": "001010123456789", "AT+CREG?": "+CREG: 0,1", "AT+CGREG?": "+CGREG: 0,1",
    "AT+CEREG?": "+CEREG: 0,1", "AT+COPS?": '+COPS: 0,0,"Test",7', "AT+CSQ": "+CSQ: 20,99",
    "AT+CGATT?": "+CGATT: 1", "AT+CGPADDR": '+CGPADDR: 1,"10.1.2.3"',
}  # fmt: skip
OFF_THE_NETWORK = {
    "AT+CREG?": "+CREG: 0,0", "AT+CGREG?": "+CGREG: 0,0", "AT+CEREG?": "+CEREG: 0,0",
    "AT+COPS?": "+COPS: 0", "AT+CSQ": "+CSQ: 99,99", "AT+CGATT?": "+CGATT: 0",
    "AT+CGPADDR": "ERROR",
}  # fmt: skip

Answer = Callable[[str], str | None]
"""From a command to what comes back, lines ended by CR; ``None`` is silence."""


class Modem:
    """A transport and its clock; every answer takes ``delay_s``."""

    name = "foreign"

    def __init__(self, answer: Answer, delay_s: float) -> None:
        self.now = 0.0
        self.sent: list[str] = []
        self._answer, self._delay_s = answer, delay_s
        self._coming: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        for text in filter(None, data.decode().strip("\x1b").split("\r")):
            self.sent.append(text)
            if (answer := self._answer(text)) is not None:
                self._coming.append((self.now + self._delay_s, answer.encode()))

    def read(self, timeout_s: float) -> bytes:
        if self._coming and self._coming[0][0] <= self.now + timeout_s:
            at, data = self._coming.pop(0)
            self.now = max(self.now, at)
            return data
        self.now += max(timeout_s, 0.001)
        return b""

    def close(self) -> None:
        pass


def table(answers: dict[str, str], unknown: str | None = "ERROR\r") -> Answer:
    """Answer from a table, settings with OK, all else with ``unknown``."""

    def answer(text: str) -> str | None:
        if text in answers:
            said = answers[text]
            return f"{said}\r" if "ERROR" in said else f"{said}\rOK\r"
        return "OK\r" if "=" in text and unknown is not None else unknown

    return answer


@pytest.fixture
def examined(monkeypatch):
    def examine(answer: Answer, delay_s: float = 0.01) -> tuple[Diagnosis, Modem, Evidence]:
        modem = Modem(answer, delay_s)
        examination = AtExamination(modem, drivers(), wait_s=0)
        monkeypatch.setattr(examination.session, "_clock", lambda: modem.now)
        monkeypatch.setattr(examination.session, "_start", 0.0)
        evidence = examination.run()
        return diagnose(evidence), modem, evidence

    return examine


def test_a_modem_that_does_not_know_at_alone_is_found_by_another_word(examined):
    answers = table({k: v for k, v in HEALTHY.items() if k != "AT"}, "ERROR: UNSUPPORTED\r")
    verdict, modem, _ = examined(lambda text: None if text == "AT" else answers(text))
    assert verdict.cause == "healthy"
    assert "ATQ1" not in modem.sent


def test_a_modem_whose_results_are_off_is_made_to_give_them(examined):
    answers, loud = table(HEALTHY), []

    def quiet(text: str) -> str | None:
        if text == "ATQ0":
            loud.append(True)
            return "OK\r"
        return answers(text) if loud else None

    verdict, modem, _ = examined(quiet)
    assert verdict.cause == "healthy"
    assert modem.sent[-1] == "ATQ1"


def test_the_last_word_of_the_handshake_is_not_said_to_a_modem_that_answers(examined):
    _, modem, _ = examined(table(HEALTHY))
    assert "ATQ0" not in modem.sent


@pytest.mark.parametrize(
    ("line", "words"),
    [("ERROR: UNSUPPORTED", "UNSUPPORTED"), ("error:4", "4"), ("ERROR : BAD COMMAND", "BAD COMMAND")],
)  # fmt: skip
def test_an_error_with_words_ends_a_command(line, words):
    assert final_result(line, Dialect()) == ("ERROR", None, words)


def test_the_words_of_an_error_count_like_those_of_the_standard(examined):
    card = "ERROR: SIM not inserted"
    verdict, _, _ = examined(
        table({**HEALTHY, **OFF_THE_NETWORK, "AT+CPIN?": card, "AT+CIMI": card})
    )
    assert verdict.cause == "sim_not_detected"
    assert verdict.confidence > 0.8


def test_in_a_pasted_log_a_programs_error_is_no_answer_of_the_modem():
    log = b"AT+CPIN?\r\nERROR: could not open the file\r\n+CPIN: SIM PUK\r\nOK\r\n"
    assert examine_log(io.BytesIO(log)).diagnosis.cause == "sim_puk_required"


def test_a_device_without_any_mobile_command_is_not_said_to_lack_a_card(examined):
    answers = {"AT": "OK\r", "ATI": "56k\rOK\r"}
    verdict, _, _ = examined(lambda text: answers.get(text, "ERROR\r"))
    assert verdict.cause == "inconclusive"
    assert "no_mobile_commands" in [f.code for f in verdict.findings]


def test_one_mobile_command_that_is_known_makes_it_a_mobile_modem(examined):
    answers = {"AT": "OK\r", "AT+CSQ": "+CSQ: 99,99\rOK\r"}
    verdict, _, _ = examined(lambda text: answers.get(text, "ERROR\r"))
    assert "no_mobile_commands" not in [f.code for f in verdict.findings]


@pytest.mark.parametrize("said", ["+CPIN: ABSENT", "+CME ERROR: 10"])
def test_a_card_that_stays_missing_though_a_number_came_is_missing(examined, said):
    verdict, modem, _ = examined(table({**HEALTHY, **OFF_THE_NETWORK, "AT+CPIN?": said}))
    assert modem.sent.count("AT+CPIN?") == 2
    assert verdict.cause == "sim_not_detected"


def test_a_card_that_was_only_late_is_not_missing(examined):
    answers, asked = table({**HEALTHY, **OFF_THE_NETWORK}), []

    def late(text: str) -> str | None:
        if text == "AT+CPIN?":
            asked.append(text)
            return "+CME ERROR: 10\r" if len(asked) == 1 else "+CPIN: READY\rOK\r"
        return answers(text)

    verdict, _, _ = examined(late)
    assert not verdict.cause.startswith("sim_")


def test_a_modem_that_keeps_silent_at_what_it_does_not_know_is_examined_in_time(examined):
    few = ("AT", "ATI", "AT+CPIN?", "AT+CREG?", "AT+CSQ", "AT+COPS?")
    verdict, modem, _ = examined(table({k: HEALTHY[k] for k in few}, None))
    assert verdict.cause == "healthy"
    assert modem.now < 40


def test_a_slow_modem_is_given_its_time_even_if_it_keeps_silent_often(examined):
    """What has taken long before is waited for that long, and with a reserve."""
    few = ("AT", "ATI", "AT+CPIN?", "AT+CREG?", "AT+CSQ")
    _, _, evidence = examined(table({k: HEALTHY[k] for k in few}, None), delay_s=0.25)
    assert evidence.value("signal.rssi_dbm") == -73
