"""Every way that a text may be a disguise of another, for the gate: one bytes in, many texts out.

Decoders are generous: what decodes to nonsense costs a little time and finds nothing.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import html
import lzma
import quopri
import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

MAX_SIZE = 8 * 1024 * 1024
"""Bytes that a packed part may unpack to; a bundle's parts are smaller."""
DEPTH = 4
"""How deep decoders are nested."""

_CHINESE = str.maketrans("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖幺两", "0012345678912345678912")
_LEET = str.maketrans("oOlIiZzEAaSsBGgTtqQ", "0011122344558997799"[:19])
_WORDS = {
    w: str(n)
    for words in (
        "zero one two three four five six seven eight nine",
        "null eins zwei drei vier fuenf sechs sieben acht neun",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "ling yi er san si wu liu qi ba jiu",
        "nil un deux trois quatre cinq six sept huit neuf",
    )
    for n, w in enumerate(words.split())
} | {"oh": "0", "niner": "9", "o": "0"}
_ROT47 = {33 + i: 33 + (i + 47) % 94 for i in range(94)}
_NUMBER_WORD = re.compile(r"\b(?:" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b", re.I)
_MORSE = {
    code: c
    for c, code in zip(
        "0123456789abcdefghijklmnopqrstuvwxyz",
        re.findall(
            r"\S+",
            "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .- -... -.-. -.. . "
            "..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- "
            "-.-- --..",
        ),
        strict=True,
    )
}


# ---- texts of a text ---------------------------------------------------------------------
def plain(text: str) -> str:
    """Return a text in plain characters: other scripts' digits, no marks that cannot be seen."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(_CHINESE)
    return "".join(_digit(c) for c in text if unicodedata.category(c) not in ("Cf", "Mn"))


def _digit(character: str) -> str:
    value = unicodedata.digit(character, None)
    return character if value is None or character.isascii() else str(value)


_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_ESCAPE = re.compile(
    r"\\+u\{?([0-9A-Fa-f]{4,6})\}?|\\+x([0-9A-Fa-f]{2})|\\+([0-3][0-7]{2})|%([0-9A-Fa-f]{2})"
    r"|=([0-9A-F]{2})|[Uu]\+([0-9A-Fa-f]{4,6})"
)


def unescaped(text: str) -> str:
    """Return a text without escapes of JSON, C, URLs, HTML and MIME."""
    if "&" in text:
        text = html.unescape(text)
    text = re.sub(r"=\r?\n|\\[\r\n]+", "", text)
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    return _ESCAPE.sub(_escaped, text) if re.search(r"[\\%=+]", text) else text


def _escaped(match: re.Match[str]) -> str:
    code = int(match[3], 8) if match[3] else int(next(g for g in match.groups() if g), 16)
    return chr(code) if code < 0x110000 else ""


def spelled(text: str) -> Iterator[str]:
    """Yield a text with words, letters and strokes read as digits."""
    if _NUMBER_WORD.search(text):
        yield _NUMBER_WORD.sub(lambda m: _WORDS[m[0].lower()], text)
    yield re.sub(r"[^\W_]*\d[^\W_]*", lambda m: m[0].translate(_LEET), text)
    yield text.translate(str.maketrans("43105", "aeios"))
    yield codecs.encode(text, "rot13")
    yield text.translate(_ROT47)
    if "0x" in text:
        yield re.sub("0[xX]", "", text)
    hexadecimal = re.sub(r"[^0-9A-Fa-f]+", "", text)
    for start in (0, 1):
        yield "".join(
            map("".join, zip(hexadecimal[start + 1 :: 2], hexadecimal[start::2], strict=False))
        )
    yield text.translate(str.maketrans("0123456789", "5678901234"))
    if re.search(r"[.\-]{3}[ /|][.\-]", text):
        yield re.sub(r"[.\-]+[ /|]?", lambda m: _MORSE.get(m[0].strip(" /|"), "?"), text)


_LINE = re.compile(r"[^\r\n]+")


def columns(text: str) -> Iterator[str]:
    """Yield what stands in one place of many lines: a character or a number a line."""
    lines = _LINE.findall(text)
    if len(lines) < 4:
        return
    yield " ".join(line[-1:] for line in lines)
    yield " ".join(line[:1] for line in lines)
    yield "\n".join(lines[::2])
    yield "\n".join(lines[1::2])
    rows: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        head = re.match(r"\s*[+^$#%!*&][A-Za-z0-9_]{2,16}:?", line)
        if line.strip() not in ("OK", "ERROR"):
            rows[head[0] if head else ""].append(line[head.end() if head else 0 :])
    yield from ("\n".join(row) for row in rows.values() if 1 < len(row) < len(lines))
    places: dict[tuple[str, int], list[str]] = defaultdict(list)
    for line in lines:
        numbers = re.findall(r"[0-9A-Fa-f]*\d[0-9A-Fa-f]*", line)
        head = re.match(r"\W*[A-Za-z_]*", line)
        for i, number in enumerate(numbers[:24]):
            places[head[0] if head else "", i].append(number)
            places["", i].append(number) if head and head[0] else None
        if numbers:
            places["last", -1].append(numbers[-1])
    yield from (" ".join(found) for found in places.values() if len(found) > 3)


# A quarter of the time of a gate's search went into regular expressions for these two.
_BLANKS = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalnum()})


def parts_of(text: str) -> list[str]:
    """Return the words and numbers of a text."""
    return text.translate(_BLANKS).split() if text.isascii() else re.findall(r"[^\W_]+", text)


def only(wanted: str, text: str) -> str:
    """Return the wanted ASCII characters of a text."""
    rest = bytes(set(range(256)) - set(wanted.encode()))
    return text.encode("ascii", "ignore").translate(None, rest).decode()


_STEPS = range(1, 5)
"""A digit may stand in every one, or in every second to fourth number, word, or place."""


def strides(text: str) -> Iterator[str]:
    """Yield what is left when the parts between are left out: counters, units, colours, tags."""
    words = parts_of(text)
    numbers = re.findall(r"\d+", text)
    digits = "".join(numbers)
    for step in _STEPS:
        for start in range(step):
            for found in (words, numbers):
                part = found[start::step]
                yield "".join(part).lower()
                yield "".join([p[-1] for p in part]).lower()
                yield "".join([p[0] for p in part]).lower()
            yield digits[start::step]


# ---- bytes of a text ---------------------------------------------------------------------
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}(?:\s{0,4}[A-Za-z0-9+/_-]{2,})*={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{8,}={0,6}|[a-z2-7]{8,}={0,6}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:,.-]{0,2}){4,}")
_BYTES = re.compile(
    r"(?:\b(?:0x[0-9A-Fa-f]{1,2}|0o[0-7]{1,3}|\d{1,3})\b[\s,;:|.-]{1,3}){4,}\S{1,4}"
)
_BITS = re.compile(r"(?:[01]{7,8}[\s,]{0,2}){4,}")
_UUENCODED = re.compile(r"[!-M][ -`]{8,60}")
_BASE85 = re.compile(r"[!-~]{8,}")


def packed(text: str) -> Iterator[bytes]:
    """Yield the bytes that parts of a text may stand for."""
    for found in _each(_BASE64, text):
        part = re.sub(r"\s", "", found).rstrip("=").translate(str.maketrans("-_", "+/"))
        if not re.fullmatch(r"[a-z]+|[A-Z][a-z]+", part):
            starts = range(4 if len(part) < len(found) else 1)
            for cut in (way[start:] for way in (part, part[::-1]) for start in starts):
                yield from _tried(base64.b64decode, cut[: len(cut) - (len(cut) % 4 == 1)] + "==")
    for found in _each(_UUENCODED, text):
        yield from _tried(binascii.a2b_uu, found[: 1 + -(-(ord(found[0]) - 32) // 3) * 4])
    for found in _each(_BASE32, text):
        part = found.rstrip("=").upper()
        yield from _tried(base64.b32decode, part + "=" * (-len(part) % 8))
    for found in _each(_HEX, text):
        digits = re.sub(r"[^0-9A-Fa-f]", "", found)
        yield (data := bytes.fromhex(digits[: len(digits) & ~1]))
        yield data[::-1]
        yield bytes.fromhex(digits[1:][: (len(digits) - 1) & ~1])
    for found in _each(_BYTES, text):
        numbers = re.findall(r"0x[0-9A-Fa-f]{1,2}|0o[0-7]{1,3}|\d{1,3}", found)
        values = [
            int(n, 0) if n[:1] == "0" and n[1:2] in "xo" and n[1:] else int(n) for n in numbers
        ]
        yield bytes(v for v in values if v < 256)
        if all(re.fullmatch("[0-7]{2,3}", n) for n in numbers):
            yield bytes(v for n in numbers if (v := int(n, 8)) < 256)
    for found in _each(_BITS, text):
        groups = re.findall(r"[01]{7,8}", found)
        yield bytes(int(g, 2) for g in groups)
    for found in _each(_BASE85, text):
        if re.search(r"[^\w+/=-]", found):
            yield from _tried(base64.b85decode, found.strip("\"'"))
            yield from _tried(lambda t: base64.a85decode(t, adobe="<~" in t), found)


def _each(pattern: re.Pattern[str], text: str) -> Iterable[str]:
    """Every part of a text that fits, once."""
    return dict.fromkeys(pattern.findall(text))


def _tried(decode: Callable[[str], bytes], text: str) -> Iterator[bytes]:
    try:
        yield decode(text)
    except (ValueError, binascii.Error):
        return


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield the content of packed data, at most ``MAX_SIZE`` bytes of it."""
    kinds: tuple[tuple[bytes, Callable[[], object]], ...] = (
        (b"\x1f\x8b", lambda: zlib.decompressobj(31)),
        (b"\x78", lambda: zlib.decompressobj(15)),
        (b"BZh", bz2.BZ2Decompressor),
        (b"\xfd7zXZ", lzma.LZMADecompressor),
    )
    for magic, make in kinds:
        if data.startswith(magic):
            try:
                yield make().decompress(data, MAX_SIZE)  # type: ignore[attr-defined]
            except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
                continue


def is_text(data: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def texts(data: bytes) -> Iterator[str]:
    """Yield data as text: UTF-8, or one character a byte; UTF-16 and 32 where it looks so."""
    yield data.decode("utf-8" if is_text(data) else "latin-1").replace("\0", "")
    if b"\0" in data[:4096]:
        for encoding in ("utf-16-be", "utf-16-le"):
            yield data.decode(encoding, "ignore")
    if b"=" in data and re.search(rb"=[0-9A-F]{2}", data):
        yield quopri.decodestring(data).decode("latin-1")
