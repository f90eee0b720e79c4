"""Reads any log: a recorded transcript, or text that somebody pasted."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
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


@dataclass(slots=True)
class LogSummary:
    """What a log was found to be."""

    form: str
    """``transcript`` or ``text``."""
    exchanges: int = 0


def read_log(source: BinaryIO | Path, sink: Sink) -> LogSummary:
    """Read a log and hand its exchanges to ``sink`` in order; memory stays bounded.

    Raises ``TranscriptError`` where nothing in it is an AT exchange.
    """
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                return read_log(stream, sink)
        except OSError as problem:
            text = N_("{file} cannot be read: {why}")
            why = message(str(problem.strerror))
            raise TranscriptError(message(text, file=source, why=why)) from problem
    summary = LogSummary("text")

    def counted(exchange: object) -> None:
        summary.exchanges += 1
        sink(exchange)  # type: ignore[arg-type]

    lines = _lines(source)
    first = next((line for line in lines if line.strip()), "")
    everything = chain([first], lines)
    if first.lstrip().startswith("{") and '"dir"' in first:
        summary.form = "transcript"
        replay(everything, lambda port: Conversation(counted, port))
    else:
        read_pasted(everything, Conversation(counted))
    return summary


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Yield decoded lines, each cut at ``MAX_TEXT_LINE``; CR alone ends a line too."""
    first = stream.readline(MAX_TEXT_LINE)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield from _lines_of_utf16(first, stream)
        return
    chunk = first.removeprefix(b"\xef\xbb\xbf")
    while chunk:
        text = _decode(chunk.rstrip(b"\r\n"))
        if "\r" in text:
            yield from text.split("\r")
        else:
            yield text
        while not chunk.endswith(b"\n") and (chunk := stream.readline(MAX_TEXT_LINE)):
            pass  # the rest of an over-long line
        chunk = stream.readline(MAX_TEXT_LINE)


def _lines_of_utf16(first: bytes, stream: BinaryIO) -> Iterator[str]:
    """Text as Windows consoles redirect it; the byte order mark tells the order."""
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    held, chunk = "", first
    while chunk:
        *lines, held = (held + decoder.decode(chunk)).replace("\r", "\n").split("\n")
        yield from (line[:MAX_TEXT_LINE] for line in lines)
        held, chunk = held[:MAX_TEXT_LINE], stream.read(MAX_TEXT_LINE)
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
