"""Puts the events of the AT core together into exchanges.

A live session, a replayed transcript and a pasted log all end here, so that everything after it
sees one form.
"""

from __future__ import annotations

from collections.abc import Callable

from simdiag.at import Event, FinalResult, ForeignEcho, InformationText, PortClosed, Unsolicited
from simdiag.evidence import Error, Exchange

MAX_LINES = 2000
"""No answer is longer; what comes beyond is dropped so that a flood cannot fill the memory."""

Sink = Callable[[Exchange], None]


class Conversation:
    """Collects the pending command's lines and hands finished exchanges to ``sink``."""

    def __init__(self, sink: Sink, port: str = "") -> None:
        self._sink = sink
        self._port = port
        self._index = 0
        self._command = ""
        self._lines: list[str] = []
        self._sent_at = 0.0

    @property
    def pending(self) -> str:
        """The command that waits for its final result, or the empty string."""
        return self._command

    def sent(self, command: str, time: float) -> None:
        """Note that a command went out; one still pending ends without a final result."""
        if self._command:
            self.abandon(time)
        self._command, self._lines, self._sent_at = command, [], time

    def feed(self, event: Event, time: float) -> Exchange | None:
        """Take an event; returns the exchange that it completes, if any."""
        pending = self._command
        if isinstance(event, InformationText) and pending:
            if len(self._lines) < MAX_LINES:
                self._lines.append(event.text)
            return None
        if isinstance(event, FinalResult):
            error = None if event.ok else _error(event)
            if pending and not event.late:
                return self._finish(error, time)
            return self._emit("", (str(error),), None, time) if error else None
        if isinstance(event, InformationText | Unsolicited | ForeignEcho):
            return self._emit("", (event.text,), None, time)
        if isinstance(event, PortClosed):
            self.abandon(time)
        return None

    def abandon(self, time: float, *, silent: bool = False) -> Exchange | None:
        """End the pending command without a final result.

        ``silent`` says that the modem was given its time and gave none; otherwise it is merely
        not known (a log that leaves final results out).
        """
        if not self._command:
            return None
        return self._finish(Error("no answer", silent=True) if silent else None, time, ended=False)

    def _finish(self, error: Error | None, time: float, *, ended: bool = True) -> Exchange:
        command, lines = self._command, tuple(self._lines)
        self._command, self._lines = "", []
        return self._emit(command, lines, error, time, ended)

    def _emit(
        self, command: str, lines: tuple[str, ...], error: Error | None, time: float,
        ended: bool = True,
    ) -> Exchange:  # fmt: skip
        start = self._sent_at if command else time
        exchange = Exchange(
            self._index, command, lines, error, ended, start, max(0.0, time - start), self._port
        )
        self._index += 1
        self._sink(exchange)
        return exchange


def _error(event: FinalResult) -> Error:
    return Error(event.code, event.error_code, event.error_text)
