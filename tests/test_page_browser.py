"""The page in a real browser: it fits, everybody can read it, it prints, it loads nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from page_scenes import SCENES, view
from simdiag.i18n import available, translator
from simdiag.report.page import render

pytestmark = pytest.mark.xdist_group("browser")  # one browser for all

CHROMIUM = shutil.which("chromium")
LANGUAGES = available()
WIDE = 1000
LOOKS = {
    "light": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (360, "light"), "small": (320, "dark"),
}  # fmt: skip
MOST_SHEETS = {"inconclusive": 2, "not_activated": 2, "healthy": 3, "weak_signal": 3, "hostile": 4}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt install chromium fonts-noto-cjk")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: make test has it")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@dataclass
class Seen:
    """An open page, and what it asked for or complained of."""

    page: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def look(self, name: str) -> None:
        """Give the window the width and the scheme of a look."""
        width, scheme = LOOKS[name]
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme=scheme)

    def overflow(self) -> int:
        """How many pixels the page is wider than the window, or a part of it than its place."""
        return int(self.page.evaluate(
            """() => Math.max(
                document.documentElement.scrollWidth - document.documentElement.clientWidth,
                ...[...document.querySelectorAll("body *:not(svg *)")].map(
                    e => Math.ceil(e.getBoundingClientRect().right) - window.innerWidth))"""
        ))  # fmt: skip

    def violations(self) -> list[str]:
        """What the checker (axe-core) finds, each with the element."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{v['id']}: {node['html'][:150]}" for v in found for node in v["nodes"]]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open HTML in a window: ``opened(html, "phone")``."""
    pages = []

    def show(html: str, look: str = "light") -> Seen:
        path = tmp_path / "page.html"
        path.write_text(html, "utf-8")
        seen = Seen(browser.new_page())
        seen.look(look)
        pages.append(seen.page)
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("console", lambda line: seen.said.append(line.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("dialog", lambda dialog: (seen.said.append(dialog.message), dialog.dismiss()))
        seen.page.goto(path.as_uri())
        return seen

    yield show
    for page in pages:
        page.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_a_page_fits_and_everybody_can_read_it(opened: Any, scene: str, language: str) -> None:
    translate = translator(language)
    seen = opened(render(view(scene, translate), translate))
    for name, (width, _scheme) in LOOKS.items():
        seen.look(name)
        assert seen.overflow() <= 0, name
        if width == WIDE:  # contrast is a matter of the scheme
            assert seen.violations() == [], name
    assert [url for url in seen.asked if not url.endswith("/page.html")] == []
    assert seen.said == []
    assert seen.page.evaluate("document.scripts.length + document.images.length") == 0


def test_letters_keep_their_size_in_a_chart(opened: Any) -> None:
    """A chart that is squeezed to a telephone stays readable."""
    translate = translator("en")
    seen = opened(render(view("weak_signal", translate), translate), "small")
    sizes = seen.page.evaluate(
        "[...document.querySelectorAll('.chart text')].map(e => e.getBoundingClientRect().height)"
    )
    assert len(sizes) > 10
    assert min(sizes) >= 11


def test_the_theme_follows_the_system(opened: Any) -> None:
    html = render(view("healthy", translator("en")), translator("en"))
    grounds = [
        opened(html, look).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for look in ("light", "dark")
    ]
    assert grounds == ["rgb(245, 246, 248)", "rgb(16, 19, 24)"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_a_page_prints_on_few_sheets_of_a4(opened: Any, scene: str, language: str) -> None:
    translate = translator(language)
    seen = opened(render(view(scene, translate), translate), "dark")
    pdf = seen.page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = re.findall(rb"/MediaBox \[([^\]]+)\]", pdf)
    assert {tuple(round(float(n)) for n in box.split()) for box in boxes} == {(0, 0, 595, 842)}
    assert 1 <= len(re.findall(rb"/Type /Page\b", pdf)) <= MOST_SHEETS[scene]
    seen.page.emulate_media(media="print")
    cut = seen.page.evaluate(
        """[...document.querySelectorAll("section, li, tr, figure, .facts > div")]
           .filter(e => getComputedStyle(e).breakInside != "avoid").length"""
    )
    assert cut == 0
    assert seen.page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<!DOCTYPE html><title>x</title><p>no language", "html-has-lang"),
        ('<!DOCTYPE html><html lang="en"><title>x</title><p style="color:#ccc">faint', "color-contrast"),
        ('<!DOCTYPE html><html lang="en"><title>x</title><img src="data:,">', "image-alt"),
    ],
)  # fmt: skip
def test_the_checker_would_complain(opened: Any, html: str, complaint: str) -> None:
    assert any(complaint in found for found in opened(html, "light").violations())


def test_what_is_too_wide_would_be_seen(opened: Any) -> None:
    assert opened("<!DOCTYPE html><p>" + "W" * 500, "phone").overflow() > 0
    assert opened("<!DOCTYPE html><script>alert(1)</script>", "phone").said == ["1"]
