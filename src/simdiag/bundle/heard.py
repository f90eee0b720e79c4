"""Lines as a port said them: where they stand, how they begin, what is odd about them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from simdiag.at import Event, FinalResult, ForeignEcho, InformationText, Unsolicited
from simdiag.bundle.denial import Piece, is_word, prefix_of
from simdiag.collect.interpret import Interpreter
from simdiag.evidence import Exchange

_SHORT = re.compile(
    r"(?P<name>[+^$#%!*&][A-Za-z]\w+)|,"
    r"|(?P<number>(?<![\w.])(?:-?\d{1,7}(?:\.\d{1,2})?|[0-9A-Fa-f]{1,4})(?![\w.]))"
)
"""A number, or hex as short as a part of one; and what its place is counted from."""
_WORDS = re.compile(r"[A-Za-z]{3,}")
"""What a line is known by: answers of one name may tell of different things."""
_PAUSE_S = 0.2
"""Unasked lines that follow one another faster count as one answer, with what was asked then."""
_SPELLED = 7
"""Numbers of one digit in a row, with more than three values, that are a number spelled out."""


@dataclass(slots=True, eq=False)
class Span:
    """Where the text of a line stands in what a port said."""

    start: int
    end: int
    final: bool = False


@dataclass(slots=True)
class Heard:
    """An exchange, where its lines stand, and what it was read with."""

    exchange: Exchange
    interpret: Interpreter
    lines: list[Span] = field(default_factory=list)


def content(event: Event, start: int) -> Span | None:
    """Where the first line of an event stands, if it belongs to an exchange."""
    if not isinstance(event, (InformationText, FinalResult, Unsolicited, ForeignEcho)):
        return None
    raw = event.raw.decode("latin-1")
    line = raw.lstrip("\r\n\0")
    first = re.match(r"[^\r\n]*", line)
    begin = start + len(raw) - len(line)
    end = begin + (first.end() if first else 0)
    return Span(begin, end, final=isinstance(event, FinalResult))


class Place:
    """The numbers that one place of many lines has held, of which few may differ."""

    def __init__(self) -> None:
        self._values: list[str] = []
        self._counts = True

    def allows(self, text: str, limit: int) -> bool:
        """Whether a number may stay: it did before, there are few, or the lines are counted."""
        return text in self._values or len(self._values) < limit or self._is_next(text)

    def take(self, text: str) -> None:
        """Note a number that stays."""
        self._counts = self._counts and (not self._values or self._is_next(text))
        if text not in self._values:
            self._values.append(text)

    def _is_next(self, text: str) -> bool:
        numbers = text.isdecimal() and self._values[-1].isdecimal()
        return self._counts and numbers and int(text) == int(self._values[-1]) + 1


class Burst:
    """The numbers that stay in lines of one moment, whoever needs them.

    An identifier that is spelled over lines needs four different ones in a place at least.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._told: dict[tuple[str, int], Place] = defaultdict(Place)
        self._unasked: float | None = None

    def begins(self, exchange: Exchange) -> bool:
        """Forget what was told before if with this exchange another moment begins, and say so."""
        another = self._unasked is None or exchange.time > self._unasked + _PAUSE_S
        if another:
            self._told.clear()
        self._unasked = None if exchange.command else exchange.time
        return another

    def excess(self, line: str) -> Iterator[tuple[int, int]]:
        """Yield where in a line a number stands that is one too many for its place."""
        name, place = " ".join(_WORDS.findall(line)), 0
        for match in _SHORT.finditer(line):
            place += 1
            if match["name"]:  # another answer may be quoted in a line
                name, place = " ".join(_WORDS.findall(line, match.start())), 0
            elif match["number"]:
                told = self._told[name, place]
                if told.allows(match[0], self._limit):
                    told.take(match[0])
                else:
                    yield match.span()


def spelled(small: Sequence[Piece]) -> Iterator[Piece]:
    """Yield numbers of one digit that stand in a row: they may be a number spelled out."""
    run: list[Piece] = []
    for piece in (*small, None):
        if (
            piece is not None
            and len(piece.text) == 1
            and (not run or piece.start - run[-1].end < 4)
        ):
            run.append(piece)
            continue
        if len(run) >= _SPELLED and len({p.text for p in run}) > 3:
            yield from run
        run = []


def name_of(line: str) -> str | None:
    """Return what a line begins with, if it has the form of an answer or a table's row."""
    return prefix_of(line) or _label(line) or _form_of_prefix(line)


def _form_of_prefix(line: str) -> str | None:
    """Return what an answer of a form unknown to simdiag begins with; its name is masked."""
    match = re.match(r"\s*[+^$#%!*&_]([A-Za-z]{2,16})\s?:", line)
    return match[1].upper() if match else None


def is_strange(piece: Piece) -> bool:
    """Whether a piece is a word of a person's or a program's, not a number or a mark."""
    return piece.kind == "word" and len(piece.text) > 1 and any(c.isalpha() for c in piece.text)


def _label(line: str) -> str | None:
    """Return the words before the colon of a line of a table (``RSRP (dBm):``), if known ones."""
    words_before, colon, _ = line.partition(":")
    words = re.findall(r"[^\W_]+", words_before)
    known = any(map(is_word, words)) and all(is_word(w) or len(w) == 1 for w in words)
    return words_before.strip().upper() if colon and known and len(words) < 5 else None
