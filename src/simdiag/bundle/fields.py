"""The types of everything that a bundle's events hold, and their redaction by type.

No event has a plain ``str``: a text is an identifier of a kind (it gets a pseudonym), a text of a
bounded form or of known words (what does not fit is masked), or one of a closed set (``Literal``).
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict, Field

from simdiag.bundle.denial import deny, is_known_apn, is_small, is_word, pieces, weight
from simdiag.bundle.known import Text
from simdiag.bundle.versions import is_version
from simdiag.bundle.words import host_vocabulary
from simdiag.pseudonym import SECRET

_TOLD = 8
"""Digits of small numbers that may stay in free text."""
_NAMED = 6
"""Digits that a name of simdiag's own or the kernel's may hold."""
_VERSION = 13
"""Digits of a version: an IMSI has one more."""
_BEYOND = 10**14
"""Numbers from here on have the length of an IMSI; times in microseconds have less for years."""


class Names(Protocol):
    """What redaction needs of ``Pseudonyms``."""

    reveal: frozenset[str]

    def token(self, kind: str, value: str) -> str:
        """Return what stands for a value."""

    def counted(self, kind: str, number: int, *, masked: bool = False) -> None:
        """Count what was masked."""


class Event(BaseModel):
    """Base of the models of a bundle's events."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Redaction:
    """How texts of a type are redacted."""

    redact: Callable[[str, Names], str]


def _kind(kind: str) -> Redaction:
    return Redaction(lambda text, names: names.token(kind, text))


def _bounded(pattern: str, otherwise: Callable[[str, Names], str] | None = None) -> Redaction:
    """Text of a form that can hold no identifier stays; other text is masked."""
    form = re.compile(pattern)
    beyond = otherwise or _masked
    return Redaction(lambda text, names: text if form.fullmatch(text) else beyond(text, names))


def _masked(text: str, names: Names) -> str:
    names.counted(SECRET, 1, masked=True)
    return "*" * len(text)


def told(text: str, names: Names) -> str:
    """Return free text with known words and a few small numbers; the rest is masked."""
    shown = Text(text)
    few = weight([p for p in pieces(text) if is_small(p)]) <= _TOLD
    names.counted(SECRET, deny(shown, 0, len(text), numbers=few), masked=True)
    return str(shown)


def _words(text: str, names: Names) -> str:
    return text if _are_own(text) else _masked(text, names)


def _driver(text: str, names: Names) -> str:
    if _are_own(text):
        return text
    named = any(map(str.isalnum, text))
    return names.token("program", text) if named else _masked(text, names)


def _are_own(text: str) -> bool:
    """Whether these are words of this computer's and simdiag's own, with few digits in all.

    Addresses, telephone numbers and Morse code have the form of a name as well.
    """
    parts = re.findall(r"[^\W_]+", text)
    few = text.isascii() and len(text) <= 60 and sum(map(str.isdecimal, text)) <= _NAMED
    return few and any(map(str.isalpha, text)) and all(map(_is_own, parts))


def _is_own(part: str) -> bool:
    """Whether a word is known, with a short number at its end at most, or a short number."""
    stem = re.sub(r"[0-9]{1,3}$", "", part).lower()
    return not stem or stem in host_vocabulary() or is_word(part)


def _interface(text: str, names: Names) -> str:
    """Names of the kernel and of systemd; ``enx`` is followed by a MAC."""
    if match := re.fullmatch(r"([ew][nwl]x)([0-9a-f]{12})", text):
        return match[1] + names.token("mac", match[2])
    return names.token("interface", text)


def _version(text: str, names: Names) -> str:
    """Masks the parts that are no version: names, hashes."""
    shown = Text(text)
    for piece in pieces(text):
        if piece.kind == "word" and not (is_version(piece.text) or _is_own(piece.text)):
            shown.mask(piece.places)
        elif piece.kind not in ("word", "marks") and not is_version(piece.text.strip()):
            shown.mask(piece.places, " " if piece.text.isspace() else "*")
    if sum(map(str.isdecimal, str(shown))) > _VERSION:
        return _masked(text, names)
    return str(shown)


_INTERFACES = (
    r"lo|(?:eth|wlan|wwan|usb|ppp|tun|tap|wg|br|docker|veth|bond|virbr|rmnet|enp|ens|eno|wlp|wwp|wlo)"
    r"(?:(?!(?:\D*\d){10})\d{1,3}(?:[sfduinpv]\d{1,3}){0,5})?|rmnet_data\d{1,2}"
)
_PORTS = r"(?:/dev/)?(?:tty(?:USB|ACM|S|AMA)|pts/|cdc-wdm|wwan\dat|rfcomm)\d{1,3}"

Iccid = Annotated[str, _kind("iccid")]
Imsi = Annotated[str, _kind("imsi")]
Imei = Annotated[str, _kind("imei")]
Eid = Annotated[str, _kind("eid")]
Msisdn = Annotated[str, _kind("msisdn")]
CellId = Annotated[str, _kind("cell")]
AreaCode = Annotated[str, _kind("area")]
Ip = Annotated[str, _kind("ip")]
Mac = Annotated[str, _kind("mac")]
HostName = Annotated[str, _kind("host")]
UserName = Annotated[str, _kind("user")]
Ssid = Annotated[str, _kind("ssid")]
UsbSerial = Annotated[str, _kind("serial")]
Secret = Annotated[str, Redaction(_masked)]
"""PIN, PUK, passwords, messages: masked for good."""
Apn = Annotated[
    str, Redaction(lambda text, names: text if is_known_apn(text) else names.token("apn", text))
]
Plmn = Annotated[str, _bounded(r"[2-7]\d{4,5}")]
InterfaceName = Annotated[str, _bounded(_INTERFACES, _interface)]
PortName = Annotated[str, _bounded(_PORTS, lambda text, names: names.token("serial", text))]
ProgramName = Annotated[str, Redaction(_driver)]
DriverName = Annotated[str, Redaction(_driver)]
Word = Annotated[str, Redaction(_words)]
"""A word or several of simdiag's own: states, event names, speeds."""
Hex = Annotated[str, _bounded(r"(?:0x)?[0-9A-Fa-f]{1,4}")]
"""A USB id or class."""
UsbPath = Annotated[str, _bounded(r"usb\d{1,2}|\d{1,2}-\d{1,2}(?:\.\d{1,2}){0,5}(?::\d\.\d{1,2})?")]
Version = Annotated[str, Redaction(_version)]
Told = Annotated[str, Redaction(told)]
"""Free text: of it only known words and small numbers stay."""
Digest = Annotated[str, _bounded(r"(?:sha256:)?[0-9a-f]{64}")]
Timestamp = Annotated[
    str, _bounded(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(?:\.\d{1,6})?Z")
]
SmallInt = Annotated[int, Field(ge=-100_000, le=100_000)]

Model = TypeVar("Model", bound=BaseModel)


def redacted(model: Model, names: Names) -> Model:
    """Return the same model with every text redacted by its type."""
    hints = get_type_hints(type(model), include_extras=True)
    changed = {
        name: _redact(hints[name], getattr(model, name), names) for name in type(model).model_fields
    }
    return model.model_copy(update=changed)


def _redact(hint: Any, value: Any, names: Names) -> Any:
    if isinstance(value, BaseModel):
        return redacted(value, names)
    if isinstance(value, str):
        return _redact_text(hint, value, names)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _BEYOND:
        names.counted(SECRET, 1, masked=True)
        return 0
    if isinstance(value, (tuple, list)):
        inner = [i for i in _inner(hint) if i is not Ellipsis]
        hints = inner if len(inner) == len(value) else inner[:1] * len(value)
        return type(value)(_redact(h, v, names) for h, v in zip(hints, value, strict=True))
    if isinstance(value, dict):
        key, of = _inner(hint)[:2]
        return {_redact(key, k, names): _redact(of, v, names) for k, v in value.items()}
    return value


def _redact_text(hint: Any, value: str, names: Names) -> str:
    for choice in _choices(hint):
        rule = next(
            (m for m in getattr(choice, "__metadata__", ()) if isinstance(m, Redaction)), None
        )
        if rule is not None:
            return rule.redact(value, names)
        if get_origin(choice) is Literal and value in get_args(choice):
            return value
    return _masked(value, names)  # a plain text: no event may have one


def _choices(hint: Any) -> Iterator[Any]:
    """The types that a union joins; a type alone is its only choice."""
    if get_origin(hint) in (Union, types.UnionType):
        for choice in get_args(hint):
            yield from _choices(choice)
    elif get_origin(hint) is Annotated and not any(
        isinstance(m, Redaction) for m in hint.__metadata__
    ):
        yield from _choices(get_args(hint)[0])
    else:
        yield hint


def _inner(hint: Any) -> tuple[Any, ...]:
    """The types of what a tuple, list or dictionary holds."""
    for choice in _choices(hint):
        if get_origin(choice) in (tuple, list, dict):
            return get_args(choice)
    return ()


def plain_texts(hint: Any, path: str) -> Iterator[str]:
    """Yield where a type would let any text through; for the contract that none does."""
    for choice in _choices(hint):
        origin = get_origin(choice)
        if choice in (str, bytes, Any, object):
            yield path
        elif origin in (tuple, list, dict):
            for part in get_args(choice):
                yield from plain_texts(part, f"{path}[]")
        elif isinstance(choice, type) and issubclass(choice, BaseModel):
            for name, inner in get_type_hints(choice, include_extras=True).items():
                if name in choice.model_fields:
                    yield from plain_texts(inner, f"{path}.{name}")
