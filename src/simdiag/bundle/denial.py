"""Default-deny: what of a text stays that nobody has declared a type for.

Known words stay, a few small numbers, fillers, and the marks between them. Everything else is
masked character by character, so that lengths stay and nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from simdiag.bundle.known import Text
from simdiag.bundle.words import apns, prefixes, vocabulary
from simdiag.pseudonym import is_nobodys

_UNIT = "(?:[dD][bB]m?|[kMG]Hz|m?V|mA|[mu]?s)"
_PIECE = re.compile(
    r"""(?P<date>(?<!\d)(?:20)?[0-4]\d/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12]\d|3[01])
          (?:[ ,]+(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:[+-]\d\d)?)?(?![\d/:])
        | (?<![\w-])20[0-4]\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\w-])
        | (?<!\w)(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ]{1,2}
          (?:0?[1-9]|[12]\d|3[01])[ ]20[0-4]\d
          (?:[ ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)?(?![\w:]))
      | (?P<measure>(?<![\w.:*])\d{1,5}(?:\.\d{1,3})?UNIT(?!\w))
      | (?P<colons>(?<![\w:])(?:[0-9A-Fa-f*]{0,4}:){2,15}[0-9A-Fa-f*]{0,4}(?![\w:]))
      | (?P<dotted>(?<![A-Za-z0-9.])[0-9*]+(?:[.:][0-9*]+)+(?![\w]))
      | (?P<word>[^\W_]+)
      | (?P<marks>(?:[^\ \t\r\n\w"',]|_)+)
      | (?P<blanks>[\ \t\r\n]+)""".replace("UNIT", _UNIT),
    re.VERBOSE,
)
_FILLER = re.compile(
    r"(?:0[xX])?(?:0{2,40}|0*[137]?[Ff]{2}[0Ff]{0,38})|99|199|255|32767|32768|65535|4294967295"
)
"""Zeros, F, and the greatest numbers of their size: what stands where nothing is known."""
_ASCENDING, _LISTED = 6, frozenset(" ,:-()'\"")
"""So many numbers in ascending order are a list of bands; the marks of a list."""
_SWITCHES, _KINDS = 24, 3
"""So many numbers at most, of so many different digits, tell nothing."""
_FEW = re.compile(r"\d{1,3}(?:\.\d{1,3}){1,2}")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_BAND = re.compile(r"(?:[BbNn]|[A-Za-z]{3,12})?([0-9]{1,3})")
_FREQUENCY = re.compile(
    r"(?:E?GSM|DCS|PCS|WCDMA|UMTS|TDSCDMA|CDMA|LTE|NR)"
    r"(?:450|[678]00|[78]50|900|1[579]00|1800|2[01356]00|3500)"
)
_MARKS = frozenset("+^$#%!&?;=:()<>[]{}/\\@.-_|")


class Piece(NamedTuple):
    """A part of a text: a word or number, or what joins them."""

    kind: str
    start: int
    end: int
    text: str
    beside: str = ""
    """The characters before and behind it."""

    @property
    def places(self) -> range:
        """Where it stands."""
        return range(self.start, self.end)


def pieces(line: str, offset: int = 0, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """Cut a line into words, numbers and what is between; only quotes and commas are left out.

    ``offset`` is where the line stands in a longer text; places are those of the longer text.
    """
    for kind, a, b, text, beside in _cut(line, start, len(line) if end is None else end):
        yield Piece(kind, offset + a, offset + b, text, beside)


@lru_cache(maxsize=4096)
def _cut(line: str, start: int, end: int) -> tuple[Piece, ...]:
    """Cut a part of a line; modems repeat themselves, and every line is looked at many times."""
    found = []
    for match in _PIECE.finditer(line, start, end):
        a, b = match.span()
        beside = line[max(0, a - 1) : a] + line[b : b + 1]
        found.append(Piece(match.lastgroup or "", a, b, match[0], beside))
    return tuple(found)


def undecided(text: Text, start: int, end: int) -> Iterator[Piece]:
    """Cut what is not decided yet into pieces; what is decided ends a piece."""
    line = text.part(start, end)
    for run in re.finditer(rb"\0+", bytes(text.decided[start:end])):
        yield from pieces(line, start, run.start(), run.end())


def is_word(text: str) -> bool:
    """Whether simdiag itself knows this word, or it names a technology's band by its frequency."""
    return text.lower() in vocabulary() or _FREQUENCY.fullmatch(text) is not None


def is_filler(text: str) -> bool:
    """Whether this stands where a modem knows no value."""
    return _FILLER.fullmatch(text) is not None


def is_small(piece: Piece) -> bool:
    """Whether this is a number that tells little: three digits, a fraction, a measure, bands."""
    if piece.kind == "measure":
        return True
    if piece.kind == "dotted":
        return _FEW.fullmatch(piece.text) is not None or is_bands(piece.text)
    return piece.kind == "word" and is_band(piece.text)


def is_band(text: str) -> bool:
    """Whether this is a number of at most three digits, with a known word before it at most."""
    match = _BAND.fullmatch(text)
    return match is not None and (match.start(1) < 2 or is_word(text[: match.start(1)]))


def number_of(text: str) -> str:
    """Return a number without its unit."""
    return re.sub(rf"(?<=\d){_UNIT}$", "", text)


def is_bands(text: str) -> bool:
    """Whether this is a list of bands that ascends: no order is left in which to write digits."""
    if re.fullmatch(r"\d{1,3}(?:[:.]\d{1,3})+", text) is None:
        return False
    return all(a < b for a, b in pairwise(map(int, re.split("[:.]", text))))


def moment(text: str) -> str:
    """Return a date and time in a form in which the earlier one is less."""
    if match := re.match(r"([A-Z][a-z]{2}) +(\d{1,2}) 20(\d\d)", text):
        month = _MONTHS.index(match[1]) // 3 + 1
        return f"{match[3]}/{month:02}/{match[2]:>02}{text[match.end() :]}"
    return re.sub(r"^\d\d(?=\d\d[/-])", "", text).replace("-", "/", 2)


def stays(piece: Piece) -> bool:
    """Whether a piece tells nothing about anybody, whatever line it stands in."""
    if piece.kind == "blanks":
        return True
    if piece.kind == "dotted" or piece.kind == "colons":
        return is_nobodys("ip", piece.text)
    return piece.kind == "word" and (is_word(piece.text) or is_filler(piece.text))


def is_joint(piece: Piece) -> bool:
    """Whether marks join words or values: few of them, known ones, and beside a word or quote.

    Points and strokes alone would be Morse code.
    """
    if piece.kind != "marks":
        return False
    near = any(c.isalnum() or c in "\"',*" for c in piece.beside)
    if set(piece.text) <= set(".-_|/\\"):
        return len(piece.text) <= 2 and near
    return set(piece.text) <= _MARKS and len(piece.text) <= 4


def is_known_apn(text: str) -> bool:
    """Whether an access point name is an operator's own, or made of known words alone."""
    lowered = text.lower()
    labels = re.split(r"[.-]", lowered)
    return lowered in apns() or all(
        is_word(label) or re.fullmatch(r"m[cn]c\d{2,3}", label) for label in labels
    )


def prefix_of(line: str) -> str | None:
    """Return the name that an answer begins with (``+CSQ``), if simdiag knows it."""
    match = re.match(r"\s*([+^$#%!*&_][A-Za-z0-9_]{2,16})(?: ERROR)?\s?(?::|$)", line)
    return match[1].upper() if match and match[1].upper() in prefixes() else None


def weight(small: Sequence[Piece]) -> int:
    """How many digits could be told by these numbers.

    An ascending list (bands) tells none, nor do switches and zeros.
    """
    numbers = [re.sub(r"\D", "", n) for p in small for n in p.text.split(":")]
    if len(numbers) <= _SWITCHES and len(set("".join(numbers))) <= _KINDS:
        return 0
    listed = all(_LISTED.issuperset(p.beside) for p in small)
    heavy, run = 0, [0]
    for i in range(1, len(numbers) + 1):
        if i < len(numbers) and int(numbers[i]) > int(numbers[i - 1]):
            run.append(i)
            continue
        if len(run) < _ASCENDING or not listed:
            heavy += sum(len(numbers[j]) for j in run if j < len(numbers))
        run = [i]
    return heavy


def deny(
    text: Text, start: int, end: int, *, numbers: bool, shown: Container[str] = frozenset()
) -> int:
    """Mask what does not stay between two places; with ``numbers``, small ones stay.

    ``shown`` stands elsewhere already. Returns how many pieces were masked.
    """
    masked = 0
    for piece in undecided(text, start, end):
        if (numbers and is_small(piece)) or piece.text in shown:
            continue
        if not stays(piece) and not is_joint(piece):
            text.mask(piece.places)
            masked += 1
    return masked
