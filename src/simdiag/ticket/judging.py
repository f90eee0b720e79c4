"""How a request is graded when it is taken in: category, urgency, complexity, wish."""

from __future__ import annotations

from simdiag.causes import CAUSES, CauseLayer
from simdiag.message import N_
from simdiag.ticket.draft import Category, Complexity, Urgency
from simdiag.ticket.facts import Facts

CATEGORIES = {
    Category.ACTIVATION: N_("activation of a card"),
    Category.CARD_FAULT: N_("faulty card"),
    Category.NO_SERVICE: N_("no service, or a poor one"),
    Category.TOP_UP: N_("top-up not credited, or service barred"),
    Category.USAGE_DISPUTE: N_("disputed data usage"),
    Category.BILLING_DISPUTE: N_("disputed bill"),
    Category.PLAN_CHANGE: N_("change of plan"),
    Category.ENQUIRY: N_("question"),
    Category.COMPLAINT: N_("complaint"),
}
"""The name of each, for people."""

URGENCIES = {
    Urgency.LOW: N_("low"),
    Urgency.NORMAL: N_("normal"),
    Urgency.HIGH: N_("high"),
    Urgency.URGENT: N_("urgent"),
}

COMPLEXITIES = {
    Complexity.SIMPLE: N_("simple"),
    Complexity.NORMAL: N_("normal"),
    Complexity.COMPLEX: N_("complex"),
}

WISHES = {
    Category.ACTIVATION: N_("Activate the card, or say what is missing."),
    Category.CARD_FAULT: N_("Replace the card; keep number and balance."),
    Category.NO_SERVICE: N_("Restore the service, and say what the reason was."),
    Category.TOP_UP: N_("Credit the payment and lift the bar."),
    Category.USAGE_DISPUTE: N_("Show the usage day by day and correct the counter."),
    Category.BILLING_DISPUTE: N_("Explain the charge, or pay it back."),
    Category.PLAN_CHANGE: N_("Make the change, and say from when it holds."),
    Category.ENQUIRY: N_("Answer the question."),
    Category.COMPLAINT: N_("Solve the matter, and say by when."),
}
"""What is wished for where the user says nothing else."""

_OF_LAYER = {
    CauseLayer.SUBSCRIPTION: Category.ACTIVATION,
    CauseLayer.SIM: Category.CARD_FAULT,
    CauseLayer.USAGE: Category.USAGE_DISPUTE,
}
_OF_CAUSE = {
    "sim_pin_required": Category.ENQUIRY,
    "sim_puk_required": Category.ENQUIRY,
    "roaming_not_allowed": Category.NO_SERVICE,
    "device_not_allowed": Category.NO_SERVICE,
    "network_refused": Category.NO_SERVICE,
    "data_not_subscribed": Category.PLAN_CHANGE,
    "data_barred": Category.TOP_UP,
    "quota_exhausted": Category.TOP_UP,
}
"""Where the layer does not say it."""

_CUT_OFF = {
    "sim_failure", "sim_profile_missing", "sim_not_activated", "network_refused",
    "device_not_allowed", "data_barred", "no_signal", "device_network_locked",
}  # fmt: skip
"""Nothing works until somebody else acts."""
_DISPUTES = (Category.USAGE_DISPUTE, Category.BILLING_DISPUTE, Category.COMPLAINT)
_FORMS = (Category.PLAN_CHANGE, Category.ENQUIRY)
_SURE = 0.8


def category(cause: str) -> Category:
    """Return what kind of request a cause makes."""
    return _OF_CAUSE.get(cause) or _OF_LAYER.get(CAUSES[cause].layer, Category.NO_SERVICE)


def urgency(kind: Category, facts: Facts | None) -> Urgency:
    """Return how soon somebody should act; a card that does nothing goes first."""
    if facts is not None and facts.diagnosis.cause in _CUT_OFF and kind not in _DISPUTES:
        return Urgency.HIGH
    return Urgency.LOW if kind in _FORMS else Urgency.NORMAL


def complexity(kind: Category, facts: Facts | None) -> Complexity:
    """Return how much work it is likely to be: two sides' numbers are, a clear cause is not."""
    if kind in _DISPUTES:
        return Complexity.COMPLEX
    if kind in _FORMS:
        return Complexity.SIMPLE
    if facts is None or not facts.names_a_fault:
        return Complexity.NORMAL
    sure = facts.diagnosis.confidence >= _SURE
    return (
        Complexity.SIMPLE if sure and len(facts.diagnosis.alternatives) < 2 else Complexity.NORMAL
    )
