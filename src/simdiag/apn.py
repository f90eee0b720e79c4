"""The access point names: configured, granted by the network, known for the operator."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from simdiag.collect.at import AtExamination
from simdiag.evidence import Evidence
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile


@dataclass(frozen=True, slots=True)
class Context:
    """One defined PDP context (TS 27.007 clause 10.1.1)."""

    cid: int
    pdp_type: str
    apn: str
    active: bool
    has_address: bool


@dataclass(frozen=True, slots=True)
class ApnReport:
    """What is configured against what was granted and what the operator's profile lists."""

    contexts: tuple[Context, ...]
    granted: str | None
    auth: str | None
    known: tuple[str, ...]
    remarks: tuple[Message, ...]

    @classmethod
    def of(cls, evidence: Evidence, profile: CarrierProfile | None) -> ApnReport:
        """Collect it from an examination."""
        active = evidence.value("data.active_contexts", [])
        addresses = evidence.value("data.addresses", {})
        contexts = tuple(
            Context(
                c["cid"], c["type"], c["apn"], c["cid"] in active, bool(addresses.get(c["cid"]))
            )
            for c in evidence.value("data.defined_contexts", [])
        )
        known = tuple(
            dict.fromkeys(a.name for a in profile.apns if a.use in ("internet", "iot"))
            if profile
            else ()
        )
        granted = evidence.value("data.granted_apn")
        remarks = tuple(_remarks(contexts, granted, known))
        return cls(contexts, granted, evidence.value("data.auth"), known, remarks)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return asdict(self) | {"remarks": [r.render() for r in self.remarks]}


def _remarks(
    contexts: tuple[Context, ...], granted: str | None, known: tuple[str, ...]
) -> list[Message]:
    attach = min(contexts, key=lambda c: c.cid, default=None)
    remarks = []
    if attach is None or not attach.apn:
        remarks.append(
            Message(N_("No APN is configured: the network chooses one, if it offers that."))
        )
    elif known and attach.apn.lower() not in {k.lower() for k in known} and not granted:
        text = N_("The configured APN {apn} is none that is known for this operator.")
        remarks.append(message(text, apn=attach.apn))
    if attach and granted and attach.apn and granted.lower() != attach.apn.lower():
        text = N_("The network granted {granted} where {apn} is configured.")
        remarks.append(message(text, granted=granted, apn=attach.apn))
    return remarks


def is_valid(apn: str) -> bool:
    """Whether a text can be an APN (TS 23.003 clause 9.1)."""
    return re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", apn) is not None


def write(examination: AtExamination, apn: str) -> str | None:
    """Write the APN of context 1, its type as it was; returns the error, if any.

    The caller has asked the user.
    """
    contexts = examination.evidence.value("data.defined_contexts", [])
    pdp_type = next((c["type"].upper() for c in contexts if c["cid"] == 1), "IP")
    kind = pdp_type if pdp_type in ("IP", "IPV6", "IPV4V6") else "IP"
    exchange = examination.session.carry_out(f'AT+CGDCONT=1,"{kind}","{apn}"')
    examination.session.execute("AT+CGDCONT?")
    return str(exchange.error) if exchange.error else None
