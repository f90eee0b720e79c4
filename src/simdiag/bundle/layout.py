"""The members of a bundle: what each path holds, by which schema, and how it is read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from simdiag.bundle.collector import collectors
from simdiag.bundle.facts import TimedFact
from simdiag.bundle.fields import Event, Word
from simdiag.bundle.manifest import Manifest, Name
from simdiag.bundle.problems import BundleError
from simdiag.bundle.sealing import Signature
from simdiag.errors import TranscriptError
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.report.contract import DiagnosisJson
from simdiag.transcript.recorded import Direction, Recording, escape
from simdiag.validation import first_fault

VERDICT, PROFILE = "verdict.json", "profile.json"
TALK, FACTS, SIGNAL = "evidence/talk.jsonl", "evidence/facts.jsonl", "evidence/signal.jsonl"
ALWAYS = frozenset({VERDICT, TALK, FACTS})
"""What no bundle is without."""
PAGE_SCHEMA = "text/html"
MAX_LINES, MAX_LINE = 200_000, 256 * 1024
_PAGE = re.compile(r"report\.[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\.html")
_PAGE_HEAD = re.compile(
    rb'<!DOCTYPE html>\n<html lang="[A-Za-z0-9-]{2,20}">\n<head>\n<meta charset="utf-8">\n'
    rb"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    rb"style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'\">\n"
)
"""How a page has to begin: a browser then loads nothing and runs nothing of what follows."""
_PAGE_TAG = re.compile(
    rb"""</?(?:bdi|body|circle|code|dd|div|dl|dt|figcaption|figure|footer|g|h[12]|head|header|html|li
    |line|main|ol|p|path|polygon|polyline|rect|section|small|span|style|svg|table|tbody|td|text|th
    |thead|title|tr|ul)[ />\n]
    | <meta\ name="(?:viewport|color-scheme|referrer|robots)"\ content="[a-z0-9=, -]+">""",
    re.VERBOSE,
)
"""What may follow: no link to click, and nothing that leads elsewhere by itself."""


class TalkEvent(BaseModel):
    """One event of the talk: a line of a transcript, as ``simdiag check --record`` writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    t: float = Field(ge=0, le=1e9, description="Seconds since the examination began")
    port: str = Field(max_length=200)
    dir: Direction
    data: str = Field(description="Printable ASCII; every other byte stands as \\xNN")

    @field_validator("data")
    @classmethod
    def _exact(cls, data: str) -> str:
        if not data.isascii() or not data.isprintable():
            raise ValueError("is not escaped")
        return data

    @classmethod
    def of(cls, event: Recording) -> TalkEvent:
        """Return the line of an event."""
        return cls(t=round(event.t, 4), port=event.port, dir=event.dir, data=escape(event.data))

    def recording(self) -> Recording:
        """Return the event of this line."""
        return Recording.from_json(self.model_dump_json())


class SignalLevel(Event):
    """One reading of a level, in the unit that the last word of its name tells."""

    t_ms: int
    name: Word
    value: float


class Member(BaseModel):
    """The schema of one kind of member, and the model that reads it."""

    model_config = ConfigDict(frozen=True)

    schema_: Name
    model: type[BaseModel]
    lines: bool = False


@cache
def _fixed() -> Mapping[str, Member]:
    members = {
        VERDICT: Member(schema_="simdiag/diagnosis/1", model=DiagnosisJson),
        PROFILE: Member(schema_="simdiag/profile/1", model=CarrierProfile),
        TALK: Member(schema_="simdiag/talk/1", model=TalkEvent, lines=True),
        FACTS: Member(schema_="simdiag/facts/1", model=TimedFact, lines=True),
        SIGNAL: Member(schema_="simdiag/signal/1", model=SignalLevel, lines=True),
    }
    for name, collector in collectors().items():
        schema = f"simdiag/{name}/1"
        members[evidence_of(name)] = Member(schema_=schema, model=collector.event, lines=True)
    return members


def evidence_of(collector: str) -> str:
    """Return the path of what a collector told."""
    return f"evidence/{collector}.jsonl"


def page(language: str) -> str:
    """Return the path of the page in a language (its tag)."""
    return f"report.{language}.html"


def schema_of(path: str) -> str | None:
    """Return the schema of a member, or ``None`` where a bundle holds no such member."""
    if _PAGE.fullmatch(path):
        return PAGE_SCHEMA
    member = _fixed().get(path)
    return member.schema_ if member else None


def read(path: str, data: bytes) -> Any:
    """Return what a member holds, validated; raises ``BundleError`` that says where it is wrong.

    A document gives its model, JSON Lines a list of them, a page its bytes.
    """
    if _PAGE.fullmatch(path):
        if not _is_page(data):
            text = N_("{name} is no page of simdiag's: a browser might run what is in it")
            raise BundleError(message(text, name=path))
        return data
    member = _fixed()[path]
    if not member.lines:
        return _validated(path, member.model.model_validate_json, data)
    lines = data.splitlines()
    if len(lines) > MAX_LINES or max(map(len, lines), default=0) > MAX_LINE:
        raise BundleError(message(N_("{name} holds too many lines, or too long ones"), name=path))
    parse = member.model.model_validate_json
    return [_validated(f"{path}:{i}", parse, line) for i, line in enumerate(lines, 1)]


def _is_page(data: bytes) -> bool:
    """Whether a page is made of what pages are made of, and nothing else."""
    head = _PAGE_HEAD.match(data)
    return head is not None and all(
        _PAGE_TAG.match(data, tag.start()) for tag in re.compile(b"<").finditer(data, head.end())
    )


def _validated(where: str, parse: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return parse(data)
    except (ValidationError, TranscriptError, RecursionError) as problem:
        why = Message("{words}", {"words": ascii(str(problem)[:200])[1:-1]})
        if isinstance(problem, ValidationError):
            key, fault = first_fault(problem)
            text = "{key}: {fault}" if key else "{fault}"
            why = Message(text, {"key": ascii(key[:80])[1:-1], "fault": fault})
        text = N_("{name} is not what its schema says: {why}")
        raise BundleError(message(text, name=where, why=why)) from problem


def json_schema() -> dict[str, Any]:
    """Return the JSON Schemas of the manifest, the signature and every member, by path.

    The schema of JSON Lines is that of each line.
    """
    models: dict[str, type[BaseModel]] = {"manifest.json": Manifest, "manifest.sig": Signature}
    models |= {path: member.model for path, member in _fixed().items()}
    return {path: model.model_json_schema(by_alias=True) for path, model in models.items()}
