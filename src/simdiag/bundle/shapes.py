"""Lines of a form that is known whole, field by field: those that drivers state, and templates.

No word of such a line is anybody's, and of every number it is known what it counts. A line that
fits one keeps all but the fields that identify somebody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from simdiag.bundle.permits import is_bitmap
from simdiag.bundle.words import answer_templates
from simdiag.registry import drivers

_POWER, _RATIO, _TENTHS = (-160, -20), (-50, 60), (-1600, 600)
_INDEX, _BYTES = (0, 255), (0, 10**10)
RANGES: dict[str, tuple[float, float]] = {
    "rsrp": _POWER, "rssi": _POWER, "rscp": _POWER, "rxlev": _POWER,
    "rsrq": _RATIO, "sinr": _RATIO, "ecio": _RATIO,
    "rsrp_tenths": _TENTHS, "rsrq_tenths": _TENTHS, "rssi_tenths": _TENTHS, "sinr_tenths": _TENTHS,
    "rsrp_index": _INDEX, "rsrq_index": _INDEX, "rssi_index": _INDEX, "sinr_raw": _INDEX,
    "sinr_fifths": _INDEX, "pci": (0, 1007), "psc": (0, 511), "bsic": (0, 77),
    "arfcn": (0, 1023), "uarfcn": (0, 16_383), "earfcn": (0, 3_279_165),
    "earfcn_hex": (0, 3_279_165), "band": (1, 299), "frequency": (0, 60_000),
    "bandwidth": (0, 400), "temperature": (-60, 150), "temperature_tenths": (-600, 1500),
    "voltage": (0, 60_000), "pin_retries": (0, 10), "puk_retries": (0, 10),
    "cs_status": (0, 11), "ps_status": (0, 11), "eps_status": (0, 11), "restricted": (0, 99),
    "reject_cause": (0, 255), "mcc": (1, 999), "mnc": (0, 999),
    "state": (0, 9), "cid": (0, 24), "count": (0, 99), "small": (-128, 255),
    "year": (1970, 2099), "build": (0, 999_999), "milliseconds": (0, 65_535),
    "seconds": (0, 9_999_999), "speed": _BYTES,
    "bitmask": _BYTES, "tx_bytes": _BYTES, "rx_bytes": _BYTES, "tx_hex": _BYTES, "rx_hex": _BYTES,
    "bytes_hex": _BYTES,
}  # fmt: skip
"""What the numbers of an answer can be, by the names of their fields; those of a modem's state are
among them. A field that is not here may identify somebody. Channels and bands: TS 45.005 clause 2,
TS 25.101 clause 5.4, TS 36.101 clause 5.7.3, TS 38.104 clause 5.4.2; codes of cells: TS 23.003
clause 4.3.2 (BSIC, octal), TS 25.213 clause 5.2.3, TS 38.211 clause 7.4.2.1."""
_CODES = {
    "mask": r"(?:0x)?[0-9A-F]{1,40}",
    "mask16": "[0-9A-F]{16}",
    "bits": "[01]{1,16}",
    "plmn": r"(?:001|[2-7]\d\d|90[12]|99\d)\d{2,3}|0{1,6}|F{5,6}",
    "version": r"\d{1,3}(?:\.\d{2,3}){1,3}",
}
"""Typed fields that are no numbers: bands, timers (TS 24.008 clause 10.5.7.3), networks (the
countries' codes of ITU-T E.212), firmware."""
_PLACES = {"tmsi": "[0-9A-F*]{8}", "digits15": "[0-9*]{15}", "rest": ".*?"}
"""Forms of fields that may identify somebody, where they have one of their own."""
_FILLERS = frozenset(
    ["0", "255", "999", "1000", "3276", "32767", "32768", "65535", "FFFFFFFF", "0XFFFFFFFF"]
)
"""What stands for an unknown value whatever its range is."""
_LONGEST = 400
"""Characters of a line that is looked at; no template is half as long."""
_FIELD = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_HEAD = re.compile(r"\s*([+^$#%!*&_]?[A-Za-z]+)")
_NUMBER = r"[-+]?[0-9]{1,10}(?:\.[0-9]{1,3})?"


class _Shape(NamedTuple):
    """A form as an expression; its groups are the fields."""

    pattern: re.Pattern[str]
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def _shapes() -> dict[str, list[_Shape]]:
    """Return the forms by the word they begin with, ``""`` for those that begin otherwise."""
    found = defaultdict(list)
    for template in answer_templates():
        literals, names = _FIELD.split(template)[::2], tuple(_FIELD.findall(template))
        if any(map(str.isalpha, "".join(literals))) or len(names) > 4:
            found[_head(template)].append(_Shape(re.compile(_exact(template)), names))
    for form in (written_out(form) for driver in drivers() for form in driver.forms):
        with suppress(re.error):  # a form in a user's own driver that is none
            pattern = re.compile(_tolerant(form), re.IGNORECASE)
            found[_head(form)].append(_Shape(pattern, tuple(_FIELD.findall(form))))
    return found


def _head(line: str) -> str:
    match = _HEAD.match(line)
    return match[1].upper() if match else ""


def _exact(template: str) -> str:
    """Return the expression of a template: its words and marks as they stand, and its fields."""
    literals, names = _FIELD.split(template)[::2], _FIELD.findall(template)
    pattern = re.escape(literals[0])
    for name, after in zip(names, literals[1:], strict=True):
        pattern += f"({_of_field(name)})" + re.escape(after)
    return re.sub(r"(?:\\[ \t])+", " ?", pattern)


def written_out(form: str) -> str:
    """Write a form out: ``{small*3}`` are three fields, ``[,{small}]*3`` are up to three."""
    form = re.sub(r"\[([^][]*)\]\*(\d)", lambda m: f"[{m[1]}" * int(m[2]) + "]" * int(m[2]), form)
    return re.sub(r"\{(\w+)\*(\d+)\}", lambda m: ",".join(["{" + m[1] + "}"] * int(m[2])), form)


def _tolerant(form: str) -> str:
    """Return the expression of a driver's form: quotes and values may be missing, and ``[...]``."""
    found = []
    for part in re.split(r"(\[|\]|\{\w+\}|, *| *: *| +)", form):
        if field := _FIELD.fullmatch(part):
            found.append(f'"?({_of_field(field[1])}|-{{0,4}})"?')
        elif part in ("[", "]"):
            found.append("(?:" if part == "[" else ")?")
        elif part.strip() in (",", ":"):
            found.append(f" ?{part.strip()} ?")
        elif part:
            found.append(f'"?{re.escape(part)}"?' if part.strip() else " ")
    return "".join(found)


def _of_field(name: str) -> str:
    if name in RANGES:
        return r"(?:0x)?[0-9A-F]{1,16}" if name.endswith("hex") else _NUMBER
    return _CODES.get(name) or _PLACES.get(name) or '[^,"]*?'


@lru_cache(maxsize=4096)
def of_known_shape(line: str) -> tuple[range, ...]:
    """Return the places of a line that are known not to identify anybody; none if it is strange."""
    # runs of blanks count as one: an expression would try every split of them
    places = [i for i, c in enumerate(line) if c not in " \t" or line[i - 1 : i] not in (" ", "\t")]
    text = "".join([line[i] for i in places]).replace("\t", " ")
    places = places[len(text) - len(text.lstrip()) :]
    text = text.strip()
    shapes = (*_shapes().get(_head(text), ()), *_shapes().get("", ()))
    for shape in shapes if len(text) <= _LONGEST else ():
        match = shape.pattern.fullmatch(text)
        if match and all(map(_fits, shape.names, match.groups())):
            typed = [name in RANGES or name in _CODES for name in shape.names]
            taken = [match.span(i + 1) for i, known in enumerate(typed) if not known]
            free = _between([t for t in taken if t[0] >= 0], len(text))
            return tuple(range(places[a], places[b - 1] + 1) for a, b in free)
    return ()


def _fits(name: str, value: str | None) -> bool:
    """Whether a value is one that a field can have; there may be none."""
    if not value or not value.strip("-"):
        return True
    if name.startswith("mask"):  # bands and no number: no long run of decimal digits in it
        return is_bitmap(value[-40:])  # of the longest, without 0x
    if name not in RANGES or value.lstrip("-").upper() in _FILLERS:
        return True
    low, high = RANGES[name]
    return low <= (int(value, 16) if name.endswith("hex") else float(value)) <= high


def _between(taken: list[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    start = 0
    for a, b in (*taken, (end, end)):
        if start < a:
            yield start, a
        start = b
