"""Who used the data, in the few lines that a desk needs: programs, not whose they are."""

from __future__ import annotations

from dataclasses import replace

from simdiag.message import N_, Translate
from simdiag.report.page.view import Usage
from simdiag.report.usage_page import lines
from simdiag.report.usage_text import both, remarks
from simdiag.usage.ledger import Report

_MOST_ROWS = 8


def usage_of(report: Report, translate: Translate) -> Usage:
    """Return the biggest programs of a report by program, what is left, and how it was counted."""
    whole = both(report.interface) or sum(row.bytes for row in report.rows)
    return Usage(
        translate(N_("Program")),
        tuple(replace(line, detail="") for line in lines(report, whole, _MOST_ROWS, translate)),
        tuple(remark.render(translate) for remark in remarks(report, translate)),
    )
