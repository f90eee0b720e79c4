"""Redacts one exchange: what its readers need stays, as far as its type permits; the rest goes.

What they need is found by trying: a piece is needed when the readings differ without it. So no
driver has to say anything, and one that comes later is served as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simdiag.at import Dialect
from simdiag.at.lines import final_result
from simdiag.bundle.denial import (
    Piece,
    deny,
    is_joint,
    is_small,
    is_word,
    pieces,
    prefix_of,
    stays,
    undecided,
    weight,
)
from simdiag.bundle.known import Text
from simdiag.bundle.permits import QUOTES, VERSIONS, is_bitmap, is_known, is_modest, permits
from simdiag.collect.interpret import Interpreter
from simdiag.evidence import Error, Exchange, Reading

_MANY = 80
"""Lines of an answer that are looked at one by one; those beyond keep nothing."""
_SPARE, _FINAL = 8, 3
"""Digits of small numbers that may stay in a line though no reader needs them."""
_SPELLED = 9
_VALUES = 3
"""Different small numbers that may stay in one place of one answer: more could spell digits."""
_Key = tuple[tuple[str, str], ...]


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


class Answers:
    """Redacts the exchanges of one port; ``strict`` keeps small numbers only where needed."""

    def __init__(
        self, text: Text, command: Callable[[str], str], strict: int,
        replace: Callable[[Span, Reading | None], None], shown: Container[str],
    ) -> None:  # fmt: skip
        self._text, self._command, self._strict = text, command, strict
        self._replace, self._shown = replace, shown
        self.kept: set[str] = set()
        """What stayed because a reader needs it: it tells no more where it stands again."""
        self.unread: list[Span] = []
        self._seen: dict[tuple[str, int], set[str]] = defaultdict(set)

    def redact(self, heard: Heard) -> None:
        """Decide on every character of an exchange's lines."""
        for reading in (None, *heard.interpret(self._now(heard))):
            for span in heard.lines:
                self._replace(span, reading)
        wanted = self._readings(heard)
        whole = list(self._text.characters[s.start : s.end] for s in heard.lines)
        for span in heard.lines:
            self.deny(span)
        if self._strict < 2 and self._readings(heard) != wanted:
            self._restore(heard.lines, whole)
            self.unread = [s for s in self.unread if s not in heard.lines]
            self._narrow(heard)
            return
        self._restore(heard.lines, whole)
        for span in heard.lines:
            self.deny(span, numbers=not self._strict)

    # ---- lines that nobody reads ---------------------------------------------------------
    def deny(self, span: Span, *, numbers: bool = False) -> None:
        """Keep what stays anyway; of a line without a known beginning all words must be known."""
        line = self._text.part(span.start, span.end)
        prefix = prefix_of(line) or _label(line)
        self.unread.append(span)
        if prefix is None:
            free = undecided(self._text, span.start, span.end)
            if any(_is_strange(p) and not stays(p) for p in free):
                self._text.mask(i for i in range(span.start, span.end) if self._is_inner(i))
                return
        small = [p for p in pieces(line) if is_small(p) and not stays(p)]
        if span.final:
            numbers = weight(small) <= _FINAL
        elif numbers:
            few = weight(small) <= _SPARE and self._are_few(prefix or "", small, _VALUES - 1)
            numbers = prefix is not None and few
        deny(self._text, span.start, span.end, numbers=numbers, shown=self._shown)

    def _is_inner(self, place: int) -> bool:
        return self._text.characters[place] not in '\r\n"'

    def _are_few(self, prefix: str, small: Sequence[Piece], limit: int) -> bool:
        """Whether the same places of this answer have held few different numbers so far."""
        if self._strict:
            return False
        sets = [self._seen[prefix, n] for n, _ in enumerate(small)]
        fits = all(p.text in s or len(s) < limit for p, s in zip(small, sets, strict=True))
        if fits:
            for piece, values in zip(small, sets, strict=True):
                values.add(piece.text)
        return fits

    # ---- lines that are read -------------------------------------------------------------
    def _narrow(self, heard: Heard) -> None:
        """Mask piece by piece what the readings do not need, or what no type permits."""
        for span in heard.lines[_MANY:]:
            self.deny(span)
        kept: dict[str, list[str]] = defaultdict(list)
        for span in heard.lines[:_MANY]:
            wanted = self._readings(heard)  # what an earlier line lost, this one need not give
            before = self._characters(span)
            self.deny(span)
            idle = self._readings(heard) == wanted
            self._restore([span], [before])
            if idle:
                self.deny(span, numbers=not self._strict)
                continue
            self.unread.remove(span)
            self._narrow_line(heard, span, kept)

    def _narrow_line(self, heard: Heard, span: Span, kept: dict[str, list[str]]) -> None:
        """Keep of a line what is needed and permitted, and of the rest few small numbers."""
        line = self._text.part(span.start, span.end)
        name = prefix_of(line) or _label(line) or ""
        values = {r.name: r.value for r in heard.interpret(self._now(heard))}
        small = [p for p in pieces(line) if is_small(p) and not stays(p)]
        version = not VERSIONS.isdisjoint(values)
        loosely = not version and weight(small) <= _SPARE and self._are_few(name, small, _VALUES)
        for piece in _spelled(small):
            self._text.mask(range(span.start + piece.start, span.start + piece.end))
        wanted = self._readings(heard)
        needed: list[tuple[Piece, set[str]]] = []
        spare: list[Piece] = []
        for piece in self._doubtful(span, loosely=loosely):
            before = self._characters(span)
            self._text.mask(piece.places)
            now = self._readings(heard)
            if now != wanted:
                self._restore([span], [before])
                needed.append((piece, {name for name, _ in set(now) ^ set(wanted)}))
            elif is_small(piece):
                spare.append(piece)
        versions = [p for p, names in needed if names & VERSIONS]
        before_it = [text for name in sorted(VERSIONS) for text in kept[name]]
        if not is_modest([*before_it, *(p.text for p in versions)]):
            odd = [p for p in versions if not is_known(p.text)]
            needed = [(p, names) for p, names in needed if p not in odd]
            for piece in odd:
                self._text.mask(piece.places)
        for piece, names in needed:
            if not self._may_stay(piece, names, needed, kept, values):
                self._text.mask(piece.places)
            elif piece.kind == "word" and 2 < len(piece.text) < 8 and not names & VERSIONS:
                self.kept.add(piece.text)
        if not version and weight(spare) <= _SPARE and self._are_few(name, spare, _VALUES):
            for piece in spare:
                self._text.characters[piece.start : piece.end] = list(piece.text)

    def _doubtful(self, span: Span, *, loosely: bool) -> Iterator[Piece]:
        """Yield what does not stay anyway; long hex byte by byte."""
        is_file = "+CRSM" in self._text.part(span.start, span.end).upper()
        for piece in undecided(self._text, span.start, span.end):
            if stays(piece) or is_joint(piece) or piece.text in self._shown:
                continue
            if loosely and is_small(piece):
                continue
            if is_file and re.fullmatch(r"(?:[0-9A-Fa-f*]{2}){5,}", piece.text):
                for at in range(piece.start, piece.end, 2):
                    if (byte := self._text.part(at, at + 2)).upper() != "FF":  # unused
                        yield Piece("byte", at, at + 2, byte)
            else:
                yield piece

    @staticmethod
    def _may_stay(
        piece: Piece, names: set[str],
        needed: list[tuple[Piece, set[str]]], kept: dict[str, list[str]], values: dict[str, Any],
    ) -> bool:  # fmt: skip
        if piece.kind == "marks":
            return False
        if piece.kind == "byte":
            joined = "".join(
                ("" if q is None or q.end == p.start else " ") + p.text
                for q, (p, _) in zip([None, *(p for p, _ in needed)], needed, strict=False)
                if p.kind == "byte"
            )
            return not any(n in ("sim.service_provider",) for n in names) and is_bitmap(joined)
        for name in sorted(names):
            if permits(name, piece.text, values.get(name)):
                kept[name].append(piece.text)
                return True
        return False

    # ---- trying --------------------------------------------------------------------------
    def _characters(self, span: Span) -> list[str]:
        return self._text.characters[span.start : span.end]

    def _restore(self, spans: Sequence[Span], before: Sequence[list[str]]) -> None:
        for span, characters in zip(spans, before, strict=True):
            self._text.characters[span.start : span.end] = characters

    def _readings(self, heard: Heard) -> _Key:
        return tuple(
            (r.name, "" if r.name in QUOTES else repr(r.value))
            for r in heard.interpret(self._now(heard))
        )  # fmt: skip

    def _now(self, heard: Heard) -> Exchange:
        """The exchange as its text stands now."""
        lines, error = [], heard.exchange.error
        for span in heard.lines:
            shown = "".join(self._characters(span))
            text = shown.encode("latin-1").decode("utf-8", "backslashreplace").strip()
            if not span.final or not heard.exchange.command:
                lines.append(text.removeprefix("> "))
            elif error is not None and (result := final_result(text, Dialect(), dial=True)):
                error = Error(*result, silent=error.silent)
        return heard.exchange._replace(
            command=self._command(heard.exchange.command), lines=tuple(lines), error=error
        )


def _spelled(small: Sequence[Piece]) -> Iterator[Piece]:
    """Yield numbers of one digit, nine or more of them in a row: that is a number spelled out."""
    run: list[Piece] = []
    for piece in (*small, None):
        if (
            piece is not None
            and len(piece.text) == 1
            and (not run or piece.start - run[-1].end < 4)
        ):
            run.append(piece)
            continue
        if len(run) >= _SPELLED and len({p.text for p in run}) > 2:
            yield from run
        run = []


def _is_strange(piece: Piece) -> bool:
    """Whether a piece is a word of a person's or a program's, not a number or a mark."""
    return piece.kind == "word" and len(piece.text) > 1 and any(c.isalpha() for c in piece.text)


def _label(line: str) -> str | None:
    """Return the words before the colon of a line of a table (``RSRP (dBm):``), if known ones."""
    label, colon, _ = line.partition(":")
    words = re.findall(r"[^\W_]+", label)
    known = any(map(is_word, words)) and all(is_word(w) or len(w) == 1 for w in words)
    return label.strip().upper() if colon and known and len(words) < 5 else None
