"""Texts for users: marked where they are written, translated where they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Translate = Callable[[str], str]


def N_(text: str) -> str:
    """Mark a text for the catalogue without translating it yet."""
    return text


@dataclass(frozen=True, slots=True)
class Message:
    """A marked text and the values for its ``{placeholders}``."""

    text: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def render(self, translate: Translate = lambda text: text) -> str:
        """Return the text in the language of ``translate``."""
        values = {
            k: v.render(translate) if isinstance(v, Message) else v for k, v in self.values.items()
        }
        return translate(self.text).format_map(values) if values else translate(self.text)


class LocalText(Message):
    """A text that a carrier profile brings in several languages, not in the catalogue."""

    def __init__(self, by_language: Mapping[str, str]) -> None:
        super().__init__(by_language["en"], dict(by_language))

    def render(self, translate: Translate = lambda text: text) -> str:
        """Return the text in the catalogue's language, or another region's of it, or English.

        Another region's text is looked up in the catalogue: that of Hong Kong has the texts of the
        shipped profiles, made of the mainland's (``tools/traditional_chinese.py``).
        """
        tag = translate(LANGUAGE_TAG)
        if own := self.values.get(tag):
            return str(own)
        language = tag.partition("-")[0]
        kin = (text for known, text in self.values.items() if known.partition("-")[0] == language)
        found = str(next(filter(None, kin), self.text))
        return translate(found) if found else ""


LANGUAGE_TAG = N_("en")
"""Translated by each catalogue into its own language tag (``zh-CN``)."""


def message(text: str, **values: Any) -> Message:
    """Make a message; ``text`` is found by message extraction at the call."""
    return Message(text, values)
