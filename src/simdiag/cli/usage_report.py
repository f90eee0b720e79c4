"""A usage report on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simdiag.report.plot import plot
from simdiag.report.terminal import plain
from simdiag.report.usage_text import (
    TITLES,
    both,
    name_of,
    near,
    remarks,
    rest_title,
    shortened,
    when,
)
from simdiag.sizes import size
from simdiag.usage.export import remainder
from simdiag.usage.ledger import Report, Row
from simdiag.usage.records import Amount, By, Method
from simdiag.usage.timeline import Slice, without_gaps

_BAR = 20
_WIDE, _MIDDLE = 76, 56
"""Widths of the terminal: room for bars and users, and for both directions."""


def show(
    console: Console, report: Report, slices: Sequence[Slice] = (), by: By = By.HOUR, top: int = 20
) -> None:
    """Print a table with bars, what else adds up to the total, a plot, and how it was counted.

    ``slices`` are the hours or days (``by``) of the plot; ``top`` is how many rows are shown
    before the others are taken together.
    """
    rows, others, count = shortened(report, top)
    table = _Table(console.width, report, max((row.bytes for row in rows), default=0))
    for row in rows:
        table.add(*name_of(row, report.by, _), near(row, _), row)
    if others is not None:
        table.add_sum(_("{count} others").format(count=count), others.method, others.amount)
    for name, method, amount in remainder(report):
        table.add_sum(rest_title(name, report, _), method, amount)
    console.print(table.table)
    console.print()
    _plot(console, slices, by)
    for line in remarks(report, _):
        console.print(Text(plain(line.render(_))))


class _Table:
    """The rows of a report, in as many columns as there is room for."""

    def __init__(self, width: int, report: Report, most: int) -> None:
        self._with_bars, self._both_ways = width >= _WIDE, width >= _MIDDLE
        self._with_users = self._with_bars and report.by is By.PROCESS
        self._most = most
        self.table = Table(box=None, pad_edge=False)
        self.table.add_column(_(TITLES[report.by]), overflow="fold")
        if self._with_users:
            self.table.add_column(_("User"), overflow="fold")
        for heading in (_("Received"), _("Sent")) if self._both_ways else (_("Total"),):
            self.table.add_column(heading, justify="right", no_wrap=True)
        if self._with_bars:
            self.table.add_column(_("▒ background"), no_wrap=True)
        self.table.add_column(_("Method"), no_wrap=True)

    def add(self, name: str, place: str, near: str, row: Row) -> None:
        """Add a row; the part of its bar that was in the background is lighter."""
        names = [Text(plain(name))]
        if self._both_ways:
            names[0].append(f" {plain(place)}" if place else "", "dim")
            names[0].append(f"\n  {near}" if near else "", "yellow")
        if self._with_users:
            names.append(Text(plain(row.key["user"])))
        whole = round(_BAR * row.bytes / self._most) if self._most else 0
        back = round(whole * row.background_bytes / row.bytes) if row.bytes else 0
        bar = [Text("█" * (whole - back) + "▒" * back)] if self._with_bars else []
        self.table.add_row(*names, *self._sizes(row.amount), *bar, Text(row.method.value))

    def add_sum(self, title: str, method: Method, amount: Amount) -> None:
        """Add what is no row of its own."""
        names = [title, ""] if self._with_users else [title]
        cells = [*names, *self._sizes(amount), *([""] if self._with_bars else []), method.value]
        self.table.add_row(*(Text(plain(str(cell)), style="bold") for cell in cells))

    def _sizes(self, amount: Amount) -> list[str]:
        if self._both_ways:
            return [size(amount.rx_bytes), size(amount.tx_bytes)]
        return [size(both(amount))]


def _plot(console: Console, slices: Sequence[Slice], by: By) -> None:
    """Print the interface's hours or days as upright bars, the highest named."""
    found = without_gaps(slices, by)
    if len(found) < 2:
        return
    values = [piece.interface for piece in found]
    highest = max(found, key=lambda piece: piece.interface)
    text = _("By hour, at most {size} ({when})") if by is By.HOUR else _(
        "By day, at most {size} ({when})"
    )  # fmt: skip
    console.print(text.format(size=size(highest.interface), when=when(highest.start, by)))
    lines = plot(values, min(console.width, 96) - 1)
    for line in lines:
        console.print(Text(line, "cyan"), no_wrap=True, overflow="crop")
    first, last = when(found[0].start, by), when(found[-1].start, by)
    room = len(lines[0]) - cell_len(first) - cell_len(last)
    console.print(f"{first} – {last}" if room < 2 else first + " " * room + last)
    console.print()
