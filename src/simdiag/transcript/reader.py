"""Reads any log: a recorded transcript, or text that somebody pasted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from simdiag.conversation import Conversation, Sink
from simdiag.errors import TranscriptError
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
            raise TranscriptError(f"{source}: {problem.strerror or problem}") from problem
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
    reader = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
    encoding = "utf-8"
    first = True
    while chunk := reader.readline(MAX_TEXT_LINE):
        whole = chunk.endswith(b"\n")
        if first:
            first = False
            if chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise TranscriptError("the file is UTF-16 text; save it as UTF-8 and try again")
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        while not whole and (rest := reader.readline(MAX_TEXT_LINE)):
            whole = rest.endswith(b"\n")
        yield from (
            _decode(chunk, encoding).replace("\r", "\n").split("\n")[: None if not whole else -1]
        )


def _decode(line: bytes, encoding: str) -> str:
    """UTF-8, or GB 18030 as Chinese tools on Windows write it."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        try:
            return line.decode("gb18030")
        except UnicodeDecodeError:
            return line.decode("utf-8", "backslashreplace")
