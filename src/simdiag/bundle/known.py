"""Puts the stand-ins of known identifiers into a text, in whatever encoding they stand there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from simdiag.identity import telling_parts, written

_SURE = 8
"""Shorter forms are found as a whole word only: eight characters do not turn up by chance."""
_NAMES = ("host", "user", "ssid", "serial", "apn", "interface", "program")
_CHARACTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"(?:\b0[xX])?([^\W_]+)")


def squeezed(text: str) -> tuple[str, list[int]]:
    """Return a text's letters and digits, and where each of them stands."""
    places = [m.start() for m in _CHARACTER.finditer(text)]
    return "".join([text[i] for i in places]), places


class Text:
    """A text of which some characters are decided: they are as they may be seen."""

    def __init__(self, text: str) -> None:
        self.characters = list(text)
        self.decided = bytearray(len(text))

    def put(self, places: Iterable[int], characters: str) -> None:
        """Decide on some characters: these stand there from now on."""
        for place, character in zip(places, characters, strict=True):
            self.characters[place] = character
            self.decided[place] = True

    def keep(self, places: Iterable[int]) -> None:
        """Decide that some characters stay."""
        for place in places:
            self.decided[place] = True

    def mask(self, places: Iterable[int], mask: str = "*") -> None:
        """Hide what is not decided yet."""
        for place in places:
            if not self.decided[place]:
                self.characters[place] = mask

    def part(self, start: int, end: int) -> str:
        """Return a part as it stands now."""
        return "".join(self.characters[start:end])

    def __str__(self) -> str:
        return "".join(self.characters)


class Known:
    """The identifiers that are known, with what stands for each; equal where one is revealed."""

    def __init__(self, stand_ins: Mapping[tuple[str, str], str]) -> None:
        self._anywhere: dict[str, tuple[str, str]] = {}
        self._as_word: dict[str, tuple[str, str]] = {}
        self._parts: dict[str, str] = {}
        """Parts of long numbers, each alone as a word: masked."""
        for (kind, value), token in stand_ins.items():
            if token != value:
                self._parts |= dict.fromkeys(telling_parts(kind, value), kind)
            for form, other in _pairs(kind, value, token):
                short = kind in ("cell", "area") and len(form) < 2 * _SURE - 4
                sure = len(form) >= _SURE and not short
                known = self._anywhere if sure else self._as_word
                if sure or len(form) > 5 or kind in _NAMES or _is_hex(form):
                    known.setdefault(form.upper(), (kind, other))
        self._longest_first = sorted(self._anywhere, key=len, reverse=True)

    def put_into(self, text: Text) -> Counter[str]:
        """Replace all that is known; return how many of each kind."""
        found: Counter[str] = Counter()
        letters, places = squeezed(str(text))
        letters = letters.upper() if len(letters.upper()) == len(letters) else letters
        for form in self._longest_first:
            at = letters.find(form)
            while at >= 0:
                where = places[at : at + len(form)]
                if not any(text.decided[i] for i in where):
                    kind, other = self._anywhere[form]
                    _put(text, where, other)
                    found[kind] += 1
                at = letters.find(form, at + 1)
        for match in _WORD.finditer(str(text)):
            word = match[1].upper()
            kind, other = self._as_word.get(word, ("", ""))
            if not kind and (kind := self._parts.get(word, "")):
                other = "*" * len(word)
            if kind and not any(text.decided[i] for i in range(*match.span(1))):
                _put(text, range(*match.span(1)), other)
                found[kind] += 1
        return found


def _pairs(kind: str, value: str, token: str) -> Iterator[tuple[str, str]]:
    """The forms of a value with those of its stand-in; one that differs in length is masked."""
    forms = list(written(kind, value)) if kind in _KINDS else [value]
    others = list(written(kind, token)) if kind in _KINDS else [token]
    for i, form in enumerate(forms):
        fits = len(forms) == len(others) and len(others[i]) == len(form)
        yield form, others[i] if fits else "*" * len(form)


_KINDS = frozenset(["iccid", "imsi", "imei", "eid", "msisdn", "cell", "area", "ip", "mac", *_NAMES])


def _is_hex(form: str) -> bool:
    """Whether a short number can be nothing else: hex with a letter, four digits or more."""
    return len(form) > 3 and not form.isdecimal() and not form.isalpha()


def _put(text: Text, places: Sequence[int], characters: str) -> None:
    between = set(range(places[0], places[-1])) - set(places)
    text.keep(i for i in between if text.characters[i] in ".:-")
    small = [text.characters[i].islower() for i in places]
    text.put(places, "".join(c.lower() if s else c for c, s in zip(characters, small, strict=True)))
