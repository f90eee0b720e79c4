"""What an examination asks of a modem, seen from the modem's side."""

import pytest

from simdiag.agent import Examination, Options, Target, examine
from simdiag.emulator import EmulatedModem, scenario
from simdiag.emulator.modem import Response
from simdiag.emulator.pty import running


def examined(emulated, name, **state) -> tuple[Examination, str]:
    with emulated(name, **state) as port:
        result = examine(Target(port=port), Options(wait_s=0))
    sent = b"".join(event.data for event in result.events if event.dir == "tx")
    return result, sent.decode()


def test_the_files_of_the_card_are_read_only_where_it_is_not_registered(emulated):
    _, sent = examined(emulated, "quectel-ec2x/healthy")
    assert "CRSM=176,28643" not in sent
    result, sent = examined(emulated, "quectel-ec2x/sim_not_activated", service_provider="Acme")
    assert "CRSM=176,28643" in sent
    facts = {o.name: o.value for o in result.evidence if o.name.startswith("sim.")}
    assert facts["sim.service_provider"] == "Acme"
    assert facts["sim.operation_mode"] == "normal"
    assert facts["sim.access_classes"] == [3]
    assert {"eps", "rai", "lai"} == {
        name.removeprefix("sim.").partition("_")[0] for name in facts if "update_status" in name
    }
    assert 85 in facts["sim.services"]


def test_the_voice_domain_is_asked_for_the_reason_where_data_gives_none(emulated):
    result, sent = examined(
        emulated,
        "simcom-sim800/healthy",
        cs=3,
        ps=0,
        eps=0,
        reject_cause=2,
        unsupported=("+CGREG", "+CEREG", "+CEER"),
    )
    assert "AT+CREG=3\r" in sent
    assert sent.index("AT+CREG=0\r") > sent.index("AT+CREG=3\r")
    assert result.diagnosis.cause == "sim_not_activated"


class Disturbed(EmulatedModem):
    """The first answer to a question is cut short by noise."""

    def __init__(self, name: str, question: str) -> None:
        super().__init__(scenario(name))
        self.question = question
        self.asked = 0

    def execute(self, line: str) -> Response:
        response = super().execute(line)
        if line.endswith(self.question):
            self.asked += 1
            if self.asked == 1:
                return Response([response.lines[0][:5]], response.final)
        return response


@pytest.mark.parametrize("question", ["+CFUN?", "+CPIN?", "+CGATT?", "+COPS?"])
def test_an_answer_that_noise_made_unreadable_is_asked_for_again(question):
    modem = Disturbed("quectel-ec2x/healthy", question)
    with running(modem) as port:
        result = examine(Target(port=port), Options(wait_s=0))
    assert modem.asked >= 2
    assert result.diagnosis.cause == "healthy"
