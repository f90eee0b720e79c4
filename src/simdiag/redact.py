"""Hides identifiers in what is shown or written: lengths stay, the personal digits go.

Works from the typed observations: their values are known, so every way they are written on the
wire is found. Whatever else looks like an identifier (a long run of digits or hex) is hidden too
unless it is known to be harmless: hiding too much is the smaller harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from simdiag.at.values import swap_nibbles
from simdiag.evidence import Evidence, Observation

KINDS = ("iccid", "imsi", "imei", "ip", "cell")
"""What ``--reveal`` can name."""

_KEEP: dict[str, Callable[[str], tuple[int, int]]] = {
    "iccid": lambda text: (6, 4),
    "imsi": lambda text: (5, 0),
    "imei": lambda text: (8, 0),
    "cell": lambda text: (0, 2 if len(text) > 4 else 0),
}
"""How many characters stay visible at the head and the tail: issuer, PLMN, TAC, sector."""

_LONG = re.compile(r"(?<![0-9A-Za-z*])(?=[0-9A-Fa-f*]*\d)[0-9A-Fa-f*]{7,}(?![0-9A-Za-z*])")
_IPV4 = re.compile(r"(?<![\d.])(\d{1,3})\.\d{1,3}\.\d{1,3}\.\d{1,3}(?=$|[^\d])")
_IPV6 = re.compile(r"(?<![0-9A-Fa-f:])([0-9A-Fa-f]{1,4}):[0-9A-Fa-f:]{5,}(?![0-9A-Fa-f:])")
_SECRET = re.compile(
    r"(AT\s*\+(?:CPIN|CLCK|CPWD|CGAUTH|QICSGP|CMGS|CUSD|CNMP?A?D)\s*=|ATD\s*)(.+)", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"^(\+(?:CMT|CMGL|CMGR|CDS|CBM|CUSD|CNUM|CLIP|CPBR|COLP|CCWA|CGAUTH)\s?:)(.*)$", re.DOTALL
)


def kind_of(name: str) -> str | None:
    """Return which kind of identifier an observation holds, if any."""
    tail = name.rpartition(".")[2]
    if tail in ("iccid", "imsi", "imei"):
        return tail
    if tail in ("cell_id", "tac", "lac"):
        return "cell"
    return "ip" if tail in ("addresses", "local_address", "dns") else None


class Redactor:
    """Hides the identifiers of one examination, but for the kinds to ``reveal``."""

    def __init__(self, evidence: Evidence, reveal: Iterable[str] = ()) -> None:
        self._reveal = frozenset(KINDS if "all" in reveal else reveal)
        self._known: dict[str, str] = {}
        self._harmless: set[str] = set()
        for observation in evidence:
            self._learn(observation)
        self._pattern = self._compile()

    def _learn(self, observation: Observation) -> None:
        kind = kind_of(observation.name)
        if observation.name.startswith("counter."):
            self._harmless.add(str(observation.value))
        elif kind in (None, "ip") or not isinstance(observation.value, str):
            return
        elif kind in self._reveal:
            self._harmless |= set(_forms(observation.value, kind or ""))
        else:
            for form in _forms(observation.value, kind or ""):
                self._known[form.upper()] = kind or ""

    def _compile(self) -> re.Pattern[str] | None:
        forms = sorted((f for f in self._known if len(f) >= 3), key=len, reverse=True)
        if not forms:
            return None
        return re.compile(
            rf"(?<![0-9A-Za-z])(?:{'|'.join(map(re.escape, forms))})(?![0-9A-Za-z])", re.IGNORECASE
        )

    def text(self, text: str) -> str:
        """Return a line with its identifiers hidden; its length stays."""
        if "all" in self._reveal or len(self._reveal) == len(KINDS):
            return text
        if match := _PERSONAL.match(text):
            return match[1] + re.sub(r"[^\s\",]", "*", match[2])
        text = _SECRET.sub(lambda m: m[1] + re.sub(r"[^\s\",?]", "*", m[2]), text)
        if self._pattern is not None:
            text = self._pattern.sub(lambda m: self._mask(m[0], self._known[m[0].upper()]), text)
        if "ip" not in self._reveal:
            text = _IPV4.sub(_mask_ipv4, text)
            text = _IPV6.sub(lambda m: m[1] + re.sub(r"[0-9A-Fa-f]", "*", m[0][len(m[1]) :]), text)
        return _LONG.sub(self._mask_unknown, text)

    def data(self, data: bytes) -> bytes:
        """Return bytes of the wire with identifiers hidden; the length stays."""
        return self.text(data.decode("latin-1")).encode("latin-1")

    def value(self, observation: Observation) -> Any:
        """Return the value of an observation as it may be shown."""
        kind = kind_of(observation.name)
        if kind is None or kind in self._reveal:
            return observation.value
        return _each(
            observation.value, lambda v: self.text(v) if kind == "ip" else self._mask(v, kind)
        )

    def _mask(self, text: str, kind: str) -> str:
        head, tail = _KEEP[kind](text)
        return text[:head] + "*" * max(0, len(text) - head - tail) + text[len(text) - tail :]

    def _mask_unknown(self, match: re.Match[str]) -> str:
        text = match[0]
        if text in self._harmless or not text.strip("0") or not text.strip("Ff"):
            return text
        if "*" in text:
            return text
        head = 5 if len(text) >= 14 else 0
        return text[:head] + "*" * (len(text) - head - 2) + text[-2:]


def _forms(value: str, kind: str) -> Iterable[str]:
    """Every way a number is written on the wire."""
    yield value
    if kind == "iccid":
        yield value + "F"
        yield swap_nibbles(value.ljust(20, "F"))
    elif kind == "imsi":
        yield "08" + swap_nibbles("9" + value)
        yield swap_nibbles("9" + value)
    elif kind == "cell" and re.fullmatch(r"[0-9A-Fa-f]+", value):
        yield value.lstrip("0")
        yield str(int(value, 16))


def _mask_ipv4(match: re.Match[str]) -> str:
    if match[0].startswith(("0.", "127.", "255.")):  # none, this computer, masks
        return match[0]
    return match[1] + re.sub(r"\d", "*", match[0][len(match[1]) :])


def _each(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {k: _each(v, mask) for k, v in value.items()}
    if isinstance(value, list):
        return [_each(v, mask) for v in value]
    return value
