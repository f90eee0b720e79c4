"""An emulated modem with messages, reached without a port, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

from simdiag.emulator import EmulatedModem, scenario
from simdiag.emulator.response import Response


def modem_with(name: str = "quectel-ec2x/healthy", **state: object) -> EmulatedModem:
    """Return a modem whose state differs from its scenario's in these."""
    found = scenario(name)
    return EmulatedModem(found.model_copy(update={"state": found.state | state}))


class Direct:
    """A transport to an emulated modem: what it says comes in pieces of the given sizes.

    ``between`` is said between the prompt, the echo and the answer to a message;
    ``interrupt_at`` is the number of the read that Ctrl-C interrupts.
    """

    name = "direct"

    def __init__(
        self,
        modem: EmulatedModem,
        sizes: list[int] | None = None,
        between: tuple[bytes, bytes, bytes] = (b"", b"", b""),
        interrupt_at: int = 0,
    ) -> None:
        self.modem, self.now, self.reads = modem, 0.0, 0
        self.prompted = False
        self.written = b""
        self._sizes: Iterator[int] = cycle(sizes or [10_000])
        self._between, self._interrupt_at = between, interrupt_at
        self._input = b""
        self._output = b""
        self._later: list[tuple[float, Callable[[], list[str]]]] = []

    def clock(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        self.written += data
        self._input += data
        while self._step():
            pass

    def _step(self) -> bool:
        ends = (b"\x1a", b"\x1b") if self.prompted else (b"\r",)
        found = [self._input.index(end) for end in ends if end in self._input]
        if not found:
            return False
        body, end = self._input[: min(found)], self._input[min(found) : min(found) + 1]
        self._input = self._input[min(found) + 1 :]
        echo = body + end if self.modem.echo else b""
        if self.prompted:
            self.prompted = False
            self._say(echo + self._between[1], self.modem.take_message(body, end))
        else:
            self._say(echo, self.modem.execute(body.decode().lstrip("\x1b")))
        return True

    def _say(self, echo: bytes, response: Response) -> None:
        self._output += echo
        if response.prompt is not None:
            self.prompted = True
            self._output += self._between[0] + f"\r\n{response.prompt}".encode() + self._between[2]
            return
        for line in (*response.lines, response.final, *response.after):
            self._output += f"\r\n{line}\r\n".encode()
        self._later += [(self.now + delay, what) for delay, what in response.later]

    def read(self, timeout_s: float) -> bytes:
        self.reads += 1
        if self.reads == self._interrupt_at:
            raise KeyboardInterrupt
        if not self._output:
            self.now += max(timeout_s, 0.001)
            due = [what for at, what in self._later if at <= self.now]
            self._later = [(at, what) for at, what in self._later if at > self.now]
            for line in (line for what in due for line in what()):
                self._output += f"\r\n{line}\r\n".encode()
        size = next(self._sizes)
        data, self._output = self._output[:size], self._output[size:]
        return data

    def close(self) -> None:
        pass
