"""The next text, drafted from the whole history: what the next rung has to know of the step before.

It says when and how the rung below was told, what it answered and promised, and what came of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from simdiag.i18n import translator
from simdiag.message import N_, LocalText, Message, message
from simdiag.profile import Rung
from simdiag.ticket import ladder, languages, times
from simdiag.ticket.draft import Category, Complexity, Draft, Urgency, new_key
from simdiag.ticket.history import Event, Promise, Ticket
from simdiag.ticket.states import Kind

_MOST_ANSWER = 500
_URGENCIES = list(Urgency)


def draft(
    ticket: Ticket, rung: Rung, written_in: Sequence[str], now: datetime, *, key: str = ""
) -> Draft:
    """Return the ticket for the next rung: a complaint with the history of the one below.

    The bundle is named in it as before; whoever sends it adds the file. ``key`` is that of an
    escalation that was begun before.
    """
    old = ticket.draft
    text = N_("Complaint: {summary}")
    again = old.category is Category.COMPLAINT
    summary = Message("{summary}" if again else text, {"summary": old.summary})
    made = Draft.model_validate(
        old.model_dump(by_alias=True)
        | {
            "key": key or new_key(),
            "created": now,
            "category": Category.COMPLAINT,
            "urgency": _one_up(old.urgency),
            "complexity": Complexity.COMPLEX,
            "summary": summary.render(translator(written_in[0])),
            "message": f"{languages.written([*lines(ticket, rung, now)], written_in)}\n\n"
            f"{_heading(written_in)}\n{old.message}",
            "languages": languages.tags(written_in),
        }
    )
    return made.model_copy(update={"due": ladder.answer_due(made, rung.role)})


def _one_up(urgency: Urgency) -> Urgency:
    return _URGENCIES[min(_URGENCIES.index(urgency) + 1, len(_URGENCIES) - 1)]


def lines(ticket: Ticket, rung: Rung, now: datetime) -> Iterator[Message]:
    """Yield the text above the report: the matter in a sentence, its history, the wish."""
    yield message(
        N_("I ask {rung} for help: {below} has not solved this matter in {days} days."),
        rung=Message(ladder.ROLES[rung.role]), below=Message(ladder.ROLES[ticket.rung]),
        days=max(0, (now - ticket.draft.created).days),
    )  # fmt: skip
    if ticket.number:
        yield message(N_("My ticket there has the number {number}."), number=ticket.number)
    if ticket.draft.wish:
        yield message(N_("Wish: {value}"), value=ticket.draft.wish)
    yield Message(" ")
    yield Message(N_("What happened so far:"))
    yield from history(ticket, now)
    if rung.note:
        yield Message(" ")
        yield message(N_("Note: {note}"), note=LocalText(rung.note))


def _heading(written_in: Sequence[str]) -> str:
    """What stands above the report, which is in its languages already and so is quoted once."""
    text = N_("The report, as it was sent:")
    return " / ".join(dict.fromkeys(translator(language)(text) for language in written_in))


def history(ticket: Ticket, now: datetime) -> Iterator[Message]:
    """Yield a line for each event that matters to somebody else, and the state of each promise."""
    for event in ticket.events:
        text = _line(ticket, event)
        if text is not None:
            yield Message("{time}  {what}", {"time": times.shown(event.at), "what": text})
    for promise in ticket.promises:
        yield _outcome(promise, now)


def _outcome(promise: Promise, now: datetime) -> Message:
    text = N_("Promise {number}: open until {by}")
    if promise.kept:
        text = N_("Promise {number}: kept")
    elif promise.kept is False:
        text = N_("Promise {number}: not kept")
    elif promise.is_overdue(now):
        text = N_("Promise {number}: not kept by {by}")
    return message(text, number=promise.number, by=times.shown(promise.by))


def _line(ticket: Ticket, event: Event) -> Message | None:
    data = event.data
    if event.kind is Kind.PROMISE:
        text = N_("{who} ({channel}) promised: {what}; by {by}")
        by = times.shown(datetime.fromisoformat(data["by"]))
        return message(
            text, who=data["who"] or "?", channel=data["channel"], what=data["what"], by=by
        )
    if event.kind is Kind.ESCALATED:
        return message(N_("escalated to {rung}"), rung=Message(ladder.ROLES[data["rung"]]))
    found = _LINES.get(event.kind)
    if found is None:
        return None
    values = {
        "rung": Message(ladder.ROLES[ticket.rung]), "number": data.get("number", ""),
        "who": data.get("author") or "?",
        "text": " ".join(str(data.get("text", "")).split())[:_MOST_ANSWER],
        "word": data.get("word", ""), "with": _with(data),
    }  # fmt: skip
    return Message(found, values)


def _with(data: dict[str, str]) -> str:
    """Who was spoken to and how, in brackets."""
    said = ", ".join(filter(None, (data.get("channel"), data.get("staff"))))
    return f" ({said})" if said else ""


_LINES = {
    Kind.OPENED: N_("ticket made for {rung}"),
    Kind.SENT: N_("handed over as number {number}{with}"),
    Kind.ANSWER: N_("{who} answered{with}: {text}"),
    Kind.DESK_OPEN: N_("the desk works on it"),
    Kind.DESK_WAITING: N_("the desk waits for an answer: {word}"),
    Kind.DESK_SOLVED: N_("the desk calls it solved: {word}"),
    Kind.NOTE: N_("noted{with}: {text}"),
    Kind.CONFIRMED: N_("confirmed as solved{with}"),
    Kind.REOPENED: N_("reopened: {text}"),
    Kind.CLOSED: N_("closed"),
}
