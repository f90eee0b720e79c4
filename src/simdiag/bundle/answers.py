"""Redacts one exchange: what its readers need stays, as far as its type permits; the rest goes.

What they need is found by trying: a piece is needed when the readings differ without it. So no
driver has to say anything, and one that comes later is served as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from typing import Any

from simdiag.at import Dialect
from simdiag.at.lines import final_result
from simdiag.bundle.denial import (
    Piece,
    deny,
    is_joint,
    is_small,
    pieces,
    prefix_of,
    stays,
    undecided,
    weight,
)
from simdiag.bundle.heard import Burst, Heard, Place, Span, is_strange, name_of, spelled
from simdiag.bundle.known import Text
from simdiag.bundle.permits import (
    QUOTES,
    VERSIONS,
    are_networks,
    is_bitmap,
    is_of_networks,
    permits,
)
from simdiag.bundle.typed import Typed
from simdiag.bundle.versions import is_known
from simdiag.evidence import Error, Exchange, Reading

_MANY = 80
"""Lines of an answer that are looked at; those beyond keep nothing."""
_SPARE, _FINAL = 6, 3
"""Digits that may stay in a line though no reader needs them: an identifier has seven."""
_TOGETHER = 6
"""Digits that may stay in the lines of one moment whose names nobody knows."""
_VALUES = 3
"""Different small numbers that may stay in one place of one answer: more could spell digits."""
_Key = tuple[tuple[str, str], ...]


class Answers:
    """Redacts the exchanges of one port."""

    def __init__(
        self, text: Text, command: Callable[[str], str],
        replace: Callable[[Span, Reading | None], None], shown: Container[str],
    ) -> None:  # fmt: skip
        self._text, self._command, self._strict, self._asked = text, command, 0, ""
        self._spent = 0
        self._replace, self._shown = replace, shown
        self.kept: set[str] = set()
        """What stayed because a reader needs it: it tells no more where it stands again."""
        self.unread: list[Span] = []
        self._seen: dict[tuple[str, int], Place] = defaultdict(Place)
        self._burst = Burst(_VALUES)
        self._typed = Typed(text)
        self._done: dict[object, tuple[list[str], list[bool]]] = {}

    def redact(self, heard: Heard, strict: int) -> None:
        """Decide on every character of an exchange's lines.

        ``strict`` 1 keeps numbers only where a reader needs them, 2 keeps none.
        """
        self._strict, self._asked = strict, heard.exchange.command
        if self._burst.begins(heard.exchange):
            self._spent = 0
        for reading in (None, *heard.interpret(self._now(heard))):
            for span in heard.lines:
                self._replace(span, reading)
        self._redact_once(heard)
        for span in heard.lines:
            for a, b in self._burst.excess(self._text.part(span.start, span.end)):
                self._text.characters[span.start + a : span.start + b] = "*" * (b - a)

    def _redact_once(self, heard: Heard) -> None:
        """Redact an exchange, as its equal was where there was one.

        Modems repeat themselves, and an equal exchange has an equal outcome: the numbers that may
        stay in one place only become fewer, and those that stayed once do so again.
        """
        asked = heard.exchange.command, heard.exchange.error
        key = *asked, self._strict, self._readings(heard), self._state(heard)
        if key in self._done:
            shown, unread = self._done[key]
            self._restore(heard.lines, [list(text) for text in shown])
            self.unread += [s for s, alone in zip(heard.lines, unread, strict=True) if alone]
            return
        before = len(self.unread)
        self._redact(heard)
        shown, alone = [text for text, *_ in self._state(heard)], self.unread[before:]
        self._done[key] = shown, [s in alone for s in heard.lines]

    def _state(self, heard: Heard) -> tuple[tuple[str, bytes, bool], ...]:
        text = self._text
        return tuple(
            (text.part(s.start, s.end), bytes(text.decided[s.start : s.end]), s.final)
            for s in heard.lines
        )

    def _redact(self, heard: Heard) -> None:
        self._typed.learn(heard.interpret(self._now(heard)))
        if self._strict < 2 and self._needs(heard, heard.lines):
            self._narrow(heard)
            return
        for span in heard.lines:
            self.deny(span, numbers=not self._strict)

    def _needs(self, heard: Heard, lines: Sequence[Span]) -> bool:
        """Whether the readings need more of some lines than what stays anyway."""
        wanted, before = self._readings(heard), [self._characters(s) for s in lines]
        for span in lines:
            self._deny(span, numbers=False)
        differ = self._readings(heard) != wanted
        self._restore(lines, before)
        return differ

    # ---- lines that nobody reads ---------------------------------------------------------
    def deny(self, span: Span, *, numbers: bool = False) -> None:
        """Redact a line that nobody reads."""
        self.unread.append(span)
        self._deny(span, numbers=numbers)

    def _deny(self, span: Span, *, numbers: bool) -> None:
        """Keep what stays anyway; of a line without a known beginning all words must be known."""
        line = self._text.part(span.start, span.end)
        prefix = name_of(line)
        self._keep_known(span, prefix or "")
        if prefix is None and not self._keep_version(span):
            free = undecided(self._text, span.start, span.end)
            if any(is_strange(p) and not stays(p) for p in free):
                self._text.mask(i for i in range(span.start, span.end) if self._is_inner(i))
                return
        small = [p for p in pieces(line) if is_small(p) and not stays(p)]
        if span.final:
            numbers = weight(small) <= _FINAL
        elif numbers:
            heavy = weight(small)
            strange = prefix_of(line) is None
            digits = strange * sum(sum(map(str.isdecimal, p.text)) for p in small)
            few = heavy <= _SPARE and self._spent + digits <= _TOGETHER
            numbers = prefix is not None and few and self._are_few(prefix, small, _VALUES - 1)
            self._spent += digits * numbers
        deny(self._text, span.start, span.end, numbers=numbers, shown=self._shown)

    def _keep_known(self, span: Span, prefix: str) -> None:
        """Keep what is typed by the form of the whole line, unless nothing may stay."""
        if not self._strict:
            self._typed.keep(span, prefix, self._asked)

    def _keep_version(self, span: Span) -> bool:
        return not self._strict and self._typed.keep_version(span, self._asked)

    def _is_inner(self, place: int) -> bool:
        return self._text.characters[place] not in '\r\n"'

    def _are_few(self, prefix: str, small: Sequence[Piece], limit: int) -> bool:
        """Whether the same places of this answer have held few different numbers so far."""
        if self._strict:
            return False
        places = [self._seen[prefix, n] for n, _ in enumerate(small)]
        if not all(place.allows(p.text, limit) for place, p in zip(places, small, strict=True)):
            return False
        for place, piece in zip(places, small, strict=True):
            place.take(piece.text)
        return True

    # ---- lines that are read -------------------------------------------------------------
    def _narrow(self, heard: Heard) -> None:
        """Mask piece by piece what the readings do not need, or what no type permits."""
        for span in heard.lines[_MANY:]:
            self.deny(span)
        kept: dict[str, list[str]] = defaultdict(list)
        for span in heard.lines[:_MANY]:
            # what an earlier line lost, this one need not give
            if self._needs(heard, [span]):
                self._narrow_line(heard, span, kept)
            else:
                self.deny(span, numbers=not self._strict)

    def _narrow_line(self, heard: Heard, span: Span, kept: dict[str, list[str]]) -> None:
        """Keep of a line what is needed and permitted, and of the rest few small numbers."""
        line = self._text.part(span.start, span.end)
        name = name_of(line) or ""
        values = {r.name: r.value for r in heard.interpret(self._now(heard))}
        self._keep_known(span, name)
        small = [p for p in pieces(line) if is_small(p) and not stays(p)]
        version = not VERSIONS.isdisjoint(values)
        loosely = not version and weight(small) <= _SPARE and self._are_few(name, small, _VALUES)
        for piece in spelled(small):
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
        models = self._typed.models(line)
        if not self._typed.are_modest(line, [p.text for p in versions]):
            odd = [p for p in versions if not is_known(p.text, models)]
            needed = [(p, names) for p, names in needed if p not in odd]
            for piece in odd:
                self._text.mask(piece.places)
        for piece, names in needed:
            if not self._may_stay(piece, names, needed, kept, values, models):
                self._text.mask(piece.places)
            elif names & VERSIONS:
                self._typed.note([] if is_known(piece.text, models) else [piece.text])
            elif piece.kind == "word" and 2 < len(piece.text) < 8:
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
        models: Collection[str],
    ) -> bool:  # fmt: skip
        if piece.kind == "marks":
            return False
        if piece.kind == "byte":
            if any(map(is_of_networks, names)):
                told = _joined([p for p, for_ in needed if any(map(is_of_networks, for_))])
                return all(map(are_networks, told.split()))
            return "sim.service_provider" not in names and is_bitmap(
                _joined([p for p, _ in needed])
            )
        for name in sorted(names):
            if permits(name, piece.text, values.get(name), models):
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


def _joined(needed: Sequence[Piece]) -> str:
    """The bytes among some pieces, in groups as they follow one another."""
    found, end = "", 0
    for piece in needed:
        if piece.kind == "byte":
            found += ("" if piece.start == end else " ") + piece.text
            end = piece.end
    return found
