"""Every cause, every number of the standards, and the words of a modem can be explained."""

import pytest

from simdiag.at.codes import CME, CMS, PROTOCOLS, cause_of_cme, cme_code, cme_of_cms
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


@pytest.mark.parametrize(
    ("term", "cause"),
    [("reject cause 8", "sim_not_activated"), ("session cause 33", "data_not_subscribed"),
     ("EMM reject cause 11", "roaming_not_allowed"), ("no suitable cells in tracking area", "network_refused"),
     ("Missing or unknown APN", "apn_wrong"), ("MM 34", "network_refused"), ("GMM 55", "network_refused"),
     ("CME 125", "network_refused"), ("CME 148", "data_not_connected"), ("CME 178", "network_refused"),
     ("+CMS ERROR: 310", "sim_not_detected"), ("+CMS ERROR: (U)SIM PIN required", "sim_pin_required"),
     ("+CMS ERROR: 316", "sim_puk_required"), ("CMS 331", "searching")],
)  # fmt: skip
def test_the_words_of_a_diagnosis_and_of_modems_are_explained(term, cause):
    assert explain(term).cause.code == cause


@pytest.mark.parametrize(
    ("term", "name"),
    [("EMM 7", "EPS services not allowed"), ("GMM 7", "GPRS services not allowed"),
     ("5GMM 7", "5GS services not allowed"), ("GMM 14", "GPRS services not allowed in this PLMN"),
     ("GMM 28", "SMS provided via GPRS in this routing area"), ("5GMM 28", "restricted service area"),
     ("SM 46", "PDP context without TFT already activated"), ("5GSM 46", "out of LADN service area"),
     ("SM 35", "NSAPI already used"), ("GMM 62", "retry upon entry into a new cell"),
     ("5GMM 62", "no network slices available"), ("CME 107", "GPRS services not allowed"),
     ("CME 220", "out of LADN service area")],
)  # fmt: skip
def test_each_generation_has_its_own_names(term, name):
    assert f"({name})" in explain(term).name


@pytest.mark.parametrize(
    ("older", "newer"), [("GMM 28", "5GMM 28"), ("SM 46", "5GSM 46"), ("GMM 62", "5GMM 62")]
)
def test_a_number_that_two_generations_use_differently_means_two_things(older, newer):
    assert explain(older).meaning != explain(newer).meaning


@pytest.mark.parametrize(
    ("term", "treated"),
    [("EMM 200", "EMM 111"), ("5GMM 1", "5GMM 111"), ("GMM 44", "GMM 111"), ("MM 1", "MM 34"),
     ("ESM 46", "ESM 34"), ("5GSM 90", "5GSM 34"), ("SM 255", "SM 34"), ("reject cause 201", "EMM 111")],
)  # fmt: skip
def test_an_undefined_number_is_taken_as_another_cause(term, treated):
    found = explain(term)
    assert treated in found.meaning.render()
    assert found.cause.code == explain(treated).cause.code


@pytest.mark.parametrize(
    "term", [f"{protocol} {number}" for protocol, names in PROTOCOLS.items() for number in names]
)
def test_every_cause_of_every_protocol_has_a_meaning(term):
    assert explain(term).meaning.render()
    assert "does not define" not in explain(term).meaning.render()


@pytest.mark.parametrize("number", CMS)
def test_every_message_error_has_a_meaning(number):
    found = explain(f"+CMS ERROR: {number}")
    assert f"({CMS[number]})" in found.name
    assert (found.cause is not None) <= (cme_of_cms(number) is not None)


@pytest.mark.parametrize("name", ["illegal MS", "illegal UE"])
def test_a_verbose_error_may_use_the_name_of_any_generation(name):
    assert cause_of_cme(cme_code(name)) == ("mm", 3)


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
