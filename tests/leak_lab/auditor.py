"""The auditor: sees an identifier through every disguise of the laboratory, three deep.

Written apart from simdiag's redaction and gate, and on purpose in another way: it takes any text
apart into candidate strings, breadth first, and looks for the personal part in each.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator

_MORSE = "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
_LETTERS = (".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
            ".-- -..- -.-- --..")  # fmt: skip
_CODES = {
    m: c
    for m, c in zip(
        (_MORSE + " " + _LETTERS).split(), "0123456789abcdefghijklmnopqrstuvwxyz", strict=True
    )
}
_NUMERALS = {
    w: str(i)
    for i, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
}
_HAN = {c: str(i) for i, c in enumerate("零一二三四五六七八九")}


_BANKERS = {c: str(i) for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
_BASES = {36: "0123456789abcdefghijklmnopqrstuvwxyz",
          58: "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"}  # fmt: skip


def sees(text: str, core: str, depth: int = 3) -> bool:
    """Whether a text tells the personal part of an identifier."""
    wanted = {core, core[::-1]}
    if len(core) > 9:  # its ends may be glued to something else
        wanted |= {core[1:], core[:-1]}
    if core.isdigit():
        wanted |= {_swap(part[: len(part) // 2 * 2]) for part in (core, core[1:])}
    seen: set[str] = set()
    layer = [text]
    for _ in range(depth + 1):
        following: list[str] = []
        for part in layer:
            for candidate in _flat(part):
                if any(w in candidate for w in wanted):
                    return True
            following += [p for p in _deeper(part) if len(p) > 5]
        layer = [p for p in dict.fromkeys(following) if p not in seen]
        seen.update(layer)
    return core.isdigit() and any(core in number for number in _numbers(text))


def _numbers(text: str) -> Iterator[str]:
    """What letters and digits tell as a number to another base."""
    for word in re.findall("[0-9A-Za-z]{7,110}", text):
        if re.fullmatch("[01]{30,}", word):
            yield str(int(word, 2))
        if re.fullmatch("(?:0o)?[0-7]{9,}", word):
            yield str(int(word.removeprefix("0o"), 8))
        if re.fullmatch("[0-9A-Fa-f]{9,27}", word):
            yield str(int(word, 16))
        for base, digits in _BASES.items():
            if len(word) < 24 and set(word) <= set(digits):
                number = 0
                for c in word:
                    number = number * base + digits.index(c)
                yield str(number)


def _swap(v: str) -> str:
    return "".join(v[i + 1 : i + 2] + v[i] for i in range(0, len(v), 2))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _flat(text: str) -> Iterator[str]:
    """The same text without what only separates."""
    yield _letters(text)
    yield "".join(c for c in text if c in "0123456789")
    yield "".join(c for c in text.lower() if c in "0123456789abcdef")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    known = [line for line in lines if not re.match(r"\+CREG: \d$|\+CSQ: 20,99$|OK$", line)]
    yield _letters("".join(known))
    if len(lines) > 5:
        for pick in (lambda s: s[-1:], lambda s: s[-2:], lambda s: s[:1]):
            yield "".join(pick(line.strip()) for line in lines).lower()
        by_head: dict[str, str] = {}
        for line in lines:
            head = re.match(r"\W*[A-Za-z]*", line)
            by_head[head[0] if head else ""] = by_head.get(head[0] if head else "", "") + line[-1:]
        yield from (column.lower() for column in by_head.values())
    plain = unicodedata.normalize("NFKC", text)
    yield _letters(
        "".join(
            str(unicodedata.digit(c, "")) or c for c in plain if unicodedata.category(c) != "Cf"
        )
    )
    yield "".join(_HAN.get(c, "") for c in text)
    yield "".join(str(int(n, 2)) for n in re.findall(r"\b[01]{4}\b", text))
    yield "".join(_NUMERALS.get(w, "|") for w in re.findall("[a-z]+", text.lower()))
    yield "".join(_CODES.get(c, "|") for c in re.findall(r"[.-]+", text))
    yield _letters(codecs.encode(text, "rot13"))
    yield "".join(str((int(c) + 5) % 10) for c in text if c in "0123456789")
    yield _letters(text.translate(str.maketrans("OlESB", "01358")))
    yield _letters(text.lower().translate(str.maketrans("43105", "aeios")))
    yield re.sub(r"0x|[\W_]", "", text.lower())
    yield _letters(re.sub(r"\x1b\[[0-9;]*[A-Za-z]|<[^>]*>", "", text))
    turned = "".join(chr(33 + (ord(c) + 14) % 94) if "!" <= c <= "~" else c for c in text)
    yield from (_letters(turned), _letters(turned.replace(" ", "")))
    yield "".join(_BANKERS.get(c, "") for c in text)
    tokens = re.findall("[0-9A-Za-z]+", text.lower())
    numbers = re.findall("[0-9]+", text)
    for found in (tokens, numbers, re.findall("[0-9]", text)):
        for step in range(1, 5):
            for start in range(step):
                part = found[start::step]
                yield "".join(part)
                yield "".join(p[-1] for p in part)
                yield "".join(p[0] for p in part)


def _deeper(text: str) -> Iterator[str]:
    """What the parts of a text decode to."""
    if "&#" in text:
        yield html.unescape(text)
    for pattern, base in ((r"\\+x([0-9a-fA-F]{2})", 16), (r"\\+u([0-9a-fA-F]{4})", 16),
                          (r"\\+[ux]\{([0-9a-fA-F]{1,6})\}", 16), (r"\\([0-9a-f]{6})", 16),
                          (r"%u([0-9a-fA-F]{4})", 16), (r"U\+([0-9A-F]{4}) ?", 16),
                          (r"\\+([0-3][0-7]{2})", 8), (r"%([0-9a-fA-F]{2})", 16),
                          (r"=([0-9A-F]{2})", 16)):  # fmt: skip
        if re.search(pattern, text):
            yield re.sub(pattern, lambda m, b=base: chr(int(m[1], b)), text)
    for token in re.findall(r"[A-Za-z0-9+/=]{8,}", text):
        yield from _bytes(_b64, token[::-1])
    for start, c in enumerate(text):
        size = 1 + -(-(ord(c) - 32) // 3) * 4
        if 4 < ord(c) - 32 <= 45 and re.fullmatch("[ -`]+", line := text[start : start + size]):
            yield from _bytes(binascii.a2b_uu, line)
    for token in re.findall(r"(?:[0-9A-Fa-f]{2}){5,}", text):
        yield bytes.fromhex(token)[::-1].decode("latin-1")
    if "=\r\n" in text or "=\n" in text:
        yield re.sub("=\r?\n", "", text)
    joined = re.sub(r"[\r\n\s]+", "", text)
    for source in {text, joined}:
        for token in re.findall(r"[A-Za-z0-9+/=_-]{8,}", source):
            for start in range(4):
                yield from _bytes(_b64, token[start:])
        for token in re.findall(r"[A-Z2-7=]{8,}", source):
            yield from _bytes(_b32, token)
    for token in re.findall(r"[!-~]{8,}", text):
        cuts = [m.start() for m in re.finditer('[":,]', token)]
        for start in (0, *(c + 1 for c in cuts)):
            for end in (len(token), *cuts):
                if 8 < end - start < 200:
                    for decode in (base64.b85decode, base64.a85decode):
                        yield from _bytes(decode, token[start:end])
    for token in re.findall(r"(?:[0-9A-Fa-f]{2}[ :,]?){4,}", text):
        digits = re.sub(r"[^0-9A-Fa-f]", "", token)
        for start in (0, 1):
            even = digits[start:][: (len(digits) - start) // 2 * 2]
            yield from _as_text(bytes.fromhex(even))
            yield _unpack7(bytes.fromhex(even))
    for base, pattern in (
        (16, r"0x([0-9a-fA-F]{2})"),
        (10, r"\b(\d{2,3})\b"),
        (8, r"\b([0-3]?[0-7]{2})\b"),
        (8, r"\\([0-3][0-7]{2})"),
        (2, r"\b([01]{8})\b"),
    ):
        codes = [int(n, base) for n in re.findall(pattern, text)]
        if len(codes) > 4:
            yield "".join(chr(n) for n in codes if n < 128)


def _b64(token: str) -> bytes:
    token = token.rstrip("=")
    return base64.b64decode(
        token + "=" * (-len(token) % 4), altchars=b"-_" if "-" in token or "_" in token else None
    )


def _b32(token: str) -> bytes:
    token = token.rstrip("=")
    return base64.b32decode(token + "=" * (-len(token) % 8))


def _bytes(decode, token: str) -> Iterator[str]:
    try:
        data = decode(token)
    except ValueError:
        return
    yield from _as_text(data)


def _as_text(data: bytes) -> Iterator[str]:
    yield data.decode("latin-1")
    for opened in (lambda: zlib.decompressobj(47).decompress(data), lambda: bz2.decompress(data)):
        try:
            yield opened().decode("latin-1")
        except (zlib.error, OSError, ValueError):
            continue


def _unpack7(data: bytes) -> str:
    bits = int.from_bytes(data, "little")
    return "".join(chr(bits >> 7 * i & 0x7F) for i in range(len(data) * 8 // 7))
