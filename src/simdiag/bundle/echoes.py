"""Redacts what a port says beside answers: echoes, noise, data, the bodies of messages."""

from __future__ import annotations

from simdiag.at import (
    Data,
    Echo,
    Event,
    FinalResult,
    ForeignEcho,
    InformationText,
    Noise,
    Prompt,
    Unsolicited,
)
from simdiag.bundle.commands import Commands
from simdiag.bundle.heard import content
from simdiag.bundle.known import Text

_NOISE = "~"
"""What noise becomes: a line that begins with it is noise to the AT core too."""


def redact_other(text: Text, event: Event, start: int, pending: str, commands: Commands) -> None:
    """Redact what is no line of an answer: echoes, noise, data, the bodies of messages."""
    raw = event.raw.decode("latin-1")
    places = range(start, start + len(raw))
    if isinstance(event, (Echo, ForeignEcho)):
        said = event.text if isinstance(event, ForeignEcho) else pending
        at = raw.find(said)
        text.mask(i for i in places if raw[i - start] not in "\r\n")
        for i in range(len(raw)) if at < 0 else ():
            text.keep([start + i])
        if at >= 0:
            _say(text, start + at, commands.redacted(said))
    elif isinstance(event, (Noise, Data)):
        ends = "" if isinstance(event, Data) else "\r\n\0"
        for i in places:
            if raw[i - start] not in ends:
                text.put([i], _NOISE)
    elif isinstance(event, Unsolicited):
        span = content(event, start)
        rest = range(span.end if span else start, start + len(raw))
        text.mask(i for i in rest if raw[i - start] not in '\r\n"')
        text.keep(rest)
    elif not isinstance(event, (Prompt, InformationText, FinalResult)):
        text.mask(places)


def _say(text: Text, start: int, said: str) -> None:
    places = range(start, start + len(said))
    text.characters[start : start + len(said)] = list(said)
    text.keep(places)
