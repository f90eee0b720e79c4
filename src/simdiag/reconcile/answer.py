"""What came of asking the operator."""

from __future__ import annotations

from dataclasses import dataclass

from simdiag.evidence import Error
from simdiag.message import N_, Message, message


@dataclass(frozen=True, slots=True)
class Answer:
    """The operator's text, or why there is none."""

    text: str = ""
    problem: Message | None = None


def refused(error: Error | None) -> Message:
    """Return the sentence for a modem that did not do what it was told."""
    return message(N_("the modem refused it ({error})"), error=str(error))
