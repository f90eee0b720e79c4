"""Field cases, pasted into the log reader as a user would paste them."""

import io
import json
from pathlib import Path

import pytest

from simdiag.log import examine_log

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "field_cases.jsonl").read_text().splitlines()
]
SCORED = [c for c in CASES if c["scored"]]


def pasted(case: dict) -> bytes:
    """The case as text: a command and its lines, then a blank line; URCs on lines of their own."""
    blocks = (
        "\n".join([step["tx"], *step["rx"]]) if "tx" in step else "\n".join(step["urc"])
        for step in case["exchange"]
    )
    return ("\n\n".join(blocks) + "\n").encode()


def verdict(case: dict):
    return examine_log(io.BytesIO(pasted(case))).diagnosis


@pytest.mark.parametrize(
    "case", [c for c in SCORED if c["accept"][0] == "healthy"], ids=lambda c: c["id"]
)
def test_no_false_alarm_on_a_healthy_device(case):
    assert verdict(case).cause in case["accept"], case["why"]


def test_at_least_85_per_cent_of_the_scored_cases_are_right():
    wrong = {c["id"]: verdict(c).cause for c in SCORED if verdict(c).cause not in c["accept"]}
    assert len(wrong) <= 0.15 * len(SCORED), wrong


@pytest.mark.parametrize("case", [c for c in CASES if not c["scored"]], ids=lambda c: c["id"])
def test_no_certainty_where_the_lines_cannot_name_the_cause(case):
    assert verdict(case).confidence < 0.9


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_carriage_returns_and_missing_blank_lines_change_nothing(case):
    text = pasted(case)
    tight = text.replace(b"\n\n", b"\n")
    assert (
        examine_log(io.BytesIO(text.replace(b"\n", b"\r\n"))).diagnosis.cause == verdict(case).cause
    )
    assert examine_log(io.BytesIO(tight)).diagnosis.cause == verdict(case).cause
