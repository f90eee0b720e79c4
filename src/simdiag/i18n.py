"""Languages: which one, and its catalogue."""

from __future__ import annotations

import gettext
import os
import re
from pathlib import Path

from simdiag.message import Translate

LOCALE_DIR = Path(__file__).parent / "locale"
DEFAULT = "en"
_SCRIPTS = {"HANS": "CN", "SG": "CN", "MY": "CN", "HANT": "HK", "TW": "HK", "MO": "HK", "": "CN"}
"""Chinese is written in two ways: which region's catalogue serves which script and region."""


def normalise(tag: str) -> str:
    """Return a language tag as the catalogues are named: ``zh-cn.UTF-8`` gives ``zh_CN``."""
    language, *rest = re.sub(r"[.@].*$", "", tag.strip()).replace("-", "_").split("_")
    language, region = language.lower(), rest[0].upper() if rest else ""
    if language == "zh":
        region = _SCRIPTS.get(region, region)
    return f"{language}_{region}" if region else language


def from_environment() -> str:
    """Return the language that the locale asks for (POSIX order of variables)."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "").partition(":")[0]
        if value and value not in ("C", "POSIX") and not value.startswith("C."):
            return normalise(value)
        if value:
            return DEFAULT
    return DEFAULT


def available() -> list[str]:
    """Return the languages that have a catalogue, English included."""
    return sorted({DEFAULT, *(p.parent.parent.name for p in LOCALE_DIR.glob("*/LC_MESSAGES/*.po"))})


def choose(tag: str | None) -> str:
    """Return the language to use: the one asked for, else the locale's, else English."""
    wanted = normalise(tag) if tag else from_environment()
    if wanted == DEFAULT:  # which needs no catalogue
        return DEFAULT
    known = available()
    if wanted in known:
        return wanted
    return next((k for k in known if k.partition("_")[0] == wanted.partition("_")[0]), DEFAULT)


def translator(language: str) -> Translate:
    """Return the function from an English text to the same in ``language``."""
    return gettext.translation("simdiag", LOCALE_DIR, languages=[language], fallback=True).gettext


def activate(language: str) -> None:
    """Make ``gettext.gettext`` speak ``language`` in this process, for the command line."""
    os.environ["LANGUAGE"] = language
    if not os.environ.get("LANG") or os.environ["LANG"] in ("C", "POSIX"):
        os.environ["LANG"] = "C.UTF-8"
    gettext.bindtextdomain("simdiag", str(LOCALE_DIR))
    gettext.textdomain("simdiag")
