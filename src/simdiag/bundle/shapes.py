"""Lines of a form that simdiag knows whole: the answers of the emulated modems, field by field.

Each is a template with typed fields, so no word of it is anybody's, and of every number it is
known what it counts. A line that fits one keeps all but the fields that identify somebody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from simdiag.bundle.words import answer_templates

_LEVEL, _TENTHS = (-160, 60), (-1600, 600)
_RANGES = {
    "rsrp": _LEVEL, "rsrq": _LEVEL, "rssi": _LEVEL, "sinr": _LEVEL, "rsrp_tenths": _TENTHS,
    "rsrq_tenths": _TENTHS, "rssi_tenths": _TENTHS, "rsrp_index": (0, 255),
    "rsrq_index": (0, 255), "rssi_index": (0, 255), "sinr_raw": (0, 255), "sinr_fifths": (0, 255),
    "pci": (0, 1007), "earfcn": (0, 3_279_165), "band": (1, 263), "temperature": (-60, 150),
    "voltage": (0, 60_000), "pin_retries": (0, 10), "puk_retries": (0, 10),
    "cs_status": (0, 11), "ps_status": (0, 11), "eps_status": (0, 11), "restricted": (0, 99),
    "reject_cause": (0, 255), "mcc": (1, 999), "mnc": (0, 999), "plmn": (1_00, 999_999),
    "tx_bytes": (0, 10**10), "rx_bytes": (0, 10**10), "tx_hex": (0, 10**10),
    "rx_hex": (0, 10**10),
}  # fmt: skip
"""What the numbers of a modem's state can be; a field that is not here may identify somebody."""
_LONGEST = 400
"""Characters of a line that is looked at; no template is half as long."""
_FIELD = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_HEAD = re.compile(r"\s*([+^$#%!*&_]?[A-Za-z ]+)")


@lru_cache(maxsize=1)
def _shapes() -> dict[str, list[tuple[re.Pattern[str], tuple[str, ...]]]]:
    """Return the templates by the word they begin with, each with its fields in their order."""
    found = defaultdict(list)
    for template in answer_templates():
        literals, names = _FIELD.split(template)[::2], tuple(_FIELD.findall(template))
        if any(map(str.isalpha, "".join(literals))) or len(names) > 4:
            pattern = re.escape(literals[0])
            for name, after in zip(names, literals[1:], strict=True):
                free = r"[0-9A-F]{4,16}" if name.endswith("hex") else r"-?[0-9]{1,10}(?:\.[0-9]+)?"
                pattern += f"({free if name in _RANGES else '[^,]*?'})" + re.escape(after)
            # one star for a run of blanks: several side by side would try every split of them
            found[_head(template)].append((re.compile(re.sub(r"(?:\\ )+", " *", pattern)), names))
    return found


def _head(line: str) -> str:
    match = _HEAD.match(line)
    return match[1].strip().upper() if match else ""


@lru_cache(maxsize=4096)
def of_known_shape(line: str) -> tuple[range, ...]:
    """Return the places of a line that are known not to identify anybody; none if it is strange."""
    text = line.strip()
    offset = line.find(text)
    for pattern, names in _shapes().get(_head(text), ()) if len(text) <= _LONGEST else ():
        match = pattern.fullmatch(text)
        if match and all(map(_fits, names, match.groups())):
            taken = [match.span(i + 1) for i, name in enumerate(names) if name not in _RANGES]
            return tuple(_between(taken, len(text), offset))
    return ()


def _fits(name: str, value: str) -> bool:
    if name not in _RANGES:
        return True
    low, high = _RANGES[name]
    return low <= (int(value, 16) if name.endswith("hex") else float(value)) <= high


def _between(taken: list[tuple[int, int]], end: int, offset: int) -> Iterator[range]:
    start = 0
    for a, b in (*taken, (end, end)):
        yield range(offset + start, offset + a)
        start = b
