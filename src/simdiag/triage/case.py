"""One bundle as the desk counts it: a row of facts, strictly read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simdiag.bundle.layout import VERDICT
from simdiag.bundle.opening import Bundle, open_bundle
from simdiag.errors import SimdiagError
from simdiag.message import Message

_READ = (VERDICT,)
_ISSUER = 6
"""Digits of an ICCID that tell country and issuer (ITU-T E.118), and stay in every pseudonym."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a bundle says; ``None`` is not known or hidden.

    ``card`` tells cards apart, no more: it is a pseudonym unless ``iccid`` holds the same number
    in the clear. Cells are comparable only where they were revealed, since each user's pseudonyms
    are their own. ``examined`` is in UTC.
    """

    file: str
    sha256: str
    examined: datetime | None
    cause: str
    confidence: float
    card: str | None
    issuer: str | None
    iccid: str | None
    operator: str | None
    profile: str | None
    cell: str | None
    device: str | None
    firmware: str | None
    family: str | None
    seller: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no sound bundle, and why."""

    file: str
    why: Message


def read(path: Path) -> Case | Refused:
    """Read one bundle; one that is not in order does not count."""
    try:
        return _case(path, open_bundle(path, _READ))
    except SimdiagError as problem:
        return Refused(_text(path.name), problem.message)


def _case(path: Path, bundle: Bundle) -> Case:
    manifest, verdict = bundle.manifest, bundle.verdict
    known: dict[str, Any] = {o.name: o.value for o in verdict.observations if o.value is not None}
    revealed = frozenset(manifest.redaction.revealed)

    def text(name: str) -> str | None:
        value = known.get(name)
        return str(value)[:100] if isinstance(value, str | int) else None

    def clear(kind: str, name: str) -> str | None:
        return text(name) if revealed & {kind, "all"} else None

    card = text("sim.iccid")
    maker, model = text("device.manufacturer"), text("device.model")
    return Case(
        file=_text(path.name),
        sha256=bundle.sha256,
        examined=_moment(manifest.examined),
        cause=manifest.verdict.cause,
        confidence=verdict.confidence,
        card=card,
        issuer=card[:_ISSUER] if card else None,
        iccid=clear("iccid", "sim.iccid"),
        operator=text("operator.plmn"),
        profile=manifest.profile.id if manifest.profile else None,
        cell=clear("cell", "registration.eps.cell_id"),
        device=" ".join(filter(None, (maker, model))) or None,
        firmware=text("device.revision"),
        family=text("device.family"),
    )


def _text(name: str) -> str:
    """Return the name of a file as text, also of one that is none: other programs take no other."""
    return name.encode("utf-8", "backslashreplace").decode()


def _moment(examined: str | None) -> datetime | None:
    return datetime.fromisoformat(examined).astimezone(UTC) if examined else None
