"""The access point names: configured, granted by the network, known for the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from simdiag.collect.at import AtExamination
from simdiag.evidence import Evidence
from simdiag.message import N_, Message, message
from simdiag.profile import Apn, CarrierProfile
from simdiag.rules.contexts import (
    attach_context,
    context_addresses,
    defined_contexts,
    service_contexts,
)
from simdiag.rules.data import IPV6_ONLY
from simdiag.rules.view import address_type


@dataclass(frozen=True, slots=True)
class Context:
    """One defined PDP context (TS 27.007 clause 10.1.1) and what came of it."""

    cid: int
    pdp_type: str
    apn: str
    active: bool
    attach: bool
    """Whether the modem attaches with it: the context of the lowest number."""
    service: bool
    """Whether it serves the operator's own services (IMS, emergency) and carries no data."""
    granted: str | None
    address_types: tuple[str, ...]
    """``IPv4`` and ``IPv6``, as far as the network gave addresses."""


@dataclass(frozen=True, slots=True)
class ApnReport:
    """What is configured against what was granted and what the operator's profile lists."""

    contexts: tuple[Context, ...]
    auth: str | None
    known: tuple[str, ...]
    remarks: tuple[Message, ...]

    @classmethod
    def of(cls, evidence: Evidence, profile: CarrierProfile | None) -> ApnReport:
        """Collect it from an examination."""
        contexts = tuple(_contexts(evidence))
        auth = evidence.value("data.auth")
        known = [a for a in profile.apns if a.use in ("internet", "iot")] if profile else []
        remarks = tuple(_remarks(contexts, auth, known))
        return cls(contexts, auth, tuple(dict.fromkeys(a.name for a in known)), remarks)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return asdict(self) | {"remarks": [r.render() for r in self.remarks]}


def _contexts(evidence: Evidence) -> Iterator[Context]:
    defined = defined_contexts(evidence)
    attach = context_to_write(evidence)["cid"]
    services = service_contexts(evidence)
    addresses = context_addresses(evidence)
    for context in defined:
        cid = context["cid"]
        yield Context(
            cid,
            context["type"],
            context["apn"],
            cid in evidence.value("data.active_contexts", []),
            cid == attach,
            cid in services,
            evidence.value("data.granted_apns", {}).get(cid),
            tuple(sorted({address_type(a) for a in addresses.get(cid, [])})),
        )


def _remarks(
    contexts: tuple[Context, ...], auth: str | None, known: list[Apn]
) -> Iterator[Message]:
    attach = next((c for c in contexts if c.attach), None)
    if attach is None or not attach.apn:
        yield Message(N_("No APN is configured: the network chooses one, if it offers that."))
    elif known and attach.apn.lower() not in {k.name.lower() for k in known} and not attach.granted:
        text = N_("The configured APN {apn} is none that is known for this operator.")
        yield message(text, apn=attach.apn)
    if attach and attach.apn and attach.granted and attach.granted.lower() != attach.apn.lower():
        text = N_("The network granted {granted} where {apn} is configured.")
        yield message(text, granted=attach.granted, apn=attach.apn)
    data = next((c for c in contexts if c.address_types and not c.service), None)
    if data is not None and attach is not None and data is not attach:
        text = N_("Data goes over context {data}; the device attaches with context {attach}.")
        yield message(text, data=data.cid, attach=attach.cid)
    if data is not None:
        yield from _address_remarks(data)
    listed = next((k for k in known if attach and k.name.lower() == attach.apn.lower()), None)
    if attach is not None and listed is not None:
        yield from _differences(attach, auth, listed)


def _address_remarks(data: Context) -> Iterator[Message]:
    if data.address_types == ("IPv6",):
        yield Message(IPV6_ONLY)
    elif data.pdp_type.upper() == "IPV4V6" and len(data.address_types) == 1:
        text = N_("IPv4 and IPv6 are asked for; the network gave {kind} only.")
        yield message(text, kind=data.address_types[0])


def _differences(attach: Context, auth: str | None, listed: Apn) -> Iterator[Message]:
    """The type and the login that the operator's profile gives for this APN."""
    if listed.pdp_type and attach.pdp_type.upper() != listed.pdp_type:
        text = N_("The type of {apn} is {found}; the operator's is {right}.")
        yield message(text, apn=attach.apn, found=attach.pdp_type, right=listed.pdp_type)
    if listed.auth and auth and listed.auth != auth:
        text = N_("The login for {apn} is set to {found}; the operator's is {right}.")
        yield message(text, apn=attach.apn, found=auth, right=listed.auth)


def is_valid(apn: str) -> bool:
    """Whether a text can be an APN (TS 23.003 clause 9.1)."""
    return re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", apn) is not None


def context_to_write(evidence: Evidence) -> dict[str, Any]:
    """Return the context that the modem attaches with, or the first one if none is defined."""
    return attach_context(evidence) or {"cid": 1, "type": "IP", "apn": ""}


def write(examination: AtExamination, apn: str) -> str | None:
    """Write the APN of the attach context, its type as it was; returns the error, if any.

    The caller has asked the user.
    """
    context = context_to_write(examination.evidence)
    pdp_type = str(context["type"]).upper()
    kind = pdp_type if pdp_type in ("IP", "IPV6", "IPV4V6") else "IP"
    exchange = examination.session.carry_out(f'AT+CGDCONT={context["cid"]},"{kind}","{apn}"')
    examination.session.execute("AT+CGDCONT?")
    return str(exchange.error) if exchange.error else None
