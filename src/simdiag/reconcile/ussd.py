"""Asks the operator by USSD. The caller has asked the user before."""

from __future__ import annotations

import re

from simdiag.at.alphabet import decode_default
from simdiag.collect.at import AtExamination
from simdiag.message import N_, Message
from simdiag.reconcile.answer import Answer, refused

_ANSWER_S = 40.0
_NAME = "operator.reply"
_WHY = {
    2: N_("the network ended the talk"),
    3: N_("another program answered it"),
    4: N_("the network does not know this code"),
    5: N_("the network did not answer in time"),
}
"""What ``<m>`` of ``+CUSD`` says where there is no text (TS 27.007 clause 7.15)."""


def by_ussd(examination: AtExamination, code: str, wait_s: float = _ANSWER_S) -> Answer:
    """Send a USSD code and wait for the answer, which comes unasked (TS 27.007 clause 7.15)."""
    session, evidence = examination.session, examination.evidence
    before = len(evidence.history(_NAME))

    def answered() -> bool:
        return len(evidence.history(_NAME)) > before

    with session.undone_by("AT+CUSD=2"):  # the talk must not stay open
        exchange = session.carry_out(f'AT+CUSD=1,"{code}",15', timeout_s=wait_s)
        if exchange.error is not None:
            return Answer(problem=refused(exchange.error))
        session.listen(wait_s, until=answered)
        if not answered():
            session.carry_out("AT+CUSD=2")
            return Answer(problem=Message(_WHY[5]))
    reply = evidence.value(_NAME)
    if reply["status"] == 1:  # it waits for more words, which nobody has allowed
        session.carry_out("AT+CUSD=2")
    text = decoded(reply["text"] or "", reply["coding"])
    if not text:
        return Answer(problem=Message(_WHY.get(reply["status"], _WHY[5])))
    return Answer(text)


def decoded(text: str, coding: int | None) -> str:
    """Return the words of an answer.

    A modem gives them as text or, by its character set and the coding scheme (TS 23.038 clause
    5), as hex digits: of UCS-2, or of octets of the default alphabet.
    """
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text) or len(text) < 8:
        return text
    data = bytes.fromhex(text)
    wide = coding in (17, 72) or (coding is not None and coding & 0x0C == 0x08)
    if wide or (len(data) % 2 == 0 and data[0] in (0, 0x4E, 0x5D)):
        return data.decode("utf-16-be", "replace")
    return decode_default(data)
