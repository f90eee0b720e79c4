"""Every cause, every number of the standards, and the words of a modem can be explained."""

import pytest

from simdiag.at.codes import CME, MM, SM
from simdiag.causes import CAUSES
from simdiag.explain import UnknownTerm, explain


@pytest.mark.parametrize(
    ("term", "cause"),
    [("EMM 8", "sim_not_activated"), ("emm#8", "sim_not_activated"), ("EMM cause 11", "roaming_not_allowed"),
     ("ESM 33", "data_not_subscribed"), ("5GMM 22", "network_refused"), ("+CME ERROR: 13", "sim_failure"),
     ("CME 10", "sim_not_detected"), ("SIM PUK required", "sim_puk_required"), ("+CME ERROR: 103", "sim_not_activated"),
     ("+CME ERROR: SIM not inserted", "sim_not_detected"), ("sim-not-activated", "sim_not_activated")],
)  # fmt: skip
def test_what_a_term_points_to(term, cause):
    assert explain(term).cause.code == cause


def test_a_refused_command_says_nothing_of_the_card():
    assert explain("+CME ERROR: 4").cause is None


@pytest.mark.parametrize("number", MM)
def test_every_mobility_cause_has_a_meaning(number):
    assert explain(f"EMM {number}").cause is not None


@pytest.mark.parametrize("number", SM)
def test_every_session_cause_has_a_meaning(number):
    assert explain(f"ESM {number}").meaning.render()


@pytest.mark.parametrize("number", CME)
def test_every_equipment_error_has_a_meaning(number):
    assert explain(f"+CME ERROR: {number}").meaning.render()


@pytest.mark.parametrize("code", CAUSES)
def test_every_cause_code_is_explained(code):
    assert explain(code).cause.steps


@pytest.mark.parametrize("term", ["", "foo", "EMM 999", "+CME ERROR: 99999", "\x1b[2J", "9" * 500])
def test_what_is_not_known_is_said_so(term):
    with pytest.raises(UnknownTerm):
        explain(term)
