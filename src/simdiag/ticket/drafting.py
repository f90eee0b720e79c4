"""Drafts a ticket from the diagnosis and the user's answers: facts, times with zone, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from simdiag import __version__
from simdiag.causes import CAUSES
from simdiag.i18n import translator
from simdiag.message import N_, LocalText, Message, message
from simdiag.profile import CarrierProfile
from simdiag.report.said import citations
from simdiag.ticket import judging, labels, ladder, languages, times
from simdiag.ticket.answers import Answers
from simdiag.ticket.draft import Category, Draft, new_key
from simdiag.ticket.facts import Facts, names_a_fault

_BLANK = " "
"""The empty text is the header of a catalogue."""
_CITED = 3
"""Findings that are quoted with the modem's own words; the bundle has the rest."""

_VALUES = (
    (N_("Device: {value}"), ("device.manufacturer", "device.model", "device.revision")),
    (N_("Card, as the bundle calls it: {value}"), ("sim.iccid",)),
    (N_("Network: {value}"), ("operator.name", "operator.plmn", "cell.technology", "cell.band")),
    (N_("Signal: {value}"),
     ("signal.rsrp_dbm", "signal.rsrq_db", "signal.sinr_db", "signal.rssi_dbm")),
    (N_("Temperature: {value}"), ("device.temperature_c",)),
)  # fmt: skip
"""What a desk wants to see at a glance: a line, and the newest values of these names."""


def draft(
    answers: Answers,
    facts: Facts | None,
    written_in: Sequence[str],
    profile: CarrierProfile | None,
    now: datetime,
    *,
    key: str = "",
) -> Draft:
    """Return the ticket. ``written_in`` are catalogues, the desk's first."""
    category = category_of(answers, facts)
    answers = answers.model_copy(update={"wish": answers.wish or _wish(category, written_in)})
    made = Draft(
        key=key or new_key(),
        created=now,
        category=category,
        urgency=answers.urgency or judging.urgency(category, facts),
        complexity=answers.complexity or judging.complexity(category, facts),
        summary=_summary(category, answers, facts).render(translator(written_in[0])),
        message=languages.written([*_lines(category, answers, facts, profile)], written_in),
        languages=languages.tags(written_in),
        device=facts.device if facts else "",
        card=facts.card if facts else "",
        cause=facts.diagnosis.cause if facts else "",
        happened=answers.happened or "",
        place=answers.place or "",
        steps=answers.steps or (),
        wish=answers.wish or "",
        seller=answers.seller or "",
        order=answers.order or "",
        plan=answers.plan or "",
        bought=answers.bought,
        account=answers.account or "",
        profile=profile.id if profile else "",
        bundle=facts.bundle if facts else None,
        fingerprint=facts.fingerprint if facts else "",
    )
    return made.model_copy(update={"due": ladder.answer_due(made, ladder.first_rung(made))})


def category_of(answers: Answers, facts: Facts | None) -> Category:
    """Return the user's word for it, else what the cause makes it."""
    if answers.category is not None:
        return answers.category
    return judging.category(facts.diagnosis.cause) if facts else Category.ENQUIRY


def _wish(category: Category, written_in: Sequence[str]) -> str:
    """The wish in the desk's language and the user's, as it goes into one field."""
    text = judging.WISHES[category]
    return " / ".join(dict.fromkeys(translator(language)(text) for language in written_in))


def _summary(category: Category, answers: Answers, facts: Facts | None) -> Message:
    if facts is not None and facts.names_a_fault:
        return _of_cause(category, facts.diagnosis.cause, facts.device)
    kind = Message(judging.CATEGORIES[category])
    what = " ".join((answers.seen or "").split())[:120]
    return message(N_("{category}: {what}"), category=kind, what=what) if what else kind


def _of_cause(category: Category, cause: str, device: str) -> Message:
    kind, what = Message(judging.CATEGORIES[category]), Message(CAUSES[cause].title)
    if not device:
        return message(N_("{category}: {what}"), category=kind, what=what)
    text = N_("{category}: {what} ({device})")
    return message(text, category=kind, what=what, device=device)


def title(draft: Draft) -> Message:
    """Return a draft's summary for its user, who may read another language than its desk.

    What the user said in his own words stays as he said it.
    """
    if draft.cause in CAUSES and names_a_fault(draft.cause):
        return _of_cause(draft.category, draft.cause, draft.device)
    kind = judging.CATEGORIES[draft.category]
    own_words = draft.summary.removeprefix(labels.language_of(draft)(kind))
    if own_words == draft.summary:
        return Message("{summary}", {"summary": draft.summary})
    what = own_words.lstrip(":： ")
    text = N_("{category}: {what}")
    return message(text, category=Message(kind), what=what) if what else Message(kind)


def _lines(
    category: Category, answers: Answers, facts: Facts | None, profile: CarrierProfile | None
) -> Iterator[Message]:
    yield message(N_("Request: {category}"), category=Message(judging.CATEGORIES[category]))
    if profile is not None:
        yield message(N_("Operator: {name}"), name=LocalText(profile.name))
    yield from _said(
        (N_("Seller: {value}"), answers.seller),
        (N_("Order: {value}"), answers.order),
        (N_("Bought: {value}"), answers.bought),
        (N_("Plan: {value}"), answers.plan),
        (N_("Number or account: {value}"), answers.account),
        (N_("When: {value}"), answers.happened),
        (N_("Where: {value}"), answers.place),
        (N_("What was seen: {value}"), answers.seen),
    )
    if answers.steps:
        yield Message(N_("Tried already:"))
        for number, step in enumerate(answers.steps, 1):
            yield Message("{number}. {step}", {"number": number, "step": step})
    yield from _said((N_("Wish: {value}"), answers.wish))
    if facts is not None:
        yield Message(_BLANK)
        yield from _proof(facts)
    yield Message(_BLANK)
    yield Message(N_("Please answer with a case number, what will be done, and by when."))


def _said(*pairs: tuple[str, object]) -> Iterator[Message]:
    yield from (message(text, value=value) for text, value in pairs if value)


def _proof(facts: Facts) -> Iterator[Message]:
    """What was measured, what it means, and where the whole of it is."""
    found = facts.diagnosis
    yield message(
        N_("Examined by simdiag {version}: {verdict} ({cause}, certainty {percent} %)"),
        version=__version__, verdict=Message(found.entry.title), cause=found.cause,
        percent=round(found.confidence * 100),
    )  # fmt: skip
    if facts.examined is not None:
        yield message(
            N_("Time of the examination: {time}"), time=times.shown(facts.examined.astimezone())
        )
    yield from _said(*((text, facts.shown(*names)) for text, names in _VALUES))
    for finding in found.proof[:_CITED]:
        yield Message("- {what}", {"what": finding.text})
        for asked, answer, _time in citations(finding, facts.redactor, str):
            yield Message("    {asked} → {answer}", {"asked": asked or "·", "answer": answer})
    for other in found.alternatives[:_CITED]:
        title = Message(CAUSES[other.cause].title)
        yield message(N_("Not ruled out: {what}"), what=title)
    if facts.bundle is not None:
        yield message(
            N_("Evidence: {name}, {size} bytes, SHA-256 {sha256}"),
            name=facts.bundle.name, size=facts.bundle.size, sha256=facts.bundle.sha256,
        )  # fmt: skip
    if facts.fingerprint:
        yield message(N_("Signed by the key {fingerprint}"), fingerprint=facts.fingerprint)
