"""Examines devices: finds the port, asks the modem, runs the rules. One call per device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Event

from simdiag.collect.at import AtExamination, no_progress
from simdiag.collect.computer import interface_observation, usb_observations
from simdiag.collect.usage import usage_observations
from simdiag.diagnose import Diagnosis, diagnose
from simdiag.discovery import SerialPort, UsbModem, candidates
from simdiag.driver import Layer
from simdiag.errors import Cancelled, PortBusy, PortDenied, SimdiagError, TransportError
from simdiag.evidence import Evidence, Observation, Source
from simdiag.experiment import fitting
from simdiag.host.holders import Holder, holders_of, possible_holders
from simdiag.host.permission import explain_denied
from simdiag.message import N_, Message, message
from simdiag.modem_manager import Release, let_go
from simdiag.profile import CarrierProfile
from simdiag.registry import drivers, profiles
from simdiag.transcript.recorded import Recording
from simdiag.transport import SerialTransport

_JUST_PLUGGED_IN_S = 40.0


@dataclass(frozen=True, slots=True)
class Target:
    """What to examine: a port that somebody named, a device that was found, or both."""

    port: str | None = None
    device: UsbModem | None = None

    @property
    def name(self) -> str:
        """A short name for people."""
        if self.device is not None:
            return self.device.id if self.port is None else f"{self.device.id} ({self.port})"
        return self.port or ""

    @property
    def paths(self) -> list[str]:
        """The device nodes that may be opened for it."""
        if self.port is not None:
            return [] if "://" in self.port else [self.port]
        return [p.path for p in self.device.ports] if self.device else []


@dataclass(frozen=True, slots=True)
class Options:
    """How to examine."""

    profile: CarrierProfile | None = None
    wait_s: float = 10.0
    baud: int = 115200
    interrupt: bool = False
    """Whether a data connection of ModemManager may be interrupted."""
    confirm: Callable[[str], bool] | None = None
    """Asks whether an experiment may be made; without it none is."""
    cancel: Event = field(default_factory=Event)
    """Set to end examinations that run in other threads."""


@dataclass(slots=True)
class Examination:
    """What came of examining one target."""

    target: Target
    evidence: Evidence = field(default_factory=Evidence)
    events: list[Recording] = field(default_factory=list)
    diagnosis: Diagnosis = field(init=False)
    elapsed_s: float = 0.0


Progress = Callable[[Target, Layer], None]


Then = Callable[[AtExamination], None]
"""What to do with the open session after an examination."""


Held = Mapping[str, list[Holder]]
"""Who has which port open."""


def examine(
    target: Target,
    options: Options,
    progress: Progress | None = None,
    then: Then | None = None,
    held: Held | None = None,
) -> Examination:
    """Examine one device; whatever goes wrong with the port becomes evidence, no exception.

    ``held`` saves looking up who has the ports open, where that is known already.
    """
    result = Examination(target)
    start = time.monotonic()
    held = holders_of(target.paths) if held is None else held
    if target.device is not None:
        for observation in usb_observations(target.device):
            result.evidence.add(observation)
    try:
        with _released(target.device, options) as release:
            if release.inhibited:
                held = holders_of(target.paths)
            then = then or _experiments(options)
            _over_the_port(result, options, progress, then, held, release.reason)
    except Cancelled:
        raise
    except SimdiagError as error:  # one device's trouble must not cost the others their results
        _problem(result, "missing", error.message)
    if target.device is not None and (seen := interface_observation(target.device)) is not None:
        result.evidence.add(seen)
    if target.device is not None:
        for observation in usage_observations(target.device, result.evidence):
            result.evidence.add(observation)
    judge(result, options.profile)
    result.elapsed_s = time.monotonic() - start
    return result


def judge(result: Examination, profile: CarrierProfile | None = None) -> None:
    """Run the rules over what was collected, with the profile of the card's operator."""
    evidence = result.evidence
    result.diagnosis = diagnose(evidence, profile or profile_for(evidence))


def profile_for(evidence: Evidence) -> CarrierProfile | None:
    """Return the profile of the operator that the card's numbers name."""
    return profiles().for_card(evidence.value("sim.imsi"), evidence.value("sim.iccid"))


def examine_all(
    targets: Iterable[Target], options: Options, progress: Progress | None = None
) -> list[Examination]:
    """Examine many devices at once; the results come in the order of the targets."""
    targets = list(targets)
    if len(targets) == 1:  # in this thread, so that Ctrl-C takes effect at once
        return [examine(targets[0], options, progress)]
    with ThreadPoolExecutor(max_workers=min(64, max(1, len(targets)))) as pool:
        held = holders_of(path for target in targets for path in target.paths)
        results = [pool.submit(examine, target, options, progress, held=held) for target in targets]
        try:
            return [result.result() for result in results]
        except BaseException:
            options.cancel.set()  # every modem gets its settings back before this goes on
            raise


def _over_the_port(
    result: Examination,
    options: Options,
    progress: Progress | None,
    then: Then | None,
    held: Held,
    reason: Message | None,
) -> None:
    """Try the ports in their order until a modem answers on one."""
    target, device = result.target, result.target.device
    ports = [target.port] if target.port else [p.path for p in _ports(device, held)]
    if not ports:
        words = device.composition if device and device.composition else N_("no command port")
        _problem(result, "network_only", Message(words))
        return
    problem: tuple[str, Message] | None = None
    for port in ports:
        try:
            transport = _open(port, options.baud, held, reason)
        except TransportError as error:
            problem = problem or (_kind(error), error.message)
            continue
        examination = AtExamination(
            transport,
            drivers(),
            driver=drivers().by_family.get(device.family or "") if device else None,
            progress=(lambda layer, _: progress(target, layer)) if progress else no_progress,
            wait_s=options.wait_s,
            cancelled=options.cancel.is_set,
            just_plugged_in=bool(device and (device.plugged_in_s or 1e9) < _JUST_PLUGGED_IN_S),
        )
        evidence = examination.run(then)
        result.events += examination.session.recorder.events
        gone = evidence.value("host.port_lost")  # and the device's other ports with it
        if evidence.value("device.answers") or gone or port == ports[-1]:
            for observation in evidence:
                result.evidence.add(observation)
            return
    if problem:
        _problem(result, *problem)


def _experiments(options: Options) -> Then | None:
    """What to do with the open session after the examination, if the user allows it."""
    confirm = options.confirm
    if confirm is None:
        return None

    def offer(examination: AtExamination) -> None:
        cause = diagnose(examination.evidence, options.profile).cause
        for experiment in fitting(cause):
            if confirm(experiment.question):
                experiment.run(examination)

    return offer


def _ports(device: UsbModem | None, held: Held) -> list[SerialPort]:
    taken = {path for path, by_whom in held.items() if by_whom}
    return candidates(device, taken) if device is not None else []


def _released(device: UsbModem | None, options: Options) -> AbstractContextManager[Release]:
    """Have ModemManager leave the device alone meanwhile, if it is there and may."""
    if device is None or not device.ports:
        return nullcontext(Release())
    return let_go(
        device.sys_path,
        interrupt=options.interrupt,
        plugged_in_s=device.plugged_in_s,
        cancelled=options.cancel.is_set,
    )


def _open(port: str, baud: int, held: Held, reason: Message | None) -> SerialTransport:
    """Open a port unless somebody else uses it: two readers would steal each other's answers.

    ``reason`` says why ModemManager did not let go of the device, if it should have.
    """
    holders = held.get(port, [])
    try:
        if not holders:
            return SerialTransport(port, baud)
    except PortDenied as denied:
        raise PortDenied(port, explain_denied(port)) from denied
    except PortBusy:
        holders = possible_holders(port)
        if not holders:
            raise
    names = ", ".join(str(h) for h in holders)
    text = message(N_("{port} is held by {names}"), port=port, names=names)
    if reason is not None:
        text = message(N_("{held} ({reason})"), held=text, reason=reason)
    raise PortBusy(port, text, names)


def _kind(error: TransportError) -> str:
    if isinstance(error, PortBusy):
        return "busy"
    return "denied" if isinstance(error, PortDenied) else "missing"


def _problem(result: Examination, kind: str, detail: Message) -> None:
    value = {"kind": kind, "detail": detail}
    result.evidence.add(Observation("host.port_problem", value, Source(-1, "", detail.render())))


def nothing_found() -> Examination:
    """The result where no device is attached at all."""
    result = Examination(Target())
    _problem(result, "none", Message(N_("no modem is attached")))
    judge(result)
    return result
