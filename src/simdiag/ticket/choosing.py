"""Which desks there are to choose from, and what is read there."""

from __future__ import annotations

from simdiag.profile import CarrierProfile
from simdiag.ticket import settings
from simdiag.ticket.outbox import default_folder
from simdiag.ticket.settings import DeskSettings

BY_HAND = "paper"
"""The desk that everybody has: the text to paste or to read out, the page to print."""


def desks() -> dict[str, DeskSettings]:
    """Return the user's desks by name, the one by hand last. Raises ``SimdiagError``."""
    found = settings.read()
    if BY_HAND not in found:
        made: DeskSettings = settings.kinds()[BY_HAND].Settings(
            kind=BY_HAND, name=BY_HAND, folder=default_folder().with_name("paper")
        )
        found[BY_HAND] = made
    return found


def languages(desk: DeskSettings, profile: CarrierProfile | None) -> tuple[str, ...]:
    """Return the tags of what is read at a desk: as its settings say, else the operator's."""
    if desk.languages:
        return desk.languages
    return profile.desk.languages if profile and profile.desk else ()
