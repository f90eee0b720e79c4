"""Seeded identities: made up, valid in form, different every time."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "nu",
    "ra",
    "se",
    "ti",
    "vo",
    "xa",
    "zu",
    "bel",
    "dar",
    "fin",
    "gor",
    "hul",
    "jin",
    "kep",
    "lam",
    "mor",
    "nev",
]


@dataclass(frozen=True)
class Person:
    """One card in one device on one computer of one owner."""

    values: dict[str, str]

    def core(self, kind: str) -> str:
        """What must not show, nor any part of it that includes this: the personal part."""
        value = "".join(c for c in self.values[kind] if c.isalnum())
        start = {"imsi": 5, "iccid": 6, "msisdn": 5, "eid": 8}.get(kind, 0)
        return value[start : 14 if kind == "imei" else None].lower()


def luhn(digits: str) -> str:
    total = sum(int(c) for c in digits[-2::-2])
    for c in digits[::-2]:
        total += sum(map(int, str(2 * int(c))))
    return str(-total % 10)


def person(seed: int) -> Person:
    dice = random.Random(seed)

    def digits(n: int) -> str:
        return "".join(dice.choice(string.digits) for _ in range(n))

    def hexa(n: int) -> str:
        return "".join(dice.choice("0123456789abcdef") for _ in range(n))

    def name(n: int) -> str:
        return "".join(dice.choice(SYLLABLES) for _ in range(n))

    iccid, imei = "898601" + digits(13), "86732204" + digits(6)
    return Person({
        "imsi": "46001" + digits(10),
        "iccid": iccid + luhn(iccid),
        "imei": imei + luhn(imei),
        "msisdn": "8613" + str(dice.randrange(3, 10)) + digits(8),
        "eid": "89049032" + digits(24),
        "cell": f"{dice.randrange(0x100000, 0xFFFFF00):07X}",
        "ip": f"10.{dice.randrange(100, 250)}.{dice.randrange(100, 250)}.{dice.randrange(100, 250)}",
        "ip6": f"2408:{hexa(4)}:{hexa(4)}:{hexa(4)}:{hexa(4)}:{hexa(4)}:{hexa(4)}:{hexa(3)}1",
        "mac": ":".join(["00", "1e", "10", hexa(2), hexa(2), hexa(2)]),
        "serial": hexa(12).upper() + "Q7",
        "host": f"{name(3)}-{name(2)}",
        "user": name(4),
        "ssid": f"{name(3)} {name(2)}",
        "password": name(3) + digits(4),
    })  # fmt: skip
