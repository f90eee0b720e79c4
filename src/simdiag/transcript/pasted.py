"""Reads AT logs as people paste them, whatever tool printed them.

Four small steps: ``_clean`` the line, ``_unwrap`` what the tool put around it (the tables
``_HEADS`` and ``_MARKS``; one more tool is one more row), ``_judge`` what is left by the rules of
the AT core, and let ``_Reader`` put commands and answers together, for each port on its own.
Prose is never evidence: what is not clearly a command or a line of a modem is dropped.
"""

from __future__ import annotations

import enum
import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

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
_SHORT = 96
"""Lines up to this length are remembered: the same few come again and again."""
_DIALECT = Dialect()


class _Way(enum.Enum):
    """Which way a line went, as far as the log says."""

    SENT = enum.auto()
    RECEIVED = enum.auto()
    EITHER = enum.auto()  # a terminal capture: what the line says decides
    TALK = enum.auto()  # a program's own log line: only what is clearly AT counts


class _Said(NamedTuple):
    """A line of the log without what the tool put around it."""

    way: _Way
    body: str
    time: float | None = None
    clock: bool = False
    """``time`` is a time of day: it starts anew at midnight."""
    port: str = ""


class _Kind(enum.Enum):
    """What a line is, before anything is known of the pending command."""

    COMMAND = enum.auto()
    FINAL = enum.auto()
    REPLY = enum.auto()  # a prefixed line
    ODD_REPLY = enum.auto()  # prefixed, but in small letters: a reply only if asked for
    NOTICE = enum.auto()  # an unsolicited line without a prefix
    TEXT = enum.auto()  # unprefixed: a reply only while a command waits
    SILENCE = enum.auto()  # a tool says that it got no answer
    PROSE = enum.auto()  # words of a person
    NOTHING = enum.auto()  # words of a tool, ornaments


class _Line(NamedTuple):
    """A line judged; ``answers`` are replies that stand on the line of their command."""

    kind: _Kind
    text: str
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
    """What says which way a line went; the group ``body``, or else the rest, is the line."""

    way: _Way
    pattern: re.Pattern[str]


_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"(?P<clock>\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?)(?:,\d{3})?"
_LEVEL = "(?i:debug|dbg|info?|inf|notice|msg|message|warn(?:ing)?|wrn|trace|verbose|err)"
_TOOLS = "sms_tool|mmcli|gcom|comgt|atinout|gsmctl|socat|qmicli|COMMAND=|echo|printf"


def _head(first: str, pattern: str, *, talk: bool = False) -> _Head:
    return _Head(first, re.compile(pattern), talk)


_HEADS = (
    # markdown and mail: quotes, bullets, table cells, numbers, code, bold
    _head(">-*•|", r"[>\-*•|]\s+"),
    _head(_DIGITS, r"\d{1,3}[.)]\s+(?=[+^]|(?i:AT))"),
    _head("`*", r"`+|\*\*(?!\*)"),
    # minicom, SSCOM, QCOM, Arduino, ubxlib: a clock, with or without date and brackets
    _head(
        _DIGITS + '[("<',
        r'[\[("<]?(?:\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T_-]{1,2})?' + _CLOCK
        + r'(?:Z|\s?[+-]\d\d:?\d\d\b)?(?:\s?[AP]M\b)?[\])">]?[:,]?\s*',
    ),
    # Gammu, OpenWrt logread, syslog: day of the week; month, day and clock
    _head("MTWFS", rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+(?={_MONTH}|\d{{4}}[-/])"),
    _head("JFMASOND", rf"{_MONTH}\s+\d{{1,2}}\s+{_CLOCK}(?:\s+\d{{4}}\b)?\s+"),
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
    # atat and defmt: a number, DEBUG
    _head(_DIGITS, r"\d{1,12}\s+(?=(?:DEBUG|INFO|TRACE)\s)"),
    _head("DIT", r"(?:DEBUG|INFO|TRACE)\s+", talk=True),
    # ESP-IDF: I (1234) tag:
    _head("VDIWE", r"[VDIWE] \((?P<ms>\d{1,15})\) [\w.-]{1,64}:\s?", talk=True),
    # TinyGSM: [12345]; Mbed OS: [00030546ms]; ModemManager, kernel: [1600000000.123456]
    _head("[", r"\[(?P<ms>\d{1,15})(?:\s?ms)?\]\s*"),
    _head("[", r"\[\s*(?P<s>\d{1,12}\.\d{1,9})\]\s*"),
    # Particle: 20.853 AT send; TinyGSM examples: text without a line end before the dump
    _head(_DIGITS, r"(?P<s>\d{1,9}\.\d{1,9})\s+(?=AT\b)"),
    _head(_LETTERS, r"[A-Z][\w ]{3,40}\.\.\.\s*(?=AT(?:[+&]|$))"),
    # shell prompts
    _head(_LETTERS + "[", r"\[?[\w.-]{1,64}@[\w.-]{1,64}[^#$%>]{0,60}[#$%>](?:\s+|$)"),
    _head("$#%", rf"[$#%]\s+(?=AT|at\b|at\+|sudo\b|{_TOOLS})"),
)  # fmt: skip
_HEADS_BY_FIRST = {
    first: tuple(head for head in _HEADS if first in head.first)
    for first in {c for head in _HEADS for c in head.first}
}

_ARROW = r"(?:[:=\-]{0,2}[>→⇒]+|:|=)"
_BACK_ARROW = r"(?:[<←⇐]+[:=\-]{0,2}|[:=\-]{0,2}[>→⇒]+|:|=)"
_COUNT = r"\s*(?:[(\[]\s*\d{1,6}\s*[)\]])?\s*"


def _mark(way: _Way, pattern: str) -> _Mark:
    return _Mark(way, re.compile(pattern, re.IGNORECASE))


_MARKS = (
    # wvdial; Mbed OS cellular (and its ATCmdParser); Particle
    _mark(_Way.SENT, r"--> (?:re-)?sending:\s*"),
    _mark(_Way.SENT, r"AT TX \(\s*\d+\):\s?"),
    _mark(_Way.RECEIVED, r"AT RX \(\s*\d+\):\s?"),
    _mark(_Way.SENT, r"AT>\s*"),
    _mark(_Way.RECEIVED, r"AT<\s*"),
    _mark(_Way.SENT, r"AT send\s+\d+\s+"),
    _mark(_Way.RECEIVED, r"AT read\s+\S{1,8}\s+\d+\s+"),
    # oFono: the channel, and which way
    _mark(_Way.SENT, r"(?P<port>[a-z]\w{1,20}):\s?>\s+"),
    _mark(_Way.RECEIVED, r"(?P<port>[a-z]\w{1,20}):\s?<\s+"),
    # chat of pppd
    _mark(_Way.SENT, r"send \((?P<body>.*)\)$"),
    # Zephyr; esp_modem; NetworkManager 0.7; atat
    _mark(_Way.SENT, r"(?:modem_chat\w*: )*sending(?: command)?:\s*"),
    _mark(_Way.RECEIVED, r"(?:modem_chat: )?modem_chat_log_received_command:\s(?P<zephyr>.*)"),
    _mark(_Way.SENT, r"[\w-]{1,40}\(\d+\):\s*sending command:\s*"),
    _mark(_Way.RECEIVED, r"nm_serial_debug\(\): got:\s*"),
    _mark(_Way.SENT, r"nm_serial_debug\(\): sending:\s*"),
    _mark(_Way.RECEIVED, r"handling line:\s*>*"),
    _mark(_Way.EITHER, r"token:\s*\{(?P<body>.*)\}$"),
    # chan_dongle of Asterisk
    _mark(_Way.SENT, r"at_queue\.c:\d+ at_write: \[[^\]]{1,60}\] \[(?P<body>.*?)\]?$"),
    # Gammu; Qtopia
    _mark(_Way.EITHER, r'\d{1,3} "(?P<body>.*)"$'),
    _mark(_Way.EITHER, r'AtChat\s*:\s+\w :\s+"(?P<body>.*)"\s*$'),
    # TinyGSM: lines that came when none was waited for
    _mark(_Way.EITHER, r"### Unhandled:\s*(?=[+^*#%!$])"),
    # python-gsmmodem, SSCOM, QCOM, and whatever says TX/RX, send/recv, sent/received
    _mark(
        _Way.SENT,
        r"\[?(?:TX|send|sent|write|writing|out|cmd|command|request|发送|发)"
        rf"(?:\]{_COUNT}{_ARROW}?|{_COUNT}{_ARROW})\s*◇?\s*",
    ),
    _mark(
        _Way.RECEIVED,
        r"\[?(?:RX|recv|receive|(?:received )?resp(?:onse)?|received|read|in|reply|answer|got"
        rf"|接收|收到|收|响应|回复|返回)(?:\]{_COUNT}{_BACK_ARROW}?|{_COUNT}{_BACK_ARROW})\s*◆?\s*",
    ),
    # arrows: which way they point differs from tool to tool
    _mark(_Way.EITHER, r"(?:>{2,3}|<[-=]{1,2}|<{1,3}|[-=]{1,2}>|[→←⇒⇐])(?![<>])\s*"),
)  # fmt: skip

_DEBUG_LOG = re.compile(
    r"(?:\[(?P<s>\d{1,12}\.\d{1,9})\] +)?[\[(](?P<port>[^\[\]()\s]{1,64})[\])]:? (?P<way>-->|<--) '"
)
"""ModemManager, old and new: time, port, way, and the line in quotes."""

_SHELL = re.compile(rf"(?:sudo\s+)?(?P<tool>{_TOOLS})")
_SHELL_PORT = re.compile(r"/dev/|atinout|socat|microcom|picocom|COM\d")
_SHELL_AT = re.compile(
    r"""'(?P<single>(?:at|[+^$#%!*])[^']*)'|"(?P<double>(?:at|[+^$#%!*])(?:[^"\\]|\\.)*)"|"""
    r"""(?<![^\s=])(?P<bare>(?-i:AT(?:[A-Z]\d?)?(?=[\s;]|$))|at[+^$#%!*&]\S*)""",
    re.IGNORECASE,
)
_MMCLI_ERROR = re.compile(r"error: command failed: '[\w.:]*MobileEquipment\.\w+: (?P<text>[^']*)'?")

# ---- tables: what a line says ----------------------------------------------------------------
_ANSI = re.compile(r"(?:\x1b|\^\[)(?:\[[0-9;?]{0,20}[@-~]|[()][A-Z0-9])")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|nbsp|apos|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_TYPOGRAPHY = str.maketrans("“”„‘’‚´", "\"\"\"''''")
_LINE_END = re.compile(
    r"(?:<(?:CR|LF|LN|cr|lf|ln)>|\\r|\\n|\\x0[daDA]|\[(?:CR|LF)\]|\^[MJ](?=\^[MJ]|$)|[␍␊\r\n])+"
)
"""How tools write a line end: ModemManager, Mbed OS, oFono and Python, chat of pppd."""
_LISTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")

_PREFIX = r"[+^$#%!*_]\s?[A-Z]\w*+"
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
_THEN_RESULT = re.compile(r"(?P<reply>.*\S)[\s,;/|]+(?P<final>OK|ERROR)$")
_COMMENT = re.compile(
    r"(?<!\s)\s+(?://|/\*|#\s|(?:<--?|←)(?!\s*(?:[+^$#%!*]|OK\b|ERROR\b)))"
    r"|(?<!:)//(?=\s*[\u2e80-\u9fff])|(?<!\s)\s{2,}(?=[\u2e80-\u9fff])"
    r'|\s*\((?=[^()"]{0,100}[\u2e80-\u9fff])'
)
_RESULT_NAME = re.compile(r"[+^$#%!*&_]\s?[A-Z][A-Z0-9_]+(?:\s?:|$)|\*ATREADY|\^[A-Z]{3,}(?![a-z])")
_BLOCK = re.compile(r"(?P<name>[!^$#%*+][A-Z][A-Z0-9_]+)\s?:$")
"""The first line of an answer of many lines, as Sierra prints them."""
_WORD = re.compile(r"[A-Za-z0-9\u00c0-\uffff]")
_TEXT = re.compile(r'[A-Za-z0-9"+(.:\-]')
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
_QUOTED_AT = re.compile(r'"(?:AT|OK"|ERROR"|[+^])', re.IGNORECASE)
_BYTES = re.compile(r"""\"?b(?=['"])""")
_SILENCE = re.compile(
    r"\btimed[ -]?out\b|\btime-?out(?!\s*(?:set|[=:]?\s*\d))(?:exception|error)?\b|^alarm$"
    r"|\bno (?:response|reply|answer)\b|\bnot respond|超时|无响应|无应答|无回应|没有响应|没有回复",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?<![\w+.])(?:I|[Mm]eans?|which|because|but|[Mm]y|[Yy]our?|[Tt]his|that|shows?|it|then|what"
    r"|why|please|we|they|so)(?![\w=:.])"
)
"""Words that no modem says: they make prose even of a line that begins like an answer."""
_PROSE = re.compile(
    r"(?<![\w+.])(?:[Tt]he|an?|A(?= [a-z])|is|are|was|were|and|or|with|from|these|here|there|have"
    r"|has|had|does|did|do|can|could|will|would|should|how|if|after|before|says?|said|got|gets?"
    r"|tried|try(?:ing)?|using?|when|does|don't|doesn't|also|now)(?![\w=:.])"
    r"|[A-Za-z]\s[^.!?]*[a-z][.!?]$|^(?:[A-Za-z]+,?\s){6}"
)
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
    text = _clean(text)
    if "-- '" in text or "--> '" in text:
        debug = _DEBUG_LOG.search(text)
        if debug is not None:
            way = _Way.SENT if debug["way"] == "-->" else _Way.RECEIVED
            time = float(debug["s"]) if debug["s"] else None
            return _Said(way, text[debug.end() :].removesuffix("'"), time, False, debug["port"])
    return _unwrap(text) if text else None


_read_short = lru_cache(maxsize=2048)(_read)


def _unwrap(text: str) -> _Said | None:
    """Take off what the tools of the tables put around a line."""
    time, clock, talk = None, False, False
    for _ in range(8):
        head, match = _find_head(text)
        if head is None or match is None:
            break
        groups = match.groupdict()
        if (seconds := _seconds(groups)) is not None:
            time, clock = seconds, "clock" in groups
        talk = talk or head.talk
        text = text[match.end() :]
    if (typed := _typed(text)) is not None:
        return _Said(_Way.EITHER, typed, time, clock)
    way, body, port = _find_mark(text, _Way.TALK if talk else _Way.EITHER)
    return _Said(way, body.strip(), time, clock, port) if body or way is _Way.RECEIVED else None


def _find_head(text: str) -> tuple[_Head | None, re.Match[str] | None]:
    for head in _HEADS_BY_FIRST.get(text[:1], ()):
        if (match := head.pattern.match(text)) is not None:
            return head, match
    return None, None


def _find_mark(text: str, otherwise: _Way) -> tuple[_Way, str, str]:
    if not text or (text[0] in "+^%!*" and text[:3] != "###"):
        return otherwise, text, ""
    for way, pattern in _MARKS:
        if (match := pattern.match(text)) is not None:
            groups = match.groupdict()
            body = groups.get("body")
            if (zephyr := groups.get("zephyr")) is not None:
                body = _zephyr(zephyr)
            return way, text[match.end() :] if body is None else body, groups.get("port") or ""
    return otherwise, text, ""


def _seconds(groups: dict[str, str | None]) -> float | None:
    if clock := groups.get("clock"):
        hours, minutes, seconds = clock.replace(",", ".").split(":", 2)
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(":", "."))
    if seconds_ := groups.get("s"):
        return float(seconds_)
    return int(milliseconds) / 1000 if (milliseconds := groups.get("ms")) else None


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
@lru_cache(maxsize=2048)
def _split(body: str) -> tuple[tuple[_Line, ...], str | None]:
    """Return the lines in a text and what follows the last line end, ``None`` if it has none."""
    texts, rest = _pieces(body)
    return tuple(_judge(text) for text in texts if text), rest


def _pieces(body: str) -> tuple[list[str], str | None]:
    if body[:1] == "[" and body[-1:] == "]":
        return [single or double for single, double in _LISTED.findall(body)], None
    *whole, rest = _LINE_END.split(body)
    return ([_bare(text) for text in whole], rest) if whole else ([_bare(rest)], None)


def _bare(text: str) -> str:
    """Take off quotes, code marks and cell borders around a line."""
    text = text.strip(" `□")
    if text[-1:] == "|":
        text = text.rstrip("| ")
    if (opening := _BYTES.match(text)) is not None:
        text = text[opening.end() :]
    if text[:1] == '"' and (text.count('"') % 2 or _QUOTED_AT.match(text)):
        text = text[1:].removesuffix('"')
    elif text[-1:] == '"' and text.count('"') % 2:
        text = text[:-1]
    if text[:1] == "'" or (text[-1:] == "'" and text.count("'") == 1):
        text = text.strip("'")
    if '\\"' in text:
        text = text.replace('\\"', '"')
    return text.removesuffix("**").strip()[:MAX_LINE]


@lru_cache(maxsize=4096)
def _judge(text: str) -> _Line:
    """Say what a line is, by the rules of the AT core and, where they are silent, by its words."""
    text = _LINE_END.sub("", text).removesuffix(" -- got it")
    text = _without_comment(text)
    if not _WORD.search(text):
        return _Line(_Kind.NOTHING, text)
    if text[:2].upper() == "AT" and (found := _command_line(text)) is not None:
        return found
    if (error := _MMCLI_ERROR.match(text)) is not None:
        return _Line(_Kind.FINAL, f"+CME ERROR: {error['text']}")
    return _Line(_kind(text), text)


def _kind(text: str) -> _Kind:
    if _PERSON.search(_QUOTED.sub('""', text)):
        return _Kind.SILENCE if _is_silence(text) else _Kind.PROSE
    if final_result(text, _DIALECT) is not None:
        return _Kind.FINAL
    if is_prefixed(text):
        return _Kind.REPLY if _RESULT_NAME.match(text) else _Kind.ODD_REPLY
    if is_urc(text, _DIALECT) and _is_notice(text):
        return _Kind.NOTICE
    if _is_silence(text):
        return _Kind.SILENCE
    if _NOTHING.match(text) or _CODE.search(text):
        return _Kind.NOTHING
    if _PROSE.search(text) or not text.isascii() or not _TEXT.match(text):
        return _Kind.PROSE
    return _Kind.TEXT


def _is_silence(text: str) -> bool:
    return len(text) < 200 and _SILENCE.search(text) is not None


def _is_notice(text: str) -> bool:
    """Whether ``RING`` or ``SMS Ready`` is not the beginning of a sentence."""
    return (
        not text[0].isalpha()
        or text.isupper()
        or text.count(" ") < 2
        or text.lower().startswith("starting power off")
    )


def _without_comment(text: str) -> str:
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
        return _Line(_Kind.COMMAND, sent) if answer["sep"] in (":", "|", "") else None
    texts, last = _pieces(answer["rest"])
    if texts and last is None and is_prefixed(texts[0]) and (match := _THEN_RESULT.match(texts[0])):
        texts = list(match.groups())
    answers = tuple(_Line(_kind(text), text) for text in (*texts, last) if text)
    value = bool(answer["sep"])
    if all(_is_answer(line, value=value, listed=len(texts) > 1) for line in answers):
        return _Line(_Kind.COMMAND, sent, answers)
    return None


def _is_answer(line: _Line, *, value: bool, listed: bool) -> bool:
    """Whether a text can be an answer on its command's line; an unprefixed one is a value."""
    if line.kind is _Kind.FINAL:
        return line.text.isupper() or line.text[0] == "+"
    if line.kind is _Kind.TEXT:
        return listed or (value and any(map(str.isdigit, line.text)))
    return line.kind is _Kind.REPLY


# ---- the conversation ------------------------------------------------------------------------
@dataclass(slots=True)
class _Port:
    """One port of the log: the command that waits, and what is not yet a whole line."""

    pending: Command | None = None
    sent_at: float = 0.0
    lines: list[str] = field(default_factory=list)
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
    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._ports: dict[str, _Port] = {"": _Port()}
        self._port = self._ports[""]
        self._time = 0.0
        self._midnights = 0.0
        self._heard = False
        self._prose = False

    def take(self, text: str) -> None:
        """Read one line of the log."""
        said = _read_short(text) if len(text) <= _SHORT else _read(text[:MAX_LOG_LINE])
        if self._port.pending is not None:
            self._port.age += 1
        if said is None:
            return
        if said.time is not None:
            self._set_time(said.time, said.clock)
        self._port = port = self._find_port(said.port)
        if said.way is _Way.SENT or said.way is _Way.RECEIVED:
            self._take_marked(port, said)
        else:
            self._take_lines(port, said.way, said.body)

    def end(self) -> None:
        """End what waits: in a log without a single answer, a command was met with silence."""
        for port in self._ports.values():
            self._flush(port, _Way.SENT)
            self._flush(port, _Way.RECEIVED)
            self._abandon(port, silent=not (self._heard or self._prose or port.lines))

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
        if said.way is _Way.RECEIVED:
            self._heard = self._heard or bool(said.body)
            self._flush(port, _Way.SENT)
        else:
            self._flush(port, _Way.RECEIVED)
            port.sends = True
        body = port.partial.pop(said.way, "") + said.body if port.partial else said.body
        lines, rest = _split(body)
        if rest is None and port.framed and body[-1:] != "]":
            port.partial[said.way] = body[:MAX_LINE]
            return
        for line in lines:
            self._take(port, said.way, line)
        if rest is not None:
            port.framed = True
            if rest:
                port.partial[said.way] = rest

    def _take_lines(self, port: _Port, way: _Way, body: str) -> None:
        if way is _Way.EITHER:
            self._flush(port, _Way.SENT)
        lines, rest = _split(body)
        for line in lines:
            self._take(port, way, line)
        if rest:
            self._take(port, way, _judge(_bare(rest)))

    def _flush(self, port: _Port, way: _Way) -> None:
        if port.partial and (text := port.partial.pop(way, "")):
            self._take(port, way, _judge(_bare(text)))

    # ---- what a line means here
    def _take(self, port: _Port, way: _Way, line: _Line) -> None:
        kind = line.kind
        if kind is _Kind.COMMAND:
            self._command(port, way, line)
        elif way is _Way.SENT:
            return
        elif port.body_follows and kind is not _Kind.FINAL:
            port.body_follows = False
        elif kind is _Kind.FINAL or (port.pending and port.pending.dial):
            self._final(port, way, line)
        else:
            self._other(port, way, line)

    def _command(self, port: _Port, way: _Way, line: _Line) -> None:
        text, pending = line.text, port.pending
        if pending is not None and way is not _Way.SENT:
            if not port.lines and _squeezed(text) == _squeezed(pending.text):
                return  # the modem's echo
            if way is _Way.RECEIVED:
                self._information(port, text)
                return
        if way is _Way.RECEIVED and port.sends:
            return
        self._send(port, text)
        for answer in line.answers:
            self._take(port, way if way is not _Way.SENT else _Way.EITHER, answer)

    def _send(self, port: _Port, text: str) -> None:
        self._abandon(port)
        port.pending, port.sent_at, port.age = command(text), self._time, 0
        self._prose = False

    def _final(self, port: _Port, way: _Way, line: _Line) -> None:
        dial = port.pending is not None and port.pending.dial
        result = final_result(line.text, _DIALECT, dial=dial)
        if result is None:
            self._other(port, way, line)
            return
        self._heard = self._heard or port.pending is not None
        if port.pending is not None:
            self._finish(port, FinalResult(b"", *result))
        elif line.text[0] == "+":
            self._unsolicited(port, line.text)

    def _other(self, port: _Port, way: _Way, line: _Line) -> None:
        kind, text, pending = line.kind, line.text, port.pending
        if kind is _Kind.REPLY or kind is _Kind.ODD_REPLY:
            if pending is not None and _is_reply_to(pending, text):
                self._information(port, text)
            elif kind is _Kind.REPLY and pending is None and (block := _BLOCK.match(text)):
                self._send(port, f"AT{block['name']}?")
                self._information(port, text)
            elif kind is _Kind.REPLY:
                self._unsolicited(port, text)
        elif kind is _Kind.NOTICE:
            self._unsolicited(port, text)
        elif kind is _Kind.TEXT and pending is not None and way is not _Way.TALK:
            self._information(port, text)
        elif kind is _Kind.SILENCE and pending is not None and not port.lines:
            if port.age <= PATIENCE:
                self._abandon(port, silent=True)
        elif kind is _Kind.PROSE and way is _Way.EITHER:
            self._prose = True

    # ---- what goes to the conversation
    def _information(self, port: _Port, text: str) -> None:
        self._heard = True
        if len(port.lines) < MAX_LINES:
            port.lines.append(text)

    def _unsolicited(self, port: _Port, text: str) -> None:
        self._heard = True
        port.body_follows = text.startswith(_DIALECT.with_body)
        if port.lines and len(port.later) < MAX_LINES:
            port.later.append((text, self._time))
        else:
            self._conversation.feed(Unsolicited(b"", text), self._time)

    def _abandon(self, port: _Port, *, silent: bool = False) -> None:
        if port.pending is not None:
            self._finish(port, None, silent=silent)

    def _finish(self, port: _Port, final: FinalResult | None, *, silent: bool = False) -> None:
        """Hand over the pending command, its lines and its end."""
        if port.pending is None:
            return
        conversation, time = self._conversation, self._time
        conversation.sent(port.pending.text, port.sent_at)
        for text in port.lines:
            conversation.feed(InformationText(b"", text), time)
        if final is not None:
            conversation.feed(final, time)
        else:
            conversation.abandon(time, silent=silent)
        for text, at in port.later:
            conversation.feed(Unsolicited(b"", text), at)
        port.pending, port.lines, port.later = None, [], []


def _is_reply_to(pending: Command, text: str) -> bool:
    """Whether a prefixed line answers a command; the AT core judges live lines the same way."""
    return pending.expects(text) and not (pending.any_prefix and is_urc(text, _DIALECT))


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
        if "\r" in line:
            for part in line.split("\r"):
                if part := part.strip():
                    reader.take(part)
        elif line := line.strip():
            reader.take(line)
    reader.end()
