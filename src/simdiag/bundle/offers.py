"""What a modem offers: answers to test commands (V.250 clause 5.4.5), and lists of operators.

Such an answer tells ranges and lists, so its numbers ascend; digits have no order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_OPERATOR = re.compile(
    r'\( ?(?P<state>[0-3]?) ?, ?"?(?P<long>[^",()]*)"?, ?"?(?P<short>[^",()]*)"?, ?'
    r'"?(?P<plmn>001\d{2,3}|[2-79]\d{4,5})"?(?: ?, ?(?P<access>\d|1[0-3]))? ?\)'
)
"""TS 27.007 clause 7.3; a PLMN begins with a country's code (ITU-T E.212)."""
_LIST = re.compile(r"\+COPS: ?(?:\([^()]*\),? ?)+(?P<settings>, ?(?:\([\d, -]*\),? ?){1,2})?")
_GROUP = re.compile(r"\(([^()]{1,400})\)")
_MASK = re.compile(r'\(([0-9A-Fa-f]{5,16}),"')
"""A mask of bands, before their names."""
_NUMBER = re.compile(r"(?<![\w.])\d{1,7}(?![\w.])")
_TOLD, _COUNTRIES, _LINE = 8, 4, 4000
"""Digits that the ends of short ranges may tell in a line; countries beside one another at a
border; characters of a line that is looked at."""


def of_operators(line: str) -> Iterator[range]:
    """Yield where a list of operators has states, PLMNs and access technologies."""
    if len(line) > _LINE or not _LIST.match(line.strip()):
        return
    found = list(_OPERATOR.finditer(line))
    networks = {(m["plmn"], m["access"]) for m in found}
    if len(networks) < len(found) or len({plmn[:3] for plmn, _ in networks}) > _COUNTRIES:
        return  # each network is listed once for each technology
    for operator in found:
        numbers = {operator["plmn"], f"{operator['plmn'][:3]} {operator['plmn'][3:]}"}
        for name, text in operator.groupdict().items():
            if text and (name not in ("long", "short") or text in numbers):
                yield range(*operator.span(name))
    settings = line.rpartition(",,")[2] if found else ""
    yield from _ascending(line, len(line) - len(settings))


def of_ranges(line: str) -> Iterator[range]:
    """Yield where the answer to a test command has numbers."""
    if len(line) <= _LINE and re.match(r"\s*[+^$#%!*&_]\w+ ?:", line):
        yield from _ascending(line, 0)
        for mask in _MASK.finditer(line):
            if not re.search(r"\d{9}", mask[1]):
                yield range(*mask.span(1))


def _ascending(line: str, start: int) -> Iterator[range]:
    """Yield the numbers in parentheses, if those of each ascend and short ranges tell little."""
    told, found = 0, []
    for group in _GROUP.finditer(line, start):
        numbers = list(_NUMBER.finditer(line, *group.span(1)))
        values = [int(n[0]) for n in numbers]
        if any(a >= b for a, b in pairwise(values)):
            return
        told += sum(len(str(v)) for v in values if v > 1) if len(values) < 3 else 0
        found += [range(*n.span()) for n in numbers]
    if told <= _TOLD:
        yield from found
