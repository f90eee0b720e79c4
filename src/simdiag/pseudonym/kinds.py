"""What stands in for an identifier of each kind: same length and form, what diagnosis needs kept.

Every function takes a value and a permutation of numbers and gives a value back. It keeps all
that it decides by (lengths, heads, whether check digits fit), so the reverse permutation undoes
it: one way for both directions.
"""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Callable, Sequence
from functools import lru_cache

Permute = Callable[[int, int], int]
"""A number and the size of its set; the number that stands for it."""
Substitute = Callable[[str, Permute], str]

THREE_DIGIT_MNC = frozenset(
    ["302", "334", "338", "342", "344", "346", "348", "352", "354", "356", "358", "360", "365",
     "366", "376", "405", "708", "714", "722", "732", "738", "750", *map(str, range(310, 317))]
)  # fmt: skip
"""Countries whose networks have three digits (ITU-T E.212, as in the lists of its annex)."""


# ---- parts of a text ---------------------------------------------------------------------
def substitute(
    parts: Sequence[str], choices: Sequence[Sequence[str] | None], permute: Permute
) -> str:
    """Replace each part by another of its choices; a part with none stays."""
    index, size = 0, 1
    for part, choice in zip(parts, choices, strict=True):
        if choice:
            index, size = index * len(choice) + choice.index(part), size * len(choice)
    index = permute(index, size) if size > 1 else index
    found = list(parts)
    for place in reversed(range(len(parts))):
        if choice := choices[place]:
            index, number = divmod(index, len(choice))
            found[place] = choice[number]
    return "".join(found)


def _tail(value: str, head: int, permute: Permute, alphabet: str = string.digits) -> str:
    """Replace what follows the head; what is none of the alphabet stays (``+``, blanks)."""
    choices = [alphabet if i >= head and c in alphabet else None for i, c in enumerate(value)]
    return substitute(list(value), choices, permute)


def luhn(digits: str) -> int:
    """Return the check digit after these digits (ISO/IEC 7812-1 annex B)."""
    doubled = (2 * int(c) if i % 2 == 0 else int(c) for i, c in enumerate(reversed(digits)))
    return -sum(n // 10 + n % 10 for n in doubled) % 10


def _mod_97(digits: str) -> int:
    """Return the two check digits of an EID (SGP.02 clause 2.2.2.1, ISO/IEC 7064)."""
    return 98 - int(digits + "00") % 97


def _checked(
    value: str, width: int, check: Callable[[str], int], body: Callable[[str], str]
) -> str:
    """Replace a number's body; its check digits fit as well, or are as wrong, as before."""
    old, digits = value[:-width], value[-width:]
    new = body(old)
    wrong = int(digits) - check(old)
    return new + str((check(new) + wrong) % 10**width).zfill(width)


# ---- the kinds ---------------------------------------------------------------------------
def iccid(value: str, permute: Permute) -> str:
    """19 or 20 digits (ITU-T E.118), 18 without the check digit; the issuer's six stay.

    China Mobile's hold letters up to F; those have no check digit.
    """
    if value.isdecimal():
        if len(value) > 18:
            return _checked(value, 1, luhn, lambda digits: _tail(digits, 6, permute))
        return _tail(value, 6, permute)
    found = value.upper()
    while True:
        found = _tail(found, 6, permute, "0123456789ABCDEF")
        if not found.isdecimal():
            return found if value.isupper() else found.lower()


def imsi(value: str, permute: Permute) -> str:
    """MCC and MNC stay: five digits, or six where the country's networks have three."""
    return _tail(value, 6 if value[:3] in THREE_DIGIT_MNC else 5, permute)


def imei(value: str, permute: Permute) -> str:
    """The TAC stays (TS 23.003 clause 6.2), and the software version of an IMEISV."""
    serial = _tail(value[:14], 8, permute)
    if len(value) != 15:
        return serial + value[14:]
    return _checked(value, 1, luhn, lambda _: serial)


def eid(value: str, permute: Permute) -> str:
    """32 digits (SGP.02 clause 2.2.2): country and issuer stay."""
    return _checked(value, 2, _mod_97, lambda digits: _tail(digits, 8, permute))


def msisdn(value: str, permute: Permute) -> str:
    """The last eight digits change (seven of a number of less than ten), the form stays."""
    places = [i for i, c in enumerate(value) if c in string.digits]
    body = set(places[-(8 if len(places) >= 10 else 7) :])
    choices = [string.digits if i in body else None for i in range(len(value))]
    return substitute(list(value), choices, permute)


def _number(value: str, permute: Permute, keep: int) -> str:
    """A hex number as modems print it: the low bits stay, and its lengths in hex and decimal."""
    number = int(value, 16)
    digits, decimals = len(f"{number:X}"), len(str(number))
    lowest = max(16 ** (digits - 1), 10 ** (decimals - 1))
    beyond = min(16**digits, 10**decimals)
    first, size = lowest >> keep, ((beyond - 1) >> keep) - (lowest >> keep) + 1
    found = number
    while True:
        index = permute((found >> keep) - first, size)
        found = index + first << keep | number & ((1 << keep) - 1)
        if lowest <= found < beyond:
            text = f"{found:X}".zfill(len(value))
            return text if value.upper() == value else text.lower()


def cell(value: str, permute: Permute) -> str:
    """Hex, 16 bits for 2G and else 28 or 36, of which the low eight, the sector, stay."""
    return _number(value, permute, keep=8 if int(value, 16) > 0xFFFF else 0)


def area(value: str, permute: Permute) -> str:
    """Hex: LAC or TAC (16 bits; 24 of 5GS)."""
    return _number(value, permute, keep=0)


_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
_CLASSES = [[ipaddress.ip_network(n)] for n in _PRIVATE]
_BYTES = ((0, 0), (1, 9), (10, 15), (16, 99), (100, 255))
"""Bytes of equal length in decimal and in hex; zero stays, so that ``::`` does."""


def _like(byte: int) -> Sequence[str]:
    low, high = next(c for c in _BYTES if c[0] <= byte <= c[1])
    return [chr(n) for n in range(low, high + 1)]


def _class(packed: bytes) -> int:
    address = ipaddress.ip_address(packed)
    if address.version == 6:
        return -1
    return next((i for i, nets in enumerate(_CLASSES) if address in nets[0]), -1)


def ip(value: str, permute: Permute) -> str:
    """IPv4: the first octet stays, and whether it is private or of the operator's NAT (RFC 6598).

    IPv6: the first 16 bits stay, and the last 64 where they are no more than a small number.
    The form stays, also that of ``+CGPADDR``: 16 decimals with dots.
    """
    prefix = re.search(r"/\d+$", value)
    text = value[: prefix.start()] if prefix else value
    dotted = text.count(".") == 15
    packed = bytes(map(int, text.split("."))) if dotted else ipaddress.ip_address(text).packed
    head = 2 if len(packed) == 16 or _class(packed) in (2, 4) else 1
    choices = [None if i < head else _like(b) for i, b in enumerate(packed)]
    found = packed
    while True:
        letters = [chr(b) for b in found]
        found = substitute(letters, choices, permute).encode("latin-1")
        if _class(found) == _class(packed):
            break
    shown = ".".join(map(str, found)) if dotted else _as(text, found)
    return shown + (prefix[0] if prefix else "")


def _as(pattern: str, packed: bytes) -> str:
    """Write an address as another is written: with or without zeros, in its case."""
    address = ipaddress.ip_address(packed)
    if address.version == 4 or pattern.lower() == str(ipaddress.ip_address(pattern)):
        text = str(address)
    else:
        widths = [len(group) for group in pattern.split(":")]
        groups = [address.exploded.replace(":", "")[i : i + 4] for i in range(0, 32, 4)]
        text = ":".join(
            g.lstrip("0").zfill(w) for g, w in zip(groups, widths, strict=False)
        ) if "::" not in pattern and len(widths) == 8 else str(address)  # fmt: skip
    return text.upper() if pattern.upper() == pattern else text


def mac(value: str, permute: Permute) -> str:
    """The maker's half stays; of a locally administered one only the first byte."""
    places = [i for i, c in enumerate(value) if c in string.hexdigits]
    local = int(value[places[0]] + value[places[1]], 16) & 2
    body = set(places[2 if local else 6 :])
    digits = "0123456789ABCDEF" if value.upper() == value else "0123456789abcdef"
    lowered = value if value.upper() == value else value.lower()
    choices = [digits if i in body else None for i in range(len(value))]
    return substitute(list(lowered), choices, permute)


def text(value: str, permute: Permute) -> str:
    """A name or a serial number: digits become digits, letters become letters of their kind."""
    found = value
    while True:
        found = substitute(list(found), [_alphabet(c) for c in found], permute)
        if found.isascii() or not found.isspace():
            return found


_HAN = (0x4E00, 0x9FA5)


@lru_cache(maxsize=1024)
def _alphabet(character: str) -> Sequence[str] | None:
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if character in alphabet:
            return alphabet
    code = ord(character)
    if _HAN[0] <= code <= _HAN[1]:
        return [chr(n) for n in range(_HAN[0], _HAN[1] + 1)]
    if not character.isalnum():
        return None
    block = [chr(n) for n in range(code & ~0x7F, (code | 0x7F) + 1)]
    return [c for c in block if c.isalnum() and c.isupper() == character.isupper()]


KINDS: dict[str, tuple[Substitute, re.Pattern[str]]] = {
    "iccid": (iccid, re.compile(r"89[0-9]{4}[0-9A-Fa-f]{12,14}")),
    "imsi": (imsi, re.compile(r"[0-9]{14,15}")),
    "imei": (imei, re.compile(r"[0-9]{14,16}")),
    "eid": (eid, re.compile(r"[0-9]{32}")),
    "msisdn": (msisdn, re.compile(r"\+?(?:[0-9][ .-]?){7,16}")),
    "cell": (cell, re.compile(r"[0-9A-Fa-f]{1,12}")),
    "area": (area, re.compile(r"[0-9A-Fa-f]{1,8}")),
    "ip": (ip, re.compile(r"[0-9A-Fa-f.:]{2,63}(?:/[0-9]{1,3})?")),
    "mac": (mac, re.compile(r"[0-9A-Fa-f]{2}(?:[:.-]?[0-9A-Fa-f]{2}){5}")),
    "serial": (text, re.compile(r".+", re.DOTALL)),
    "host": (text, re.compile(r".+", re.DOTALL)),
    "user": (text, re.compile(r".+", re.DOTALL)),
    "ssid": (text, re.compile(r".+", re.DOTALL)),
    "apn": (text, re.compile(r".+", re.DOTALL)),
    "interface": (text, re.compile(r".+", re.DOTALL)),
    "program": (text, re.compile(r".+", re.DOTALL)),
}
"""How a kind is replaced, and the form that a value has to have for it."""
