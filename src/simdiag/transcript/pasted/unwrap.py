"""Takes off what tools put around a line: time stamps, names, arrows, quotes, written line ends."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from simdiag.at import MAX_LINE
from simdiag.transcript.pasted import tools, words
from simdiag.transcript.pasted.tools import Table, Way

_MAX_LOG_LINE = 16384
"""A longer line of the log is cut; ModemManager prints a whole answer on one line."""
_MAX_HEADS = 8
_MAX_GUESSED_HEAD = 160

_ANSI = re.compile(r"(?:\x1b|\^\[)(?:\[[0-9;?]{0,20}[@-~]|[()][A-Z0-9])")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|nbsp|apos|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_TYPOGRAPHY = str.maketrans("“”„‘’‚´", "\"\"\"''''")
_QUOTED_AT = re.compile(r'"(?:AT|OK"|ERROR"|[+^])', re.IGNORECASE)
_BYTES = re.compile(r"""\"?b(?=['"])""")

_Result = TypeVar("_Result")


def remember_short(function: Callable[[str], _Result]) -> Callable[[str], _Result]:
    """Remember the results for short texts: in a log the same few come again and again."""
    remembered = lru_cache(maxsize=2048)(function)
    return lambda text: remembered(text) if len(text) <= 128 else function(text)


class Said(NamedTuple):
    """A line of the log without what the tool put around it."""

    way: Way
    body: str
    port: str = ""
    time: str = ""
    """As the tool wrote it: a clock, seconds with a point, or milliseconds."""


def unwrap(text: str) -> Said | None:
    """Return what was said in a line of the log, or ``None`` where nothing was."""
    text = _clean(text[:_MAX_LOG_LINE])
    if ("-- '" in text or "--> '" in text) and (debug := tools.DEBUG_LOG.search(text)) is not None:
        way: Way = "sent" if debug["way"] == "-->" else "received"
        time = debug["time"] or next(iter(tools.CLOCK.findall(text[: debug.start()])), "")
        return Said(way, text[debug.end() :].removesuffix("'"), debug["port"], time)
    time = ""
    unmarked: Way = "either"
    for _ in range(_MAX_HEADS):
        way, head = _find(tools.HEADS, text)
        if head is None:
            break
        text = text[head.end() :]
        if head.lastgroup:
            time = head["time"]
        if way == "talk":
            unmarked = way
    way, body, port = _marked(text) or (unmarked, text.strip(), "")
    return Said(way, body, port, time) if body or way in ("sent", "received") else None


def guess(said: Said) -> Said | None:
    """Return the AT behind the words of an unknown tool; not what a person tells or an example."""
    if not any(map(said.body.__contains__, tools.GUESS_HINTS)):
        return None
    found = tools.GUESS.search(said.body)
    if found is None or found.start() > _MAX_GUESSED_HEAD:
        return None
    head = said.body[: found.start()]
    after = tools.RESULT_AFTER if found["result"] else tools.GUESS_AFTER
    if after.search(head) is None or words.EXAMPLE.search(head):
        return None
    if not words.PROSE.isdisjoint(head.lower().split()):
        return None
    return said._replace(way="guessed", body=said.body[found.start() :].rstrip("}"))


def _clean(text: str) -> str:
    """Undo colours, entities, full-width and typographic characters."""
    if "\x1b" in text or "^[" in text:
        text = _ANSI.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY))[:_MAX_LOG_LINE]
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if not text.isprintable():
        text = _UNPRINTABLE.sub("", text)
    return text.strip()


def _find(table: Table, text: str) -> tuple[Way, re.Match[str] | None]:
    for way, pattern in table.get(text[:1], ()):
        if (match := pattern.match(text)) is not None:
            return way, match
    return "either", None


@remember_short
def _marked(text: str) -> tuple[Way, str, str] | None:
    """Return way, line and port if the line tells its way."""
    if (typed := _typed(text)) is not None:
        return "either", typed, ""
    way, mark = _find(tools.MARKS, text)
    if mark is None:
        return None
    groups = mark.groupdict()
    body = _joined(groups["parts"]) if "parts" in groups else groups.get("body", text[mark.end() :])
    return way, body.strip(), groups.get("port", "")


def _joined(text: str) -> str:
    """Put back the commas of ``+CREG:  1 0``."""
    name, gap, rest = text.partition(":  ")
    return f"{name}: " + re.sub(r'("[^"]*")|\s+', lambda m: m[1] or ",", rest) if gap else text


def _typed(text: str) -> str | None:
    """Return the command that a shell command line hands to a modem."""
    shell = tools.SHELL.match(text)
    if shell is None or (shell["tool"] in ("echo", "printf") and not tools.SHELL_PORT.search(text)):
        return None
    found = tools.SHELL_AT.search(text, shell.end() - 1)
    if found is None:
        return None
    typed = found["single"] or found["bare"] or (found["double"] or "").replace('\\"', '"')
    return typed if typed[:2].upper() == "AT" else "AT" + typed


def pieces(body: str) -> tuple[list[str], str | None]:
    """Return the lines in a text and what follows the last line end, ``None`` if it has none."""
    if body[:1] == "[" and body[-1:] == "]":
        listed = (single or double for single, double in tools.LISTED.findall(body))
        return [tools.LINE_END.sub("", text) for text in listed], None
    if not any(sign in body for sign in "<\\^[␍␊"):
        return [bare(body)], None
    *whole, rest = tools.LINE_END.split(body)
    return ([bare(text) for text in whole], rest) if whole else ([bare(rest)], None)


def bare(text: str) -> str:
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
    return text.replace('\\"', '"').removesuffix("**").strip()[:MAX_LINE]
