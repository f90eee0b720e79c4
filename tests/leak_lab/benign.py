"""What is nobody's: counts how much of it a redactor damages, by a strict count.

Whatever an emulated modem prints alike for two different persons identifies neither of them. In
the field cases, whose identifiers were masked before, all is benign but what stands where an
identifier does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from leak_lab.people import person
from simdiag.emulator import EmulatedModem, scenario, scenario_names
from simdiag.transcript.recorded import Recording

TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.][0-9]+)*")
_PLACES = (  # what the groups hold identifies somebody, or somebody's place
    re.compile(
        r'\+C(?:G|E|5G)?REG: ?(?:\d{1,3}, ?)?\d{1,3}, ?"?([0-9A-Fa-f]*)"? ?, ?"?([0-9A-Fa-f]+)"?'
        r'(?: ?, ?"?([0-9A-Fa-f]{4,8})\b)?'  # Novatel: area, routing area, cell
    ),
    re.compile(r'(?:"|,|=)((?:[\w-]+\.)*\d{1,3}(?:\.\d{1,3}){3,31})'),
    re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3,31})\b"),
    re.compile(r"((?:[0-9A-Fa-f]{0,4}:){3,}[0-9A-Fa-f]{0,4})"),
    re.compile(r'\+COPS: ?\d,0,"([^"]*)"'),
    re.compile(r'\+CGDCONT: ?\d+,"[^"]*","([^"]*)"'),
    re.compile(r'\+CGCONTRDP: ?\d+,\d*,"?([^",]*)'),
    re.compile(r'\+CRSM: ?\d+,\d+,"?([0-9A-Fa-f]+)'),
    re.compile(r"([\w*]*(?:\*{3}|[xX]{3})[\w*]*)"),  # masked before: a stub of a number
    re.compile(r"\b(\d{11,})\b"),
    re.compile(r"\b(89[0-9A-Fa-f]{16,18}|98[0-9A-Fa-f]{18})\b"),
    re.compile(r'"(?:LTE|eMTC|NBIoT)","\w+",\d+,\d+,(\w+),\d+,(?:\d+,){4}(\w+)'),
    re.compile(r'"NR5G-SA","\w+",\d+,\d+,(\w+),\d+,(\w+)'),
    re.compile(r'"(?:GSM|WCDMA)",\d+,\d+,(\w+),(\w+)'),
    re.compile(r'"WCDMA",\d+,\d+,\w+,\w+,\d+,\d+,(\w+)'),  # routing area
    re.compile(r'"neighbourcell[^"]*","\w+",\d+,(\d+)'),
    re.compile(r"\+CPSI: ?[\w -]+,\w+,\d+-\d+,(\w+),(\w+)"),
    # by no manual that was found: numbers as large as an area's or a cell's, where one would stand
    re.compile(r"\+CMGRMI: Serving_Cell,\d+,\d+,\d+,(\d+),\d+,(\d+)"),
    re.compile(r"\+CMGRMI: Main_Info,(?:\d+,){5}(\d+)"),
    re.compile(r"\+CMGRMI: \w+_Cell\d,(\d+)"),  # a neighbour
    re.compile(r"\b([0-9A-F]{8})\b"),
    re.compile(r"\b(0x[0-9A-Fa-f]{8})\b"),  # addresses of ^DHCP
    re.compile(r'\+(?:CMGR|CMGL|CMT|CNUM|CUSD|CPBR|CLIP|CMGS)\b(.*)'),
)  # fmt: skip


Spans = list[tuple[int, int]]
Talk = list[tuple[str, list[tuple[str, Spans]]]]
"""Commands, each with the lines of its answer and where identifiers stand in them."""
Redact = Callable[[list[Recording]], list[Recording]]


@dataclass
class Damage:
    """How many benign numbers, words with digits and versions there were, and which are no more."""

    kept: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The share that was damaged."""
        lost = self.lost.total()
        return lost / (self.kept + lost) if lost else 0.0

    def count(self, before: str, after: str, taken: Spans) -> None:
        """Count the tokens of a line that are benign; ``taken`` are the places of those that are not."""
        for token in TOKEN.finditer(before):
            a_number = any(map(str.isdecimal, token[0])) and token[0].count(".") < 3
            if not a_number or any(a < token.end() and token.start() < b for a, b in taken):
                continue
            if after[token.start() : token.end()] == token[0]:
                self.kept += 1
            else:
                self.lost[f"{token[0]} in {before.strip()}"] += 1


def emulated(name: str, commands: Iterable[str]) -> Iterator[tuple[str, str, Spans]]:
    """Yield a modem's commands and answers, with the places where those of two persons differ."""
    modems = []
    for seed in (1, 2):
        modem, values = EmulatedModem(scenario(name)), person(seed).values
        modem.state.imsi, modem.state.iccid = values["imsi"], values["iccid"]
        modem.state.imei = values["imei"]
        modem.state.cell, modem.state.tac = values["cell"], f"{0x2C3D + 0x1111 * seed:X}"
        modem.state.address = values["ip"]
        modems.append(modem)
    for command in commands:
        ours, others = (m.execute(command).lines for m in modems)
        for line, other in zip(ours, others, strict=True):
            differ = [i for i, c in enumerate(line) if i >= len(other) or other[i] != c]
            tokens = [m.span() for m in TOKEN.finditer(line)]
            hidden = identifying(line) if "DHCP" in line else []  # addresses of the network's
            yield (
                command,
                line,
                [*hidden, *(t for t in tokens if any(t[0] <= i < t[1] for i in differ))],
            )


def identifying(line: str) -> Spans:
    """Where identifiers stand in a line of a field case."""
    found = [m.span(i) for p in _PLACES for m in p.finditer(line) for i in range(1, p.groups + 1)]
    return [span for span in found if span[0] >= 0]


def exchange(command: str, lines: Iterable[str], at: float = 0) -> list[Recording]:
    """An exchange as a transcript holds it; without a command, what nobody asked for."""
    lines = list(lines)
    ended = not command or re.match(r"(?:OK|ERROR|\+CM[ES] ERROR)\b", lines[-1] if lines else "")
    said = "".join(f"\r\n{line}\r\n" for line in (*lines, *(() if ended else ("OK",))))
    asked = [Recording(at, "ttyUSB2", "tx", f"{command}\r".encode())] if command else []
    return [*asked, Recording(at + 0.1, "ttyUSB2", "rx", said.encode("utf-8", "replace"))]


def _emulated_talks() -> Iterator[Talk]:
    for family in sorted({name.partition("/")[0] for name in scenario_names()}):
        known = EmulatedModem(scenario(f"{family}/healthy")).family
        commands = ["ATI", *(f"AT{c}" for c in _COMMANDS if not c.startswith(known.without or "-")),
                    *(f"AT{a.command}" for a in known.answers)]  # fmt: skip
        said = emulated(f"{family}/healthy", dict.fromkeys(commands))
        for command, group in groupby(said, key=lambda t: t[0]):
            yield [(command, [(line, taken) for _, line, taken in group])]


def _field_talks() -> Iterator[Talk]:
    """Each case is one talk; each answer by itself is one as well."""
    folder = Path(__file__).parents[1] / "cases"
    for path in sorted(folder.glob("*_cases.jsonl")):
        for case in map(json.loads, path.read_text("utf-8").splitlines()):
            steps = [(s.get("tx", ""), s.get("rx", s.get("urc", ()))) for s in case["exchange"]]
            yield [_with_places(command, lines) for command, lines in steps]
    for answer in map(
        json.loads, (folder / "public_answers.jsonl").read_text("utf-8").splitlines()
    ):
        yield [_with_places(answer["command"], answer["lines"])]


def _with_places(command: str, lines: Iterable[str]) -> tuple[str, list[tuple[str, Spans]]]:
    return command, [(line, identifying(line)) for line in lines]


_COMMANDS = ("+CGMI", "+CGMM", "+CGMR", "+CSQ", "+CESQ", "+CREG?", "+CGREG?", "+CEREG?", "+COPS?", "+CPIN?",
             "+CFUN?", "+CGATT?", "+CGACT?", "+CGPADDR", "+CGCONTRDP", "+CPINR", "+CEER", "+CBC", "+CGDCONT?")  # fmt: skip
SOURCES = {"emulated modems": _emulated_talks, "field cases": _field_talks}


def damage(source: str, redact: Redact) -> Damage:
    """Redact talk by talk, and count."""
    found = Damage()
    for talk in SOURCES[source]():
        events = [
            event
            for n, (command, answer) in enumerate(talk)
            for event in exchange(command, [line for line, _ in answer], at=n)
        ]
        before, after = (
            b"".join(e.data for e in said if e.dir == "rx").decode("utf-8", "replace")
            for said in (events, redact(events))
        )
        at = 0
        for line, taken in (said for _, answer in talk for said in answer):
            at = before.index(line, at)
            found.count(line, after[at : at + len(line)], taken)
            at += len(line)
    return found
