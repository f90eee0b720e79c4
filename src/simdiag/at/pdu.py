"""Short messages as octets: what is sent and what comes (TS 23.040 clause 9.2, TS 27.005)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

from simdiag.at.alphabet import GSM_DEFAULT, decode_default, pack, unpack
from simdiag.at.values import swap_nibbles

LONGEST = 140
"""Octets of user data that one message holds (TS 23.040 clause 9.2.3.24)."""
_SUBMIT, _DELIVER = 0x01, 0x00
_INTERNATIONAL, _UNKNOWN, _ALPHANUMERIC = 0x91, 0x81, 0x50
_UCS2 = 0x08


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a longer message this is, counted from 1; ``reference`` joins them."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that came: ``time`` is the service centre's, as Unix time."""

    sender: str
    time: float
    text: str
    part: Part


def submit(number: str, text: str) -> tuple[int, str]:
    """Return the length that ``+CMGS`` wants and the hex digits of a message to send.

    By the service centre that the card names; no report, no validity. The default alphabet where
    it has every character, else UCS-2. Raises ``ValueError`` where one message cannot hold it.
    """
    digits = number.removeprefix("+")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 20:
        raise ValueError("this is no telephone number")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN
    if all(character in GSM_DEFAULT for character in text):
        coding, data, length = 0, pack(bytes(map(GSM_DEFAULT.index, text))), len(text)
    else:
        data = text.encode("utf-16-be")
        coding, length = _UCS2, len(data)
    if len(data) > LONGEST:
        raise ValueError("the text is too long for one message")
    address = swap_nibbles(digits + "F" * (len(digits) % 2))
    body = f"{_SUBMIT:02X}00{len(digits):02X}{kind:02X}{address}00{coding:02X}{length:02X}"
    body += data.hex().upper()
    return len(body) // 2, "00" + body


def delivered(digits: str) -> Delivered:
    """Read the hex digits of a message that came. Raises ``ValueError`` for anything else."""
    octets = _Octets(bytes.fromhex(digits))
    octets.take(octets.number())  # the service centre
    first = octets.number()
    if first & 0x03 != _DELIVER:
        raise ValueError("this is no message that came")
    sender = _address(octets)
    octets.number()  # the protocol
    coding, time, length = octets.number(), _time(octets.take(7)), octets.number()
    data = octets.rest()
    header = data[: data[0] + 1] if first & 0x40 and data else b""
    return Delivered(sender, time, _text(data, len(header), length, coding), _part(header))


class _Octets:
    """Takes octets from the front. Raises ``ValueError`` where there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise ValueError("the message is cut off")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self) -> int:
        return self.take(1)[0]

    def rest(self) -> bytes:
        return self._data


def _address(octets: _Octets) -> str:
    """Read an address (clause 9.1.2.5): digits, or words in the default alphabet."""
    length, kind = octets.number(), octets.number()
    data = octets.take((length + 1) // 2)
    if kind & 0x70 == _ALPHANUMERIC:
        return decode_default(unpack(data, length * 4 // 7))
    digits = swap_nibbles(data.hex())[:length]
    return ("+" if kind & 0x70 == _INTERNATIONAL & 0x70 else "") + digits


def _time(data: bytes) -> float:
    """Read a time stamp (clause 9.2.3.11): local time, and its zone in quarters of an hour."""
    year, month, day, hour, minute, second = (int(f"{b & 0x0F}{b >> 4}") for b in data[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError("this is no time")
    quarters = 10 * (data[6] & 0x07) + (data[6] >> 4)
    offset = 900 * (-quarters if data[6] & 0x08 else quarters)
    return calendar.timegm((2000 + year, month, day, hour, minute, second)) - offset


def _text(data: bytes, header: int, length: int, coding: int) -> str:
    """Decode user data after its header; ``length`` counts octets, or characters of seven bits."""
    if _alphabet(coding) == 0:
        return decode_default(unpack(data, length, -(-8 * header // 7)))
    codec = "utf-16-be" if _alphabet(coding) == 2 else "latin-1"
    return data[header:length].decode(codec, "replace")


def _alphabet(coding: int) -> int:
    """Return 0 for the default alphabet, 1 for octets, 2 for UCS-2 (TS 23.038 clause 4)."""
    if coding < 0x80:
        return min(coding >> 2 & 0x03, 2)
    if coding >= 0xF0:
        return coding >> 2 & 0x01
    return 2 if coding >= 0xE0 else 0


def _part(header: bytes) -> Part:
    """Find which part it is (clauses 9.2.3.24.1 and 9.2.3.24.8); the only one of one otherwise."""
    place = 1
    while place + 1 < len(header):
        kind, size = header[place], header[place + 1]
        value = header[place + 2 : place + 2 + size]
        if (kind, size) in ((0x00, 3), (0x08, 4)) and len(value) == size:
            total, number = value[-2:]
            if 1 <= number <= total:
                return Part(int.from_bytes(value[:-2], "big"), total, number)
        place += 2 + size
    return Part(0, 1, 1)
