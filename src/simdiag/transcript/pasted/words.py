"""Tables of words that tell what a line is where the rules of the AT core are silent."""

from __future__ import annotations

import re


def _word_set(text: str) -> frozenset[str]:
    return frozenset(word + end for word in text.split() for end in ("", ",", ".", "!", "?", ")"))


PERSON = _word_set(
    "I I'm mean means Means which because but my My your you You Your this This that show shows"
    " it then what why please Please we they so"
)
PROSE = PERSON | _word_set(
    "the The a an is are was were and or with from these here there have has had does did do can"
    " could will would should how if after before say says said got get gets tried try trying use"
    " using when don't doesn't also now"
)
EXAMPLE = re.compile(r"\b(?:expect|example|syntax|usage|e\.g)", re.IGNORECASE)
SENTENCE = re.compile(r"A [a-z]|(?:[A-Za-z]+,?\s){6}")
QUOTED = re.compile(r'"[^"]*(?:"|$)')

SILENCE_HINTS = ("time", "resp", "reply", "answer", "alarm", "超时", "应", "回复")
SILENCE = re.compile(
    r"\btimed[ -]?out\b|\btime-?out(?!\s*(?:set|[=:]?\s*\d))(?:exception|error)?\b|^alarm$"
    r"|\bno (?:response|reply|answer)\b|\bnot respond|超时|无响应|无应答|无回应|没有响应|没有回复",
    re.IGNORECASE,
)

NOTHING = re.compile(
    # tracebacks; ModemManager's dumps; Gammu's dumps
    r"Traceback|File \"|raise \w|[<>]{4}|(?:SENDING|RECEIVED) frame|[0-9A-F]{2}.?\|"
    # chat of pppd; terminals that start and end; TinyGSM; separators
    r"|expect \(|abort on|report \(|timeout set|-- got it|Failed$|Terminating|Thanks for using"
    r"|Welcome to|Press CTRL|Port /dev|picocom|Type \[C-a\]|Terminal ready|Trying|Connected to"
    r"|Escape char|FATAL|\[?screen|Waiting for|Initializing|Checking line|AT reply state|###"
)
CODE = re.compile(r"[a-z_]\(")
