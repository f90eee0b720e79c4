"""The APN report: what is configured against what was granted and what the operator lists."""

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.apn import ApnReport, is_valid, write
from simdiag.diagnose import diagnose
from simdiag.evidence import Evidence, Observation, Source
from simdiag.profile import Apn, CarrierProfile
from simdiag.registry import profiles

PROFILE = CarrierProfile(
    id="example",
    name={"en": "Example"},
    apns=(Apn(name="internet", pdp_type="IPV4V6", auth="pap", source="example"),),
)


def report(contexts, **facts):
    evidence = Evidence()
    facts = {"defined_contexts": contexts} | facts
    for number, (name, value) in enumerate(facts.items()):
        evidence.add(Observation(f"data.{name}", value, Source(number, "", "")))
    return ApnReport.of(evidence, PROFILE)


def texts(found):
    return " ".join(remark.render() for remark in found.remarks)


def context(cid, apn, kind="IPV4V6"):
    return {"cid": cid, "type": kind, "apn": apn}


def test_the_apn_is_shown_and_written_only_when_told(emulated):
    errors = []
    with emulated("quectel-ec2x/apn_wrong-placeholder") as port:
        before = examine(Target(port=port), Options(wait_s=0))
        after = examine(
            Target(port=port), Options(wait_s=0), then=lambda e: errors.append(write(e, "cmnet"))
        )
    profile = profiles().by_id["china_mobile"]
    assert "YourAPN" in ApnReport.of(before.evidence, profile).remarks[0].render()
    assert errors == [None]
    assert [c.apn for c in ApnReport.of(after.evidence, profile).contexts] == ["cmnet"]


@pytest.mark.parametrize("apn", ["", ".", 'x";+CFUN=0', "a b", "é", "x" * 101, "-a", "a\r"])
def test_what_is_no_apn_is_refused(apn):
    assert not is_valid(apn)


def test_a_configuration_as_the_operator_wants_it_is_left_alone():
    both = {1: ["10.1.2.3", "2001:db8::7"]}
    found = report(
        [context(1, "internet")], granted_apns={1: "internet"}, addresses=both, auth="pap"
    )
    assert found.remarks == ()
    assert found.contexts[0].address_types == ("IPv4", "IPv6")


@pytest.mark.parametrize(
    ("addresses", "text"),
    [
        (["10.1.2.3"], "IPv4 only"),
        (["32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.7"], "IPv6 address only"),
        (["2001:db8::7"], "IPv6 address only"),
    ],
)
def test_what_the_network_gave_is_set_against_what_was_asked_for(addresses, text):
    assert text in texts(report([context(1, "internet")], addresses={1: addresses}))


def test_attach_and_data_over_different_contexts():
    two = [context(1, "internet"), context(3, "corporate")]
    found = report(two, addresses={3: ["10.1.2.3", "2001:db8::7"]}, granted_apns={3: "corporate"})
    assert "over context 3; the device attaches with context 1" in texts(found)
    assert [c.attach for c in found.contexts] == [True, False]
    assert [c.granted for c in found.contexts] == [None, "corporate"]


def test_the_voice_service_of_the_operator_is_no_data_connection():
    two = [context(1, "internet"), context(2, "ims")]
    found = report(two, addresses={2: ["2001:db8::7"]})
    assert found.remarks == ()


def test_type_and_login_other_than_the_operators():
    found = texts(report([context(1, "internet", "IPV6")], auth="none"))
    assert "IPV6; the operator's is IPV4V6" in found
    assert "none; the operator's is pap" in found


def test_a_connection_without_ipv4_is_noted_in_the_diagnosis():
    def codes(*addresses):
        evidence = Evidence([Observation("data.addresses", {1: [*addresses]}, Source(1, "", ""))])
        return {finding.code for finding in diagnose(evidence).findings}

    assert "ipv6_only" in codes("2001:db8::7")
    assert "ipv6_only" not in codes("2001:db8::7", "10.1.2.3")
