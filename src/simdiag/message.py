"""Texts for users: marked where they are written, translated where they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Translate = Callable[[str], str]


def N_(text: str) -> str:  # noqa: N802 - the name that message extraction looks for
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


def message(text: str, **values: Any) -> Message:
    """Make a message; ``text`` is found by message extraction at the call."""
    return Message(text, values)
