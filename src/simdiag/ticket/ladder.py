"""Who comes next when nobody acts, and until when a card can be given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from simdiag.message import N_
from simdiag.profile import CarrierProfile, Contact, Rung, Window
from simdiag.registry import profiles
from simdiag.ticket.draft import Draft
from simdiag.ticket.history import Ticket

ROLES = {
    "seller": N_("the seller"),
    "operator": N_("the operator"),
    "consumer_body": N_("the consumers' body"),
    "regulator": N_("the regulator"),
    "public": N_("a public complaint platform"),
}
"""The name of each rung, for people."""
_UNKNOWN = (
    Rung(role="seller", source="general practice"),
    Rung(role="operator", source="general practice"),
)
"""The ladder where no profile tells one."""
_CLOCKS_SET = 2025
"""A clock that shows an earlier year was never set, as of a modem box that has just begun."""


def profile_of(draft: Draft) -> CarrierProfile | None:
    """Return the carrier profile that a ticket names, where there still is one."""
    return profiles().by_id.get(draft.profile)


def first_rung(draft: Draft) -> str:
    """Return whose desk a first ticket goes to: the seller's, where one is named."""
    profile = profile_of(draft)
    return "operator" if profile and profile.contacts and not draft.seller else "seller"


def of(draft: Draft) -> tuple[Rung, ...]:
    """Return the rungs from below."""
    profile = profile_of(draft)
    return (profile.ladder if profile else ()) or _UNKNOWN


def rung(draft: Draft, role: str) -> Rung | None:
    """Return one rung."""
    return next((r for r in of(draft) if r.role == role), None)


def following(ticket: Ticket) -> Rung | None:
    """Return the next rung that this ticket has not been taken to; none at the top."""
    roles = [r.role for r in of(ticket.draft)]
    begin = roles.index(ticket.rung) + 1 if ticket.rung in roles else 0
    left = [r for r in of(ticket.draft)[begin:] if r.role not in ticket.escalated_to()]
    return left[0] if left else None


def contacts(draft: Draft, role: str) -> tuple[Contact, ...]:
    """Return how a rung is reached."""
    profile = profile_of(draft)
    return tuple(c for c in profile.contacts if c.role == role) if profile else ()


def due(ticket: Ticket) -> datetime | None:
    """Return by when this ticket's rung has to answer; none where no rule says it."""
    return answer_due(ticket.draft, ticket.rung)


def answer_due(draft: Draft, role: str) -> datetime | None:
    """Return by when a rung has to answer a draft; none where no rule or no clock says it."""
    own = rung(draft, role)
    if own is None or not own.days or draft.created.year < _CLOCKS_SET:
        return None
    return draft.created + timedelta(days=own.days)


@dataclass(frozen=True, slots=True)
class Left:
    """A window, its last day, and the days left: 0 on the last day, negative when it is over."""

    window: Window
    until: date
    days: int


def windows(draft: Draft, today: date) -> Iterator[Left]:
    """Yield the windows that run from the day of the order."""
    profile = profile_of(draft)
    if draft.bought is None or profile is None:
        return
    for window in profile.windows:
        try:
            until = draft.bought + timedelta(days=window.days)
        except OverflowError:  # bought in the year 9999
            continue
        yield Left(window, until, (until - today).days)
