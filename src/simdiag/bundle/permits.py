"""What a value may look like to stand in a bundle, by the name of the observation it is for.

Nothing passes that could hold an identifier: a number has few digits, a list of bands ascends, a
version has short groups. Identifiers themselves were replaced before this is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from simdiag.bundle.denial import (
    is_band,
    is_bands,
    is_filler,
    is_joint,
    is_small,
    number_of,
    pieces,
    stays,
)
from simdiag.bundle.versions import is_version
from simdiag.identity import kind_of
from simdiag.pseudonym.kinds import THREE_DIGIT_MNC

QUOTES = frozenset(
    ["at.answered", "at.error", "at.silent", "at.unreadable", "host.foreign_command",
     "device.boot_event", "device.power_event"]
)  # fmt: skip
"""Observations that quote the talk: that there is one counts, what it quotes need not stay."""
VERSIONS = frozenset(["device.manufacturer", "device.model", "device.revision"])
_NAMES = ("operator.name", "sim.service_provider", "device.operator_profile", "data.granted_apns")
"""Free text of an operator or a user: only known words."""
_CLOSED = 6
"""Digits of a text of known words."""
_PLAIN, _CHANNEL, _COUNTER = 6, 7, 12
"""Digits of a number (PLMN, millivolts), of a channel, and of a counter of bytes (below 10**12)."""
_RANGES = {
    "signal": 1600, "signal.detected": 31, "cell.pci": 1007, "cell.earfcn": 3_279_165,
    "cell.band": 263, "device.temperature_c": 1500, "device.voltage_mv": 60_000,
    "sim.pin_retries": 15, "sim.puk_retries": 15,
}  # fmt: skip
"""The greatest numbers that modems print for a value, by its name or layer. That there is a signal
at all, +CSQ tells (TS 27.007 clause 8.5; what is above 31 and no level is nothing). Levels and
temperatures in tenths at most; TS 36.101 clause 5.7.3 and TS 38.104 clause 5.4.2.1 (channels),
TS 38.211 clause 7.4.2.1 (cell identities), TS 36.101 table 5.5-1 and TS 38.101 tables 5.2-1
(bands)."""
_MODEL = 6
"""Digits of a number with points that a model's or maker's name may hold."""
_NETWORK = re.compile(r"(\d)(\d)([\dFf])(\d)\d\d")
_CODES = re.compile(r".*(?:plmns?|bands?|mode)")
"""Observations whose text is a number or a mask of bits."""


def permits(name: str, text: str, value: Any, models: Collection[str] = ()) -> bool:
    """Whether a piece of an answer may stay for the sake of this observation and its value.

    ``models`` are what the modem has named itself.
    """
    if kind_of(name) or name in _NAMES or name in QUOTES:
        return False
    if name in VERSIONS:
        pointed = name != "device.revision" and "." in text  # a model has no version of firmware
        return is_version(text, models) and not (pointed and sum(map(str.isdecimal, text)) > _MODEL)
    if is_of_networks(name):
        return are_networks(text)
    text = number_of(text)
    greatest = _RANGES.get(name) or _RANGES.get(name.partition(".")[0])
    number = re.fullmatch(r"[A-Za-z]*(\d+)(?:\.\d+)?", text)
    if greatest and number and int(number[1]) > greatest and not is_filler(text):
        return False
    if name.startswith("counter."):
        return _is_number(text, _COUNTER)
    texts = [free for free in _texts(value) if text.lower() in free.lower()]
    coded = _CODES.fullmatch(name) is not None
    if not all(_is_closed(free) or (coded and free.isalnum() and len(free) < 17) for free in texts):
        return False
    if coded and re.fullmatch("[0-9A-Fa-f]{8,16}", text) and is_bitmap(text):
        return True
    digits = _CHANNEL if name == "cell.earfcn" else _PLAIN
    return _is_number(text, digits) or is_bands(text) or is_filler(text) or is_band(text)


def _is_closed(text: str) -> bool:
    """Whether a text is of a closed set: known words and a band, nothing that somebody chose."""
    parts = [p for p in pieces(text) if p.kind != "blanks"]
    known = all(stays(p) or is_small(p) or is_joint(p) for p in parts)
    return known and sum(c.isdecimal() for c in text) <= _CLOSED


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def is_bitmap(nibbles: str) -> bool:
    """Whether hex is a table of bits or a list of networks, not digits: no long run of decimals."""
    return len(nibbles) <= 40 and re.search(r"\d{9}", re.sub("0{4,}", " ", nibbles)) is None


def is_of_networks(name: str) -> bool:
    """Whether an observation is read from networks as a card codes them."""
    return name in ("sim.forbidden_plmns", "sim.last_plmn")


def are_networks(nibbles: str) -> bool:
    """Whether hex is networks as a card codes them, and no digits of a number.

    Three bytes each: a country's three digits and two or three of the network, where the country
    has such (TS 24.008 clause 10.5.1.3); else there is a filler between them.
    """
    groups = re.findall(".{6}", nibbles)
    return 0 < len(nibbles) == 6 * len(groups) and all(map(_is_network, groups))


def _is_network(group: str) -> bool:
    match = _NETWORK.fullmatch(group)
    if match is None:
        return group.upper() == "FFFFFF"
    country = match[2] + match[1] + match[4]
    return country[0] in "2345679" and (match[3] in "Ff") != (country in THREE_DIGIT_MNC)


def _is_number(text: str, digits: int) -> bool:
    if re.fullmatch(r"\d+(?:\.\d{1,2})?", text):
        return len(text.replace(".", "").lstrip("0")) <= digits and len(text) <= digits + 8
    return re.fullmatch(rf"(?:0x)?0*[0-9A-Fa-f]{{1,{digits - 2}}}", text) is not None
