"""Asks the operator by a short message. The caller has asked the user before."""

from __future__ import annotations

from simdiag.at.codes import cms_code
from simdiag.errors import SimdiagError
from simdiag.evidence import Error
from simdiag.message import N_, Message, message
from simdiag.profile import UsageQuery
from simdiag.reconcile.answer import Answer, refused
from simdiag.reconcile.claim import read
from simdiag.reconcile.inbox import Inbox
from simdiag.session import AtSession

ANSWER_S = 120.0
"""How long to wait for the answer: as a rule it takes less than half a minute."""
_LOOK_S = 5.0
_WHY = {
    N_("the card holds no number of a service centre, which messages need"): (330,),
    N_("the network refuses messages from this card"): (8, 10, 21, 28, 29, 30, 50, 69, 193, 196),
    N_("the network does not take it now: try again later"): (38, 41, 42, 47, 192, 194, 331, 332),
}
"""What ``+CMS ERROR`` says (TS 27.005 clause 3.2.5) of a message that was not taken."""
_NONE = N_(
    "none came within {seconds} seconds, but the message was sent and may still be answered; then "
    "give the answer with --claim-file, or its amount with --claim"
)
_PART = N_(
    "only a part of it came within {seconds} seconds; when the rest is there, give the answer with "
    "--claim-file, or its amount with --claim"
)


def by_sms(session: AtSession, query: UsageQuery, wait_s: float = ANSWER_S) -> Answer:
    """Send the question and wait for a message that answers it."""
    inbox = Inbox(session, query.senders or (query.address,))
    problem = inbox.open()
    if problem is not None:
        return Answer(problem=problem)
    error = session.send_message(query.address, query.text).error
    if error is not None and not (error.silent and session.message_given):
        return Answer(problem=_not_sent(error))
    deadline, last = session.now + wait_s, ""
    while (left := deadline - session.now) > 0:
        session.listen(min(left, _LOOK_S), until=lambda: bool(session.messages))
        for last in inbox.look():
            if _answers(last, query):
                return Answer(last)
    if last:
        return Answer(last)
    return Answer(problem=message(_PART if inbox.incomplete else _NONE, seconds=round(wait_s)))


def _not_sent(error: Error) -> Message:
    if error.silent:
        return Message(N_("the modem did not ask for the message's text"))
    code = error.code if error.code is not None else cms_code(error.text or "")
    found = (Message(text) for text, codes in _WHY.items() if code in codes)
    return next(found, refused(error)) if error.result == "+CMS ERROR" else refused(error)


def _answers(text: str, query: UsageQuery) -> bool:
    """Whether a message tells an amount; the first may only say that the answer will come."""
    try:
        read(text, (query.reply,))
    except SimdiagError:
        return False
    return True
