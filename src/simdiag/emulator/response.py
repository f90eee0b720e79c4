"""What an emulated modem answers to a command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Happening = Callable[[], list[str]]
"""Something that happens by itself, and the lines that the modem says of it."""


class CommandError(Exception):
    """The command fails with this ``+CME ERROR`` number; ``None`` is a bare ``ERROR``."""

    def __init__(self, code: int | None) -> None:
        super().__init__(str(code))
        self.code = code


class MessageError(CommandError):
    """The command fails with this ``+CMS ERROR`` number (TS 27.005 clause 3.2.5)."""


@dataclass(slots=True)
class Response:
    """What goes over the wire for one command line."""

    lines: list[str] = field(default_factory=list)
    final: str = "OK"
    after: list[str] = field(default_factory=list)
    """Lines that follow the final result."""
    prompt: str | None = None
    """Said instead of all that, where the text of a message has to follow."""
    later: list[tuple[float, Happening]] = field(default_factory=list)
    """What happens after so many seconds."""
