"""Asks the operator for the usage over the modem. The caller has asked the user before."""

from __future__ import annotations

from simdiag.collect.at import AtExamination
from simdiag.profile import CarrierProfile, UsageQuery
from simdiag.reconcile.answer import Answer
from simdiag.reconcile.sms import by_sms
from simdiag.reconcile.ussd import by_ussd


def queries(profile: CarrierProfile | None, *channels: str) -> tuple[UsageQuery, ...]:
    """Return the profile's questions over these channels, the best first."""
    found = profile.usage_queries if profile else ()
    return tuple(query for query in found if query.channel in channels)


def by_modem(examination: AtExamination, query: UsageQuery) -> Answer:
    """Ask over the channel that the question is for."""
    if query.channel == "sms":
        return by_sms(examination.session, query)
    return by_ussd(examination, query.address)
