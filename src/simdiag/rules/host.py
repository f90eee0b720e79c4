"""Faults between this program and the modem: port, USB, computer."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.contexts import address_in_use

_BELOW_ALL_ELSE = 0.45
"""A vanished port explains nothing that was seen before it: any fault found until then counts more."""
_PORT_PROBLEMS = {
    "missing": (
        "no_modem_found",
        N_("The examination could not begin: {detail}. Other devices were not looked for."),
    ),
    "none": ("no_modem_found", N_("No modem is attached to this computer.")),
    "denied": ("port_denied", N_("The port may not be opened by this user: {detail}")),
    "busy": ("port_busy", N_("The port is in use: {detail}.")),
    "network_only": ("no_at_port", N_("The device shows no command port: {detail}.")),
}


@rule
def port_cannot_be_used(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The examination ended before the first command."""
    problem = evidence.last("host.port_problem")
    if problem is not None:
        kind, detail = problem.value["kind"], problem.value["detail"]
        code, text = _PORT_PROBLEMS[kind]
        yield fault(code, 0.95, message(text, detail=detail), problem)


@rule
def modem_is_silent(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """No answer to anything, or none any more."""
    answered = evidence.last("device.answers")
    silent = evidence.recent("at.silent", 3)
    other_port = Alternative(
        "no_at_port", message(N_("Try the device's other ports: one of them may take commands."))
    )
    if answered is not None and not answered.value:
        noise = evidence.last("device.noise_bytes")
        babbles = noise is not None and noise.value > 0
        text = (
            message(N_("The port sends bytes that are no answers to commands."))
            if babbles
            else message(N_("Nothing came back for any command."))
        )
        yield fault("modem_not_responding", 0.75 if babbles else 0.85, text,
                    *(silent[:1] or (answered,)), alternatives=(other_port,))  # fmt: skip
    elif silent and "at.answered" not in evidence and "at.error" not in evidence:
        yield fault("modem_not_responding", 0.7, message(N_("Nothing came back for any command.")),
                    silent[0], alternatives=(other_port,))  # fmt: skip
    elif "device.went_mute" in evidence or (len(silent) == 3 and _all_newer(evidence)):
        text = message(N_("The device answered at first and then no more."))
        yield fault("modem_not_responding", 0.8, text, *silent[:1])
    elif answered is not None:
        yield fine("modem_answers", message(N_("The device answers commands.")), answered)


def _all_newer(evidence: Evidence) -> bool:
    """Whether the last three commands were all met with silence."""
    silent = evidence.recent("at.silent", 3)[-1]
    last_words = [o for name in ("at.answered", "at.error") for o in evidence.recent(name, 1)]
    return all(silent.source.exchange > o.source.exchange for o in last_words)


@rule
def modem_vanished(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The port went away in the middle."""
    if lost := evidence.last("host.port_lost"):
        yield fault(
            "device_removed",
            _BELOW_ALL_ELSE,
            message(N_("The port vanished during the examination.")),
            lost,
        )


@rule
def foreign_traffic(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Commands on the port that are not ours."""
    if foreign := evidence.last("host.foreign_command"):
        yield note(Severity.WARNING, "port_shared",
                   message(N_("Another program sends commands on the same port.")), foreign)  # fmt: skip


@rule
def computer_does_not_use_the_link(
    evidence: Evidence, _: CarrierProfile | None
) -> Iterator[Finding]:
    """The modem has an address, the computer's interface to it has none, or no name server."""
    up, interface = address_in_use(evidence), evidence.last("host.interface")
    if up is None or interface is None:
        return
    if not interface.value.get("address"):
        yield fault("host_network_fault", 0.7,
                    message(N_("The modem has an address, but the interface {name} of this computer has none."),
                            name=interface.value.get("name")), up, interface)  # fmt: skip
    elif not interface.value.get("name_servers"):
        yield fault("host_network_fault", 0.6,
                    message(N_("This computer has no name server: pages cannot be found by name.")),
                    interface)  # fmt: skip
    else:
        yield fine(
            "host_uses_link", message(N_("This computer has an address on the link.")), interface
        )
