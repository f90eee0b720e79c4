"""Noise on the line: it may cost the verdict, but it never raises and never hides a fault."""

from __future__ import annotations

import io
import json
import re
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simdiag.errors import TranscriptError
from simdiag.log import examine_log

FOLDER = Path(__file__).parent / "cases"
FAULTS = [
    case
    for name in ("field_cases.jsonl", "public_cases.jsonl")
    for case in map(json.loads, (FOLDER / name).read_text().splitlines())
    if case["scored"] and "healthy" not in case["accept"]
    if any(step.get("rx", step.get("urc")) for step in case["exchange"])
]
# What a disturbed line adds: anything but digits, which would make another valid answer.
NOISE = st.text(
    st.characters(codec="latin-1", exclude_characters="\r\n0123456789"), min_size=1, max_size=6
)


ANOTHER_ANSWER = re.compile(r"\+C\w*REG\s?: \d")
"""A registration that is cut off after its first number is a valid unsolicited line."""


@st.composite
def disturbed(draw: st.DrawFn, line: str) -> list[str]:
    """One line of an answer: cut off, with noise in it or before it, garbled whole, said twice."""
    at = draw(st.integers(1, len(line)))
    kind = draw(st.sampled_from(["cut", "noise", "garbled", "twice", "missing", "foreign"]))
    noise = draw(NOISE)
    result = {
        "cut": [line[:at]],
        "noise": [line[:at] + noise + line[at:]],
        "garbled": [noise],
        "twice": [line, line],
        "missing": [line[: at - 1] + line[at:]],
        "foreign": [noise, line],
    }[kind]
    # Without one of its digits, an answer is another valid one.
    assume(kind != "missing" or not line[at - 1].isdigit())
    assume(not any(ANOTHER_ANSWER.fullmatch(new.strip()) and new != line for new in result))
    return result


@st.composite
def noisy(draw: st.DrawFn) -> tuple[dict, str]:
    """A faulty device's exchange as text, one line of its answers disturbed."""
    case = draw(st.sampled_from(FAULTS))
    blocks = [
        [step["tx"], *step["rx"]] if "tx" in step else list(step["urc"])
        for step in case["exchange"]
    ]
    places = [
        (b, i)
        for b, (block, step) in enumerate(zip(blocks, case["exchange"], strict=True))
        for i in range("tx" in step, len(block))
    ]
    b, i = draw(st.sampled_from(places))
    blocks[b][i : i + 1] = draw(disturbed(blocks[b][i]))
    return case, "\n\n".join("\n".join(block) for block in blocks) + "\n"


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(noisy())
def test_noise_never_turns_a_fault_into_healthy(noisy):
    case, text = noisy
    try:
        verdict = examine_log(io.BytesIO(text.encode("latin-1", "replace"))).diagnosis
    except TranscriptError:  # nothing that looks like a modem is left
        return
    assert verdict.cause != "healthy", (case["id"], text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FAULTS), st.data())
def test_any_bytes_anywhere_are_survived(case, data):
    raw = "\n".join(
        line for step in case["exchange"] for line in (step.get("tx", ""), *step.get("rx", ()))
    ).encode("latin-1", "replace")
    for _ in range(data.draw(st.integers(1, 8))):
        at, length = data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, 12))
        raw = raw[:at] + data.draw(st.binary(max_size=12)) + raw[at + length :]
    with suppress(TranscriptError):
        assert examine_log(io.BytesIO(raw)).diagnosis.cause
