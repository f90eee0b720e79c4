"""The page for people: what it says, what it hides, and that nothing in it runs or is loaded."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page_scenes import EVIL, ICCID, IMEI, IMSI, LOGS, SCENES, redacted, view
from simdiag.causes import CauseLayer
from simdiag.diagnose import diagnose
from simdiag.evidence import Evidence, Observation, Source
from simdiag.i18n import available, translator
from simdiag.log import examine_log
from simdiag.message import LANGUAGE_TAG
from simdiag.profile import Channel, Role
from simdiag.registry import profiles
from simdiag.report.hostile import shown
from simdiag.report.page import render, view_of
from simdiag.report.page.lights import LAYERS, light
from simdiag.report.page.operator import CHANNELS, ROLES, contacts
from simdiag.report.page.view import State

ROOT = Path(__file__).parents[1]
LANGUAGES = available()
ENGLISH = translator("en")


class Outline(HTMLParser):
    """Keeps the tags with their classes, and the text apart from them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs).get("class")))
        self.text += " " * (tag in ("dt", "dd"))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(scene: str, language: str = "en") -> str:
    translate = translator(language)
    return render(view(scene, translate), translate)


def lights(log: str) -> list[str]:
    diagnosis = examine_log(io.BytesIO(log.encode())).diagnosis
    return [light(layer, diagnosis)[0].value for layer in LAYERS]


# ---- what it says ------------------------------------------------------------------------
def test_the_page_holds_what_a_desk_asks_for() -> None:
    text = re.sub(r"\s+", " ", Outline(page("not_activated")).text)
    for words in (
        "The SIM card is fine, but it is not activated (or no longer).", "certainty 90 %",
        "Who can fix it the seller of the card", "Do this first", "AT+CEREG? → +CEREG: 3,3,,,,0,2",
        "The network refuses the card and does not say clearly why. network_refused",
        "What would tell Ask the seller", "The card is ready.", "Restarted the device → no change",
        "Quectel EC25", "Give the card back within 7 days", "10086", "e467b4dd", "de8c-3fcb",
        "simdiag report --reveal iccid,imei", "2026-10-01 06:05 UTC+00:00",
    ):  # fmt: skip
        assert words in text, words
    assert text.index("Do this first") < text.index("Layer by layer") < text.index("Why")


def test_every_layer_has_its_light() -> None:
    assert set(LAYERS) == set(CauseLayer) - {CauseLayer.NONE}
    assert lights(LOGS["not_activated"]) == ["good", "unknown", "good", "good", "fault", "waits", "unknown"]  # fmt: skip
    assert lights(LOGS["healthy"]) == ["good"] * 6 + ["unknown"]
    assert lights(LOGS["inconclusive"])[3:6] == ["good", "unknown", "unknown"]
    no_card = "AT+CPIN?\n+CME ERROR: 10\nAT+CSQ\n+CSQ: 20,99\nOK\n"
    assert lights(no_card)[2:6] == ["fault", "good", "waits", "waits"]


def test_what_is_not_ruled_out_is_no_green_light() -> None:
    """Too weak a signal may be a broken device: the device's light must not be green then."""
    card = Observation("sim.state", "READY", Source(0, "AT+CPIN?", "+CPIN: READY"))
    radio = Observation("device.functionality", 1, Source(1, "AT+CFUN?", "+CFUN: 1"))
    level = Observation("signal.rsrp_dbm", -125, Source(2, "AT+CSQ", "+CSQ: 0,99"))
    found = diagnose(Evidence([card, radio, level]))
    assert found.cause == "weak_signal"
    assert light(CauseLayer.RADIO, found)[0] is State.FAULT
    assert light(CauseLayer.DEVICE, found)[0] is State.OPEN


def test_the_signal_is_drawn_over_time_and_told_in_words() -> None:
    signal = view("weak_signal", ENGLISH).signal
    assert signal is not None
    assert [level.name for level in signal.levels] == ["RSRP", "RSRQ", "SINR"]
    assert next(curve.words for curve in signal.curves).startswith("30 readings: median −")
    assert "Weak and noisy" in signal.advice[0] or "fair" in signal.advice[0]
    for curve in signal.curves:
        assert (
            f'aria-label="{curve.name.partition(" ")[0]} over time. {curve.words}"' in curve.chart
        )
        points = re.search(r'points="([^"]+)"', curve.chart)
        assert points is not None
        places = [tuple(map(float, p.split(","))) for p in points[1].split()]
        assert len(places) == 30
        assert places[0][0] == 0.0
        assert places[-1][0] == 1000.0
        assert all(8.0 <= y <= 112.0 for _, y in places)
        assert places[0][1] < places[-1][1]  # it sinks


def test_few_readings_make_no_curve() -> None:
    signal = view("healthy", ENGLISH).signal
    assert signal is None
    signal = view("inconclusive", ENGLISH).signal
    assert signal is not None
    assert len(signal.levels) == 1
    assert signal.curves == ()


def test_the_usage_names_programs_and_not_whose_they_are() -> None:
    text = Outline(page("healthy")).text
    assert "firefox" in text
    assert "5.2 GB" in text
    assert "counted in the kernel" in text
    assert "somebody" not in text
    assert "user@1000" not in text


def test_every_way_to_reach_somebody_has_its_words() -> None:
    assert set(ROLES) == set(get_args(Role))
    assert set(CHANNELS) == set(get_args(Channel))
    for profile in profiles().by_id.values():
        shown_contacts = contacts(profile, ENGLISH)
        assert len(shown_contacts) == len(profile.contacts)
        ranks = [[ROLES[r.role] for r in profile.ladder].index(c.role) for c in shown_contacts
                 if c.role in [ROLES[r.role] for r in profile.ladder]]  # fmt: skip
        assert ranks == sorted(ranks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_language_of_its_catalogue(language: str) -> None:
    html = page("not_activated", language)
    assert f'<html lang="{translator(language)(LANGUAGE_TAG)}">' in html


def test_a_language_more_needs_no_change_here() -> None:
    def shouting(text: str) -> str:
        return "zh-HK" if text == LANGUAGE_TAG else text.upper() if "{" not in text else text

    html = render(view("not_activated", shouting), shouting)
    assert '<html lang="zh-HK">' in html
    assert "WHAT TO DO NEXT" in html
    assert "What to do next" not in html
    assert "中國移動" in html or "China Mobile" in html  # the profile's own texts


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("tests/transcripts/*/*.txt"))[::6], ids=lambda p: p.stem
)
def test_every_log_makes_a_page(path: Path) -> None:
    found = examine_log(path)
    made = view_of(found.diagnosis, found.evidence, ENGLISH)
    assert made.verdict in Outline(render(made, ENGLISH)).text


# ---- what it hides -----------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", LOGS)
def test_no_identifier_shows_unasked(scene: str, language: str) -> None:
    html = page(scene, language)
    for secret in (ICCID, IMSI, IMEI, ICCID[6:16], IMSI[5:], IMEI[8:], "10.11.12.13", "01C3D405"):
        assert secret not in html


def test_revealed_kinds_are_named() -> None:
    found = redacted(LOGS["not_activated"], "iccid")
    made = view_of(found.diagnosis, found.evidence, ENGLISH, revealed={"iccid"})
    text = Outline(render(made, ENGLISH)).text
    assert ICCID in text
    assert IMSI not in text
    assert "Shown in full on purpose: iccid." in text
    assert "card numbers (ICCID)" not in text
    assert "subscriber numbers (IMSI)" in text


def test_what_is_said_to_be_replaced_is_what_there_was() -> None:
    found = redacted("AT+CSQ\n+CSQ: 18,99\nOK\n")
    assert view_of(found.diagnosis, found.evidence, ENGLISH).replaced == ()
    found = redacted(LOGS["healthy"], "ip")
    said = view_of(found.diagnosis, found.evidence, ENGLISH, revealed={"ip"}).replaced
    assert "cells" in said
    assert "IP addresses" not in said


# ---- nothing runs, nothing is loaded -----------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_nothing_runs_and_nothing_is_loaded(scene: str, language: str) -> None:
    html = page(scene, language)
    tags = {tag for tag, _ in Outline(html).tags}
    assert not tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "form",
        "a",
        "base",
        "foreignobject",
    }
    head = html.partition("</head>")[0]
    assert "default-src 'none'; style-src 'sha256-" in head
    assert not re.search(r"@import|url\(|\sstyle=|\son\w+=", re.sub(r">[^<]*<", "><", html))
    assert len(html.encode()) < 150_000


def test_hostile_text_shows_what_it_holds() -> None:
    html = page("hostile")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", html
    )
    text = Outline(html).text
    assert r"<script>alert(1)</script>" in text
    assert r"\u202egpj.exe\u2066\u001b[31m\u0000" in text
    assert "{{7*7}}" in text  # no template of its own
    assert "\u0301" * 3 not in text
    assert max(map(len, re.split(r"\s", text))) < 1200


@settings(deadline=None)
@given(st.text(max_size=300))
def test_shown_text_is_bounded_and_holds_nothing_unseen(text: str) -> None:
    told = shown(text, 100)
    assert len(told) <= 111
    assert told.replace("\n", "").replace("\t", "").isprintable() or any(c.isspace() for c in told)
    told.encode()
    assert shown(told, 200) == told


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=60))
def test_no_text_of_a_device_changes_the_outline(text: str) -> None:
    def outline(name: str) -> list[tuple[str, str | None]]:
        evidence = Evidence([
            Observation("device.model", name, Source(0, "ATI", "x")),
            Observation("sim.state", "READY", Source(1, f"AT+CPIN?{name}", name)),
        ])  # fmt: skip
        made = view_of(diagnose(evidence), evidence, ENGLISH)
        return Outline(render(made, ENGLISH)).tags

    assert outline(f"a{text}") == outline("a")


def test_evil_is_evil() -> None:
    """The text that the pages are tried with would do harm if it came through."""
    assert ("img", None) in Outline(EVIL).tags
