"""Says what a line of a log is, before anything is known of the command that waits."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from simdiag.at import Dialect, Event, FinalResult, InformationText
from simdiag.at.lines import final_result, is_prefixed, is_urc
from simdiag.transcript.pasted import words
from simdiag.transcript.pasted.tools import MMCLI_ERROR
from simdiag.transcript.pasted.unwrap import Said, bare, guess, pieces, remember_short, unwrap

DIALECT = Dialect(error_in_words=False)
_MAX_COMMAND = 1024
"""A longer command is prose."""

Kind = Literal[
    "command",
    "final",
    "reply",  # a prefixed line
    "odd reply",  # prefixed, but in small letters: a reply only if asked for
    "notice",  # an unsolicited line without a prefix
    "text",  # unprefixed: a reply only while a command waits
    "silence",  # a tool says that it got no answer
    "prose",  # words of a person
    "nothing",  # words of a tool, ornaments
]


class Line(NamedTuple):
    """A line judged; ``answers`` are replies that stand on the line of their command."""

    kind: Kind
    text: str
    event: Event
    answers: tuple[Line, ...] = ()


Lines = tuple[tuple[Line, ...], str | None]
"""The lines in a text, and what follows the last line end: part of a line, perhaps an empty one;
``None`` if the text has no line end."""

_PREFIX = r"[+^$#%!*_]\s?[A-Z](?a:\w*+)"
_VALUES = r'(?:"[^"]*+(?:"|$)|[^\s";,])*+(?:\s*+,\s*+(?:"[^"]*+(?:"|$)|[^\s";,])*+)*+'
_EXTENDED = rf"{_PREFIX}(?:\s?=\s?\?|\s?\?(?:\w|,(?=\w))*+|\s?=\s?{_VALUES})?"
_BASIC = r"(?:S\d{1,3}(?:\s?=\s?\d{1,3}|\?)?|[\\&][A-Z]\d{0,2}|[A-Z]\d{1,3}|Z)(?![A-Z]{2})"
_DIAL = r"D(?:L|[TP]?\s?[0-9*#+>\"][^\s]*+)?"
_COMMAND = re.compile(
    rf"(?!AT&T\b)AT(?:\s?{_DIAL}(?!\w)"
    rf"|(?:\s?{_BASIC}(?:\s?;)?+)*+(?:\s?{_EXTENDED}(?:\s?;\s?(?:{_EXTENDED}|{_BASIC}))*+(?:\s?;)?+)?+)"
    r"(?:(?<=AT)[AEHILMOQVX](?!\w))?",
    re.IGNORECASE,
)
"""V.250 clause 5.2 to 5.4: basic commands in a row, then extended ones parted by semicolons."""
_ANSWER = re.compile(
    r"""`?\s*+(?P<sep>"\s*[,;]\s*"(?:\w+"\s*:\s*")?|,(?=["+^])|:|-{1,2}>|={1,2}>|<-{1,2}|→|⇒|\||>(?=\s*(?:[+^]|OK|ERROR))|)\s*+(?P<rest>.*)$"""
)
"""The answer on the line of its command, behind what tools part them with; also the next field."""
_THEN_RESULT = re.compile(r"(?<=[\s,;/|])(?:OK|ERROR)$")
_COMMENT = re.compile(
    r"(?<!\s)\s+(?://|/\*|#\s|(?:<--?|←)(?!\s*(?:[+^$#%!*]|OK\b|ERROR\b)))"
    r"|(?<!:)//(?=\s*[\u2e80-\u9fff])|(?<!\s)\s{2,}(?=[\u2e80-\u9fff])"
    r'|(?<!\s)\s+\((?=RIL_)|(?<!\s)\s*\((?=[^()"]{0,100}[\u2e80-\u9fff])'
)
_RESULT_NAME = re.compile(
    r"[+^$#%!*&_]\s?[A-Z][A-Z0-9_]+(?:\s[A-Z]{2,5})?(?:\s?:|$)|\*ATREADY|\^[A-Z]{3,}(?![a-z])"
)
_PLAIN_REPLY = re.compile(r"""[+^][A-Z][A-Z0-9]++: ?[0-9A-Z,."():*/-]*+""")
"""A short cut: most lines of a capture that differ are of this kind, and need no further look."""
_WORD = re.compile(r"[A-Za-z0-9\u00c0-\uffff]")
_TEXT = re.compile(r'[A-Za-z0-9"+(.:\-]')


@remember_short
def hear(text: str) -> tuple[Said, Lines] | None:
    """Judge a line of the log; ``None`` if it cannot hold anything of AT."""
    if _PLAIN_REPLY.fullmatch(text):
        return Said("either", text), ((_line("reply", text),), None)
    said = unwrap(text)
    if said is None:
        return None
    if said.way == "sent" or said.way == "received":
        return said, judge_all(said.body)
    lines: tuple[Line, ...] = ()
    if said.way == "either" or _is_worth_hearing(said.body):
        lines = _judge_whole(said.body)
    if not lines or lines[0].kind in ("text", "prose", "nothing"):
        guessed = guess(said)
        sure = _judge_whole(guessed.body) if guessed is not None else ()
        if guessed is not None and sure and all(line.kind in _SURE for line in sure):
            return guessed, (sure, None)
    return (said, (lines, None)) if lines or said.way == "either" else None


_SURE = ("command", "reply", "final")
"""All that a guess may turn out to be."""


def _judge_whole(body: str) -> tuple[Line, ...]:
    lines, rest = judge_all(body)
    return (*lines, judge(bare(rest))) if rest else lines


def _is_worth_hearing(text: str) -> bool:
    """Whether a program's log line can hold anything of AT; most do not."""
    if text[0] in "+^$#%!*_\"'" or text[:2] in ("['", "AT", "at"):
        return True
    if text[0].isalpha() and (final_result(text, DIALECT) or is_urc(text, DIALECT)):
        return True
    return _is_silence(text)


@remember_short
def judge_all(body: str) -> Lines:
    """Judge the lines in a text."""
    texts, rest = pieces(body)
    return tuple(judge(part) for text in texts if text for part in _with_result(text)), rest


@lru_cache(maxsize=1024)
def judge(text: str) -> Line:
    """Say what a line is, by the rules of the AT core and, where they are silent, by its words."""
    text = _without_comment(text.removesuffix(" -- got it"))
    if not _WORD.search(text):
        return _line("nothing", text)
    if text[:2].upper() == "AT" and (found := _command_line(text)) is not None:
        return found
    if (error := MMCLI_ERROR.match(text)) is not None:
        text = f"+CME ERROR: {error['text']}"
    return _line(_kind(text), text)


def _line(kind: Kind, text: str, answers: tuple[Line, ...] = ()) -> Line:
    result = final_result(text, DIALECT) if kind == "final" else None
    event = InformationText(b"", text) if result is None else FinalResult(b"", *result)
    return Line(kind, text, event, answers)


def _kind(text: str) -> Kind:
    said = (words.QUOTED.sub('""', text) if '"' in text else text).split()
    if not words.PERSON.isdisjoint(said):
        return "silence" if _is_silence(text) else "prose"
    if final_result(text, DIALECT) is not None:
        return "final"
    if is_prefixed(text):
        return "reply" if _RESULT_NAME.match(text) else "odd reply"
    if is_urc(text, DIALECT) and _is_notice(text):
        return "notice"
    if _is_silence(text):
        return "silence"
    if words.NOTHING.match(text) or words.CODE.search(text):
        return "nothing"
    if not _TEXT.match(text) or not text.isascii() or _is_prose(text, said):
        return "prose"
    return "text"


def _is_silence(text: str) -> bool:
    small = text.lower()
    if len(text) > 200 or not any(hint in small for hint in words.SILENCE_HINTS):
        return False
    return words.SILENCE.search(text) is not None


def _is_notice(text: str) -> bool:
    """Whether ``RING`` or ``SMS Ready`` is not the beginning of a sentence."""
    shouted = not text[0].isalpha() or text.isupper()
    return shouted or text.count(" ") < 2 or text.lower().startswith("starting power off")


def _is_prose(text: str, said: list[str]) -> bool:
    sentence = len(said) > 1 and text[-1] in ".!?" and text[-2].islower()
    return sentence or not words.PROSE.isdisjoint(said) or words.SENTENCE.match(text) is not None


def _without_comment(text: str) -> str:
    if text.isascii() and not any(sign in text for sign in ("//", " #", "<-", "/*", " (RIL_")):
        return text
    found = _COMMENT.search(text)
    if found is not None and text.count('"', 0, found.start()) % 2 == 0:
        return text[: found.start()].rstrip()
    return text


def _command_line(text: str) -> Line | None:
    """Return a command, with the answer on its line if there is one; ``None`` for prose."""
    match = _COMMAND.match(text)
    if match is None or match.end() > _MAX_COMMAND:
        return None
    sent, rest = match[0], text[match.end() :]
    if sent[-1] == ":":
        sent, rest = sent[:-1], ":" + rest
    answer = _ANSWER.match(rest)
    if answer is None or (rest and not answer["sep"] and not rest[0].isspace()):
        return None
    if not answer["rest"]:
        return _line("command", sent) if answer["sep"] in (":", "|", "") else None
    texts, last = pieces(answer["rest"])
    if last is None and len(texts) == 1:
        texts = _with_result(texts[0])
    answers = tuple(_line(_kind(text), text) for text in (*texts, last) if text)
    value = bool(answer["sep"])
    if all(_is_answer(line, value=value, listed=len(texts) > 1) for line in answers):
        return _line("command", sent, answers)
    return None


def _with_result(text: str) -> list[str]:
    """Part ``+CPIN: READY OK`` in two."""
    if text[-2:] not in ("OK", "OR") or text[0] not in "+^" or ": " not in text:
        return [text]
    match = _THEN_RESULT.search(text)
    return [text] if match is None else [text[: match.start()].rstrip(" ,;/|"), match[0]]


def _is_answer(line: Line, *, value: bool, listed: bool) -> bool:
    """Whether a text can be an answer on its command's line; an unprefixed one is a value."""
    if line.kind == "final":
        return line.text.isupper() or line.text[0] == "+"
    if line.kind == "text":
        return listed or (value and any(map(str.isdigit, line.text)))
    return line.kind == "reply"
