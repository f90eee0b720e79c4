"""Keyed pseudonyms: other identifiers of the same form, which the key's owner can turn back."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from simdiag.pseudonym import kinds
from simdiag.pseudonym.permutation import Permutation

__all__ = ["KINDS", "SECRET", "Pseudonyms", "new_key"]

KINDS = tuple(kinds.KINDS)
"""What can be replaced, and so revealed."""
SECRET = "secret"  # noqa: S105 - the name of a kind
"""The kind of what is masked for good: PIN, PUK, passwords, messages. Never revealed."""
_Fate = Literal["replaced", "masked", "revealed"]
_FILLER = re.compile(r"(?:0X)?(?:F+|[*X]+|0*)")
"""What stands where there is no value, and what is hidden already; upper case."""
_RESOLVERS = frozenset(
    ["1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "114.114.114.114", "114.114.115.115",
     "223.5.5.5", "223.6.6.6", "119.29.29.29", "180.76.76.76", "208.67.222.222", "208.67.220.220",
     "2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111",
     "2606:4700:4700::1001", "2620:fe::fe", "2400:3200::1", "2400:3200:baba::1", "2402:4e00::"]
)  # fmt: skip
"""Public name servers: everybody's, so nobody's."""


def new_key() -> bytes:
    """Return a new key: 32 random bytes."""
    return secrets.token_bytes(32)


class Pseudonyms:
    """The pseudonyms of one installation, and an account of what one bundle's redaction did.

    The same key gives the same pseudonym for the same value, in every bundle and encoding.
    ``reveal`` names the kinds that stay in the clear.
    """

    def __init__(self, key: bytes, reveal: Iterable[str] = ()) -> None:
        self._permutation = Permutation(key)
        self.reveal = frozenset(reveal)
        self._real: dict[tuple[str, str], str] = {}
        self._revealed: set[tuple[str, str]] = set()
        self._counts: Counter[tuple[str, _Fate]] = Counter()

    def token(self, kind: str, value: str) -> str:
        """Return what stands for a value; it remembers the value for the gate, and counts."""
        return self._stand_in(kind, value, count=True)

    def knows(self, kind: str, value: str) -> str:
        """Note a real value before it is met, so that it is found wherever it turns up."""
        return self._stand_in(kind, value, count=False)

    def original(self, kind: str, token: str) -> str:
        """Return the value that a token stands for."""
        return token if is_nobodys(kind, token) else self._substitute(kind, token, back=True)

    def counted(self, kind: str, number: int, *, masked: bool = False) -> None:
        """Count what was done elsewhere: so many values of a kind, replaced unless masked."""
        fate: _Fate = "masked" if masked else "revealed" if kind in self.reveal else "replaced"
        self._counts[kind, fate] += number

    def counts(self) -> dict[str, dict[str, int]]:
        """Return by kind how many values were replaced, masked and revealed."""
        found: dict[str, dict[str, int]] = {}
        for (kind, fate), number in sorted(self._counts.items()):
            empty = {"replaced": 0, "masked": 0, "revealed": 0}
            found.setdefault(kind, empty)[fate] += number
        return found

    def real(self) -> dict[tuple[str, str], str]:
        """Return every (kind, value) that is not to be seen, with what stands for it."""
        return dict(self._real)

    def hides(self, value: str) -> None:
        """Note a value that was masked for good, so that the gate looks for it."""
        self._real[SECRET, value] = "*" * len(value)

    def revealed(self) -> set[tuple[str, str]]:
        """Return every (kind, value) that was met and stays in the clear."""
        return set(self._revealed)

    def _stand_in(self, kind: str, value: str, *, count: bool) -> str:
        if not value or is_nobodys(kind, value):
            return value
        if kind in self.reveal:
            self._revealed.add((kind, value))
            self._counts[kind, "revealed"] += count
            return value
        token = self._substitute(kind, value, back=False)
        if token != value:
            self._real[kind, value] = token
        self._counts[kind, "replaced"] += count
        return token

    def _substitute(self, kind: str, value: str, *, back: bool) -> str:
        substitute, form = kinds.KINDS[kind]
        if form.fullmatch(value) is None:
            kind, substitute = "text", kinds.text
        tweak = kind.encode()
        move = self._permutation.back if back else self._permutation.forth
        try:
            return substitute(value, lambda number, size: move(number, size, tweak))
        except ValueError:  # 300.1.2.3 has the form of an address and is none
            return kinds.text(value, lambda number, size: move(number, size, b"text"))


def is_nobodys(kind: str, value: str) -> bool:
    """Whether a value names nobody: a filler, this computer, a mask, a public name server."""
    if kinds.KINDS.get(kind, ("", ""))[0] is kinds.text:
        return set(value) == {"*"}
    if set(value.upper()) - set(" .:-") <= {"0"} or _FILLER.fullmatch(value.upper()):
        return True
    if kind in ("cell", "area") and value.upper().lstrip("0") in ("FFFE", "FFFF", "FFFFFFF"):
        return True
    if kind != "ip":
        return False
    try:
        address = ipaddress.ip_address(value.partition("/")[0])
    except ValueError:
        return False
    low = value.partition("/")[0].lower()
    return low in _RESOLVERS or address.is_unspecified or _is_everybodys(address)


def _is_everybodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is a mask, this computer, or a group of the standards'.

    Beyond these few there is room for digits: in 127.0.0.0/8, in the groups that anybody may
    choose, in the group that is made of an address (RFC 4291 clause 2.7.1).
    """
    number = int(address)
    if address.version == 6:
        return address.is_loopback or (address.is_multicast and number & (1 << 112) - 1 < 1 << 16)
    rest = ~number & 0xFFFFFFFF
    mask = number >> 24 == 255 and rest & (rest + 1) == 0
    return mask or number >> 8 in (0x7F0000, 0x7F0001, 0xE00000)
