"""A triage on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from gettext import gettext as _

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simdiag.message import N_
from simdiag.report.terminal import plain
from simdiag.triage.case import Refused
from simdiag.triage.table import Group, Key, Trend
from simdiag.triage.unusual import ICCID, Unusual

_TITLES = {
    Key.CAUSE: N_("Cause"),
    Key.ISSUER: N_("Issuer of the card"),
    Key.OPERATOR: N_("Network"),
    Key.CELL: N_("Cell"),
    Key.DEVICE: N_("Device"),
    Key.FIRMWARE: N_("Firmware"),
    Key.SELLER: N_("Seller"),
}
_TRENDS = {Trend.RISING: N_("rising ↑"), Trend.FALLING: N_("falling ↓"), Trend.STEADY: "→"}
_BAR, _REFUSED = 20, 10
_WIDE = 80
"""Columns from which on there is room for bars."""


def show(
    console: Console,
    bundles: int,
    refused: Sequence[Refused],
    groups: Mapping[Key, Sequence[Group]],
    found: Sequence[Unusual],
) -> None:
    """Print a table for each key, then what stands out, then what was refused."""
    console.print(_("{count} bundles").format(count=bundles))
    for key, rows in groups.items():
        console.print()
        console.print(_grouped(key, rows, bars=console.width >= _WIDE))
    console.print()
    console.print(Text(_("What stands out"), style="bold"))
    console.print(_standing_out(found) if found else "  " + _("nothing"))
    if refused:
        console.print()
        text = _("{count} files were refused and do not count:").format(count=len(refused))
        console.print(Text(text, style="bold"))
        for file in refused[:_REFUSED]:
            console.print(Text("  " + plain(file.why.render(_))))
        if len(refused) > _REFUSED:
            console.print("  …")


def _grouped(key: Key, rows: Sequence[Group], *, bars: bool) -> Table | str:
    if not rows:
        return _("{what}: no bundle tells it").format(what=_(_TITLES[key]))
    table = Table(box=None, pad_edge=False)
    table.add_column(_(_TITLES[key]), overflow="fold")
    table.add_column(_("Bundles"), justify="right")
    if bars:
        table.add_column("")
    table.add_column(_("Cards"), justify="right")
    if key is not Key.CAUSE:
        table.add_column(_("Faults"), justify="right")
        table.add_column(_("Mostly"), overflow="fold")
    table.add_column(_("Last 7 days"), justify="right")
    table.add_column(_("7 days before"), justify="right")
    table.add_column("")
    most = max((row.cases for row in rows), default=1)
    for row in rows:
        cells = [plain(row.value), str(row.cases)]
        if bars:
            cells.append("█" * max(1, round(_BAR * row.cases / most)))
        cells.append(str(row.cards))
        if key is not Key.CAUSE:
            cells += [str(row.faults), plain(row.leading)]
        trend = _TRENDS[row.trend]
        cells += [str(row.recent), str(row.before), _(trend) if len(trend) > 1 else trend]
        table.add_row(*map(Text, cells))
    return table


def _standing_out(found: Sequence[Unusual]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in (_("Cause"), _("Found in"), ""):
        table.add_column(title, overflow="fold")
    for title in (_("Cases"), _("of"), _("Share"), _("Elsewhere")):
        table.add_column(title, justify="right")
    for one in found:
        where = _("Card numbers") if one.key == ICCID else _(_TITLES[Key(one.key)])
        shares = (f"{100 * share:.1f} %" for share in (one.cases / one.of, one.usual))
        cells = (one.cause, where, plain(one.value), str(one.cases), str(one.of), *shares)
        table.add_row(*map(Text, cells))
    return table
