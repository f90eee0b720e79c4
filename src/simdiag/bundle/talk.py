"""Redacts the talk with a modem: the exact bytes of the exchanges, lengths and times kept.

Default-deny: a word stays because simdiag knows it, a number because a reader needs it and its
type permits it; identifiers are replaced by their pseudonyms in whatever encoding they stand;
everything else is masked. The redacted talk is what a bundle's observations are read from.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from simdiag.at import Event, FinalResult, InformationText
from simdiag.bundle.answers import Answers
from simdiag.bundle.commands import Commands
from simdiag.bundle.denial import pieces, prefix_of
from simdiag.bundle.echoes import redact_other
from simdiag.bundle.gate import Needles, find_in_talk
from simdiag.bundle.heard import Heard, Span, content
from simdiag.bundle.identities import address, identities, is_masked
from simdiag.bundle.known import Known, Text
from simdiag.conversation import Conversation
from simdiag.evidence import Evidence, Exchange, Reading
from simdiag.identity import kind_of
from simdiag.log import LogReading
from simdiag.pseudonym import SECRET, Pseudonyms
from simdiag.transcript.recorded import MAX_PORTS, NO_ANSWER, NOT_RECORDED, Recording, replay_events

_PORT = re.compile(r"(?:/dev/)?(?:tty(?:USB|ACM|S|AMA)|pts/|COM|cdc-wdm|wwan\dat|rfcomm)\d{1,3}")
_LONG_DIGITS, _LONG_HEX = 9, 12
"""Masked runs of so many digits, or hex, may be identifiers: they are looked for elsewhere."""
_STRICTEST, _ROUNDS = 2, 5


def redact_talk(
    events: Iterable[Recording], names: Pseudonyms, evidence: Evidence
) -> list[Recording]:
    """Return the same events with nothing in them that identifies anybody.

    ``evidence`` is what the examination found; whatever else the talk's own readers find counts
    as well. Where a known value still shows (spelled out digit by digit over answers that are
    all legitimate), it is redacted again, more strictly.
    """
    talk = _Talk(_renamed(events), names)
    talk.learn(chain.from_iterable(identities(o.name, o.value) for o in evidence))
    needles = Needles(names.real(), careful=True)
    found = talk.redacted()
    for _ in range(_ROUNDS):
        if not find_in_talk(found, needles) or not talk.tighten(found, needles):
            break
        found = talk.redacted()
    for kind, number in talk.replaced.items():
        names.counted(kind, number, masked=kind == SECRET)
    names.counted(SECRET, talk.masked, masked=True)
    return found


def _renamed(events: Iterable[Recording]) -> list[Recording]:
    """Give a port another name where its own might hold a serial number."""
    known: dict[str, str] = {}
    renamed = []
    for event in events:
        if event.port not in known:
            plain = _PORT.fullmatch(event.port) and len(known) < MAX_PORTS
            known[event.port] = event.port if plain else f"port{min(len(known), MAX_PORTS)}"
        renamed.append(replace(event, port=known[event.port]))
    return renamed


@dataclass(slots=True)
class _Port:
    """What one port said, and the exchanges made of it."""

    said: str = ""
    events: list[tuple[Event, int, str]] = field(default_factory=list)
    """Each with the place where its bytes begin, and the command that was pending."""
    exchanges: list[Heard] = field(default_factory=list)
    open: list[Span] = field(default_factory=list)
    """The lines so far of the answer to a pending command."""
    loose: list[Span] = field(default_factory=list)
    """Lines that belong to no exchange."""


class _Talk:
    def __init__(self, events: Sequence[Recording], names: Pseudonyms) -> None:
        self._events, self._names = events, names
        self._ports: dict[str, _Port] = defaultdict(_Port)
        self._reading = LogReading()
        self._secrets: set[str] = set()
        self._kept: set[str] = set()
        self._shown: frozenset[str] = frozenset()
        self._hidden: set[str] = set()
        self._strict: Counter[tuple[str, int]] = Counter()
        self.masked, self.replaced = 0, Counter[str]()
        self._listen()

    def learn(self, known: Iterable[tuple[str, str]]) -> None:
        """Note what the examination knows, and what this talk tells beside it."""
        readings = (
            reading
            for port in self._ports.values()
            for heard in port.exchanges
            for reading in heard.interpret(heard.exchange)
        )
        own = chain.from_iterable(identities(r.name, r.value) for r in readings)
        for kind, value in chain(known, own):
            self._names.knows(kind, value)

    # ---- what was said -------------------------------------------------------------------
    def _listen(self) -> None:
        conversations: dict[str, Conversation] = {}

        def converse(name: str) -> Conversation:
            conversations[name] = Conversation(lambda e: self._take(name, e), name)
            return conversations[name]

        def heard(name: str, event: Event) -> None:
            port, pending = self._ports[name], conversations[name].pending
            port.events.append((event, len(port.said), pending))
            span = content(event, len(port.said))
            port.said += event.raw.decode("latin-1")
            ends = isinstance(event, FinalResult) and not event.late
            if span is not None:
                waits = pending and (ends or isinstance(event, InformationText))
                (port.open if waits else port.loose).append(span)

        replay_events(self._events, converse, heard)

    def _take(self, name: str, exchange: Exchange) -> None:
        """Attach to an exchange the places of its lines."""
        port = self._ports[name]
        if exchange.command:
            spans, port.open = port.open, []
        else:  # the line just heard; those of a pending command wait
            spans = [port.loose.pop()]
        port.exchanges.append(Heard(exchange, self._reading.interpret, spans))
        self._reading.take(exchange)

    # ---- redaction -----------------------------------------------------------------------
    def redacted(self) -> list[Recording]:
        """Return the events, redacted twice where that makes a difference.

        The second time it is known what was masked and may not stand elsewhere, and what had to
        stay and so may.
        """
        self._shown, self._kept, self._hidden = frozenset[str](), set[str](), set[str]()
        known = len(self._secrets)
        found = self._redacted()
        self._shown = frozenset(k for k in self._kept if k not in self._secrets)
        again = len(self._secrets) > known or not self._hidden.isdisjoint(self._shown)
        return self._redacted() if again else found

    def tighten(self, found: Iterable[Recording], needles: Needles) -> bool:
        """Have the exchanges that still tell something redacted more strictly, if any can be."""
        said: dict[str, str] = defaultdict(str)
        for event in found:
            said[event.port] += event.data.decode("latin-1") if event.dir == "rx" else ""
        told = {(n, i) for n in self._ports for i in self._telling(n, said[n], needles)}
        every = {(n, i) for n, port in self._ports.items() for i in range(len(port.exchanges))}
        can = {key for key in told if self._strict[key] < _STRICTEST} or {
            key for key in every if self._strict[key] < _STRICTEST
        }
        self._strict.update(can)
        return bool(can)

    def _telling(self, name: str, said: str, needles: Needles) -> Iterable[int]:
        """The exchanges of a port that tell something, alone or together: as few as possible."""
        heard = self._ports[name].exchanges

        def within(first: int, last: int) -> Iterable[int]:
            spans = [span for h in heard[first:last] for span in h.lines]
            if not spans:
                return ()
            start, end = min(s.start for s in spans), max(s.end for s in spans)
            if not needles.find(said[start:end].encode("latin-1")):
                return ()
            if last - first == 1:
                return (first,)
            middle = (first + last) // 2
            return (*within(first, middle), *within(middle, last)) or range(first, last)

        return within(0, len(heard))

    def _redacted(self) -> list[Recording]:
        real = dict(self._names.real()) | {(SECRET, s): "*" * len(s) for s in self._secrets}
        known = Known(real | {(k, v): v for k, v in self._names.revealed()})
        commands = Commands(known)
        wires: dict[tuple[str, str], str] = {}
        self.masked, self.replaced = 0, Counter()
        for name, port in self._ports.items():
            text = Text(port.said)
            self.replaced += known.put_into(text)
            unread = self._redact_port(name, text, commands)
            wires[name, "rx"] = str(text)
            self._note_masked(port.said, wires[name, "rx"], unread)
        for name in {e.port for e in self._events}:
            sent = b"".join(e.data for e in self._events if (e.port, e.dir) == (name, "tx"))
            wires[name, "tx"] = commands.sent(sent.decode("latin-1"))
        return list(self._cut(wires))

    def _redact_port(self, name: str, text: Text, commands: Commands) -> set[int]:
        """Redact what a port said; return the places of lines that nobody reads."""

        def put(span: Span, reading: Reading | None) -> None:
            self._replace(text, span, reading)

        port = self._ports[name]
        for event, start, pending in port.events:
            redact_other(text, event, start, pending, commands)
        answers = Answers(text, commands.redacted, put, self._shown)
        for number, heard in enumerate(port.exchanges):
            answers.redact(heard, self._strict[name, number])
        for span in port.loose:
            answers.deny(span)
        self._kept |= answers.kept
        return {i for span in answers.unread for i in range(span.start, span.end)}

    def _replace(self, text: Text, span: Span, reading: Reading | None) -> None:
        """Put in the pseudonyms of short identifiers, which only their place makes certain."""
        line = "".join(text.characters[span.start : span.end])
        if reading is None:
            found = {t: "ip" for p in pieces(line) if (t := address(p.text)) and prefix_of(line)}
        else:
            found = {v: k for k, v in identities(reading.name, reading.value)}
            if kind_of(reading.name) and is_masked(str(reading.value)):
                at = line.find(str(reading.value))
                text.keep(
                    range(span.start + at, span.start + at + len(str(reading.value)) * (at >= 0))
                )
        for value, kind in found.items():
            for match in re.finditer(rf"(?<![\w.]){re.escape(value)}(?!\w)", line, re.IGNORECASE):
                places = range(span.start + match.start(), span.start + match.end())
                if not any(text.decided[i] for i in places):
                    token = self._names.knows(kind, match[0])
                    self.replaced[kind] += 1
                    text.put(places, token if len(token) == len(match[0]) else "*" * len(match[0]))

    def _note_masked(self, said: str, shown: str, unread: set[int]) -> None:
        """Count what was masked, and keep what might be an identifier to look for it elsewhere.

        A number that a reader needs elsewhere (a counter, printed twice) is one only where it
        stands in a line that nobody reads.
        """
        pattern = re.compile(
            rf"\d{{{_LONG_DIGITS},40}}|(?=[0-9A-F]*\d)[0-9A-F]{{{_LONG_HEX},64}}", re.I
        )
        for match in re.finditer(r"[*]+", shown):
            self.masked += 1
            self._hidden.update(re.findall(r"[^\W_]+", said[match.start() : match.end()]))
            for hidden in pattern.findall(said[match.start() : match.end()]):
                if hidden in self._secrets or len(set(hidden)) <= 3:
                    continue
                if match.start() in unread or hidden not in shown:
                    self._secrets.add(hidden)

    def _cut(self, wires: dict[tuple[str, str], str]) -> Iterable[Recording]:
        """Give every event its part of what was said."""
        at: dict[tuple[str, str], int] = defaultdict(int)
        for event in self._events:
            wire = event.port, event.dir
            if event.dir == "note":
                known = event.data in (NO_ANSWER, NOT_RECORDED)
                yield event if known else replace(event, data=b"*" * len(event.data))
                continue
            part = wires.get(wire, "")[at[wire] : at[wire] + len(event.data)]
            at[wire] += len(event.data)
            yield replace(event, data=part.encode("latin-1"))
