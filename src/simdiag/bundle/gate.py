"""The gate: a finished bundle is decoded in every known way and searched for the real values.

It knows nothing of how the bundle was redacted. One hit, and there is no bundle.
"""

from __future__ import annotations

import io
import re
import string
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from simdiag.bundle.decoding import (
    DEPTH,
    MAX_SIZE,
    columns,
    is_text,
    only,
    packed,
    parts_of,
    plain,
    spelled,
    strides,
    texts,
    unescaped,
    unpacked,
)
from simdiag.bundle.words import host_vocabulary, vocabulary
from simdiag.errors import SimdiagError
from simdiag.identity import is_address, written
from simdiag.message import N_, message
from simdiag.transcript.recorded import Recording

Real = Mapping[tuple[str, str], str]
"""Every (kind, value) that is not to be seen, with what stands for it."""
_SURE, _SURE_DIGITS, _FILLED = 9, 10, 8
"""Shorter forms are looked for as whole words only, and digits alone need one more."""
_SHORTEST = 7
_GRAM, _STEP = 4, 4
"""Characters of the parts by which they are looked for, and how far apart these stand."""
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_COUNTING = "01234567890123456789"
"""What any list that counts its lines holds."""
_SPELLED = re.compile(r"(?:[0-9a-z]{1,4}[ ,._:|/\r\n-]{1,2}){2,40}[0-9a-z]{1,4}")
"""A word cut into pieces of one to four characters."""


class LeakFound(SimdiagError):
    """A real value shows in a finished bundle. Names the kind and the member, never the value."""

    def __init__(self, kind: str, member: str) -> None:
        self.kind, self.member = kind, member
        text = N_(
            "the bundle is not written: {member} would show an identifier ({kind}); please report "
            "this as a defect of simdiag"
        )
        super().__init__(message(text, kind=kind, member=member))


def check(archive: bytes, real: Real, name: str = "") -> None:
    """Raise ``LeakFound`` if a ZIP archive shows a real value anywhere, its names included."""
    needles = Needles(real)
    for member, data in ((name or "archive", name.encode()), *_members(archive)):
        if kind := needles.find(data):
            raise LeakFound(kind, member if not needles.find(member.encode()) else "archive")


def find_in_talk(events: Iterable[Recording], needles: Needles) -> str | None:
    """Return the kind of a real value that a talk still shows, or ``None``."""
    said: dict[tuple[str, str], bytearray] = {}
    for event in events:
        said.setdefault((event.port, event.dir), bytearray()).extend(event.data)
    return next((kind for data in said.values() if (kind := needles.find(bytes(data)))), None)


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield all that an archive holds: members, names, comments, and what stands between them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        yield "archive", opened.comment
        for info in opened.infolist():
            yield info.filename, info.filename.encode() + b"\n" + info.comment + b"\n" + info.extra
            with opened.open(info) as stream:
                yield info.filename, stream.read(MAX_SIZE)


class Needles:
    """What to look for, in every form that it may have once all disguises are off.

    ``careful`` looks anywhere for what is as short as a cell too: now and then that is found where
    it is not, so it is no reason to refuse a bundle, only to have a talk redacted more strictly.
    """

    def __init__(self, real: Real, *, careful: bool = False) -> None:
        self._long: dict[str, str] = {}
        self._words: dict[str, str] = {}
        stand_ins = {f.lower() for (k, _), token in real.items() for f in written(k, token)}
        for (kind, value), _ in real.items():
            for form in _forms(kind, value):
                low = form.lower()
                if low in stand_ins or low in vocabulary() or low in host_vocabulary():
                    continue
                if len(low.strip("0f")) < min(len(low) // 2 + 1, _FILLED):
                    continue  # fillers: they stand everywhere
                if low in _COUNTING:
                    continue
                sure = _SURE_DIGITS if low.isdecimal() else _SURE
                if len(low) >= (_SHORTEST if careful and kind == "cell" else sure):
                    self._long[low] = kind
                elif len(low) >= _shortest(kind, low):
                    self._words[low] = kind
        self._spelled = [w for w in self._words if len(w) > 6]
        self._grams: dict[str, list[tuple[str, int]]] = {}
        for needle in self._long:
            for at in range(_STEP):
                self._grams.setdefault(needle[at : at + _GRAM], []).append((needle, at))
        self._seen: set[int] = set()

    def find(self, data: bytes) -> str | None:
        """Return the kind of a value that stands in data, in whatever disguise."""
        self._seen.clear()
        return self._find(data, DEPTH) if self._long or self._words else None

    def _find(self, data: bytes, depth: int) -> str | None:
        if depth == 0 or len(data) < 4 or hash(data) in self._seen:
            return None
        self._seen.add(hash(data))
        if _is_binary(data) and (kind := self._in(data.hex())):
            return kind
        for text in texts(data):
            if kind := self._find_in_text(text, depth, spelled_too=is_text(data)):
                return kind
        for content in unpacked(data):
            if kind := self._find(content, depth - 1):
                return kind
        return None

    def _find_in_text(self, text: str, depth: int, *, spelled_too: bool) -> str | None:
        views = [text]
        for _ in range(3 if spelled_too else 0):
            if (opened := plain(unescaped(views[-1]))) == views[-1]:
                break
            views.append(opened)
        for view in views:
            if kind := self._search(view) or self._find_in_parts(view, depth, spelled_too):
                return kind
        return None

    def _find_in_parts(self, text: str, depth: int, spelled_too: bool) -> str | None:
        for other in spelled(text) if spelled_too else ():
            if kind := self._in(_squeezed(other)) or self._as_word(other.lower()):
                return kind
        values = _values(text)
        for other in (*columns(text), *columns(values), values) if spelled_too else ():
            if kind := self._search(other):
                return kind
        for other in strides(values or text) if spelled_too else ():
            if kind := self._in(other):
                return kind
        if depth > 1:
            parts = dict.fromkeys(packed(text))  # all at once: most are short, and nonsense
            opened = [inner for part in parts for inner in unpacked(part)]
            legible = b"\n".join([part for part in parts if is_text(part)])
            binary = b"\n".join([part for part in parts if not is_text(part)])
            for content in (legible, binary, *opened):
                if kind := self._find(content, depth - 1):
                    return kind
        return None

    def _search(self, text: str) -> str | None:
        low = text.lower()
        squeezed = _squeezed(low)
        digits = only(string.digits, squeezed)
        hexadecimal = only(string.digits + "abcdef", squeezed)
        views = dict.fromkeys((squeezed, digits, hexadecimal))
        return next((k for view in views if (k := self._in(view))), None) or self._as_word(low)

    def _in(self, text: str) -> str | None:
        """Look for the long needles, by parts of them that stand at every fourth character.

        The shortest has so many characters that such a part lies wholly in it.
        """
        grams = self._grams
        for i in range(0, len(text) - _GRAM + 1, _STEP):
            if (gram := text[i : i + _GRAM]) in grams:
                for needle, at in grams[gram]:
                    if i >= at and text.startswith(needle, i - at):
                        return self._long[needle]
        return None

    def _as_word(self, text: str) -> str | None:
        """Look for the short needles: as words, also such that are spelled with separators."""
        words = set(parts_of(text))
        if self._spelled:
            runs = "|".join(map(_squeezed, set(_SPELLED.findall(text))))
            words.update(w for w in self._spelled if w in runs)
        hits = words & self._words.keys()
        return self._words[min(hits)] if hits else None


def _forms(kind: str, value: str) -> Iterator[str]:
    """A value as a digit string, a word, bytes in hex; forwards, backwards, as a number."""
    plain_value = re.sub(r"[\W_]", "", value)
    for form in (*written(kind, value), plain_value):
        yield re.sub(r"[\W_]", "", form)
    yield plain_value[::-1]
    if plain_value.isdecimal() and len(plain_value) > 9:
        yield from _numerals(int(plain_value))
        size = max(_SURE_DIGITS, len(plain_value) - 2)  # an end of it may be glued to other digits
        yield from (plain_value[i : i + size] for i in range(len(plain_value) - size + 1))
        yield from (plain_value[i:] for i in _tails(kind))
    elif kind == "mac" and set(plain_value) <= set(string.hexdigits):
        yield str(int(plain_value, 16))
        yield plain_value[6:]
    elif kind == "ip" and value.count(".") == 3 and is_address(value):
        yield str(int.from_bytes(bytes(map(int, value.split("."))), "big"))


def _numerals(number: int) -> Iterator[str]:
    """A number to other bases than ten."""
    yield from (f"{number:x}", f"{number:o}", f"{number:b}")
    for digits in (string.digits + string.ascii_lowercase, _BASE58):
        text, rest = "", number
        while rest:
            rest, digit = divmod(rest, len(digits))
            text = digits[digit] + text
        yield text


def _tails(kind: str) -> Sequence[int]:
    """Where the personal part begins, if that alone is long enough to be sure."""
    return {"iccid": (6, 7), "imsi": (3, 5), "eid": (8,), "msisdn": (2, 3)}.get(kind, ())


def _shortest(kind: str, form: str) -> int:
    """How long a whole word must be to count: shorter ones stand anywhere by chance."""
    if kind in ("cell", "ip"):
        return 7
    if kind == "area":
        return 99
    return 6 if form.isdecimal() or re.fullmatch("[0-9a-f]+", form) else 4


def _values(text: str) -> str:
    """The texts in JSON lines, without keys and numbers: a transcript as it was said."""
    said = "\n".join(re.findall(r'"data": ?"((?:[^"\\]|\\.)*)"', text))
    return re.sub(r"(?:\\+[rn])+", "\n", said)


@lru_cache(maxsize=512)
def _squeezed(text: str) -> str:
    return "".join(parts_of(text.lower()))


def _is_binary(data: bytes) -> bool:
    return re.search(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]", data) is not None
