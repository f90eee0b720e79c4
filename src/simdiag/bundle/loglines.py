"""Log lines as typed events.

Only what fits a known message gets through, and of it only numbers, names of the kernel's own
making, and words of a known list. What fits none is counted, no more.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simdiag.bundle.collector import Denied, Skipped

_KMSG = Path("/dev/kmsg")
_MOST = 400
"""Events that are kept: the newest."""
_LONGEST = 8192


class LogLine(NamedTuple):
    """A line and when it was logged, in microseconds since the computer was started."""

    t_us: int
    text: str


class Template(NamedTuple):
    """A known message. The groups of ``pattern`` are fields of the event."""

    event: str
    pattern: re.Pattern[str]


def templates(table: Iterable[tuple[str, str]], words: dict[str, str]) -> tuple[Template, ...]:
    """Compile a table of messages in which ``{name}`` stands for a value of that field."""

    def compiled(text: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", text)
        literal, fields = map(re.escape, parts[::2]), parts[1::2]
        pattern = next(literal)
        for name, after in zip(fields, literal, strict=True):
            pattern += f"(?P<{name}>{words[name]})" + after
        return re.compile(pattern.replace(re.escape("…"), ".*"), re.ASCII)

    return tuple(Template(event, compiled(text)) for event, text in table)


def events(
    lines: Iterable[LogLine],
    known: tuple[Template, ...],
    about: Callable[[dict[str, str]], bool],
) -> Iterator[dict[str, Any]]:
    """Yield the newest events that are ``about`` the device, then how many lines fit nothing."""
    found: deque[dict[str, Any]] = deque(maxlen=_MOST)
    unmatched = 0
    for line in lines:
        for event, pattern in known:
            if match := pattern.fullmatch(line.text):
                values = {name: v for name, v in match.groupdict().items() if v is not None}
                if about(values):
                    found.append({"t_us": line.t_us, "event": event, **values})
                break
        else:
            unmatched += 1
    yield from found
    yield {"t_us": 0, "event": "no_known_message", "count": unmatched}


# ---- where lines come from ---------------------------------------------------------------
def kernel_lines() -> Iterator[LogLine]:
    """Return the kernel's log since it was started: its own buffer, else the journal's copy."""
    try:
        handle = os.open(_KMSG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return journal("-k")
    return _kmsg(handle)


def _kmsg(handle: int) -> Iterator[LogLine]:
    """Records of ``/dev/kmsg``: ``6,1234,5140900,-;text``, one a read (Documentation/ABI)."""
    try:
        while True:
            try:
                record = os.read(handle, _LONGEST)
            except BrokenPipeError:  # overwritten meanwhile: the next read gives what is left
                continue
            except OSError as problem:
                if problem.errno in (errno.EAGAIN, errno.EINVAL):
                    return
                raise
            head, _, text = record.decode("utf-8", "replace").partition(";")
            if not text:
                return
            yield LogLine(int(head.split(",")[2]), text.partition("\n")[0])
    finally:
        os.close(handle)


def journal(*selection: str) -> Iterator[LogLine]:
    """Return what systemd's journal holds since the start; raises ``Skipped``, ``Denied``."""
    command = ["journalctl", "-b", "-o", "json", "--no-pager", "-q", "-n", "20000",
               "--output-fields=MESSAGE", *selection]  # fmt: skip
    try:
        process = subprocess.Popen(  # noqa: S603 -- nobody else's words are in the command
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as missing:
        raise Skipped from missing
    assert process.stdout is not None  # noqa: S101 -- it is a pipe
    assert process.stderr is not None  # noqa: S101
    found = False
    with process:
        for raw in process.stdout:
            try:
                entry = json.loads(raw)
                line = LogLine(int(entry["__MONOTONIC_TIMESTAMP"]), entry["MESSAGE"])
            except (ValueError, KeyError, TypeError):
                continue
            if isinstance(line.text, str):  # bytes that are no UTF-8 come as a list of numbers
                found = True
                yield line
        why = process.stderr.read(4096).lower()
    if not found:
        raise Denied if b"permission" in why else Skipped
