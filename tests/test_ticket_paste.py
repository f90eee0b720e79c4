"""What is pasted at a question: lines that come by themselves are no consent."""

from __future__ import annotations

from pathlib import Path

import pytest

from simdiag.cli.status import Status
from test_ticket_cli import Terminal, as_json, home  # noqa: F401

_TOLD = ("--category", "no_service", "--when", "2026-10-01", "--where", "x", "--tried", "x",
         "--seller", "x", "--order", "x", "--bought", "2026-10-01", "--plan", "x")  # fmt: skip


def test_a_text_of_many_lines_is_one_answer() -> None:
    terminal = Terminal("new", *_TOLD, "--wish", "x", "--account", "x")
    terminal.until("What did you see?")
    terminal.type("first line\r\rsecond: \x07emoji 😀 \u202ertl\r\ry\r\r")
    terminal.until("Keep this ticket")
    terminal.type("\r")
    assert terminal.end() == Status.OK
    message = as_json("show", "T1")["draft"]["message"]
    assert "first line\n\nsecond: \\u0007emoji 😀 \\u202ertl\n\ny\n" in message


@pytest.mark.parametrize(
    "pasted", ["a\r" * 40, "\r" * 40, "y\r" * 40, "x" * 5000 + "\r\r\r\ry\r\ry"]
)
def test_what_is_pasted_keeps_no_ticket(pasted: str, home: Path) -> None:  # noqa: F811
    terminal = Terminal("new", *_TOLD, "--seen", "x")
    terminal.until("What do you wish for?")
    terminal.type(pasted)
    terminal.until("Keep this ticket")
    terminal.type("n\r")
    terminal.until("Nothing was kept or sent.")
    assert terminal.end() == Status.OK
    assert not (home / "state" / "simdiag" / "outbox").exists()
