"""What an examination knows that no modem said: the port, the USB side, this computer's link.

Together with the talk these facts are all that a replay needs. Each has a model of its own, so
that nothing gets into a bundle that is not typed; what is free text in the live observation (how a
port problem was put into words) is told anew from its parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, ValidationError

from simdiag.bundle.fields import (
    DriverName,
    Event,
    Hex,
    InterfaceName,
    PortName,
    ProgramName,
    SmallInt,
    Told,
    Word,
)
from simdiag.evidence import Observation, Source
from simdiag.message import N_, Message, message


class Answers(Event):
    """Whether anything answered on the port."""

    name: Literal["device.answers"]
    value: bool


class Noise(Event):
    """How many bytes came from a port that answered nothing."""

    name: Literal["device.noise_bytes"]
    value: int


class Family(Event):
    """The driver that the examination chose."""

    name: Literal["device.family"]
    value: Word


class UsbId(Event):
    """The vendor or product id, four hexadecimal digits."""

    name: Literal["usb.vid", "usb.pid"]
    value: Hex


class UsbDrivers(Event):
    """The kernel drivers that are bound to the device."""

    name: Literal["usb.drivers"]
    value: tuple[DriverName, ...]


class UsbPort(Event):
    """A serial port of the device."""

    path: PortName
    interface: SmallInt | None
    role: Word | None


class UsbPorts(Event):
    """The serial ports of the device."""

    name: Literal["usb.ports"]
    value: tuple[UsbPort, ...]


class Link(Event):
    """The computer's side of the device's network link."""

    name: InterfaceName | None
    address: bool
    name_servers: bool
    rx_bytes: int | None
    tx_bytes: int | None


class LinkFact(Event):
    """The network interface that is up."""

    name: Literal["host.interface"]
    value: Link


class PortProblem(Event):
    """Why the examination could not begin; ``words`` are those of the table of compositions."""

    kind: Literal["missing", "none", "denied", "busy", "network_only"]
    port: PortName | None = None
    holders: tuple[ProgramName, ...] = ()
    words: Told | None = None


class PortProblemFact(Event):
    """The port could not be used."""

    name: Literal["host.port_problem"]
    value: PortProblem


class Ended(Event):
    """The device went away, or stopped answering, in the middle."""

    name: Literal["host.port_lost", "device.went_mute"]
    value: Literal[True] = True


Fact = Annotated[
    Answers | Noise | Family | UsbId | UsbDrivers | UsbPorts | LinkFact | PortProblemFact | Ended,
    Field(discriminator="name"),
]


class TimedFact(Event):
    """A fact and when it was noted: milliseconds since the examination began."""

    t_ms: int
    fact: Fact

    def observation(self) -> Observation:
        """Return the observation that this fact stands for."""
        fact = self.fact
        value: Any = fact.value
        if isinstance(fact, PortProblemFact):
            detail = _detail(fact.value)
            value = {"kind": fact.value.kind, "detail": detail}
            return Observation(fact.name, value, Source(-1, "", detail.render()), self.t_ms / 1000)
        if isinstance(value, tuple):
            value = [v.model_dump() if isinstance(v, Event) else v for v in value]
        elif isinstance(value, Event):
            value = value.model_dump()
        return Observation(fact.name, value, Source(-1, "", str(value)), self.t_ms / 1000)


class _AnyFact(RootModel[Fact]):
    """Makes one of the facts from its parts."""


_PORT = re.compile(r"/dev/[\w./-]{1,60}")
_HOLDER = re.compile(r"([^\s,()]+) \(pid")
_DETAILS = {
    "missing": N_("the port could not be used"),
    "none": N_("no modem is attached"),
    "denied": N_("its permissions do not allow it"),
    "busy": N_("another program holds it"),
    "network_only": N_("no command port"),
}


def facts_of(observations: Iterable[Observation]) -> Iterator[TimedFact]:
    """Return the facts among observations: those that come from no exchange."""
    for seen in observations:
        if seen.source.exchange >= 0 or seen.value is None:
            continue
        read = _READERS.get(seen.name)
        value = seen.value if read is None else read(seen.value)
        try:
            fact = _AnyFact.model_validate({"name": seen.name, "value": value}).root
        except ValidationError:  # what has no type does not get in
            continue
        yield TimedFact(t_ms=round(1000 * seen.time), fact=fact)


def _problem(value: dict[str, Any]) -> dict[str, Any]:
    """Take the words of a problem apart: which port, who holds it, which composition."""
    detail = value["detail"]
    text = detail.render() if isinstance(detail, Message) else str(detail)
    port = _PORT.search(text)
    return {
        "kind": value["kind"],
        "port": port[0] if port else None,
        "holders": tuple(_HOLDER.findall(text)),
        "words": text if value["kind"] == "network_only" else None,
    }


def _detail(problem: PortProblem) -> Message:
    if problem.port and problem.holders:
        names = ", ".join(problem.holders)
        return message(N_("{port} is held by {names}"), port=problem.port, names=names)
    return Message(problem.words or _DETAILS[problem.kind])


_READERS: dict[str, Callable[[Any], Any]] = {
    "host.port_problem": _problem,
    "host.port_lost": lambda _: True,
    "device.went_mute": lambda _: True,
}
"""What a live observation holds beyond what a bundle takes."""
