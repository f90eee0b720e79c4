"""Reads AT logs as people paste them, whatever tool printed them.

Four small steps: ``_clean`` the line, ``_unwrap`` what the tool put around it (the tables
``_HEADS`` and ``_MARKS``; one more tool is one more row), ``_judge`` what is left by the rules of
the AT core, and let ``_Reader`` put commands and answers together, for each port on its own.
Prose is never evidence: what is not clearly a command or a line of a modem is dropped.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from simdiag.at import Command, Dialect, FinalResult, InformationText, Unsolicited, command
from simdiag.at.lines import final_result, is_prefixed, is_urc
from simdiag.conversation import MAX_LINES, Conversation

MAX_LOG_LINE = 16384
"""A longer line of the log is cut; ModemManager prints a whole answer on one line."""
MAX_LINE = 4096
"""A longer line of a modem is cut."""
MAX_COMMAND = 1024
"""A longer command is prose."""
MAX_PORTS = 8
"""Ports kept apart in one log; those beyond share one."""
PATIENCE = 20
"""For so many lines after a command, words such as "timed out" are about it."""
_MAX_HEADS = 8
_SHORT = 128
"""Lines up to this length are remembered: the same few come again and again."""
_DIALECT = Dialect()


_Way = Literal["sent", "received", "either", "talk"]
"""Which way a line went, as far as the log says: ``either`` for a terminal capture, where what the
line says decides; ``talk`` for a program's own log line, where only what is clearly AT counts."""


class _Said(NamedTuple):
    """A line of the log without what the tool put around it."""

    way: _Way
    body: str
    lines: tuple[_Line, ...] = ()
    """What is in ``body``, for ways other than sent and received (those may hold part lines)."""
    time: float | None = None
    clock: bool = False
    """``time`` is a time of day: it starts anew at midnight."""
    port: str = ""


_Kind = Literal[
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
"""What a line is, before anything is known of the pending command."""


class _Line(NamedTuple):
    """A line judged; ``answers`` are replies that stand on the line of their command."""

    kind: _Kind
    text: str
    event: InformationText | FinalResult
    answers: tuple[_Line, ...] = ()


# ---- tables: what tools put around a line ----------------------------------------------------
class _Head(NamedTuple):
    """Something before the AT text; taken off again and again until none matches.

    Its groups ``clock``, ``s`` and ``ms`` are a time. ``first`` are its possible first characters.
    """

    first: str
    pattern: re.Pattern[str]
    talk: bool = False


class _Mark(NamedTuple):
    """What says which way a line went; the group ``body``, or else the rest, is the line.

    ``first`` are its possible first characters.
    """

    first: str
    way: _Way
    pattern: re.Pattern[str]


_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"(?P<clock>\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?)(?:,\d{3})?"
_CLOCK_TIME = re.compile(_CLOCK)
_LEVEL = "(?i:debug|dbg|info?|inf|notice|msg|message|warn(?:ing)?|wrn|trace|verbose|err)"
_TOOLS = "sms_tool|mmcli|gcom|comgt|atinout|gsmctl|socat|qmicli|COMMAND=|echo|printf"


def _head(first: str, pattern: str, *, talk: bool = False) -> _Head:
    return _Head(first, re.compile(pattern), talk)


_HEADS = (
    # markdown and mail: quotes, bullets, table cells, numbers, code, bold
    _head(">-*•|", r"[>\-*•|]\s+"),
    _head(_DIGITS, r"\d{1,3}[.)]\s+(?=[+^]|(?i:AT))"),
    _head("`*", r"`+|\*\*(?!\*)"),
    # ModemManager, kernel: [1600000000.123456]; TinyGSM: [12345]; Mbed OS: [00030546ms]
    _head("[", r"\[\s*(?P<s>\d{1,12}\.\d{1,9})\]\s*"),
    _head("[", r"\[(?P<ms>\d{1,15})(?:\s?ms)?\]\s*"),
    # minicom, SSCOM, QCOM, Arduino, ubxlib: a clock, with or without date and brackets
    _head(
        _DIGITS + '[("<',
        r'[\[("<]?(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T_-]{1,2})?' + _CLOCK
        + r'(?:Z|\s?[+-]\d\d:?\d\d\b)?(?:\s?[AP]M\b)?[\])">]?[:,]?\s*',
    ),
    # Gammu, OpenWrt logread, syslog: day of the week; month, day and clock
    _head("MTWFS", rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+(?={_MONTH}|\d{{4}}[-/])"),
    _head("JFMASOND", rf"{_MONTH}\s+\d{{1,2}}\s+{_CLOCK}(?:\s+\d{{4}}\b)?\s+"),
    # ModemManager, Zephyr and others: whatever stands before <debug>
    _head(_LETTERS, rf"(?:[^\s<]{{1,40}}\s{{1,3}}){{0,8}}?<{_LEVEL}>\s+", talk=True),
    # OpenWrt logread: facility and level; chat of pppd prints the modem's own lines
    _head(_LETTERS, rf"(?:daemon|user|kern|local\d|auth)\.{_LEVEL}\w*\s+", talk=True),
    _head(_LETTERS, r"(?:[\w.-]{1,64} )?chat\[\d+\]:\s?"),
    # syslog: host and process; Gammu's second name
    _head(_LETTERS + "[", r"(?:[\w.-]{1,64} )?[\w./-]{0,64}\[\d+\]:\s", talk=True),
    _head("g", r"gammu:\s", talk=True),
    # ModemManager, Zephyr: <debug>; Mbed OS: [DBG ][CELL]: ; Python: DEBUG: , - name - DEBUG -
    _head("<", rf"<{_LEVEL}>\s+", talk=True),
    _head("[", rf"\[(?:{_LEVEL}|[A-Z])\s*\](?:\[[^\]]{{1,60}}\])*:?\s*", talk=True),
    _head(_LETTERS, rf"(?:{_LEVEL}|ERROR(?=:\S))(?::[\w.]{{1,64}})?\s*[:|-]\s*", talk=True),
    _head("-", rf"-\s*[\w.]{{1,64}}\s*-\s*{_LEVEL}\s*-\s*", talk=True),
    # Particle: 0000012345 [ncp.at] TRACE:
    _head(_DIGITS, rf"(?P<ms>\d{{6,15}}) \[[\w.]{{1,64}}\] {_LEVEL}:\s", talk=True),
    # atat and defmt: a number, DEBUG
    _head(_DIGITS, r"\d{1,12}\s+(?=(?:DEBUG|INFO|TRACE)\s)"),
    _head("DIT", r"(?:DEBUG|INFO|TRACE)\s+", talk=True),
    # ESP-IDF: I (1234) tag:
    _head("VDIWE", r"[VDIWE] \((?P<ms>\d{1,15})\) [\w.-]{1,64}:\s?", talk=True),
    # Particle: 20.853 AT send; TinyGSM examples: text without a line end before the dump
    _head(_DIGITS, r"(?P<s>\d{1,9}\.\d{1,9})\s+(?=AT\b)"),
    _head(_LETTERS, r"[A-Z][\w ]{3,40}\.\.\.\s*(?=AT(?:[+&]|$))"),
    # shell prompts: what is typed there is no answer of a modem
    _head(_LETTERS + "[", r"\[?[\w.-]{1,64}@[\w.-]{1,64}[^#$%>]{0,60}[#$%>](?:\s+|$)", talk=True),
    _head("~/", r"[~/][\w/.-]{0,60} [#$](?:\s+|$)", talk=True),
    _head("$#%", rf"[$#%]\s+(?=(?i:AT)\b|sudo\b|{_TOOLS})", talk=True),
)  # fmt: skip
_HEADS_BY_FIRST = {
    first: tuple(head for head in _HEADS if first in head.first)
    for first in {c for head in _HEADS for c in head.first}
}

_ARROW = r"(?:[:=\-]{0,2}[>→⇒]+|:|=)"
_BACK_ARROW = r"(?:[<←⇐]+[:=\-]{0,2}|[:=\-]{0,2}[>→⇒]+|:|=)"
_COUNT = r"\s*(?:[(\[]\s*\d{1,6}\s*[)\]])?\s*"


def _mark(first: str, way: _Way, pattern: str) -> _Mark:
    return _Mark(first + first.lower(), way, re.compile(pattern, re.IGNORECASE))


_MARKS = (
    # wvdial; Mbed OS cellular (and its ATCmdParser); Particle
    _mark("-", "sent", r"--> (?:re-)?sending:\s*"),
    _mark("A", "sent", r"AT TX \(\s*\d+\):\s?"),
    _mark("A", "received", r"AT RX \(\s*\d+\):\s?"),
    _mark("A", "sent", r"AT>\s*"),
    _mark("A", "received", r"AT<\s*"),
    _mark("A", "sent", r"AT send\s+\d+\s+"),
    _mark("A", "received", r"AT read\s+\S{1,8}\s+\d+\s+"),
    # oFono: the channel, and which way
    _mark(_LETTERS, "sent", r"(?P<port>[a-z]\w{1,20}):\s?>\s+"),
    _mark(_LETTERS, "received", r"(?P<port>[a-z]\w{1,20}):\s?<\s+"),
    # chat of pppd
    _mark("S", "sent", r"send \((?P<body>.*)\)$"),
    # Zephyr; esp_modem; NetworkManager 0.7; atat
    _mark("MS", "sent", r"(?:modem_chat\w*: )*sending(?: command)?:\s*"),
    _mark("M", "received", r"(?:modem_chat: )?modem_chat_log_received_command:\s(?P<zephyr>.*)"),
    _mark(_LETTERS, "sent", r"[\w-]{1,40}\(\d+\):\s*sending command:\s*"),
    _mark("N", "received", r"nm_serial_debug\(\): got:\s*"),
    _mark("N", "sent", r"nm_serial_debug\(\): sending:\s*"),
    _mark("H", "received", r"handling line:\s*>*"),
    _mark("T", "either", r"token:\s*\{(?P<body>.*)\}$"),
    # chan_dongle of Asterisk
    _mark("A", "sent", r"at_queue\.c:\d+ at_write: \[[^\]]{1,60}\] \[(?P<body>.*?)\]?$"),
    # Gammu; Qtopia
    _mark(_DIGITS, "either", r'\d{1,3} "(?P<body>.*)"$'),
    _mark("A", "either", r'AtChat\s*:\s+\w :\s+"(?P<body>.*)"\s*$'),
    # TinyGSM: lines that came when none was waited for
    _mark("#", "either", r"### Unhandled:\s*(?=[+^*#%!$])"),
    # python-gsmmodem, SSCOM, QCOM, and whatever says TX/RX, send/recv, sent/received
    _mark(
        "[TSWORC发请", "sent",
        r"\[?(?:TX|send|sent|write|writing|out|cmd|command|request|发送|发)"
        rf"(?:\]{_COUNT}{_ARROW}?|{_COUNT}{_ARROW})\s*◇?\s*",
    ),
    _mark(
        "[RIAG接收响回返", "received",
        r"\[?(?:RX|recv|receive|(?:received )?resp(?:onse)?|received|read|in|reply|answer|got"
        rf"|接收|收到|收|响应|回复|返回)(?:\]{_COUNT}{_BACK_ARROW}?|{_COUNT}{_BACK_ARROW})\s*◆?\s*",
    ),
    # arrows: which way they point differs from tool to tool
    _mark("<>-=→←⇒⇐", "either", r"(?:>{2,3}|<[-=]{1,2}|<{1,3}|[-=]{1,2}>|[→←⇒⇐])(?![<>])\s*"),
)  # fmt: skip

_MARKS_BY_FIRST = {
    first: tuple(mark for mark in _MARKS if first in mark.first)
    for first in {c for mark in _MARKS for c in mark.first}
}
_DEBUG_LOG = re.compile(
    r"(?:\[(?P<s>\d{1,12}\.\d{1,9})\] +)?[\[(](?P<port>[^\[\]()\s]{1,64})[\])]:? (?P<way>-->|<--) '"
)
"""ModemManager, old and new: time, port, way, and the line in quotes."""

_SHELL = re.compile(rf"(?:sudo\s+)?(?P<tool>{_TOOLS})")
_SHELL_PORT = re.compile(r"/dev/|atinout|socat|microcom|picocom|COM\d")
_SHELL_AT = re.compile(
    r"""'(?P<single>(?:at|[+^$#%!*])[^']*)'|"(?P<double>(?:at|[+^$#%!*])(?:[^"\\]|\\.){0,300})"|"""
    r"""(?<![^\s=])(?P<bare>(?-i:AT(?:[A-Z]\d?)?(?=[\s;]|$))|at[+^$#%!*&]\S*)""",
    re.IGNORECASE,
)
_MMCLI_ERROR = re.compile(r"error: command failed: '[\w.:]*MobileEquipment\.\w+: (?P<text>[^']*)'?")


# ---- tables: what a line says ----------------------------------------------------------------
def _word_set(text: str) -> frozenset[str]:
    return frozenset(word + end for word in text.split() for end in ("", ",", ".", "!", "?", ")"))


_ANSI = re.compile(r"(?:\x1b|\^\[)(?:\[[0-9;?]{0,20}[@-~]|[()][A-Z0-9])")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|nbsp|apos|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_TYPOGRAPHY = str.maketrans("“”„‘’‚´", "\"\"\"''''")
_LINE_END = re.compile(
    r"(?:<(?:CR|LF|LN|cr|lf|ln)>|\\r|\\n|\\x0[daDA]|\[(?:CR|LF)\]|\^[MJ](?=\^[MJ]|$)|[␍␊])+"
)
"""How tools write a line end: ModemManager, Mbed OS, oFono and Python, chat of pppd."""
_LISTED = re.compile(r"""(?<!\\)(?:'((?:[^'\\]|\\.){0,400})'|"((?:[^"\\]|\\.){0,400})")""")

_PREFIX = r"[+^$#%!*_]\s?[A-Z](?a:\w*+)"
_VALUES = r'(?:"[^"]*+(?:"|$)|[^\s";,])*+(?:\s*+,\s*+(?:"[^"]*+(?:"|$)|[^\s";,])*+)*+'
_EXTENDED = rf"{_PREFIX}(?:\s?=\s?\?|\s?\?[\w,]*+|\s?=\s?{_VALUES})?"
_BASIC = r"(?:S\d{1,3}(?:\s?=\s?\d{1,3}|\?)?|[\\&][A-Z]\d{0,2}|[A-Z]\d{1,3}|Z)(?![A-Z]{2})"
_DIAL = r"D(?:L|[TP]?\s?[0-9*#+>\"][^\s]*+)?"
_COMMAND = re.compile(
    rf"(?!AT&T\b)AT(?:\s?{_DIAL}(?!\w)"
    rf"|(?:\s?{_BASIC}(?:\s?;)?+)*+(?:\s?{_EXTENDED}(?:\s?;\s?(?:{_EXTENDED}|{_BASIC}))*+(?:\s?;)?+)?+)"
    r"(?:(?<=AT)[AEHILMOQVX](?!\w))?",
    re.IGNORECASE,
)
"""V.250 clause 5.2 to 5.4: basic commands in a row, then extended ones parted by semicolons."""
_ANSWER = re.compile(r"`?\s*+(?P<sep>:|-{1,2}>|={1,2}>|<-{1,2}|→|⇒|\||)\s*+(?P<rest>.*)$")
_THEN_RESULT = re.compile(r"(?<=[\s,;/|])(?:OK|ERROR)$")
_COMMENT = re.compile(
    r"(?<!\s)\s+(?://|/\*|#\s|(?:<--?|←)(?!\s*(?:[+^$#%!*]|OK\b|ERROR\b)))"
    r"|(?<!:)//(?=\s*[\u2e80-\u9fff])|(?<!\s)\s{2,}(?=[\u2e80-\u9fff])"
    r'|(?<!\s)\s*\((?=[^()"]{0,100}[\u2e80-\u9fff])'
)
_RESULT_NAME = re.compile(r"[+^$#%!*&_]\s?[A-Z][A-Z0-9_]+(?:\s?:|$)|\*ATREADY|\^[A-Z]{3,}(?![a-z])")
_BLOCK = re.compile(r"(?P<name>[!^$#%*+][A-Z][A-Z0-9_]+)\s?:$")
"""The first line of an answer of many lines, as Sierra prints them."""
_PLAIN_REPLY = re.compile(r"""[+^][A-Z][A-Z0-9]++: ?[0-9A-Z,."():*/-]*+""")
"""A short cut: most lines of a capture that differ are of this kind, and need no further look."""
_WORD = re.compile(r"[A-Za-z0-9\u00c0-\uffff]")
_TEXT = re.compile(r'[A-Za-z0-9"+(.:\-]')
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
_QUOTED_AT = re.compile(r'"(?:AT|OK"|ERROR"|[+^])', re.IGNORECASE)
_BYTES = re.compile(r"""\"?b(?=['"])""")
_SILENCE_HINTS = ("time", "resp", "reply", "answer", "alarm", "超时", "应", "回复")
_SILENCE = re.compile(
    r"\btimed[ -]?out\b|\btime-?out(?!\s*(?:set|[=:]?\s*\d))(?:exception|error)?\b|^alarm$"
    r"|\bno (?:response|reply|answer)\b|\bnot respond|超时|无响应|无应答|无回应|没有响应|没有回复",
    re.IGNORECASE,
)
_PERSON = _word_set(
    "I I'm mean means Means which because but my My your you You Your this This that show shows"
    " it then what why please Please we they so"
)
"""Words that no modem says: they make prose even of a line that begins like an answer."""
_PROSE = _PERSON | _word_set(
    "the The a an is are was were and or with from these here there have has had does did do can"
    " could will would should how if after before say says said got get gets tried try trying use"
    " using when don't doesn't also now"
)
_SENTENCE = re.compile(r"A [a-z]|(?:[A-Za-z]+,?\s){6}")
_CODE = re.compile(r"[a-z_]\(")
_NOTHING = re.compile(
    # tracebacks; ModemManager's dumps; Gammu's dumps
    r"Traceback|File \"|raise \w|[<>]{4}|(?:SENDING|RECEIVED) frame|[0-9A-F]{2}.?\|"
    # chat of pppd; terminals that start and end; TinyGSM; separators
    r"|expect \(|abort on|report \(|timeout set|-- got it|Failed$|Terminating|Thanks for using"
    r"|Welcome to|Press CTRL|Port /dev|picocom|Type \[C-a\]|Terminal ready|Trying|Connected to"
    r"|Escape char|FATAL|\[?screen|Waiting for|Initializing|Checking line|AT reply state|###"
)


# ---- a line of the log -----------------------------------------------------------------------
def _clean(text: str) -> str:
    """Undo colours, entities, full-width and typographic characters."""
    if "\x1b" in text or "^[" in text:
        text = _ANSI.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY))[:MAX_LOG_LINE]
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if not text.isprintable():
        text = _UNPRINTABLE.sub("", text)
    return text.strip()


def _read(text: str) -> _Said | None:
    """Return what was said in a line of the log, or ``None`` where nothing was."""
    if _PLAIN_REPLY.fullmatch(text):
        return _Said("either", text, (_Line("reply", text, InformationText(b"", text)),))
    text = _clean(text)
    if "-- '" in text or "--> '" in text:
        debug = _DEBUG_LOG.search(text)
        if debug is not None:
            way: _Way = "sent" if debug["way"] == "-->" else "received"
            said = _Said(way, text[debug.end() :].removesuffix("'"), port=debug["port"])
            clock = None if debug["s"] else _CLOCK_TIME.search(text[: debug.start()])
            return _timed(said, clock or debug)
    return _unwrap(text) if text else None


_read_short = lru_cache(maxsize=2048)(_read)


def _unwrap(text: str, talk: bool = False, depth: int = 0) -> _Said | None:
    """Take off what the tools of the tables put around a line, one head after another."""
    head, match = _find_head(text) if depth < _MAX_HEADS else (None, None)
    if head is not None and match is not None:
        text = text[match.end() :]
        unwrap = _unwrap_short if len(text) <= _SHORT else _unwrap
        said = unwrap(text, talk or head.talk, depth + 1)
        return said if said is None or said.time is not None else _timed(said, match)
    return _find_said(text, talk) if text else None


_unwrap_short = lru_cache(maxsize=2048)(_unwrap)


def _timed(said: _Said, match: re.Match[str]) -> _Said:
    """Return a line with the time that is in one of the groups ``clock``, ``s`` and ``ms``."""
    groups = match.groupdict()
    if clock := groups.get("clock"):
        hours, minutes, rest = clock.replace(",", ".").split(":", 2)
        seconds = float(rest.replace(":", "."))
        return said._replace(time=int(hours) * 3600 + int(minutes) * 60 + seconds, clock=True)
    if since := groups.get("s"):
        return said._replace(time=float(since))
    if milliseconds := groups.get("ms"):
        return said._replace(time=int(milliseconds) / 1000)
    return said


def _find_said(text: str, talk: bool) -> _Said | None:
    if (typed := _typed(text)) is not None:
        return _Said("either", typed, _all_lines(typed))
    way, body, port = _find_mark(text, "talk" if talk else "either")
    body = body.strip()
    if way == "sent" or way == "received":
        return _Said(way, body, port=port)
    if not body or (way == "talk" and not _is_worth_hearing(body)):
        return None
    return _Said(way, body, _all_lines(body), port=port)


def _is_worth_hearing(text: str) -> bool:
    """Whether a program's log line can hold anything of AT; most do not."""
    if text[0] in "+^$#%!*_\"'" or text[:2] in ("['", "AT", "at"):
        return True
    if text[0].isalpha() and (final_result(text, _DIALECT) or is_urc(text, _DIALECT)):
        return True
    return _is_silence(text)


def _find_head(text: str) -> tuple[_Head | None, re.Match[str] | None]:
    for head in _HEADS_BY_FIRST.get(text[:1], ()):
        if (match := head.pattern.match(text)) is not None:
            return head, match
    return None, None


def _find_mark(text: str, otherwise: _Way) -> tuple[_Way, str, str]:
    for _, way, pattern in _MARKS_BY_FIRST.get(text[:1], ()):
        if (match := pattern.match(text)) is not None:
            groups = match.groupdict()
            body = groups.get("body")
            if (zephyr := groups.get("zephyr")) is not None:
                body = _zephyr(zephyr)
            return way, text[match.end() :] if body is None else body, groups.get("port") or ""
    return otherwise, text, ""


def _zephyr(text: str) -> str:
    """Put back the commas of ``+CREG:  1 0``: Zephyr prints an answer in its parts."""
    name, gap, rest = text.partition(":  ")
    return f"{name}: " + re.sub(r'("[^"]*")|\s+', lambda m: m[1] or ",", rest) if gap else text


def _typed(text: str) -> str | None:
    """Return the command that a shell command line hands to a modem."""
    shell = _SHELL.match(text)
    if shell is None or (shell["tool"] in ("echo", "printf") and not _SHELL_PORT.search(text)):
        return None
    found = _SHELL_AT.search(text, shell.end() - 1)
    if found is None:
        return None
    typed = found["single"] or found["bare"] or (found["double"] or "").replace('\\"', '"')
    return typed if typed[:2].upper() == "AT" else "AT" + typed


# ---- a line of the modem ---------------------------------------------------------------------
def _split_long(body: str) -> tuple[tuple[_Line, ...], str | None]:
    """Return the lines in a text and what follows the last line end, ``None`` if it has none."""
    texts, rest = _pieces(body)
    return tuple(_judge(text) for text in texts if text), rest


_split = lru_cache(maxsize=2048)(_split_long)


def _all_lines(body: str) -> tuple[_Line, ...]:
    lines, rest = _split(body) if len(body) <= _SHORT else _split_long(body)
    return (*lines, _judge(_bare(rest))) if rest else lines


def _pieces(body: str) -> tuple[list[str], str | None]:
    if body[:1] == "[" and body[-1:] == "]":
        listed = (single or double for single, double in _LISTED.findall(body))
        return [_LINE_END.sub("", text) for text in listed], None
    if not any(sign in body for sign in "<\\^[␍␊"):
        return [_bare(body)], None
    *whole, rest = _LINE_END.split(body)
    return ([_bare(text) for text in whole], rest) if whole else ([_bare(rest)], None)


def _bare(text: str) -> str:
    """Take off quotes, code marks and cell borders around a line."""
    text = text.strip(" `□")
    if text[-1:] == "|":
        text = text.rstrip("| ")
    if (opening := _BYTES.match(text)) is not None:
        text = text[opening.end() :]
    if text[-2:] == '""' and text.count('"') % 2:
        text = text[:-1]
    if text[:1] == '"' and (text.count('"') % 2 or _QUOTED_AT.match(text)):
        text = text[1:].removesuffix('"')
    elif text[-1:] == '"' and text.count('"') % 2:
        text = text[:-1]
    if text[:1] == "'" or (text[-1:] == "'" and text.count("'") == 1):
        text = text.strip("'")
    if '\\"' in text:
        text = text.replace('\\"', '"')
    return text.removesuffix("**").strip()[:MAX_LINE]


@lru_cache(maxsize=1024)
def _judge(text: str) -> _Line:
    """Say what a line is, by the rules of the AT core and, where they are silent, by its words."""
    text = _without_comment(text.removesuffix(" -- got it"))
    if not _WORD.search(text):
        return _Line("nothing", text, InformationText(b"", text))
    if text[:2].upper() == "AT" and (found := _command_line(text)) is not None:
        return found
    if (error := _MMCLI_ERROR.match(text)) is not None:
        text = f"+CME ERROR: {error['text']}"
    return _reply(text)


def _reply(text: str) -> _Line:
    kind = _kind(text)
    if kind == "final" and (result := final_result(text, _DIALECT)) is not None:
        return _Line(kind, text, FinalResult(b"", *result))
    return _Line(kind, text, InformationText(b"", text))


def _kind(text: str) -> _Kind:
    words = (_QUOTED.sub('""', text) if '"' in text else text).split()
    if not _PERSON.isdisjoint(words):
        return "silence" if _is_silence(text) else "prose"
    if final_result(text, _DIALECT) is not None:
        return "final"
    if is_prefixed(text):
        return "reply" if _RESULT_NAME.match(text) else "odd reply"
    if is_urc(text, _DIALECT) and _is_notice(text):
        return "notice"
    if _is_silence(text):
        return "silence"
    if _NOTHING.match(text) or _CODE.search(text):
        return "nothing"
    if not _TEXT.match(text) or not text.isascii() or _is_prose(text, words):
        return "prose"
    return "text"


def _is_prose(text: str, words: list[str]) -> bool:
    sentence = len(words) > 1 and text[-1] in ".!?" and text[-2].islower()
    return sentence or not _PROSE.isdisjoint(words) or _SENTENCE.match(text) is not None


def _is_silence(text: str) -> bool:
    if len(text) > 200:
        return False
    small = text.lower()
    return any(hint in small for hint in _SILENCE_HINTS) and _SILENCE.search(text) is not None


def _is_notice(text: str) -> bool:
    """Whether ``RING`` or ``SMS Ready`` is not the beginning of a sentence."""
    return (
        not text[0].isalpha()
        or text.isupper()
        or text.count(" ") < 2
        or text.lower().startswith("starting power off")
    )


def _without_comment(text: str) -> str:
    if text.isascii() and not any(sign in text for sign in ("//", " #", "<-", "/*")):
        return text
    found = _COMMENT.search(text)
    if found is not None and text.count('"', 0, found.start()) % 2 == 0:
        return text[: found.start()].rstrip()
    return text


def _command_line(text: str) -> _Line | None:
    """Return a command, with the answer on its line if there is one; ``None`` for prose."""
    match = _COMMAND.match(text)
    if match is None or match.end() > MAX_COMMAND:
        return None
    sent, rest = match[0], text[match.end() :]
    if sent[-1] == ":":
        sent, rest = sent[:-1], ":" + rest
    answer = _ANSWER.match(rest)
    if answer is None or (rest and not answer["sep"] and not rest[0].isspace()):
        return None
    if not answer["rest"]:
        return _command(sent) if answer["sep"] in (":", "|", "") else None
    texts, last = _pieces(answer["rest"])
    if last is None and len(texts) == 1 and is_prefixed(texts[0]):
        texts = _with_result(texts[0])
    answers = tuple(_reply(text) for text in (*texts, last) if text)
    value = bool(answer["sep"])
    if all(_is_answer(line, value=value, listed=len(texts) > 1) for line in answers):
        return _command(sent, answers)
    return None


def _with_result(text: str) -> list[str]:
    """Part ``+CPIN: READY OK`` in two."""
    match = _THEN_RESULT.search(text)
    return [text] if match is None else [text[: match.start()].rstrip(" ,;/|"), match[0]]


def _command(text: str, answers: tuple[_Line, ...] = ()) -> _Line:
    return _Line("command", text, InformationText(b"", text), answers)


def _is_answer(line: _Line, *, value: bool, listed: bool) -> bool:
    """Whether a text can be an answer on its command's line; an unprefixed one is a value."""
    if line.kind == "final":
        return line.text.isupper() or line.text[0] == "+"
    if line.kind == "text":
        return listed or (value and any(map(str.isdigit, line.text)))
    return line.kind == "reply"


# ---- the conversation ------------------------------------------------------------------------
@dataclass(slots=True)
class _Port:
    """One port of the log: the command that waits, and what is not yet a whole line."""

    pending: Command | None = None
    sent_at: float = 0.0
    lines: list[InformationText] = field(default_factory=list)
    later: list[tuple[str, float]] = field(default_factory=list)
    """Unsolicited lines after the first line of the answer: they keep their place behind it."""
    age: int = 0
    partial: dict[_Way, str] = field(default_factory=dict)
    framed: bool = False
    """The log writes line ends out, so that a text without one is part of a line."""
    sends: bool = False
    """The log marks what was sent."""
    body_follows: bool = False


class _Reader:
    """Puts the lines of a log together. The conversation gets an exchange when it is whole."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._ports: dict[str, _Port] = {"": _Port()}
        self._name, self._port = "", self._ports[""]
        self._time = 0.0
        self._midnights = 0.0
        self._heard = False
        self._prose = False

    def take(self, text: str) -> None:
        """Read one line of the log (not empty, without white space around it)."""
        said = _read_short(text) if len(text) <= _SHORT else _read(text[:MAX_LOG_LINE])
        if said is None:
            self._port.age += 1
            return
        if said.time is not None:
            self._set_time(said.time, said.clock)
        way = said.way
        if said.port != self._name and (said.port or way != "talk"):
            self._name, self._port = said.port, self._find_port(said.port)
        port = self._port
        if way == "sent" or way == "received":
            self._take_marked(port, said)
            return
        if port.partial and way == "either":
            self._flush(port, "sent")
        for line in said.lines:
            self._take(port, way, line)

    def end(self) -> None:
        """End what waits: in a log without a single answer, a command was met with silence."""
        for port in self._ports.values():
            self._flush(port, "sent")
            self._flush(port, "received")
            self._finish(port, None, silent=not (self._heard or self._prose))

    def _set_time(self, time: float, clock: bool) -> None:
        if clock:
            if time + self._midnights < self._time - 43200:
                self._midnights += 86400
            time += self._midnights
        self._time = time

    def _find_port(self, name: str) -> _Port:
        port = self._ports.get(name)
        if port is None:
            if len(self._ports) >= MAX_PORTS:
                return self._ports[""]
            port = self._ports[name] = _Port()
        return port

    # ---- lines, partial lines
    def _take_marked(self, port: _Port, said: _Said) -> None:
        if said.way == "received":
            self._heard = self._heard or bool(said.body)
            self._flush(port, "sent")
        else:
            self._flush(port, "received")
            port.sends = True
        body = port.partial.pop(said.way, "") + said.body if port.partial else said.body
        lines, rest = _split(body) if len(body) <= _SHORT else _split_long(body)
        if rest is None and port.framed and body[:1] != "[":  # a list is whole
            port.partial[said.way] = body[:MAX_LINE]
            return
        for line in lines:
            self._take(port, said.way, line)
        if rest is not None:
            port.framed = True
            if rest:
                port.partial[said.way] = rest

    def _flush(self, port: _Port, way: _Way) -> None:
        if port.partial and (text := port.partial.pop(way, "")):
            self._take(port, way, _judge(_bare(text)))

    # ---- what a line means here
    def _take(self, port: _Port, way: _Way, line: _Line) -> None:
        kind, pending = line.kind, port.pending
        if kind == "command":
            self._command(port, way, line)
        elif way == "sent":
            return
        elif port.body_follows and kind != "final":
            port.body_follows = False
        elif pending is not None and pending.dial and self._call_ended(port, line.text):
            return
        elif kind == "final":
            self._final(port, line)
        elif kind == "reply" or kind == "odd reply":
            self._reply(port, line)
        elif kind == "notice":
            self._unsolicited(port, line.text)
        elif kind == "text" and pending is not None and way != "talk":
            self._information(port, line)
        else:
            self._words(port, way, kind)

    def _command(self, port: _Port, way: _Way, line: _Line) -> None:
        text, pending = line.text, port.pending
        if pending is not None and way != "sent":
            if not port.lines and _squeezed(text) == _squeezed(pending.text):
                return  # the modem's echo
            if way == "received":
                self._information(port, line)
                return
        if way == "received" and port.sends:
            return
        self._send(port, text)
        for answer in line.answers:
            self._take(port, way if way != "sent" else "either", answer)

    def _send(self, port: _Port, text: str) -> None:
        if port.pending is not None:
            self._finish(port, None)
        port.pending, port.sent_at, port.age = command(text), self._time, 0
        self._prose = False

    def _call_ended(self, port: _Port, text: str) -> bool:
        result = final_result(text, _DIALECT, dial=True)
        if result is not None:
            self._finish(port, FinalResult(b"", *result))
        return result is not None

    def _final(self, port: _Port, line: _Line) -> None:
        if port.pending is not None and isinstance(line.event, FinalResult):
            self._finish(port, line.event)
        elif line.text[0] == "+":
            self._unsolicited(port, line.text)

    def _reply(self, port: _Port, line: _Line) -> None:
        pending = port.pending
        sure = line.kind == "reply"
        if pending is not None and _is_reply_to(pending.text, line.text, sure):
            self._information(port, line)
        elif sure:
            if pending is None and (block := _BLOCK.match(line.text)) is not None:
                self._send(port, f"AT{block['name']}?")
                self._information(port, line)
            else:
                self._unsolicited(port, line.text)

    def _words(self, port: _Port, way: _Way, kind: _Kind) -> None:
        port.age += 1
        if kind == "silence" and not port.lines:
            if port.age <= PATIENCE and len(self._ports) <= 2:  # of many, which one is not said
                self._finish(port, None, silent=True)
        elif kind == "prose" and way == "either":
            self._prose = True

    # ---- what goes to the conversation
    def _information(self, port: _Port, line: _Line) -> None:
        self._heard = True
        if len(port.lines) < MAX_LINES and isinstance(line.event, InformationText):
            port.lines.append(line.event)

    def _unsolicited(self, port: _Port, text: str) -> None:
        self._heard = True
        port.body_follows = text.startswith(_DIALECT.with_body)
        if not port.lines:
            self._conversation.feed(Unsolicited(b"", text), self._time)
        elif len(port.later) < MAX_LINES:
            port.later.append((text, self._time))

    def _finish(self, port: _Port, final: FinalResult | None, *, silent: bool = False) -> None:
        """Hand over the pending command, its lines and its end."""
        if port.pending is None:
            return
        conversation, time = self._conversation, self._time
        conversation.sent(port.pending.text, port.sent_at)
        port.pending = None
        if port.lines:
            for event in port.lines:
                conversation.feed(event, time)
            port.lines = []
        if final is not None:
            self._heard = True
            conversation.feed(final, time)
        else:
            conversation.abandon(time, silent=silent)
        if port.later:
            for text, at in port.later:
                conversation.feed(Unsolicited(b"", text), at)
            port.later = []


@lru_cache(maxsize=1024)
def _is_reply_to(asked: str, text: str, sure: bool) -> bool:
    """Whether a prefixed line answers a command; the AT core judges live lines the same way.

    What is not ``sure`` to be a reply must begin as the command asks.
    """
    pending = command(asked)
    if pending.any_prefix:
        return sure and not is_urc(text, _DIALECT)
    return pending.expects(text)


def _squeezed(text: str) -> str:
    return text.replace(" ", "").rstrip(";").upper()


def read_pasted(lines: Iterable[str], conversation: Conversation) -> None:
    """Feed ``conversation`` with the AT exchanges that a pasted log tells of.

    Takes any text, never raises, and keeps no more than the commands that wait (one a port). A
    command without a final result simply ends; it counts as silence only where a tool says so,
    or where the whole log has commands and not one line from a modem.
    """
    reader = _Reader(conversation)
    for line in lines:
        text = line.strip()
        if "\r" not in text:
            if text:
                reader.take(text)
        else:
            for part in filter(None, map(str.strip, text.split("\r"))):
                reader.take(part)
    reader.end()
