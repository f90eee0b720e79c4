"""A profile of the user's own says who they are: a bundle takes its numbers, and no word of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simdiag.bundle import container
from simdiag.bundle.build import build
from simdiag.bundle.carrier import OWN, redacted_profile
from simdiag.bundle.material import of_run
from simdiag.bundle.opening import open_bundle
from simdiag.bundle.replaying import replay
from simdiag.i18n import translator
from simdiag.profile import CarrierProfile
from simdiag.pseudonym import Pseudonyms
from simdiag.registry import profiles

OURS = CarrierProfile.model_validate(
    {
        "id": "quillfeather_vpn",
        "name": {"en": "Quillfeather private network"},
        "plmns": ["302720"],
        "plmns_source": "Marguerite",
        "iccid_prefixes": ["8930272014"],
        "notes": [{"en": "Ask Marguerite, 416-555-0137"}],
        "apns": [{"name": "corp.quillfeather.apn", "username": "mquill", "password": "tr0ub4dor3xq",
                  "plans": "the boathouse", "source": "Marguerite"}],
        "contacts": [{"role": "operator", "channel": "phone", "address": "+14165550137",
                      "source": "Marguerite"}],
    }
)  # fmt: skip
TALK = """AT+CPIN?
+CPIN: READY
OK
AT+CIMI
302720123498765
OK
AT+CGDCONT?
+CGDCONT: 1,"IP","{apn}","0.0.0.0",0,0
OK
AT+CEREG?
+CEREG: 2,1,"7D1E","0A3F7C21",7
OK
"""


def names() -> Pseudonyms:
    return Pseudonyms(bytes(range(32)))


def test_no_word_of_it_is_in_any_member(tmp_path: Path) -> None:
    log, path = tmp_path / "log.txt", tmp_path / "b.zip"
    log.write_text(TALK.format(apn="corp.quillfeather.apn"))
    material = of_run(log, OURS, [])
    made = build(material, names(), [translator("en")])
    members = container.unpack(made.data).members
    whole = b"\n".join(members.values()).lower()
    for word in ("quill", "marguerite", "tr0ub4dor3xq", "boathouse", "0137", "8930272014"):
        assert word.encode() not in whole, word
    path.write_bytes(made.data)
    bundle = open_bundle(path)
    assert bundle.manifest.verdict.cause == material.cause
    assert replay(bundle).differences == ()


@pytest.mark.parametrize(("apn", "known"), [("corp.quillfeather.apn", True), ("other.apn", False)])
def test_the_verdict_still_knows_its_access_points(apn: str, known: bool, tmp_path: Path) -> None:
    """The access point of the talk and that of the profile get one stand-in."""
    log, path = tmp_path / "log.txt", tmp_path / "b.zip"
    log.write_text(TALK.format(apn=apn))
    path.write_bytes(build(of_run(log, OURS, []), names(), []).data)
    codes = {finding.code for finding in open_bundle(path).verdict.findings}
    assert ("apn_unknown" not in codes) == known


def test_one_that_ships_stays_as_it_is_and_a_changed_one_does_not() -> None:
    shipped = profiles().by_id["rogers"]
    assert redacted_profile(shipped, names()) is shipped
    ours = shipped.model_copy(update={"notes": ({"en": "Marguerite"},)})
    shown = redacted_profile(ours, names())
    assert shown is not None
    assert (shown.id, shown.notes, shown.plmns) == (OWN, (), shipped.plmns)


def test_without_a_profile_there_is_none() -> None:
    assert redacted_profile(None, names()) is None
