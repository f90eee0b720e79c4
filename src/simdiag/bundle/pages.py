"""The pages for people, one for each language, made from redacted evidence alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from simdiag.bundle.collecting import Outcome
from simdiag.bundle.fields import Event
from simdiag.log import Examined
from simdiag.message import LANGUAGE_TAG, Translate
from simdiag.report.page import render, view_of
from simdiag.usage.ledger import Report, Row
from simdiag.usage.records import Amount, By, Method, total


def pages(
    found: Examined,
    outcomes: Iterable[Outcome],
    languages: Sequence[Translate],
    *,
    examined: datetime | None,
    elapsed_s: float,
    revealed: frozenset[str],
) -> dict[str, str]:
    """Return the pages by the tag of their language."""
    usage = usage_report([e for o in outcomes if o.entry.name == "usage" for e in o.events])
    return {
        translate(LANGUAGE_TAG): render(
            view_of(
                found.diagnosis, found.evidence, translate, examined=examined,
                elapsed_s=elapsed_s, revealed=revealed, usage=usage, command="bundle",
            ),
            translate,
        )
        for translate in languages
    }  # fmt: skip


def usage_report(events: Sequence[Event]) -> Report | None:
    """Return the usage report that the collector has taken apart."""
    if not events:
        return None
    rows, links, interface = [], (), Amount()
    for event in events:
        told = event.model_dump()
        names = ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets")
        amount = Amount(*(told[name] for name in names))
        if told["row"] == "program":
            key = {name: told[name] or "" for name in ("program", "user", "unit")}
            rows.append(Row(key | {"container": ""}, Method(told["method"]), amount, 0, 0, 0))
        elif told["row"] == "interface":
            links, interface = told["interfaces"], amount
    whole = total(row.amount for row in rows)
    return Report(By.PROCESS, None, None, links, interface, tuple(rows), whole)
