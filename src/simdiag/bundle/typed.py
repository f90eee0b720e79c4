"""Keeps what the form of a line gives a type to: known answers, offers, dates, versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from simdiag.bundle.denial import is_word, moment, pieces, stays, undecided
from simdiag.bundle.heard import Span
from simdiag.bundle.known import Text
from simdiag.bundle.offers import of_operators, of_ranges
from simdiag.bundle.shapes import of_known_shape
from simdiag.bundle.versions import (
    SHORT_HEX,
    is_asked_for,
    is_modest,
    is_plain,
    is_version,
    models_in,
    names_model,
    parts_of_model,
)
from simdiag.evidence import Reading

_SHORT = 3
"""Characters of a line that may be a digit of a number."""
_NAMED = 3
"""Different names of firmware that one port may tell: of a list of them, each could hold digits."""


class Typed:
    """The lines of one port; what one of them told counts for those after it."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._clocks: dict[str, str] = {}
        self._models: set[str] = set()
        """What the modem has named itself."""
        self._named: set[str] = set()
        """The names of firmware that stayed."""
        self._versions: dict[str, list[str]] = {}
        """Lines that are versions though no reader reads them, and the words of each."""
        self._read: list[str] = []
        """The words of versions that stayed in this exchange because a reader needs them."""

    def learn(self, readings: Iterable[Reading]) -> None:
        """Note what the modem calls itself; a new exchange begins."""
        self._read = []
        for reading in readings:
            if reading.name == "device.model":
                self._models.update(models_in(str(reading.value)))

    def models(self, line: str) -> set[str]:
        """Return the words that are models' in this line."""
        return self._models | parts_of_model(line)

    def are_modest(self, line: str, texts: Sequence[str]) -> bool:
        """Whether the words of a version tell little, together with those told before."""
        told = [] if line in self._versions else [t for v in self._versions.values() for t in v]
        known = [w for w in re.findall("[A-Za-z0-9]+", line) if is_word(w) and w not in texts]
        words = [*told, *self._read, *texts, *filter(SHORT_HEX.fullmatch, known)]
        return is_modest(words, self.models(line), plain=is_plain(line))

    def note(self, texts: Iterable[str]) -> None:
        """Note the words of a version that stay because a reader needs them."""
        self._read += texts

    def keep(self, span: Span, prefix: str, asked: str) -> None:
        """Keep what is typed by the form of a whole line, dates, and names of firmware.

        Dates must follow one another, as a clock's do: digits have no order. ``asked`` is the
        command.
        """
        line = self._text.part(span.start, span.end)
        for places in _of_form(line, asked):
            self._text.keep(range(span.start + places.start, span.start + places.stop))
        for piece in undecided(self._text, span.start, span.end):
            if piece.kind == "date" and moment(piece.text) >= self._clocks.get(prefix, ""):
                self._clocks[prefix] = moment(piece.text)
                self._text.keep(piece.places)
            elif piece.kind == "word" and self._names_model(piece.text):
                self._text.keep(piece.places)

    def _names_model(self, word: str) -> bool:
        """Whether a word names a model, and is one of few that do."""
        if not names_model(word, self._models):
            return False
        if word not in self._models and len(self._named) < _NAMED:
            self._named.add(word)
        return word in self._models or word in self._named

    def keep_version(self, span: Span, asked: str) -> bool:
        """Keep a line that is a model or a version as a whole; return whether it is."""
        line = self._text.part(span.start, span.end)
        models = self.models(line)
        words = [p for p in pieces(line, span.start)
                 if p.kind in ("word", "dotted") and not stays(p)]  # fmt: skip
        texts = [p.text for p in words]
        named = any(t in models or self._names_model(t) for t in texts)
        if any(names_model(t, models) and not self._names_model(t) for t in texts):
            return False
        if not texts or not is_plain(line) or not (named or is_asked_for(asked, line)):
            return False
        if not (all(is_version(t, models) for t in texts) and self.are_modest(line, texts)):
            return False
        # shorter lines could be a number spelled out: these count each time
        key = line if len(line) > _SHORT else f"{line}{len(self._versions)}"
        self._versions[key] = texts
        for piece in words:
            self._text.keep(piece.places)
        return True


def _of_form(line: str, asked: str) -> Iterator[range]:
    yield from of_known_shape(line)
    yield from of_operators(line)
    if "=?" in asked:
        yield from of_ranges(line)
