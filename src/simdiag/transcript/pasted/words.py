"""Tells prose from lines of a modem by their words, where the rules of the AT core are silent."""

from __future__ import annotations

import re

from simdiag.at import Dialect
from simdiag.at.lines import final_result, is_urc

DIALECT = Dialect()


def _word_set(text: str) -> frozenset[str]:
    return frozenset(word + end for word in text.split() for end in ("", ",", ".", "!", "?", ")"))


_PERSON = _word_set(
    "I I'm mean means Means which because but my My your you You Your this This that show shows"
    " it then what why please Please we they so"
)
_PROSE = _PERSON | _word_set(
    "the The a an is are was were and or with from these here there have has had does did do can"
    " could will would should how if after before say says said got get gets tried try trying use"
    " using when don't doesn't also now"
)
_SENTENCE = re.compile(r"A [a-z]|(?:[A-Za-z]+,?\s){6}")
_QUOTED = re.compile(r'"[^"]*(?:"|$)')

_SILENCE_HINTS = ("time", "resp", "reply", "answer", "alarm", "超时", "应", "回复")
_SILENCE = re.compile(
    r"\btimed[ -]?out\b|\btime-?out(?!\s*(?:set|[=:]?\s*\d))(?:exception|error)?\b|^alarm$"
    r"|\bno (?:response|reply|answer)\b|\bnot respond|超时|无响应|无应答|无回应|没有响应|没有回复",
    re.IGNORECASE,
)

_NOTHING = re.compile(
    # tracebacks; ModemManager's dumps; Gammu's dumps
    r"Traceback|File \"|raise \w|[<>]{4}|(?:SENDING|RECEIVED) frame|[0-9A-F]{2}.?\|"
    # chat of pppd; terminals that start and end; TinyGSM; separators
    r"|expect \(|abort on|report \(|timeout set|-- got it|Failed$|Terminating|Thanks for using"
    r"|Welcome to|Press CTRL|Port /dev|picocom|Type \[C-a\]|Terminal ready|Trying|Connected to"
    r"|Escape char|FATAL|\[?screen|Waiting for|Initializing|Checking line|AT reply state|###"
)
_CODE = re.compile(r"[a-z_]\(")


def words_of(text: str) -> list[str]:
    """Return the words of a line, without what stands in quotes."""
    return (_QUOTED.sub('""', text) if '"' in text else text).split()


def is_of_person(words: list[str]) -> bool:
    """Whether there is a word that no modem says, even in a line that begins like an answer."""
    return not _PERSON.isdisjoint(words)


def is_prose(text: str, words: list[str]) -> bool:
    """Whether a line without a sign of AT is a sentence."""
    sentence = len(words) > 1 and text[-1] in ".!?" and text[-2].islower()
    return sentence or not _PROSE.isdisjoint(words) or _SENTENCE.match(text) is not None


def is_silence(text: str) -> bool:
    """Whether a tool says that it got no answer."""
    if len(text) > 200:
        return False
    small = text.lower()
    return any(hint in small for hint in _SILENCE_HINTS) and _SILENCE.search(text) is not None


def is_nothing(text: str) -> bool:
    """Whether these are words of a tool."""
    return _NOTHING.match(text) is not None or _CODE.search(text) is not None


def is_notice(text: str) -> bool:
    """Whether a line comes unasked: ``RING``, ``SMS Ready``, not a sentence that begins so."""
    return is_urc(text, DIALECT) and (
        not text[0].isalpha()
        or text.isupper()
        or text.count(" ") < 2
        or text.lower().startswith("starting power off")
    )


def is_worth_hearing(text: str) -> bool:
    """Whether a program's log line can hold anything of AT; most do not."""
    if text[0] in "+^$#%!*_\"'" or text[:2] in ("['", "AT", "at"):
        return True
    if text[0].isalpha() and (final_result(text, DIALECT) or is_urc(text, DIALECT)):
        return True
    return is_silence(text)
