"""Faults of the data connection: APN, login, subscription, connection."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.contexts import attach_context, context_addresses, service_contexts
from simdiag.rules.network_causes import (
    ASK_PLAN,
    HARMLESS_SESSION,
    SESSION,
    SET_APN,
    NetworkCause,
)
from simdiag.rules.view import (
    address_type,
    data_up,
    denied,
    from_memory,
    is_newer,
    refused,
    registration,
)

_PLACEHOLDERS = {
    "yourapn",
    "your_apn",
    "apn",
    "internet.example",
    "example",
    "test",
    "my_apn",
    "xxx",
    "apn_name",
}


@rule
def session_cause(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The network gave a reason for refusing the data connection."""
    reason = evidence.last("data.last_error")
    if reason is None or reason.value in HARMLESS_SESSION:
        return
    up = data_up(evidence)
    if up is not None and (from_memory(reason) or is_newer(up, reason)):
        yield note(
            Severity.INFO,
            "data_refused_before",
            message(
                N_("A data connection was refused earlier (cause {number}); one is up now."),
                number=reason.value,
            ),
            reason,
            up,
        )
        return
    known = SESSION.get(reason.value, _UNKNOWN)
    yield fault(
        known.cause,
        known.confidence,
        message(
            N_("{meaning} (session cause {number})"),
            meaning=Message(known.meaning),
            number=reason.value,
        ),
        reason,
        evidence.last("data.defined_contexts"),
        alternatives=known.alternatives,
    )


_UNKNOWN = NetworkCause("data_not_subscribed", 0.45, N_("The data connection was refused."))


@rule
def apn(evidence: Evidence, profile: CarrierProfile | None) -> Iterator[Finding]:
    """The configured APN against placeholders and against what the operator's profile lists."""
    contexts = evidence.last("data.defined_contexts")
    context = attach_context(evidence)
    name = str(context["apn"]).lower() if context else ""
    if not name or data_up(evidence) is not None:
        return
    if name in _PLACEHOLDERS:
        yield fault(
            "apn_wrong",
            0.75,
            message(N_("The APN “{apn}” is a placeholder from an example."), apn=name),
            contexts,
        )
        return
    known = {a.name.lower() for a in profile.apns} if profile else set()
    if not known or any(name == k or name.startswith(k + ".") for k in known):
        return
    text = message(N_("The APN “{apn}” is none that is known for this operator."), apn=name)
    alternatives = (Alternative("data_not_connected", SET_APN),)
    # A private APN is unknown here and right all the same: only a failure makes it suspect.
    attached, failed = evidence.last("data.attached"), _failed_attempt(evidence)
    fails = failed is not None or (attached is not None and not attached.value)
    if fails and not denied(evidence):
        yield fault("apn_wrong", 0.62, text, contexts, attached, failed, alternatives=alternatives)
    else:
        yield note(Severity.INFO, "apn_unknown", text, contexts)


def _failed_attempt(evidence: Evidence) -> Observation | None:
    """Return the last attempt to connect, if it failed."""
    attempt = evidence.last("data.attempt")
    return attempt if attempt is not None and attempt.value == "failed" else None


_ATTACH = re.compile(r"\+CGATT\s*=", re.IGNORECASE)


@rule
def attempt(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """An attach or activation that somebody asked for failed, without a cause."""
    failed = _failed_attempt(evidence)
    if failed is None or "data.last_error" in evidence:
        return
    if data_up(evidence):  # to open what is open fails too
        return
    attached = evidence.last("data.attached")
    if (
        attached is not None
        and attached.value
        and is_newer(attached, failed)
        and _ATTACH.search(failed.source.command)
    ):
        return
    if refused(evidence):  # that is the reason
        return
    yield fault(
        "data_not_connected",
        0.55,
        message(N_("The attempt to connect failed, and no cause was reported.")),
        failed,
        attached,
        alternatives=(
            Alternative("apn_wrong", SET_APN),
            Alternative("data_not_subscribed", ASK_PLAN),
        ),
    )


IPV6_ONLY = N_("The network gave an IPv6 address only: programs that know IPv4 alone fail.")


@rule
def address_family(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """A connection without IPv4 is up, and yet half of the programs may fail."""
    up = data_up(evidence)
    if up is None or up.name != "data.addresses":
        return
    services = service_contexts(evidence)
    told = context_addresses(evidence)
    data = [a for cid, several in told.items() if cid not in services for a in several]
    if {address_type(a) for a in data} == {"IPv6"}:
        yield note(Severity.INFO, "ipv6_only", Message(IPV6_ONLY), up)


@rule
def connection(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """See whether a registered modem has a data connection."""
    up, served = data_up(evidence), registration(evidence)
    if up is not None:
        yield fine(
            "data_up",
            message(N_("A data connection is up.")),
            up,
            evidence.last("data.granted_apns"),
        )
        return
    active, addresses = evidence.last("data.active_contexts"), evidence.last("data.addresses")
    attached = evidence.last("data.attached")
    in_use = active is not None and bool(set(active.value) - service_contexts(evidence))
    if in_use and (attached is None or attached.value):
        text = N_("A data connection is active.")
        yield fine("data_active", message(text), active, attached)
        return
    if served is None and attached is not None and not attached.value:
        idle = message(N_("The device is not attached to the network's packet service."))
        yield fault("data_not_connected", 0.35, idle, attached)  # too little for a verdict
    if served is None or "data.last_error" in evidence:
        return
    if (active is None or in_use) and (attached is None or attached.value):
        return
    if addresses is not None or (attached is not None and not attached.value):
        yield fault(
            "data_not_connected",
            0.6,
            message(N_("No data connection is open.")),
            active,
            addresses,
            attached,
            alternatives=(Alternative("apn_wrong", SET_APN),),
        )
    else:
        yield note(
            Severity.INFO,
            "data_idle",
            message(N_("No data connection is open at the moment.")),
            active,
            attached,
        )
