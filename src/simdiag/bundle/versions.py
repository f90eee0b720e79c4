"""Models and versions of firmware: words with digits that name a product and nobody.

A serial number looks alike. So a word counts if a driver knows the model in it, or the modem has
named itself so in this talk; of other words few characters stay, fewer than an identifier has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from simdiag.bundle.denial import is_word
from simdiag.bundle.words import version_forms
from simdiag.identity import is_address
from simdiag.registry import drivers

_SIGNIFICANT = 6
"""Digits, and letters that could be hex digits, that the odd words of a version may tell: a cell
has seven."""
_STRANGE, _AMID_MARKS, _NUMBERED = 16, 5, 12
"""Characters of all odd words of a version, also amid marks that could spell something with them;
digits of one word."""
_LONG_RUN = re.compile("[A-Z]{7}|[a-z]{3}|[0-9]{5}|[^A-Za-z0-9]")
_MARKS = frozenset("._-:/+*[]()")
_FIRMWARE = re.compile(r"(?:[A-Z]{1,6}[0-9]{1,2})+[A-Z]?")
"""What follows the model in the name of a firmware: short groups (``BG96MAR02A07M1G``)."""
_HEX_RUN, _MIXED = re.compile("[0-9A-Fa-f]{7}"), re.compile("[a-z].*[0-9].*[a-z]|[a-z]{3}")
"""What stands beside a model in no name of a firmware: a cell, words with digits among them."""
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_DATE = re.compile(r"(?:20)?[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_ASKED = re.compile(r"AT(?:I\d?|[+^#$%*!]\w*(?:GMR|VER)\w*)\b", re.IGNORECASE)
_LABEL = re.compile(r"\s*(?:[A-Z]-)?(?:revision|version)\b", re.IGNORECASE)
_BOUNDARY = re.compile(r"\\b|\(\?<!\[[^\]]*\]\)")
SHORT_HEX = re.compile("[0-9A-F]{1,3}")
"""A word that may be a part of a number, though it is a known one (``ED``)."""
_JOINED = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+")


def is_version(text: str, models: Collection[str] = ()) -> bool:
    """Whether a word can be part of a model or a version: no name, no long number, no hash.

    A longer word has to hold a model that a driver knows (``EC25EFAR06A03M4G``), or one of
    ``models``.
    """
    if is_known(text, models) or re.fullmatch("[A-Z]{1,2}|[a-z]", text):
        return True
    if "." in text:
        parts = text.split(".")
        short = all(part.isdecimal() and len(part) < 4 for part in parts)
        few = short and significant(text) <= _SIGNIFICANT
        return (few or _is_numbered(text)) and not (is_address(text) or is_address(text[::-1]))
    return _digits(text) > 0 and len(text) < 7 and _is_grouped(text)


def is_known(text: str, models: Collection[str] = ()) -> bool:
    """Whether a word of a version is known: a model, a date, a word."""
    timed = _DATE.fullmatch(text) or _TIME.fullmatch(text)
    return is_word(text) or timed is not None or text in models or names_model(text, models)


def names_model(text: str, models: Collection[str] = ()) -> bool:
    """Whether a word holds a model's name, and beside it no more than firmware has."""
    if not (len(text) <= 20 and _digits(text) <= _NUMBERED and _is_grouped(text)):
        return False
    own = [m for m in models if len(m) > 3 and text.startswith(m)]
    if any(_FIRMWARE.fullmatch(text.removeprefix(m)) for m in own):
        return True
    rests = (text[:start] + " " + text[end:] for start, end in _models(text))
    return any(not _MIXED.search(r) and not _HEX_RUN.search(r) for r in rests)


def models_in(name: str) -> list[str]:
    """Return the words of what a modem calls itself that are a model's, if they hold little."""
    words = re.findall("[A-Za-z0-9]+", name)
    named = [w for w in words if len(w) > 3 and _digits(w) and not w.isdecimal() and is_version(w)]
    return named if is_plain(name) and is_modest(words) else []


def parts_of_model(line: str) -> set[str]:
    """Return the words of a line that are a known model together (``SARA-R412M-02B``)."""
    found = set[str]()
    for joined in _JOINED.findall(line):
        for start, end in _models(joined):
            rest = re.split("[-_]", joined[:start] + " " + joined[end:])
            if sum(map(significant, rest)) <= _SIGNIFICANT:
                found.update(re.split("[-_]", joined))
    return {word for word in found if len(word) < 7}


def is_asked_for(command: str, line: str) -> bool:
    """Whether a line can be a version: it was asked for, or the line calls itself one."""
    return _ASKED.match(command) is not None or _LABEL.match(line) is not None


def is_plain(line: str) -> bool:
    """Whether the marks of a line are such as versions have: others could spell something."""
    return set(re.findall(r"[^\w\s,\"]", line)) <= _MARKS


@lru_cache(maxsize=4096)
def _models(text: str) -> tuple[tuple[int, int], ...]:
    """Find what drivers identify, also amid other letters: the names of firmware hold it so."""
    found = (pattern.search(text) for pattern in _identifying())
    return tuple(match.span() for match in found if match)


@lru_cache(maxsize=1)
def _identifying() -> list[re.Pattern[str]]:
    anywhere = [_BOUNDARY.sub("", driver.identify) for driver in drivers()]
    return [re.compile(pattern, re.IGNORECASE) for pattern in anywhere if pattern]


def is_modest(texts: Iterable[str], models: Collection[str] = (), *, plain: bool = True) -> bool:
    """Whether the words of one version that are not known hold too little for an identifier.

    Less may stay where the marks between them are not ``plain``.
    """
    strange = [t for t in texts if not is_known(t, models) or SHORT_HEX.fullmatch(t)]
    formed = [t for t in strange if _is_numbered(t)]
    others = [t for t in strange if t not in formed]
    told = sum(map(significant, others))
    most = _STRANGE if plain else _AMID_MARKS
    return len(set(formed)) < 2 and told <= _SIGNIFICANT and sum(map(len, others)) <= most


def significant(text: str) -> int:
    """How many digits a word could tell: decimal, or such letters as hex has.

    Zeros that lead a part of a number with points tell none. Letters that are no hex digits count
    beyond one a word: a name could be spelled with them.
    """
    if "." in text:
        return sum(len(run.lstrip("0")) for run in text.split("."))
    hexadecimal = sum(c in "0123456789ABCDEFabcdef" for c in text)
    others = len(text) - hexadecimal
    return hexadecimal + (max(0, others - 1) if _digits(text) else others)


def _is_grouped(text: str) -> bool:
    """Whether a word consists of short groups of letters and digits."""
    return text.isascii() and _LONG_RUN.search(text) is None


def _is_numbered(text: str) -> bool:
    """Whether a version is numbered as the firmware of a known family is.

    Of five groups the last may have another length: it counts builds. Fewer than four groups
    could be anything, and have to hold little.
    """
    form = re.sub(r"\d", "0", text)
    if form.count(".") < 3:
        return False
    start, _, build = form.rpartition(".")
    longer = {f.rpartition(".")[0] for f in version_forms() if f.count(".") > 3}
    return form in version_forms() or (start in longer and 0 < len(build) < 5)


def _digits(text: str) -> int:
    return sum(c.isdecimal() for c in text)
