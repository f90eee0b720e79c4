"""JSON that may be looked at in a terminal: nothing in it hides or turns what is beside it."""

from __future__ import annotations

import json
import re
from typing import Any

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def dumps(value: Any) -> str:
    """Return a value as one line of JSON, in the characters of its language."""
    return visible(json.dumps(value, ensure_ascii=False))


def visible(text: str) -> str:
    """Write the characters that control a terminal or the direction of text as JSON escapes."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
