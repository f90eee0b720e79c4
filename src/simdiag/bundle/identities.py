"""The identifiers in a value that was observed, and in a piece of a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from simdiag.identity import is_address, kind_of
from simdiag.pseudonym import is_nobodys


def identities(name: str, value: Any) -> Iterable[tuple[str, str]]:
    """The identifiers in the value of an observation."""
    kind = kind_of(name)
    if kind is None or value is None:
        return
    if isinstance(value, dict):
        for inner in value.values():
            yield from identities(name, inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from identities(name, inner)
    elif not is_masked(str(value)):
        yield kind, str(value)


def is_masked(value: str) -> bool:
    """Whether somebody has masked an identifier before: what is left tells little."""
    return re.search(r"[*Xx]{4}", value) is not None and len(re.sub(r"[*Xx]", "", value)) < 9


def address(text: str) -> str | None:
    """Return the address that a piece begins with; of address and mask, the address."""
    parts = text.split(".")
    if len(parts) in (8, 32):
        middle = len(parts) // 2
        if parts[middle] not in ("255", "0"):  # digits in pairs have that length too
            return None
        text = ".".join(parts[:middle])
    octets = text.count(".") in (3, 15) and all(p.isdecimal() and int(p) < 256 for p in parts)
    if not (octets or text.count(":") > 1) or is_nobodys("ip", text):
        return None
    return text if is_address(text) else None
