"""A draft as text for people: for e-mail, for paper, and for what a desk has no field for."""

from __future__ import annotations

from collections.abc import Collection

from simdiag.i18n import choose, translator
from simdiag.message import N_, Translate
from simdiag.ticket.draft import Draft

LABELS = {
    "key": N_("Ticket key"),
    "category": N_("Kind of request"),
    "urgency": N_("Urgency"),
    "complexity": N_("Complexity"),
    "card": N_("Card"),
    "cause": N_("Cause"),
    "device": N_("Device"),
    "happened": N_("When"),
    "place": N_("Where"),
    "wish": N_("Wish"),
    "seller": N_("Seller"),
    "order": N_("Order number"),
    "plan": N_("Plan"),
    "due": N_("Answer wanted by (UTC)"),
    "bundle": N_("Bundle (SHA-256)"),
    "fingerprint": N_("Signing key"),
}


def language_of(draft: Draft) -> Translate:
    """Return the translation into the language of a draft's message."""
    return translator(choose(draft.languages[0] if draft.languages else "en"))


def lines(draft: Draft, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return label and value of the fields that say something, in the draft's language."""
    translate = language_of(draft)
    return [
        (translate(LABELS[name]), value)
        for name, value in draft.fields().items()
        if name not in without
    ]


def text(draft: Draft, without: Collection[str] = ()) -> str:
    """Return the first message with the fields below it."""
    below = "\n".join(f"{label}: {value}" for label, value in lines(draft, without))
    return f"{draft.message}\n\n{below}\n"
