"""What a model finds wrong with data, in a sentence of ours: pydantic's words are for programmers.

Only kinds that users meet have a sentence; for any other pydantic's own words stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from simdiag.message import N_, Message

_SENTENCES = {
    "missing": N_("it is missing"),
    "extra_forbidden": N_("nothing of this name may stand here"),
    "string_too_long": N_("it is too long: at most {max_length} characters"),
    "string_too_short": N_("it is too short: at least {min_length} characters"),
    "too_long": N_("it has too many parts: at most {max_length}"),
    "too_short": N_("it has too few parts: at least {min_length}"),
    "string_pattern_mismatch": N_("it is not written as it has to be ({pattern})"),
    "literal_error": N_("it must be {expected}"),
    "enum": N_("it must be {expected}"),
    "greater_than": N_("it must be more than {gt}"),
    "greater_than_equal": N_("it must be at least {ge}"),
    "less_than": N_("it must be less than {lt}"),
    "less_than_equal": N_("it must be at most {le}"),
    "json_invalid": N_("it is no JSON ({error})"),
    "timezone_aware": N_("it must be a time with its zone"),
}
"""By pydantic's name of the error; the values are its context."""

_KINDS = {
    "string": N_("it must be a text"),
    "int": N_("it must be a whole number"),
    "float": N_("it must be a number"),
    "bool": N_("it must be true or false"),
    "date": N_("it must be a day, such as 2026-10-01"),
    "datetime": N_("it must be a time, such as 2026-10-01T14:30:00+08:00"),
    "list": N_("it must be a list"),
    "tuple": N_("it must be a list"),
    "dict": N_("it must be a table of names and values"),
    "model": N_("it must be a table of names and values"),
    "path": N_("it must be a path"),
}
"""By how pydantic's names for a wrong type begin: ``int_type``, ``int_parsing`` and so on."""

_MOST = 200


def first_fault(problem: ValidationError) -> tuple[str, Message]:
    """Return where the first fault is (names with dots, empty: the whole), and what it is."""
    error = problem.errors(include_url=False, include_input=False)[0]
    return ".".join(map(str, error["loc"])), _sentence(error)


def _sentence(error: Mapping[str, Any]) -> Message:
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "value_error":  # raised by a validator of ours
        words = "".join(c if c.isprintable() else "?" for c in str(context["error"])[:_MOST])
        return Message(words or "?")
    text = _SENTENCES.get(kind) or _KINDS.get(kind.split("_")[0])
    if text is None:
        return Message("{words}", {"words": str(error["msg"])[:_MOST]})
    return Message(text, {name: str(value)[:_MOST] for name, value in context.items()})
