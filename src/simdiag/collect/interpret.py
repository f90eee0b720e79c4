"""Turns an exchange into observations with the parse functions of the drivers."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

from simdiag.driver import Reader, Reply
from simdiag.evidence import Error, Exchange, Reading

_PREFIX = re.compile(r"^(?:[+^$#%!*&_][A-Za-z0-9_]+(?:\s[A-Z]{2,5})?)\s?(?=:)|^[*^][A-Z]+")
_COMMAND = re.compile(r"^AT(?:[+^$#%!*&_]?[A-Z0-9]+)\??", re.IGNORECASE)
_DECISIVE = {
    "CFUN?": "device.functionality", "CPIN?": "sim.state", "CREG?": "registration.cs.status",
    "CGREG?": "registration.ps.status", "CEREG?": "registration.eps.status",
    "C5GREG?": "registration.5gs.status", "COPS?": "operator.mode", "CGATT?": "data.attached",
    "CGACT?": "data.active_contexts", "CGPADDR": "data.addresses", "CSQ": "signal.detected",
}  # fmt: skip
"""Questions whose answer may be all that shows a fault, and what they are to tell."""
_CARD_NUMBER = re.compile(r"(?:AT)?[+^$#%!*&_][A-Z]{0,4}CCID\??:?$")
"""``+ICCID``, ``#CCID``, ``%XICCID`` … name the same number in every family."""
_MAY_BE_EMPTY = ("CGACT?", "CGPADDR")
_CACHE_SIZE = 4096

Interpreter = Callable[[Exchange], tuple[Reading, ...]]


def interpreter(readers: Mapping[str, Reader], attempts: tuple[str, ...] = ()) -> Interpreter:
    """Return a function from an exchange to what it says.

    A line goes to the reader of its prefix, a line without prefix to the reader of the command
    or, failing that, to the reader of the prefixed line before it (label tables). What an equal
    exchange says is remembered: logs repeat themselves. ``attempts`` are the beginnings of
    commands that open a data connection: ``data.attempt`` says what came of one.
    """
    words = tuple(k for k in readers if not k.endswith(":") and not k.startswith("AT"))
    cache: OrderedDict[object, tuple[Reading, ...]] = OrderedDict()
    attempt = _Attempt(attempts)

    def interpret(exchange: Exchange) -> tuple[Reading, ...]:
        key = exchange[1:4]  # command, lines, error
        readings = cache.get(key)
        if readings is None:
            readings = cache[key] = tuple(_readings(exchange, readers, words))
            if len(cache) > _CACHE_SIZE:
                cache.popitem(last=False)
        result = attempt.result(exchange, readings)
        return readings if result is None else (*readings, result)

    return interpret


class _Attempt:
    """Follows the commands that open a data connection; some modems say later what came of one."""

    def __init__(self, beginnings: tuple[str, ...]) -> None:
        self._beginnings = beginnings
        self._under_way = False
        self._foretold: Reading | None = None

    def result(self, exchange: Exchange, readings: tuple[Reading, ...]) -> Reading | None:
        """Return what is known now of the attempt, if the exchange says something of it."""
        command = exchange.command.replace(" ", "").upper()
        begins = command.startswith(self._beginnings) and not command.endswith("?")
        if begins or "=" in command:  # any other order may be what ends the connection
            self._under_way = begins
        outcome = next((r for r in readings if r.name == "data.outcome"), None)
        told, self._foretold = outcome or self._foretold, None if command else outcome
        if told is not None and (begins or (outcome and self._under_way and not command)):
            return told._replace(name="data.attempt")
        if not begins or not exchange.ended:
            return None
        result = "failed" if exchange.error is not None else "accepted"
        return Reading("data.attempt", result, str(exchange.error or "OK"))


def _readings(
    exchange: Exchange, readers: Mapping[str, Reader], words: tuple[str, ...]
) -> Iterator[Reading]:
    read: set[str] = set()
    for reader, reply in _replies(exchange, readers, words):
        shown = " ".join(reply.lines)[:500] or "OK"
        try:
            for fact in reader(reply):
                read.add(fact.name)
                yield Reading(fact.name, fact.value, shown)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as bad:
            yield Reading("at.unreadable", shown, shown, f"{type(bad).__name__}: {bad}")
    yield from _legibility(exchange, read)
    if exchange.unsolicited and exchange.lines[0][:2].upper() == "AT":
        yield Reading("host.foreign_command", exchange.lines[0][:60], exchange.lines[0][:60])
    if exchange.error is not None:
        name = "at.silent" if exchange.error.silent else "at.error"
        yield Reading(name, exchange.command, str(exchange.error), str(exchange.error))
    elif exchange.ended or exchange.lines:
        yield Reading("at.answered", exchange.command or exchange.lines[0][:60], "OK")


def _legibility(exchange: Exchange, read: set[str]) -> Iterator[Reading]:
    """Note where the answer to a decisive question was not understood: noise may hide a fault.

    ``at.garbled`` and ``at.empty`` hold what the question is to tell; the one is an answer that
    makes no sense, the other none at all (some modems send it after OK, some logs leave it out).
    """
    question = exchange.command.replace(" ", "").upper().removeprefix("AT+")
    order, is_order, _ = question.partition("=")
    wanted = _DECISIVE.get(f"{order}?" if is_order else question)
    if wanted is None or wanted in read:
        return
    if exchange.error is not None:
        if _cut_off(exchange.error):
            yield Reading("at.garbled", wanted, str(exchange.error))
        return
    lines = [line for line in exchange.lines if not line.rstrip().endswith(":")]
    if is_order:  # OK is all that it has to be answered with
        lines = [] if exchange.ended or read else lines
    if lines:
        yield Reading("at.garbled", wanted, " ".join(lines)[:500])
    elif not exchange.ended or not (is_order or question in _MAY_BE_EMPTY):
        yield Reading("at.empty", wanted, "OK")


def _cut_off(error: Error) -> bool:
    """Whether an error that has a reason came without it."""
    return error.result != "ERROR" and not error.silent and str(error) == error.result


def _replies(
    exchange: Exchange, readers: Mapping[str, Reader], words: tuple[str, ...]
) -> Iterator[tuple[Reader, Reply]]:
    command = exchange.command
    group: list[str] = []
    owner: Reader | None = None
    by_command = _command_reader(command, readers)
    prefixed = (line for line in exchange.lines if _PREFIX.match(line))
    if by_command and any(_reader_of(line, readers, words) is by_command for line in prefixed):
        by_command = None  # what comes before a prefixed answer is no answer
    for line in exchange.lines:
        reader = _reader_of(line, readers, words)
        if reader is None and _PREFIX.match(line) is None:
            reader = by_command or owner
        if reader is not owner and owner is not None:
            yield owner, Reply(command, tuple(group))
            group = []
        owner = reader
        group.append(line)
        if owner is None:
            group = []
    if owner is not None and group:
        yield owner, Reply(command, tuple(group))
    done = not exchange.lines and exchange.ended and exchange.error is None
    if done and (reader := readers.get(command.upper().replace(" ", "").partition("=")[0] + "=")):
        yield reader, Reply(command, ())
    error = exchange.error
    if error is not None and not error.silent and (reader := readers.get(_error_key(str(error)))):
        yield reader, Reply(command, (str(error),), error)


def _error_key(text: str) -> str:
    return (
        text[:10] + ":" if text.startswith(("+CME ERROR", "+CMS ERROR")) else text.partition(":")[0]
    )


def _command_reader(command: str, readers: Mapping[str, Reader]) -> Reader | None:
    plain = command.upper().replace(" ", "")
    match = _COMMAND.match(plain)
    own = readers.get(plain) or (readers.get(match[0]) if match else None)
    if own is None and plain.removeprefix("AT+") in _DECISIVE:  # a modem that prints no prefix
        return readers.get(plain.removeprefix("AT").removesuffix("?") + ":")
    if own is None and _CARD_NUMBER.match(plain):
        return readers.get("+CCID:")
    return own


def _reader_of(line: str, readers: Mapping[str, Reader], words: tuple[str, ...]) -> Reader | None:
    upper = line[:64].upper()
    match = _PREFIX.match(upper)
    if match is not None:
        name = match[0].rstrip()
        own = readers.get(name + ":") or readers.get(name)
        return readers.get("+CCID:") if own is None and _CARD_NUMBER.match(name) else own
    if words and upper.startswith(words):
        return next(readers[word] for word in words if upper.startswith(word))
    return None
