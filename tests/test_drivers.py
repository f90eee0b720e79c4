"""What devices really said, and what the drivers must read in it: ``transcripts/DRIVER/*``."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simdiag.collect.interpret import interpreter
from simdiag.evidence import Error, Exchange
from simdiag.registry import drivers
from simdiag.transcript.reader import read_log

TRANSCRIPTS = Path(__file__).parent / "transcripts"
CAPTURES = sorted(p for p in TRANSCRIPTS.glob("*/*") if p.suffix in (".txt", ".jsonl"))


def exchanges(capture: Path) -> Iterator[Exchange]:
    """Read a capture: a recording of ``simdiag check --record``, or lines as a terminal shows them.

    A line that begins with AT is a command, the lines up to the final result are its answer, any
    other line came unasked; ``# `` begins a comment.
    """
    if capture.suffix == ".jsonl":
        recorded: list[Exchange] = []
        read_log(capture, recorded.append)
        yield from recorded
        return
    command, lines = "", list[str]()
    for index, text in enumerate(capture.read_text("utf-8").splitlines()):
        error = re.fullmatch(r"(ERROR|\+CM[ES] ERROR)(?:: (.*))?", text)
        if text.startswith("# ") or not text:
            continue
        if text.startswith("AT"):
            command, lines = text, []
        elif command and (text == "OK" or error):
            yield Exchange(index, command, tuple(lines), error and as_error(error))
            command = ""
        elif command:
            lines.append(text)
        else:
            yield Exchange(index, "", (text,))
    assert not command, f"{capture}: {command} has no final result"


def as_error(match: re.Match[str]) -> Error:
    number = int(match[2]) if match[2] and match[2].isdigit() else None
    return Error(match[1], number, None if number is not None else match[2])


def observed(capture: Path) -> dict[str, Any]:
    """Return the last value of each name, in the form that JSON gives it."""
    stem = capture.parent.name
    driver = next(d for d in drivers() if d.family == stem.replace("_", "-"))
    interpret = interpreter(drivers().readers(driver))
    values = {o.name: o.value for e in exchanges(capture) for o in interpret(e)}
    return json.loads(json.dumps(values))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_capture_is_read(capture):
    expected = json.loads(capture.with_suffix(".json").read_text("utf-8"))
    values = observed(capture)
    assert {name: values.get(name) for name in expected} == expected
    assert "at.unreadable" not in values


def test_every_expectation_has_its_capture():
    stems = {p.with_suffix("") for p in CAPTURES}
    assert {p.with_suffix("") for p in TRANSCRIPTS.glob("*/*.json")} == stems
