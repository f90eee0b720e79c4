"""What the carrier profile knows of its operator: whom to reach, and how long a card goes back."""

from __future__ import annotations

from simdiag.message import N_, LocalText, Translate
from simdiag.profile import CarrierProfile, Channel, Role
from simdiag.report.page.view import Contact, Window

ROLES: dict[Role, str] = {
    "seller": N_("Seller"),
    "operator": N_("Operator"),
    "regulator": N_("Regulator"),
    "consumer_body": N_("Consumer body"),
    "public": N_("Public complaint platform"),
}
CHANNELS: dict[Channel, str] = {
    "phone": N_("telephone"),
    "web": N_("web"),
    "app": N_("app"),
    "shop": N_("shop"),
    "email": N_("e-mail"),
}
_WINDOWS = {
    "return": N_("Give the card back within {days} days"),
    "exchange": N_("Exchange the card within {days} days"),
}


def name(profile: CarrierProfile | None, translate: Translate) -> str:
    """Return the operator's name, empty where there is no profile."""
    return LocalText(profile.name).render(translate) if profile else ""


def contacts(profile: CarrierProfile | None, translate: Translate) -> tuple[Contact, ...]:
    """Return the contacts in the order in which a complaint climbs, as far as that is known."""
    if profile is None:
        return ()
    ladder = [rung.role for rung in profile.ladder]
    return tuple(
        Contact(translate(ROLES[c.role]), translate(CHANNELS[c.channel]), c.address,
                _text(c.note, translate))
        for c in sorted(profile.contacts, key=lambda c: (*ladder, c.role).index(c.role))
    )  # fmt: skip


def windows(profile: CarrierProfile | None, translate: Translate) -> tuple[Window, ...]:
    """Return the periods in which a card may be given back or exchanged."""
    return tuple(
        Window(translate(_WINDOWS[w.kind]).format(days=w.days), _text(w.condition, translate))
        for w in (profile.windows if profile else ())
    )


def _text(text: dict[str, str] | None, translate: Translate) -> str:
    return LocalText(text).render(translate) if text else ""
