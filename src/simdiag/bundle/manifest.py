"""``manifest.json``: what a bundle holds, how it was collected, and what was hidden."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from simdiag.bundle.canonical import digest, document

SCHEMA: Literal["simdiag/bundle/1"] = "simdiag/bundle/1"
NAME, SIGNATURE = "manifest.json", "manifest.sig"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_./@+-]{1,100}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _real(moment: str) -> str:
    if not 1970 <= datetime.fromisoformat(moment).year < 9999:
        raise ValueError("no time of a computer")
    return moment


Moment = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
    AfterValidator(_real),
]
"""A time in UTC, to the second, that any zone has."""
Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CollectorState(StrEnum):
    """How collecting ended. What was told before is kept in every case."""

    OK = "ok"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    """It told more than it may."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """There was nothing to ask."""
    DENIED = "denied"
    """This user may not read it."""


class CollectorEntry(_Model):
    """One collector: its limits, when it ran (since collecting began) and what it told."""

    name: Name
    state: CollectorState
    limit_ms: Count
    limit_bytes: Count
    started_ms: Count
    ended_ms: Count
    bytes: Count
    events: Count
    garbage: Count = Field(description="Lines that were no events, and so left out")


class MemberEntry(_Model):
    """One member: its raw bytes, and what they are."""

    path: Name
    bytes: Count
    sha256: Digest
    schema_: Name = Field(alias="schema")


class Redaction(_Model):
    """What was hidden: by kind, how often replaced, masked, or shown because the user said so."""

    policy: Literal["simdiag/redaction/1"] = "simdiag/redaction/1"
    revealed: tuple[Name, ...]
    counts: dict[Name, dict[Name, Count]]
    gate: Literal["pass"] = "pass"


class ProfileEntry(_Model):
    """The carrier profile that the verdict rests on; its facts are in ``profile.json``."""

    id: Name
    sha256: Digest


class Verdict(_Model):
    """The cause that the bundle's own evidence gives, and the one found before redaction."""

    cause: Name
    live_cause: Name


class Manifest(_Model):
    """The whole of it. No clock and no locale of the machine that writes it gets in."""

    schema_: Literal["simdiag/bundle/1"] = Field(default=SCHEMA, alias="schema")
    source: Literal["device", "recording", "log"] = Field(
        description="An examination, its transcript, or a log somebody pasted"
    )
    examined: Moment | None = Field(description="When the examination began, if that is known")
    ports: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        description="The ports whose talk the verdict rests on"
    )
    versions: dict[Name, Name]
    verdict: Verdict
    profile: ProfileEntry | None
    collectors: tuple[CollectorEntry, ...]
    redaction: Redaction
    members: tuple[MemberEntry, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        return document(self.model_dump(mode="json", by_alias=True))


def identity(manifest: bytes) -> str:
    """Return the short name of a bundle: the first eight digits of its manifest's digest."""
    return digest(manifest)[:8]
