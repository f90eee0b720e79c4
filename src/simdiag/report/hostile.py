"""Text from devices, files and desks, made safe to show: bounded, and nothing in it unseen."""

from __future__ import annotations

import unicodedata

_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode's general categories without a shape of their own: control characters, marks of the
direction of text, surrogates, private and unassigned characters, separators of lines."""
_MARKS = {"Mn", "Me"}
_MOST_MARKS = 2
"""Marks on one letter; a pile of them would run over the lines above and below."""


def shown(text: str, most: int = 1000) -> str:
    r"""Return a text that shows all it holds, with ``\u202e`` for what has no shape of its own.

    Its length is at most ``most`` and a few; where something is cut off an ellipsis says so.
    """
    kept, marks = "", 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        unseen = category in _UNSEEN and character not in "\n\t"
        if len(kept) >= most:
            return f"{kept}…"
        kept += _escape(character) if unseen or marks > _MOST_MARKS else character
    return kept


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
