"""Field cases, pasted into the log reader as a user would paste them."""

import io
import json
from pathlib import Path

import pytest

from simdiag.at import Dialect
from simdiag.at.lines import final_result
from simdiag.collect.interpret import interpreter
from simdiag.evidence import Error, Exchange
from simdiag.log import examine_log
from simdiag.registry import drivers

FOLDER = Path(__file__).parent / "cases"
CASES = [
    json.loads(line)
    for name in ("field_cases.jsonl", "public_cases.jsonl")
    for line in (FOLDER / name).read_text().splitlines()
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


def test_at_least_95_per_cent_of_the_scored_cases_are_right():
    wrong = {c["id"]: verdict(c).cause for c in SCORED if verdict(c).cause not in c["accept"]}
    assert len(wrong) <= 0.05 * len(SCORED), wrong


def test_confidence_means_something():
    """Of the verdicts given with a confidence, about that share is right."""
    judged = [(verdict(c), c) for c in SCORED]
    for low, high in ((0.5, 0.7), (0.7, 0.85), (0.85, 1.01)):
        right = [d.cause in c["accept"] for d, c in judged if low <= d.confidence < high]
        assert sum(right) / len(right) >= low, (low, high)


ANSWERS = [json.loads(line) for line in (FOLDER / "public_answers.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: " ".join(a["lines"])[:60] or a["command"])
def test_answer_lines_are_read_right(answer):
    result = final_result(answer["final"] or "OK", Dialect())
    error = None if result[0] == "OK" else Error(*result)
    exchange = Exchange(0, answer["command"], tuple(answer["lines"]), error)
    read = {r.name: r.value for r in interpreter(drivers().readers())(exchange)}
    for name, value in answer["values"].items():
        got = read.get(name)
        if isinstance(got, dict):
            got = {str(k): v for k, v in got.items()}
        assert got == (pytest.approx(value) if isinstance(value, float) else value), name


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
