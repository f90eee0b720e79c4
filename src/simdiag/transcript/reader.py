"""Reads any log: a recorded transcript, or text that somebody pasted."""

from __future__ import annotations

import codecs
import errno
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from simdiag.conversation import Conversation, Sink
from simdiag.errors import TranscriptError
from simdiag.message import N_, message
from simdiag.transcript.pasted import read_pasted
from simdiag.transcript.recorded import replay

MAX_TEXT_LINE = 65536
"""Longer lines are cut: no log line of a modem comes near."""
MAX_SKIPPED = 64 * 1024 * 1024
"""After so many bytes without an exchange, what need never end (``/dev/zero``) is taken to end."""
_HANDED_OVER = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Streams that the shell has opened: standard input by name, and ``<(command)``."""


@dataclass(slots=True)
class LogSummary:
    """What a log was found to be."""

    form: str
    """``transcript`` or ``text``."""
    exchanges: int = 0


def read_log(source: BinaryIO | Path, sink: Sink) -> LogSummary:
    """Read a log and hand its exchanges to ``sink`` in order; memory stays bounded.

    Raises ``TranscriptError`` where it cannot be read: a file must be a regular one.
    """
    try:
        if not isinstance(source, Path):
            return _read(source, sink, MAX_SKIPPED)
        with open_log(source) as stream:
            regular = stat.S_ISREG(source.stat().st_mode)
            return _read(stream, sink, None if regular else MAX_SKIPPED)
    except OSError as problem:
        name = source if isinstance(source, Path) else "-"
        why = message(problem.strerror or str(problem))
        text = N_("{file} cannot be read: {why}")
        raise TranscriptError(message(text, file=name, why=why)) from problem


def open_log(path: Path) -> BinaryIO:
    """Open a regular file, or a stream that the shell has opened; raises ``OSError`` for others."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or str(path).startswith(_HANDED_OVER):
        return path.open("rb")
    raise OSError(errno.EINVAL, N_("it is no regular file"))  # to open a FIFO could wait for ever


def _read(stream: BinaryIO, sink: Sink, max_skipped: int | None) -> LogSummary:
    summary = LogSummary("text")
    skipped = 0

    def counted(exchange: object) -> None:
        nonlocal skipped
        skipped = 0
        summary.exchanges += 1
        sink(exchange)  # type: ignore[arg-type]

    def readline(size: int) -> bytes:
        nonlocal skipped
        if max_skipped is not None and skipped >= max_skipped:
            return b""
        line = stream.readline(size)
        skipped += len(line)
        return line

    lines = decoded(readline)
    first = next((line for line in lines if line.strip()), "")
    everything = chain([first], lines)
    if first.lstrip().startswith("{") and '"dir"' in first:
        summary.form = "transcript"
        replay(everything, lambda port: Conversation(counted, port))
    else:
        read_pasted(everything, Conversation(counted))
    return summary


def decoded(readline: Callable[[int], bytes]) -> Iterator[str]:
    """Yield the lines of a log, each cut at ``MAX_TEXT_LINE``; CR alone ends a line too."""
    first = readline(MAX_TEXT_LINE)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield from _lines_of_utf16(first, readline)
        return
    chunk = first.removeprefix(b"\xef\xbb\xbf")
    while chunk:
        text = _decode(chunk.rstrip(b"\r\n"))
        if "\r" in text:
            yield from text.split("\r")
        else:
            yield text
        while not chunk.endswith(b"\n") and (chunk := readline(MAX_TEXT_LINE)):
            pass  # the rest of an over-long line
        chunk = readline(MAX_TEXT_LINE)


def _lines_of_utf16(first: bytes, readline: Callable[[int], bytes]) -> Iterator[str]:
    """Text as Windows consoles redirect it; the byte order mark tells the order."""
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    held, chunk = "", first
    while chunk:
        *lines, held = (held + decoder.decode(chunk)).replace("\r", "\n").split("\n")
        yield from (line[:MAX_TEXT_LINE] for line in lines)
        held, chunk = held[:MAX_TEXT_LINE], readline(MAX_TEXT_LINE)
    yield held


def _decode(line: bytes) -> str:
    """UTF-8, or GB 18030 as Chinese tools on Windows write it."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        try:
            return line.decode("gb18030")
        except UnicodeDecodeError:
            return line.decode("utf-8", "backslashreplace")
