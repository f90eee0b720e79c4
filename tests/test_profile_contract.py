"""What every profile in ``profiles/`` must fulfil, whoever writes it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from simdiag.i18n import LOCALE_DIR
from simdiag.message import LANGUAGE_TAG, LocalText
from simdiag.profile import CarrierProfile

FILES = sorted((Path(__file__).parents[1] / "profiles").glob("*.toml"))


def load(file: Path) -> CarrierProfile:
    return CarrierProfile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def digits(prefix: str, length: int) -> str:
    return prefix.ljust(length, "0")


@pytest.fixture(scope="module")
def everyone() -> list[CarrierProfile]:
    return [load(file) for file in FILES]


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def profile(request: pytest.FixtureRequest) -> CarrierProfile:
    return load(request.param)


def test_there_is_a_generic_profile():
    generic = load(FILES[0].with_name("generic.toml"))
    assert (generic.plmns, generic.iccid_prefixes, generic.contacts) == ((), (), ())
    assert {"en", "zh-CN"} <= set(generic.languages)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_id_is_the_name_of_the_file(file):
    assert load(file).id == file.stem


def test_every_fact_names_its_source(profile):
    facts = [*profile.apns, *profile.contacts, *profile.windows, *profile.usage_queries]
    if profile.activation:
        facts.append(profile.activation)
    assert all(fact.source.strip() for fact in facts)
    assert bool(profile.plmns) == bool(profile.plmns_source.strip())
    assert bool(profile.iccid_prefixes) == bool(profile.iccid_source.strip())


def test_activation_is_told_in_every_language_of_the_profile(profile):
    assert profile.activation is not None
    for step in profile.activation.steps:
        assert set(profile.languages) <= set(step)


def test_texts_are_not_empty(profile):
    texts = [profile.name, *profile.notes, *profile.activation.steps]
    texts += [contact.note for contact in profile.contacts if contact.note]
    texts += [window.condition for window in profile.windows if window.condition]
    texts += [rung.note for rung in profile.ladder if rung.note]
    for text in texts:
        assert text["en"].strip()
        assert all(sentence.strip() for sentence in text.values())


def test_an_operator_has_an_internet_apn(profile):
    if profile.id != "generic":
        assert any(apn.use == "internet" for apn in profile.apns)


def test_the_ladder_climbs_from_the_seller_to_somebody_above_the_operator(profile):
    if profile.id == "generic":
        return
    roles = [rung.role for rung in profile.ladder]
    assert roles[:2] == ["seller", "operator"]
    assert len(roles) == len(set(roles)) > 2
    assert "consumer_body" in roles
    assert set(roles) - {"seller"} == {contact.role for contact in profile.contacts} - {"seller"}


def test_a_rung_says_what_it_wants_in_every_language_of_the_profile(profile):
    for rung in profile.ladder:
        assert set(profile.languages) <= set(rung.note)


def test_the_desk_is_one_of_the_operators_contacts(profile):
    if profile.id == "generic":
        return
    ways = {(c.channel, c.address) for c in profile.contacts if c.role == "operator"}
    assert (profile.desk.channel, profile.desk.address) in ways


def texts_in(value: Any) -> Iterator[dict[str, str]]:
    """Yield every text of a file, wherever it stands: a table of languages."""
    if isinstance(value, dict) and "en" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_text_is_told_in_simplified_characters_and_in_hong_kong_in_its_own(file):
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    found = list(texts_in(table))
    assert len(found) > 3
    needed = {"en", "zh-CN"} | ({"zh-HK"} if table.get("country") == "HK" else set())
    assert [text for text in found if not needed <= set(text)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_text_is_shown_in_traditional_characters(file):
    """Its own, or the one that ``make messages`` makes; a few are written alike in both."""
    with (LOCALE_DIR / "zh_HK" / "LC_MESSAGES" / "simdiag.po").open("rb") as catalogue:
        made = {message.id: message.string for message in read_po(catalogue, locale="zh_HK")}
    for text in texts_in(tomllib.loads(file.read_text(encoding="utf-8"))):
        tag = {LANGUAGE_TAG: "zh-HK"}
        shown = LocalText(text).render(lambda words, tag=tag: tag.get(words) or made.get(words, ""))
        assert shown == text.get("zh-HK", made.get(text["zh-CN"])), "run `make messages`"
        assert not set(shown) & set("说这为个们时实务设请无关电话")


def test_host_is_an_operator_with_a_profile(profile, everyone):
    operators = {other.id for other in everyone if not other.host}
    assert profile.host is None or profile.host in operators


def test_no_two_operators_claim_the_same_plmn(everyone):
    claims = Counter(plmn for p in everyone if not p.host for plmn in p.plmns)
    assert [plmn for plmn, times in claims.items() if times > 1] == []


def test_numbers_of_a_card_pick_its_profile(profile, everyone):
    """A virtual operator shares its host's PLMNs: only its ICCID prefix can tell it apart."""
    iccids = [digits(prefix, 19) for prefix in profile.iccid_prefixes] if profile.host else [None]
    for imsi in (digits(plmn, 15) for plmn in profile.plmns):
        for iccid in iccids:
            rivals = [p for p in everyone if p.id == profile.id or iccid or not p.host]
            claims = {p.id: p.match(imsi, iccid) for p in rivals}
            best = max(claims.values())
            assert [id_ for id_, claim in claims.items() if claim == best] == [profile.id]
