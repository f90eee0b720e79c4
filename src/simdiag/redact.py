"""Hides identifiers in what is shown or written: lengths stay, the personal digits go.

Works from the typed observations: their values are known, so every way they are written on the
wire is found, whatever stands between their digits. Shapes of lines tell the rest: messages,
secrets, cells, addresses, positions. Whatever else looks like an identifier (a long run of digits
or hex) is hidden too unless it is known to be harmless: hiding too much is the smaller harm.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from simdiag import identity
from simdiag.evidence import Evidence, Observation

KINDS = ("iccid", "imsi", "imei", "ip", "cell")
"""What ``--reveal`` can name."""

_KEEP = {"iccid": (6, 4), "imsi": (5, 0), "imei": (8, 0), "cell": (0, 0)}
"""How many characters stay visible at the head and the tail: issuer, PLMN, type of device."""
_OTHER = str.maketrans("0123456789ABCDEF", "1234567890BCDEFA")
_SHOW, _HIDE = 1, 2
_IX = re.IGNORECASE | re.VERBOSE

_WORDS = (  # hidden is what the group holds
    # messages may run over several lines: up to the next answer, or Ctrl-Z
    re.compile(
        r"""(?:\+(?:CMT|Q?CMG[LR]|CDS|CBM|\w{0,2}USD)\s?: | \+\s*CMG[SW]\s*=(?!\s*\?)) ((?s:.*?))
        (?= [\r\n](?-i: (?:OK|ERROR|RDY|NO\ CARRIER)(?:[\r\n]|\Z) | (?:AT)?[+^$\#!%*][A-Z]{2})
          | [\x1a\x1b] | \Z)""", _IX),
    re.compile(
        r"""(?: \+(?:CNUM|CLIP|CPB[RF]|COLP|CCWA|CLCC|CNAP|CCFC)\s?:
          | [+^$#!%*]\s* (?: \w{0,9}(?:PIN|PUK)2?\s*=  |  CLCK\s*=(?:[^,;\r\n]{0,64},){2}
            | CPWD\s*=[^,;\r\n]{0,64},  |  (?:\w{0,4}USD|CPBW|CCFC|\w{0,4}PASS\w{0,4}|USERID)\s*=
            | \w{0,6}(?:AUTH\w{0,3}|PDPP)\s*[=:](?:[^,;\r\n]{0,64},){0,2}
            | (?:QICSGP\s*(?:=\s*\d*,|:)\s*\d*,|CSTT\s*[=:])[^,;\r\n]{0,64},
            | UPSD\s*[=:]\s*\d*,\s*[23]\s*,  |  SAPBR\s*=\s*3\s*,\s*\d*\s*,\s*"(?:USER|PWD)"\s*, )
          | (?<![A-Z])ATD(?!\s*\*9[89])  |  \bP(?:IN|UK)[12]?\s*[:=\ ]\s*"?(?=\d{4}) )
        (?!\s*\?) ((?: "[^"\r\n]*"? | [^";\r\n→] )*)""", _IX),
)  # fmt: skip
_POSITION = re.compile(
    r"""(?: [+^$#!%*]\w{0,8}(?:GPS|GNS|LOC(?!K)|LBS|POS)\w*\s?:(?=[^\r\n]{0,99}\d\.\d)
      | \$(?:G[A-Z]|BD|QZ)[A-Z]{3}, | \bl(?:at|on)(?:itude|gitude|g)?\s*[:=] ) ([^\r\n]*)
      | (?<![\w.]) ([-+]?\d{1,5}\.\d{4,})[NSEW]?(?![\w.])""", _IX)  # fmt: skip

_QENG = r'\+QENG\s?:[^\r\n]{0,48}?"?'
_AREAS = [(re.compile(prefix, re.IGNORECASE), places) for prefix, *places in (
    (r"\+C(?:G|E|5G)?REG\s?:", 1, 2, 3),
    (r"\+CPSI\s?:(?:[^,\r\n]{0,30},){2}\d{3}-\d{2,3},", 0, 1),
    (_QENG + r'(?:LTE|CAT-\w+|eMTC)"?,"?[FT]DD"?,', 2, 8),
    (_QENG + r'NR5G-SA"?,"?[FT]DD"?,', 2, 4),
    (_QENG + r'(?:GSM|WCDMA|TDSCDMA)"?,', 2, 3),
    (r"\^SMONI\s?:\s*2G", 5, 6), (r"\^SMONI\s?:\s*3G", 7, 8), (r"\^SMONI\s?:\s*4G", 8, 9),
    (r'#RFSTS\s?:\s*"[^"]{0,9}",-?\d+(?:,\d+)?(?:,-[\d.]+)+,', 0),
    (r'#RFSTS\s?:[^\r\n]{0,90}?,(?=[0-9A-F]{3,},"\d{6})', 0),
    (r'#SERVINFO\s?:[^\r\n]{0,90}?"\d{5,6}",', 1), (r'%XMONITOR\s?:[^\r\n]{0,90}?"\d{5,6}",', 0, 3),
    (r"\+CCED\s?:[^\r\n,]{0,40}?\d{3},\d{2,3},", 5, 8), (r"\+(?:EEMLTESVC|XCCINFO)\s?:", 3, 9),
    (r"\+NETDMSGEX\s?:", 4, 5), (r"\+ZEMSCIQ\s?:", 2, 4), (r"\+XMCI\s?:", 3, 4),
    (r"\^CELLINFO\s?:", 4, 6), (r"\^MONSC\s?:\s*LTE", 4, 6), (r"\+ZCELLINFO\s?:", 0),
    # lines without a prefix: +GTCCINFO, and the last of +UCGED
    (r"(?:^|[\r\n: ])[12],\d{1,2},\d{3},\d{1,3},", 0, 1),
    (r"(?:^|[\r\n ])\d{1,6}(?:,\d{1,3}){3},(?=[0-9A-F]{4},[0-9A-F]{6,8},)", 0, 1),
    (r"\b(?:TAC|LAC|cell\s?id|ECI|CI|id)\s*[:=]", 0),
)]  # fmt: skip
"""What stands before the areas and cells of a line, and which of the values after it they are."""
_AREA = re.compile(r'\s*"?(?:0X)?([0-9A-F]{3,12})(?![\w.])(?:\s*\((\d{3,})\))?', re.IGNORECASE)
_TOKEN = re.compile(r'(["(]|\b0[xX]|\b)([0-9A-Fa-f]{3,12})\b')

_DOTTED = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3,}(?!\d)")
_COLONS = re.compile(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,}")
_LONG = re.compile(
    r"""(?:(?<![0-9A-Z])|(?<=0X))[0-9A-F]{7,}(?![0-9A-Z])  |  \d{10,}[0-9A-F]*  # glued to letters
      | (?:0X[0-9A-F]{2}[ ,]{0,2}){7,}  |  \b[0-9A-F]{2}(?:[ -][0-9A-F]{2}){7,}\b  # in bytes
      | (?<!\d)\d+(?:[ -]\d\d+)+(?:[ -]\d)?(?!\d)  |  (?<!\d)\d(?:[ -]\d){13,}(?!\d)  # in groups
    """, _IX)  # fmt: skip
_HARMLESS = re.compile(
    r"""0*[0-9A-F]{0,4} | [01]{8} | 0*[137]?F[0F]* | 4294967295
      | (?=.*F)(?:\d[2-7][\dF]\d{3}|F{6}){4}""", _IX)  # fmt: skip
"""Small numbers, timers, bit masks, and EF_FPLMN: a list of networks with exchanged nibbles."""
_ESCAPE = r"""\\u\{?[0-9A-F]{2,6}\}? | \\x\{?[0-9A-F]{2,4}\}? | \\[0-7]{3} | \\[0-9A-F]{6}
    | %u?[0-9A-F]{2,4} | =[0-9A-F]{2} | &\#x?[0-9A-F]{2,5};? | U\+[0-9A-F]{4,6}"""
_SPELLED = (
    re.compile(rf"(?:(?:{_ESCAPE})[ ,;]{{0,2}}){{4,}}", _IX),
    re.compile(r"(?<!\d)(?:4[89]|5[0-7])(?:(?P<sep>[^0-9A-Za-z]{1,3})(?:4[89]|5[0-7]))"
               r"(?:(?P=sep)(?:4[89]|5[0-7])){8,}(?!\d)"),  # characters by their numbers
    re.compile(r"(?<![A-Za-z0-9+/=_-])(?=[A-Za-z+/_-]*\d[A-Za-z+/_-]+\d)(?=[\dA-Z+/_-]*[a-z])"
               r"(?=[\da-z+/_-]*[A-Z])[A-Za-z0-9+/_-]{14,}={0,2}(?![A-Za-z0-9+/=_-])"),
)  # fmt: skip
"""What no modem says of levels or versions: characters escaped one by one, and packed as base64."""
_GROUPS = re.compile(
    r"(?<!\d)\d{1,4}(?P<sep>[^0-9A-Za-z]{1,6})\d{1,4}(?:(?P=sep)\d{1,4}){3,}(?!\d)"
)
"""Digits in groups that one mark separates."""
_SPELLED_DIGITS, _FEW = 12, 3
"""So many digits in groups are a number, unless they ascend (bands) or are of so few kinds."""
_MASKS = frozenset(["0", "128", "192", "224", "240", "248", "252", "254", "255"])
_VERSION = re.compile(r"(?<![\d])(?:20[0-4]\d[01]\d[0-3]\d{1,4}|\d+(?:\.\d+){3,})(?![\d.])")
_HAN = "〇一二三四五六七八九零壹贰叁肆伍陆柒捌玖"
_CHARACTER = re.compile(r"(?:(?:\b0|\\)[xX](?=[0-9A-Fa-f]{2}))?([0-9A-Za-z])")


def kind_of(name: str) -> str | None:
    """Return which of ``KINDS`` an observation holds, if any: an area is revealed with its cell."""
    kind = identity.kind_of(name)
    return "cell" if kind == "area" else kind


class _Line:
    """A text and what is decided about each of its characters; the first decision stays."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = text if text.isascii() else "".join(map(_plain, text))
        """The same with digits of all scripts as ASCII's, each in its place."""
        self._marks = bytearray(len(text))

    def mark(self, mark: int, places: Iterable[int]) -> None:
        for i in places:
            self._marks[i] = self._marks[i] or mark

    def hide(self, places: Iterable[int], head: int = 0, tail: int = 0) -> None:
        """Hide letters and digits, but for some at both ends."""
        places = [i for i in places if self.text[i].isalnum()]
        self.mark(_SHOW, [*places[:head], *places[len(places) - tail :]])
        self.mark(_HIDE, places)

    def __str__(self) -> str:
        if _HIDE not in self._marks:
            return self.text
        hidden = zip(self.text, self._marks, strict=True)
        return "".join(["*" if mark == _HIDE else c for c, mark in hidden])


class Redactor:
    """Hides the identifiers of one examination, but for the kinds to ``reveal``."""

    def __init__(self, evidence: Evidence, reveal: Iterable[str] = ()) -> None:
        self._reveal = frozenset(reveal)
        self._known: dict[str, tuple[str, int, int]] = {}
        self._cells: set[str] = set()
        self._harmless: set[str] = set()
        self._hidden = lru_cache(1024)(self._hide)  # the same lines prove much
        for observation in evidence:
            self._learn(observation)

    def _learn(self, observation: Observation) -> None:
        kind, value = kind_of(observation.name), observation.value
        if observation.name.startswith("counter.") and isinstance(value, int):
            self._harmless |= {str(value), f"{value:X}"}
        elif observation.name == "device.revision":
            self._harmless |= set(_VERSION.findall(str(value)))
        elif kind == "cell" and re.fullmatch("[0-9A-Fa-f]{3,12}", str(value)):
            self._cells |= {value.upper().lstrip("0"), str(int(value, 16))} - {"", "0"}
        elif kind is not None:
            strings: list[str] = []
            _each(value, strings.append)
            for form, head, tail in (f for text in strings for f in _forms(text, kind)):
                self._known.setdefault(form.upper(), (kind, head, tail))

    def text(self, text: str) -> str:
        """Return a text with its identifiers hidden; its length stays."""
        return text if "all" in self._reveal else self._hidden(text)

    def _hide(self, text: str) -> str:
        line = _Line(text)
        text = line.plain
        for match in (m for pattern in _WORDS for m in pattern.finditer(text)):
            line.mark(_HIDE, (i for i in range(*match.span(1)) if text[i] not in ' \t\r\n",'))
        self._mark_known(line)
        self._mark_cells(line)
        if "ip" not in self._reveal:
            self._mark_addresses(line)
        for match in _POSITION.finditer(text):
            line.hide(range(*match.span(match.lastindex or 0)))
        for match in _LONG.finditer(text):
            self._mark_unknown(line, match)
        for pattern in _SPELLED:
            for match in pattern.finditer(text):
                line.hide(range(*match.span()))
        for match in _GROUPS.finditer(text):
            if _is_spelled(match[0], match["sep"]):
                line.hide(range(*match.span()))
        return str(line)

    def data(self, data: bytes) -> bytes:
        """Return bytes of the wire with identifiers hidden; the length stays."""
        if data.isascii():
            return self.text(data.decode()).encode()
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return self.text(data.decode("latin-1")).encode("latin-1")
        pairs = zip(text, self.text(text), strict=True)
        return b"".join(c.encode() if c == shown else b"*" * len(c.encode()) for c, shown in pairs)

    def value(self, observation: Observation) -> Any:
        """Return the value of an observation as it may be shown."""
        kind = kind_of(observation.name)
        if {kind, "all"} & self._reveal or observation.name.startswith("counter."):
            return observation.value
        amounts = observation.name.startswith("usage.")
        hide = (lambda v: _mask(v, kind)) if kind in _KEEP else self.text
        return _each(observation.value, hide, numbers=not amounts)

    def _mark_known(self, line: _Line) -> None:
        """Mark the known values, whatever stands between their characters or around them."""
        found = [m.start(1) for m in _CHARACTER.finditer(line.plain)]
        squeezed = "".join([line.plain[i] for i in found]).upper()
        for form, (kind, head, tail) in self._known.items():
            at = squeezed.find(form)
            while at >= 0:
                places = found[at : at + len(form)]
                if kind in self._reveal:
                    line.mark(_SHOW, places)
                line.hide(places, head, tail)
                at = squeezed.find(form, at + len(form))

    def _mark_cells(self, line: _Line) -> None:
        tokens = list(_TOKEN.finditer(line.text))
        if not tokens:  # then there is nothing that ``_AREA`` could match either
            return
        found = [m.span(2) for m in tokens if self._is_cell(*m.groups())]
        for pattern, places in _AREAS:
            for match in pattern.finditer(line.text):
                found += _fields(line.text, match.end(), places)
        for start, end in found:
            number = line.text[start:end].upper()
            if "cell" in self._reveal:
                line.mark(_SHOW, range(start, end))
            elif number.strip("0") and number.strip("F") not in ("", "E"):
                line.hide(range(start, end))

    def _is_cell(self, before: str, number: str) -> bool:
        """Whether a number is a known cell, and no level or channel that happens to be equal."""
        sure = before or len(number) > (5 if number.isdecimal() else 3)
        return bool(sure) and number.upper().lstrip("0") in self._cells

    def _mark_addresses(self, line: _Line) -> None:
        for match in _DOTTED.finditer(line.text):
            parts = match[0].split(".")
            if match[0] not in self._harmless and _is_address(parts):
                mask = len(".".join(["", *parts[4:]])) if len(parts) == 8 else 0
                line.hide(range(match.start(), match.end() - mask), head=len(parts[0]))
        for match in _COLONS.finditer(line.text):
            parts = match[0].split(":")
            bands = all(p.isdecimal() and len(p) < 4 for p in parts)
            if "::" in match[0] or (len(parts) > 5 and not bands):
                line.hide(range(*match.span()), head=len(parts[0]))

    def _mark_unknown(self, line: _Line, match: re.Match[str]) -> None:
        digits = re.sub("[ -]", "", match[0])
        few = len(digits) < 11 and len(digits) < len(match[0])  # in groups
        if few or _HARMLESS.fullmatch(digits) or digits.upper().lstrip("0") in self._harmless:
            return
        tail = 2 if len(digits) in (22, 28, 36) else 0  # EF_LOCI and its like: the update status
        line.hide(range(*match.span()), head=5 if len(digits) >= 14 else 0, tail=tail)


def _plain(character: str) -> str:
    """A digit of whatever script as ASCII's; what cannot be seen as a mark that only separates."""
    if character.isascii():
        return character
    value = unicodedata.digit(character, None)
    if value is None and character in _HAN:
        value = _HAN.index(character) % 10
    if value is None:
        return "-" if unicodedata.category(character) in ("Cf", "Mn", "Zs") else character
    return str(value)


def _is_spelled(text: str, separator: str) -> bool:
    """Whether numbers that one mark separates are the digits of one."""
    groups = text.split(separator)
    digits = "".join(groups)
    if len(digits) < _SPELLED_DIGITS or len(set(digits)) <= _FEW:
        return False
    if "," in separator and len(digits) > len(groups):  # a list of values
        return False
    return not all(int(a) < int(b) for a, b in pairwise(groups))


def _mask(text: str, kind: str | None) -> str:
    line = _Line(text)
    line.hide(range(len(text)), *_KEEP[kind or ""])
    return str(line)


def _forms(value: str, kind: str) -> Iterator[tuple[str, int, int]]:
    """Every way an identifier is written on the wire, and how much of its ends is shown."""
    if kind == "ip":
        parts = value.split(".")
        if len(parts) == 4 and "".join(parts).isdecimal() and _is_address(parts):
            coded = [f"{int(part):02X}" for part in parts]
            yield "".join(coded), 2, 0
            yield "".join(reversed(coded)), 0, 2
            if len(value) > 10:
                yield "".join(parts), len(parts[0]), 0
        return
    if len(value) < 10 or not value.isalnum() or not value.strip("0"):
        return
    head, tail = _KEEP[kind]
    body = value[head : len(value) - tail]
    # another of the same form: where the two are written alike, nothing personal stands
    other = value[:head] + body.translate(_OTHER) + value[len(value) - tail :]
    for form, unlike in zip(
        identity.written(kind, value), identity.written(kind, other), strict=True
    ):
        differ = [i for i, c in enumerate(form) if c != unlike[i]]
        if not differ:  # all that would be hidden is hidden already
            continue
        as_bytes = len(form) > len(value) + 4  # characters as bytes: no head that people read
        yield form, *((0, 0) if as_bytes else (differ[0], len(form) - 1 - differ[-1]))


def _fields(text: str, start: int, places: list[int]) -> Iterator[tuple[int, int]]:
    """Where the areas and cells among the values that begin at ``start`` stand."""
    for place in range(places[-1] + 1):
        if place in places and (match := _AREA.match(text, start)):
            yield from (match.span(group) for group in (1, 2) if match[group])
        comma = text.find(",", start, start + 80)
        if comma < 0 or "\n" in text[start:comma]:
            return
        start = comma + 1


def _is_address(parts: list[str]) -> bool:
    """Whether dotted numbers are an address: no version, no mask, not this computer."""
    if not any(p.strip("0") for p in parts) or (len(parts) < 9 and parts[0] == "0"):
        return False
    if parts[:2] == ["127", "0"] or (parts[0] == "255" and _MASKS.issuperset(parts[:4])):
        return False
    return all(int(p) < 256 and not (len(p) == 2 and p[0] == "0") for p in parts)


def _each(value: Any, mask: Callable[[str], Any], *, numbers: bool = True) -> Any:
    """Apply a function to every string in a value, and to ``numbers`` that may be identifiers."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, int) and numbers and abs(value) >= 10**9:
        return mask(str(value))
    if isinstance(value, dict):
        return {k: _each(v, mask, numbers=numbers) for k, v in value.items()}
    several = isinstance(value, (list, tuple))
    return [_each(v, mask, numbers=numbers) for v in value] if several else value
