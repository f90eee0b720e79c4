"""The values in an answer line, read tolerantly: quotes may be missing, unbalanced or empty."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OUTSIDE_QUOTES = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_INTEGER = re.compile(r"[+-]?\d{1,18}$")
_DECIMAL = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?$")
_HEXADECIMAL = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,16}$")
_BETWEEN_DIGITS = re.compile(r"[\s\"'-]")
_ICCID, _ISSUER = re.compile(r"[0-9A-Fa-f*Xx]{18,20}"), re.compile(r"[0-9*Xx]{6}")
_IMSI, _EF_IMSI = re.compile(r"\d{3}[0-9*Xx]{3,12}"), re.compile(r"[0-9A-Fa-f]+")
_PLMN = re.compile(r"\d\d(?:\d|[Ff])\d\d\d")


class Fields(tuple[str, ...]):
    """The comma-separated values after the colon, quotes and blanks removed.

    The getters return ``None`` for a value that is missing or is not of the kind asked for, so a
    reader need not know how many fields this firmware prints.
    """

    __slots__ = ()

    def text(self, index: int) -> str | None:
        """Return the value as it stands; an empty one is ``None``."""
        return self[index] or None if -len(self) <= index < len(self) else None

    def integer(self, index: int) -> int | None:
        """Return a decimal integer."""
        value = self.text(index)
        return int(value) if value and _INTEGER.match(value) else None

    def number(self, index: int) -> float | None:
        """Return a decimal number."""
        value = self.text(index)
        return float(value) if value and _DECIMAL.match(value) else None

    def hexadecimal(self, index: int) -> int | None:
        """Return a hexadecimal number, with or without ``0x``."""
        value = self.text(index)
        return int(value, 16) if value and _HEXADECIMAL.match(value) else None


def fields(line: str) -> Fields:
    """Split an answer line: ``+CSQ: 20,99`` gives ``("20", "99")``."""
    _, colon, rest = line.partition(":")
    return split(rest if colon else line)


def split(text: str) -> Fields:
    """Split comma-separated values; inside balanced quotes a comma is text."""
    parts: Iterable[str] = (
        text.split(",") if '"' not in text or text.count('"') % 2 else _OUTSIDE_QUOTES.split(text)
    )
    return Fields(part.strip().strip('"').strip() for part in parts)


def swap_nibbles(digits: str) -> str:
    """Exchange each pair of digits, as the files of a card hold them (TS 31.102 clause 4.2.2)."""
    return "".join(digits[i + 1 : i + 2] + digits[i] for i in range(0, len(digits), 2))


def decode_iccid(text: str) -> str | None:
    """Return the ICCID as printed on the card, or ``None`` if the text is none.

    Accepts 18 to 20 digits beginning ``89`` (ITU-T E.118), the same with exchanged nibbles
    (``98...``, as EF_ICCID holds it, TS 102 221 clause 13.2), a trailing ``F`` filler, blanks and
    quotes. Letters A to F are legal from the seventh digit on: China Mobile uses them. Digits
    masked as ``*`` or ``X`` count as digits.
    """
    digits = _BETWEEN_DIGITS.sub("", text)
    if not _ICCID.fullmatch(digits):
        return None
    if digits.startswith("98") and len(digits) % 2 == 0:
        digits = swap_nibbles(digits)
    digits = digits.rstrip("Ff")
    if len(digits) < 18 or not digits.startswith("89"):
        return None
    head, tail = digits[:6], digits[6:].upper()
    return head + tail if _ISSUER.fullmatch(head) else None


def decode_imsi(text: str) -> str | None:
    """Return the IMSI (6 to 15 digits, TS 23.003 clause 2.2); masked digits count as digits."""
    digits = text.strip().strip('"')
    if _IMSI.fullmatch(digits) and len(digits) >= 14:
        return digits
    return None


def decode_ef_imsi(payload: str) -> str | None:
    """Decode EF_IMSI (TS 31.102 clause 4.2.2): length byte, then parity nibble and digits."""
    if len(payload) < 10 or not _EF_IMSI.fullmatch(payload):
        return None
    length = int(payload[:2], 16)
    return decode_imsi(swap_nibbles(payload[2 : 2 + 2 * length])[1:].rstrip("Ff"))


def decode_plmn(payload: str) -> str | None:
    """Decode three bytes of a PLMN (TS 24.008 clause 10.5.1.3): ``62F220`` is ``26202``."""
    if not _PLMN.fullmatch(payload):
        return None
    mcc = payload[1] + payload[0] + payload[3]
    mnc = payload[5] + payload[4] + payload[2].strip("Ff")
    return mcc + mnc
