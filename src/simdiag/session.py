"""A conversation with a modem: the only place with a clock.

Every wait has an absolute deadline. Only read-only commands pass (:mod:`simdiag.safety`);
settings that have to change for the session are remembered and restored.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar

from simdiag.at import AtProtocol, Dialect, Event, FinalResult, State, Unsolicited, command
from simdiag.at.pdu import submit
from simdiag.conversation import Conversation, Sink
from simdiag.errors import Cancelled, ModemMute, PortGone, UnsafeCommand
from simdiag.evidence import Exchange
from simdiag.message import N_, message
from simdiag.safety import is_confirmable, is_message_number, is_read_only, is_session_setting
from simdiag.transcript.recorded import Recorder
from simdiag.transport import Transport

_UNSAFE = N_("{command} is not on the read-only list of an examination")
RESULTS_OFF = "ATQ1"
"""V.250 clause 6.2.5; it is not answered."""
_UNCONDITIONAL = ("AT", "ATV1", "ATQ0")
"""Sent even out of sync: they bring a modem to answer in the first place."""
_SETTLE_S = 0.05
_RESYNC_S = 2.0
_RESTORE_S, _HURRIED_RESTORE_S = 2.0, 0.5
_OFTEN_SILENT = 6
_PROMPT_S = 10.0
_BARE_PROMPT_S = 0.3
_SENDING_S = 60.0
"""How long a network may take to take a message."""
_LEAVE_PROMPT = "\x1b"
"""Among what is restored: a modem at its prompt would take the next commands for a message."""
_MESSAGES = ("+CMTI:", "+CMT:")
_MOST_MESSAGES = 64


class AtSession:
    """Sends commands one at a time and returns their exchanges.

    ``sink`` receives every exchange, unsolicited ones included, in order. ``declared`` are the
    commands that drivers declare to be read-only. When ``cancelled`` turns true, the next
    ``execute`` raises ``Cancelled``; settings can still be restored.
    """

    restored: ClassVar[int] = 0
    """How many sessions of this process have left a modem with the settings that it had."""

    def __init__(
        self,
        transport: Transport,
        sink: Sink,
        *,
        declared: frozenset[str] = frozenset(),
        cancelled: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._protocol = AtProtocol()
        self._clock = clock
        self._start = clock()
        self._declared = declared
        self._cancelled = cancelled
        self._sink = sink
        self._restoring = False
        self._conversation = Conversation(self._deliver, transport.name)
        self._restore: list[str] = []
        self.message_given = False
        """Whether the text of a message went out: it may be answered whatever the modem says."""
        self.messages: deque[Unsolicited] = deque(maxlen=_MOST_MESSAGES)
        """What the modem says of messages that come once one was sent, oldest first."""
        self._strays = 0
        self._in_sync = True
        self._mute = False
        self._markers: tuple[str, ...] = ("AT+CMEE?", "AT")
        self.silences = 0
        self.slowest_s = 0.0
        """How long the slowest answer so far has taken."""
        self._ok_after_error = True
        self.received_bytes = 0
        self.recorder = Recorder(transport.name, clock)

    @property
    def now(self) -> float:
        """Seconds since the session began."""
        return self._clock() - self._start

    def use(self, dialect: Dialect) -> None:
        """Take a family's dialect into account from now on."""
        self._protocol.dialect = dialect

    # ---- commands ------------------------------------------------------------------------
    def execute(
        self, text: str, *prefixes: str, timeout_s: float = 3.0, linger_s: float = 0.0
    ) -> Exchange:
        """Send a command and wait for its final result.

        Raises ``UnsafeCommand`` before anything is sent, ``PortGone`` when the port vanishes. A
        modem that gives no final result in time yields an exchange whose error is ``silent``; one
        that cannot be brought to answer at all after that raises ``ModemMute``.
        """
        if not is_read_only(text, self._declared) and not is_session_setting(text):
            raise UnsafeCommand(message(_UNSAFE, command=text))
        if self._cancelled():
            raise Cancelled(N_("the examination was ended"))
        if not self._in_sync and text not in _UNCONDITIONAL and not self._resynchronise():
            self._mute = True
            raise ModemMute(N_("the modem has stopped answering"))
        return self._ask(text, prefixes, timeout_s, linger_s)

    def change(self, setting: str, restore: str) -> Exchange:
        """Send a session setting; ``restore`` is sent when the session ends."""
        if not is_session_setting(setting) or not is_session_setting(restore):
            raise UnsafeCommand(message(_UNSAFE, command=setting))
        if restore not in self._restore:  # even if refused: the error may be another program's
            self._restore.append(restore)
        return self.execute(setting)

    def carry_out(self, text: str, timeout_s: float = 15.0) -> Exchange:
        """Send a command that changes the modem. The caller has asked the user and was allowed."""
        if not is_confirmable(text):
            raise UnsafeCommand(message(_UNSAFE, command=text))
        if not self._in_sync and not self._resynchronise():
            raise ModemMute(N_("the modem has stopped answering"))
        return self._ask(text, (), timeout_s)

    def send_message(self, number: str, text: str) -> Exchange:
        """Send a short message, one in a session. The caller has asked the user and was allowed.

        In PDU mode, which the caller has set. The wait for the prompt and that for the network
        have a deadline each; a modem is never left at its prompt, however this ends.
        """
        if self.message_given or not is_message_number(number):
            raise UnsafeCommand(message(_UNSAFE, command=f"SMS {number}"))
        if not self._in_sync and not self._resynchronise():
            raise ModemMute(N_("the modem has stopped answering"))
        length, digits = submit(number, text)
        order = f"AT+CMGS={length}"
        with self._undone_by(_LEAVE_PROMPT):
            self._begin(order)
            exchange = self._await_prompt(order)
            if exchange is None:
                self.message_given = True
                self._write(self._protocol.send_payload(digits.encode("ascii")))
            elif not exchange.ended:  # the prompt may still come
                self._leave_prompt()
        return exchange or self._await(order, _SENDING_S)

    def undone_by(self, text: str) -> AbstractContextManager[None]:
        """Have ``text`` sent as settings are restored if what is done meanwhile is interrupted."""
        if not is_confirmable(text):
            raise UnsafeCommand(message(_UNSAFE, command=text))
        return self._undone_by(text)

    @contextmanager
    def _undone_by(self, text: str) -> Iterator[None]:
        self._restore.append(text)
        yield
        self._restore.remove(text)

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Collect what the modem says unasked, until the time is over or ``until`` is true."""
        deadline = self._clock() + seconds
        while not until() and (left := deadline - self._clock()) > 0:
            self._receive(min(left, 0.5))

    def restore_settings(self) -> None:
        """Put back what was changed, last first; a vanished port or a mute modem ends it.

        What the modem did not answer to is tried once more. Another Ctrl-C waits until it is done:
        that takes two seconds a setting at the most. What is said here is no evidence.
        """
        self._restoring = True
        interrupted: KeyboardInterrupt | None = None
        for _attempt in range(2):
            for setting in reversed(self._restore[:]):
                try:
                    if self._restore_one(setting):
                        self._restore.remove(setting)
                    elif self._mute:
                        self._restore.clear()
                except KeyboardInterrupt as again:
                    interrupted = again
                except PortGone:
                    self._restore.clear()
                if not self._restore:
                    break
        self._restoring = False
        AtSession.restored += 1
        if interrupted is not None:
            raise interrupted

    def _restore_one(self, setting: str) -> bool:
        """Restore a setting; false if nothing was answered."""
        if self._conversation.pending:
            self._give_up()
        if setting == _LEAVE_PROMPT:
            self._leave_prompt()
            return True
        if not self._in_sync:
            self._receive_until_quiet(0.2)
        # It is sent, however long it is waited for: some modems are silent at what they lack.
        hurried = self.silences >= _OFTEN_SILENT and self.slowest_s < _HURRIED_RESTORE_S
        hurried = hurried or setting == RESULTS_OFF
        exchange = self._ask(setting, (), _HURRIED_RESTORE_S if hurried else _RESTORE_S)
        # the answer to ATV0 is a number already
        return exchange.ended or "0" in exchange.lines or setting == RESULTS_OFF

    def _deliver(self, exchange: Exchange) -> None:
        if not self._restoring:
            self._sink(exchange)

    def close(self) -> None:
        """Give the port back."""
        self._transport.close()

    # ---- the wire ------------------------------------------------------------------------
    def _ask(
        self, text: str, prefixes: tuple[str, ...], timeout_s: float, linger_s: float = 0.0
    ) -> Exchange:
        self._begin(text, *prefixes)
        return self._await(text, timeout_s, linger_s)

    def _begin(self, text: str, *prefixes: str) -> None:
        wire = self._protocol.send(command(text, *prefixes))
        self._conversation.sent(text, self.now)
        self._write(wire)

    def _write(self, wire: bytes) -> None:
        self.recorder.add("tx", wire)
        self._transport.write(wire)

    def _await(self, text: str, timeout_s: float, linger_s: float = 0.0) -> Exchange:
        deadline = self._clock() + timeout_s
        while True:
            for exchange in self._pump(max(0.0, deadline - self._clock())):
                if exchange.command == text:
                    self.slowest_s = max(self.slowest_s, exchange.elapsed)
                    self._after(exchange, linger_s)
                    return exchange
            if self._clock() >= deadline:
                return self._give_up()

    def _await_prompt(self, text: str) -> Exchange | None:
        """Wait until the modem asks for the message; an exchange if it ends before that."""
        deadline = self._clock() + _PROMPT_S
        while (left := deadline - self._clock()) > 0:
            before = self.received_bytes
            finished = self._pump(min(left, _BARE_PROMPT_S))
            if self.received_bytes == before:
                self._protocol.quiet()
                finished += self._pump(0.0)
            for exchange in finished:
                if exchange.command == text:
                    self._after(exchange, 0.0)
                    return exchange
            if self._protocol.state is State.PROMPTED:
                return None
        return self._give_up()

    def _leave_prompt(self) -> None:
        """Tell a modem that is at its prompt, or may come to it, that there is no message."""
        self._write(self._protocol.cancel_payload())
        self._receive_until_quiet(0.5)

    def _after(self, exchange: Exchange, linger_s: float) -> None:
        """Read on where more is likely: answers after OK, an OK after an error.

        Where the modem echoes there is no need for the latter: what comes before the echo of the
        next command is not its answer.
        """
        if linger_s:
            self.listen(linger_s)
        elif exchange.error and self._ok_after_error and not self._protocol.echoes:
            before = self._strays
            self._receive(_SETTLE_S)
            self._ok_after_error = self._strays > before
            while self._strays > before:
                before = self._strays
                self._receive(_SETTLE_S)

    def _give_up(self) -> Exchange:
        self._protocol.give_up()
        self._in_sync = False
        self.silences += 1
        self.recorder.add("note", b"no answer")
        exchange = self._conversation.abandon(self.now, silent=True)
        assert exchange is not None  # noqa: S101 - a command was pending
        return exchange

    def _resynchronise(self) -> bool:
        """Make sure that the next answer is the next command's; false if the modem is mute.

        Everything that was owed comes before the answer to a marker. ``AT+CMEE?`` shows in its
        own line that it is answered; a modem without it is waited for until it is quiet.
        """
        if len(self._markers) > 1:  # else it is waited for after the marker
            self._receive_until_quiet(0.2)
        answered = False
        for marker in self._markers:
            exchange = self._ask(marker, (), _RESYNC_S)
            answered = answered or exchange.ended
            if exchange.lines and marker != "AT":
                break
            if not exchange.ended and marker != "AT":
                self._markers = ("AT",)  # this modem keeps silent at what it does not know
            self._receive_until_quiet(0.3)
        self._in_sync = answered
        return answered

    def _receive_until_quiet(self, quiet_s: float) -> None:
        deadline = self._clock() + 10 * quiet_s
        while self._receive(quiet_s) and self._clock() < deadline:
            pass

    def _receive(self, timeout_s: float) -> bool:
        """Read once; returns whether anything came."""
        before = self.received_bytes
        self._pump(timeout_s)
        return self.received_bytes > before

    def _pump(self, timeout_s: float) -> list[Exchange]:
        """Read once and take every event that it gives, so that none waits for the next command."""
        try:
            data = self._transport.read(timeout_s)
        except PortGone:
            self._conversation.abandon(self.now)
            self._protocol.give_up()
            self._restore.clear()
            raise
        if data:
            self.received_bytes += len(data)
            self._protocol.receive_data(data)
        finished = []
        while (event := self._protocol.next_event()) is not None:
            self._note(event)
            exchange = self._conversation.feed(event, self.now)
            if exchange is not None:
                finished.append(exchange)
        return finished

    def _note(self, event: Event) -> None:
        self.recorder.add("rx", event.raw)
        if isinstance(event, FinalResult) and event.late:
            self._strays += 1
        if (
            self.message_given
            and isinstance(event, Unsolicited)
            and event.text.upper().startswith(_MESSAGES)
        ):
            self.messages.append(event)
