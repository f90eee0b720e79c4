"""What the page shows: plain data, redacted already, in the page's language already."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from markupsafe import Markup

from simdiag.report.usage_page import Line as UsageLine


class State(enum.StrEnum):
    """What a layer's light shows; never by colour alone."""

    GOOD = "good"
    OPEN = "open"
    """Not ruled out, or worth a look."""
    FAULT = "fault"
    WAITS = "waits"
    """A fault below keeps it from being reached."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Light:
    """One layer of the stack: its name, its state, and the finding that says so."""

    layer: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What proves a finding: the command, the device's answer, and when; each may be empty."""

    command: str
    answer: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A finding and the lines it rests on."""

    text: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """A cause that is not ruled out, and the test that would tell."""

    title: str
    code: str
    test: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A step that somebody took already, what came of it, and when (both may be empty)."""

    text: str
    result: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of device, card or network."""

    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the signal now: what it is worth, and where it stands on its scale."""

    name: str
    value: str
    grade: str
    """``good``, ``fair`` or ``poor``."""
    meaning: str
    meter: Markup


@dataclass(frozen=True, slots=True)
class Curve:
    """A level over time, and the same in words."""

    name: str
    words: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class Signal:
    """The signal: levels now, over time, and what to do about it."""

    levels: tuple[Level, ...]
    curves: tuple[Curve, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Who used the data of the device, and how that is known."""

    title: str
    """What a line stands for."""
    lines: tuple[UsageLine, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody who can act."""

    role: str
    channel: str
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A period in which a card may be given back or exchanged."""

    title: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The fault bundle that the page belongs to: its id, and the fingerprint of its signer."""

    id: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The whole page, in the order of its importance for whoever reads it."""

    verdict: str
    code: str
    state: State
    certainty: int
    """Per cent."""
    who: str
    """Who can act; empty where nobody has to."""
    lights: tuple[Light, ...]
    steps: tuple[str, ...]
    proof: tuple[Proof, ...]
    remarks: tuple[Proof, ...] = ()
    ruled_out: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    tried: tuple[Tried, ...] = ()
    facts: tuple[Fact, ...] = ()
    signal: Signal | None = None
    usage: Usage | None = None
    operator: str = ""
    """Whose contacts and windows these are."""
    contacts: tuple[Contact, ...] = ()
    windows: tuple[Window, ...] = ()
    device: str = ""
    examined: str = ""
    """When, with the time zone."""
    made: tuple[Fact, ...] = ()
    """With what the page was made, and how."""
    bundle: Bundle | None = None
    replaced: tuple[str, ...] = ()
    """What the identifiers are called that stand-ins of the same form stand for."""
    revealed: tuple[str, ...] = ()
    """The kinds that ``--reveal`` names and that do show."""
    command: str = "report"
    """Which command makes such a page."""
