"""The card's files: their bytes to observations, and what the rules make of those."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.at.alphabet import decode_alpha
from simdiag.at.card import FILES, decode_file
from simdiag.diagnose import diagnose
from simdiag.evidence import Evidence, Observation, Source

KNOWN = [
    (12258, "98680000000000000030", {"sim.iccid": "89860000000000000003"}),
    (28423, "084906102143658709", {"sim.imsi": "460011234567890"}),
    (28486, "0143616C6C204D65FFFFFFFFFFFFFFFFFF", {"sim.service_provider": "Call Me"}),
    (28486, "00804E2D56FDFFFFFFFFFFFFFFFFFFFFFF", {"sim.service_provider": "中国"}),
    (28486, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", {}),
    (28472, "0380", {"sim.services": [1, 2, 16]}),
    (28536, "0200", {"sim.access_classes": [9]}),
    (28536, "0400", {"sim.access_classes": []}),
    (28589, "00000003", {"sim.operation_mode": "normal", "sim.mnc_length": 3}),
    (28589, "800000", {"sim.operation_mode": "type approval"}),
    (28539, "62F22064F000FFFFFF", {"sim.forbidden_plmns": ["26202", "46000"]}),
    (
        28542,
        "0000000062F220FFFEFF02",
        {"sim.last_plmn": "26202", "sim.lai_update_status": "network not allowed"},
    ),
    (
        28531,
        "0000000000000062F220FFFEFF03",
        {"sim.last_plmn": "26202", "sim.rai_update_status": "area not allowed"},
    ),
    (
        28643,
        "0BF662F220800101C000000162F220000100",
        {"sim.last_plmn": "26202", "sim.eps_update_status": "updated"},
    ),
    (28643, "0BF662F220", {}),  # cut off
    (
        28643,
        "0B" + "F" * 22 + "64F000" + "0001" + "02",
        {"sim.last_plmn": "46000", "sim.eps_update_status": "roaming not allowed"},
    ),
    (28643, "**" * 17 + "01", {"sim.eps_update_status": "not updated"}),
    (28480, "00112233", {}),  # EF_MSISDN: not ours to read
]


@pytest.mark.parametrize(("identifier", "payload", "values"), KNOWN)
def test_known_files(identifier, payload, values):
    assert dict(decode_file(identifier, payload)) == values


@given(identifier=st.sampled_from(sorted(FILES)), data=st.binary(max_size=40))
def test_any_bytes_are_survived(identifier, data):
    for name, _ in decode_file(identifier, data.hex()):
        assert name.startswith("sim.")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"T\x02\x11@", "T$_¡"),
        (bytes.fromhex("8004100421"), "АС"),
        (bytes.fromhex("8103089041E2FF"), "\u0410A\u0462"),
        (bytes.fromhex("820204304181FF"), "A\u0431"),
        (b"", ""),
        (b"\xff\xff", ""),
    ],
)
def test_alpha_identifiers(data, text):
    assert decode_alpha(data) == text


def _notes(*observations: tuple[str, object]) -> set[str]:
    evidence = Evidence()
    for number, (name, value) in enumerate(observations):
        evidence.add(Observation(name, value, Source(number, "", "")))
    return {finding.code for finding in diagnose(evidence).findings}


def test_a_card_for_tests_is_noted_and_an_ordinary_one_is_not():
    assert "test_card" in _notes(("sim.operation_mode", "type approval"))
    assert "test_card" not in _notes(("sim.operation_mode", "normal"))


def test_a_card_without_access_class_is_noted():
    assert "no_access_class" in _notes(("sim.access_classes", []))
    assert "no_access_class" in _notes(("sim.access_classes", [15]))
    assert "no_access_class" not in _notes(("sim.access_classes", [3]))


def test_its_own_network_on_the_forbidden_list_is_noted_until_it_serves():
    forbidden = (("sim.imsi", "262021234567890"), ("sim.forbidden_plmns", ["26202"]))
    assert "own_network_forbidden" in _notes(*forbidden)
    assert "own_network_forbidden" not in _notes(*forbidden, ("registration.eps.status", 1))
