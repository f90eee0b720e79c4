"""What identifies a card, a device, a person or a place, and every way it is written on the wire.

The screen's stars, a bundle's pseudonyms and its gate all work from here: how an identifier is
written is known in one place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache

from simdiag.at.alphabet import GSM_DEFAULT
from simdiag.at.values import swap_nibbles

_HEX = re.compile("[0-9A-Fa-f]+")
_KIND_OF = {"iccid": "iccid", "imsi": "imsi", "imei": "imei", "cell_id": "cell", "tac": "area",
            "lac": "area", "addresses": "ip", "local_address": "ip", "dns": "ip"}  # fmt: skip

_ISSUED = {"iccid": 6, "imsi": 5, "imei": 8, "eid": 8, "msisdn": 5}
"""How many digits of a number tell its issuer, its network, or the type of the device."""
_TELLING = 6
"""Personal digits that are too many to be told."""


def kind_of(name: str) -> str | None:
    """Return which kind of identifier an observation holds, if any."""
    return _KIND_OF.get(name.rpartition(".")[2])


def written(kind: str, value: str) -> Iterator[str]:
    """Yield every way a value is written: plain first, then coded, the hex digits in upper case.

    Two values of equal form give forms that pair off, each pair of one length: so one of them
    can take the other's place in any encoding. The form has no separators: whoever looks for it
    leaves out what stands between letters and digits.
    """
    if kind == "ip":
        yield from _address(value)
    elif kind in ("cell", "area") and _HEX.fullmatch(value):
        yield from _place(value)
        if kind == "cell":  # an area is too short for that: any word would do
            yield from (value.upper()[::-1], str(int(value, 16))[::-1])
    elif kind == "mac":
        digits = "".join(c for c in value if c.isalnum())
        yield digits
        yield "".join(digits[i : i + 2] for i in range(10, -2, -2))
        yield from _coded(digits)
        yield from _coded(value)
    else:
        plain = "".join(c for c in value if c.isalnum())
        yield plain
        if plain.isascii() and any(c.isdecimal() for c in plain) and len(plain) > 5:
            yield from _number(kind, plain)
        yield from _coded(plain)
        if plain != value:
            yield from _coded(value)


@lru_cache(maxsize=256)
def telling_parts(kind: str, value: str) -> frozenset[str]:
    """Return the parts of a number that tell six or more of its personal digits.

    People and programs shorten: "ends in 264815", the serial number of an IMEI, an ICCID without
    the issuer; forwards, backwards, and with exchanged nibbles.
    """
    digits = "".join(c for c in value if c.isalnum())
    found = set[str]()
    if kind not in _ISSUED or not digits.isdecimal() or len(digits) < 10:
        return frozenset()
    marked = [(c, i >= _ISSUED[kind]) for i, c in enumerate(digits)]
    for form in (marked, marked[::-1], _pairwise(marked), _pairwise(marked[1:])):
        for start in range(len(form)):
            for end in range(start + _TELLING, len(form) + 1):
                part = "".join([c for c, _ in form[start:end]])
                if sum(p for _, p in form[start:end]) >= _TELLING and len(set(part)) > 2:
                    found.add(part)
    return frozenset(found)


def _pairwise(marked: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    pairs = zip(marked[1::2], marked[::2], strict=False)
    return [m for pair in pairs for m in pair]


def _number(kind: str, digits: str) -> Iterator[str]:
    """As the files of a card and the fields of a message hold it: nibbles exchanged, filled up."""
    if kind == "iccid":
        yield swap_nibbles(digits.ljust(20, "F"))
        yield digits[:18]  # without the check digit
    elif kind == "imsi":  # length parity and filler, as in EF_IMSI (TS 31.102 clause 4.2.2)
        yield swap_nibbles(("91"[len(digits) % 2 == 0] + digits).ljust(16, "F"))
        yield digits[5:]
    elif kind == "imei":
        yield digits[:14]  # without the check digit or the version
        yield swap_nibbles(digits[:14])
        yield swap_nibbles(("A2"[len(digits) % 2 == 0] + digits).ljust(16, "F"))  # TS 24.008
    elif kind == "msisdn":  # with and without the country's code
        yield from (digits[n:] for n in (1, 2, 3) if len(digits) - n >= 8)
        yield from (_swapped(digits[n:]) for n in (1, 2, 3) if len(digits) - n >= 8)
    yield _swapped(digits)
    if digits.isdecimal():
        yield digits[::-1]
    if digits.isdecimal() and kind in _ISSUED:  # each digit's code, of one length for all ten
        yield from ("".join(format(ord(c), form) for c in digits) for form in ("d", "03o", "08b"))


def _swapped(digits: str) -> str:
    return swap_nibbles(digits + "F" * (len(digits) % 2))


def _coded(text: str) -> Iterator[str]:
    """Characters as bytes in hex: ASCII or UTF-8, UCS-2 of both byte orders, packed GSM 7-bit."""
    for encoding in ("utf-8", "utf-16-be", "utf-16-le"):
        yield text.encode(encoding, "replace").hex().upper()
    if text.isascii() and all(c in GSM_DEFAULT for c in text):
        yield packed_gsm7(text).hex().upper()


def packed_gsm7(text: str) -> bytes:
    """Return a text as a message holds it: seven bits a character (TS 23.038 clause 6.1.2.1)."""
    bits = sum(GSM_DEFAULT.index(c) << 7 * i for i, c in enumerate(text))
    return bits.to_bytes((7 * len(text) + 7) // 8, "little")


def _address(value: str) -> Iterator[str]:
    value = value.partition("/")[0]
    dotted = value.count(".") == 15
    try:
        packed = bytes(map(int, value.split("."))) if dotted else ipaddress.ip_address(value).packed
    except ValueError:
        yield value
        return
    yield "".join(c for c in value if c.isalnum())
    yield packed.hex().upper()
    yield packed[::-1].hex().upper()
    yield from _coded(value)
    if len(packed) == 16:
        address = ipaddress.ip_address(packed)
        yield "".join(map(str, packed))
        yield str(address).replace(":", "").upper()
        words = [packed[i : i + 4][::-1] for i in range(0, 16, 4)]  # /proc/net, little endian
        yield b"".join(words).hex().upper()


def _place(value: str) -> Iterator[str]:
    """A cell or an area: hex with and without zeros, decimal, and of LTE the site and sector."""
    number = int(value, 16)
    yield value.upper()
    yield f"{number:X}"
    yield str(number)
    yield from _coded(value.upper())


def is_address(text: str) -> bool:
    """Whether a text is an IP address, also of the form that ``+CGPADDR`` gives to IPv6."""
    if text.count(".") == 15:
        return all(part.isdecimal() and int(part) < 256 for part in text.split("."))
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
