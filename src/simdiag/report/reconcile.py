"""A reconciliation on the terminal."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simdiag.causes import CAUSES, RESPONSIBLE_TITLES
from simdiag.message import N_, Translate
from simdiag.reconcile.compare import Result
from simdiag.report.terminal import plain, show_steps
from simdiag.report.usage_sides import TITLES, Side, sides_of
from simdiag.rules import Severity
from simdiag.sizes import Range, size

_WIDE = 72
_VERDICTS = {
    "consistent": N_("The sides agree, as far as accounting can be exact."),
    "inconclusive": N_("It cannot be told yet."),
}
_BY = {
    "device": N_("Who counts too much: the device."),
    "operator": N_("Who counts too much: the operator."),
    "both": N_("Who counts too much: the device and the operator."),
}


def show(console: Console, result: Result, _: Translate) -> None:
    """Print the sides, the verdict with its reasons, and what to do next."""
    sides = result.sides
    text = _(N_("From {since} to {until}; {percent} % of it was recorded."))
    values = {"since": _when(sides.since), "until": _when(sides.until)}
    console.print(Text(text.format(percent=sides.host.recorded_percent, **values)))
    console.print()
    console.print(_table(console.width >= _WIDE, list(sides_of(result)), sides.since, _))
    if sides.host.unbilled.high:
        text = _(N_("Of this, {size} went to the device itself or next to it and is not charged."))
        console.print(Text(text.format(size=size(sides.host.unbilled.high))))
    console.print()
    cause = None if result.verdict in _VERDICTS else CAUSES[result.verdict]
    style = {"consistent": "bold green", "inconclusive": "bold yellow"}.get(
        result.verdict, "bold red"
    )
    title = cause.title if cause is not None else _VERDICTS[result.verdict]
    console.print(Text(_(title), style))
    if result.inflated_by is not None:
        console.print(Text(_(_BY[result.inflated_by]), "bold"))
    for finding in result.findings:
        sure = (
            f" ({_(N_('certainty {percent} %')).format(percent=round(finding.confidence * 100))})"
            if finding.severity is Severity.FAULT
            else ""
        )
        console.print(Text(plain(finding.text.render(_)) + sure))
    if cause is not None and result.inflated_by is None:
        console.print(
            Text(f"{_(N_('Who can fix it'))}: {_(RESPONSIBLE_TITLES[cause.responsible])}")
        )
    show_steps(console, [step.render(_) for step in result.next_steps], _)


def _table(wide: bool, sides: list[Side], since: float, _: Translate) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(_(N_("Side")), overflow="fold")
    table.add_column(_(N_("Counted")), justify="right", no_wrap=True)
    table.add_column(_(N_("Can be explained")), justify="right", no_wrap=True)
    if wide:
        table.add_column(_(N_("Method")), no_wrap=True)
    between = " – " if wide else " –\n"
    for side in sides:
        title = _(TITLES[side.kind])
        if side.since != since:
            title += f" ({_when(side.since)} – {_when(side.until)})"
        ranges = (side.counted, side.may_be)
        cells = [title, *(_range(found, between) if found else "" for found in ranges)]
        table.add_row(*map(Text, cells), *([Text(side.method)] if wide else []))
    return table


def _range(found: Range, between: str) -> str:
    low, high = size(found.low), size(found.high)
    return low if low == high else f"{low}{between}{high}"


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
