"""Exchanges told once more as the recording that they would have come from.

What somebody pasted has no bytes of its own. Written in the one form of transcripts it is read,
redacted and replayed as everything else is; times are those of the exchanges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simdiag.evidence import Exchange
from simdiag.transcript.recorded import NO_ANSWER, NOT_RECORDED, Direction, Recording


def retold(exchanges: Iterable[Exchange]) -> Iterator[Recording]:
    """Yield events from which a replay makes the same exchanges again."""
    for exchange in exchanges:

        def event(direction: Direction, data: bytes, of: Exchange = exchange) -> Recording:
            return Recording(of.time, of.port, direction, data)

        if exchange.command:
            yield event("tx", _bytes(exchange.command) + b"\r")
        lines = [*exchange.lines, *_final_result(exchange)]
        if lines:
            yield event("rx", b"".join(b"\r\n" + _bytes(line) + b"\r\n" for line in lines))
        if exchange.command and not exchange.ended:
            silent = exchange.error is not None and exchange.error.silent
            yield event("note", NO_ANSWER if silent else NOT_RECORDED)


def _final_result(exchange: Exchange) -> list[str]:
    if exchange.unsolicited or not exchange.ended:
        return []
    return ["OK" if exchange.error is None else str(exchange.error)]


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")
