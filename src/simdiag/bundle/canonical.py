"""One way to write JSON, so that equal data has equal bytes on every machine and Python."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def document(value: Any) -> bytes:
    """Return a value as one line of JSON: keys sorted, no blanks, UTF-8, a newline at the end.

    Numbers are written as Python's ``repr`` writes them, which is the same since 3.1 (the
    shortest text that reads back equal). Raises ``ValueError`` for what JSON has no word for.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "backslashreplace") + b"\n"


def lines(values: Iterable[Any]) -> bytes:
    """Return JSON Lines, each written as :func:`document` does."""
    return b"".join(map(document, values))


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
