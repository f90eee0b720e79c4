"""Text as cards and messages hold it: GSM 7-bit default alphabet and UCS-2 (TS 23.038)."""

from __future__ import annotations

GSM_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 128 characters of the default alphabet (TS 23.038 clause 6.2.1)."""

_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
    0x40: "|", 0x65: "€",
}  # fmt: skip
"""What follows an escape (1B) means (clause 6.2.1.1); another is as without it."""
_ESCAPE = "\x1b"
_UNUSED = b"\xff"


def decode_default(data: bytes) -> str:
    """Decode characters of the default alphabet, one a byte; others become U+FFFD."""
    out = ""
    for value in data:
        character = GSM_DEFAULT[value] if value < 0x80 else "\ufffd"
        if out.endswith(_ESCAPE):
            out, character = out[:-1], _EXTENSION.get(value, character)
        out += character
    return out.removesuffix(_ESCAPE)


def pack(septets: bytes) -> bytes:
    """Pack characters of seven bits into octets, the lowest bits first (clause 6.1.2.1)."""
    bits = sum(value << 7 * i for i, value in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def unpack(data: bytes, count: int, skip: int = 0) -> bytes:
    """Return ``count`` characters of seven bits, after the first ``skip``; there may be fewer."""
    bits, count = int.from_bytes(data, "little"), min(count, 8 * len(data) // 7)
    return bytes(bits >> 7 * i & 0x7F for i in range(skip, count))


def decode_alpha(data: bytes) -> str:
    """Decode an alpha identifier of a card (TS 102 221 annex A), unused bytes at its end left out.

    A first byte of 80, 81 or 82 announces UCS-2, plain or as offsets from a base; anything else
    is one byte a character of the default alphabet.
    """
    if data[:1] == b"\x80":
        pairs = (data[i : i + 2] for i in range(1, len(data) - 1, 2))
        used = b"".join(pair for pair in pairs if pair != 2 * _UNUSED)
        return used.decode("utf-16-be", "replace")
    if data[:1] == b"\x81" and len(data) > 2:
        return _with_base(data[3 : 3 + data[1]], data[2] << 7)
    if data[:1] == b"\x82" and len(data) > 3:
        return _with_base(data[4 : 4 + data[1]], int.from_bytes(data[2:4], "big"))
    return decode_default(data.rstrip(_UNUSED))


def _with_base(data: bytes, base: int) -> str:
    """A byte below 80 is of the default alphabet, another an offset from ``base``."""
    return "".join(GSM_DEFAULT[b] if b < 0x80 else chr(min(base + b - 0x80, 0xFFFF)) for b in data)
