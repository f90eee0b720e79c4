"""Turns a bundle into a test case, in the form of ``tests/cases`` (one JSON object)."""

from __future__ import annotations

import io
from typing import Any

from simdiag.bundle.opening import Bundle
from simdiag.conversation import Conversation
from simdiag.evidence import Exchange
from simdiag.log import examine_log
from simdiag.transcript.recorded import replay_events


def case_of(bundle: Bundle, accept: tuple[str, ...] = (), why: str = "") -> dict[str, Any]:
    """Return the case: the exchanges in order, and the causes that count as right.

    Without ``accept`` that is the bundle's own verdict. It is scored only if the exchanges alone,
    pasted as a log, give it: what the computer knew is not in a case.
    """
    exchanges: list[Exchange] = []
    replay_events(bundle.judged_talk, lambda port: Conversation(exchanges.append, port))
    steps = [step for exchange in exchanges if (step := _step(exchange))]
    accepted = list(accept or (bundle.manifest.verdict.cause,))
    observed = bundle.verdict.observations
    words = [str(o.value) for name in ("device.manufacturer", "device.model")
             for o in observed[::-1] if o.name == name][:2]  # fmt: skip
    text = (
        why or f"The verdict of simdiag {bundle.manifest.versions['simdiag']}, not confirmed yet."
    )
    return {
        "id": f"b{bundle.id}",
        "modem": " ".join(words) or "unknown",
        "source": f"bundle {bundle.id}",
        "exchange": steps,
        "accept": accepted,
        "scored": bool(steps) and _verdict(steps) in accepted,
        "why": text,
    }


def _step(exchange: Exchange) -> dict[str, Any] | None:
    lines = list(exchange.lines)
    if exchange.unsolicited:
        return {"urc": lines} if lines else None
    if exchange.ended:
        lines.append("OK" if exchange.error is None else str(exchange.error))
    return {"tx": exchange.command, "rx": lines}


def pasted(steps: list[dict[str, Any]]) -> bytes:
    """Return the case as text: a command and its lines, then a blank line; URCs on their own."""
    blocks = (
        "\n".join([step["tx"], *step["rx"]] if "tx" in step else step["urc"]) for step in steps
    )
    return ("\n\n".join(blocks) + "\n").encode()


def _verdict(steps: list[dict[str, Any]]) -> str:
    return examine_log(io.BytesIO(pasted(steps))).diagnosis.cause
