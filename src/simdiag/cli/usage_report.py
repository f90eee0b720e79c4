"""A usage report on the terminal."""

from __future__ import annotations

from datetime import datetime
from gettext import gettext as _

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simdiag.message import N_
from simdiag.report.terminal import plain
from simdiag.usage.ledger import Report, Row
from simdiag.usage.records import Amount, By, Method

_BAR = 20
_METHODS = {
    Method.KERNEL: N_("counted in the kernel: exact"),
    Method.SOCKETS: N_("statistics of TCP sockets: payload exact, headers estimated, no UDP"),
    Method.INTERFACE: N_("the interface's total only"),
}
_LOSSES = {
    "map_overflow": N_("{count} packets found no room in the kernel's table."),
    "socket_endings": N_("The kernel could not tell of the end of some connections ({count})."),
}
_TITLES = {
    By.PROCESS: N_("Program"),
    By.UNIT: N_("Unit"),
    By.USER: N_("User"),
    By.DAY: N_("Day"),
    By.HOUR: N_("Hour"),
}


def show(console: Console, report: Report) -> None:
    """Print a table with bars, what is unattributed, the total, and how it was counted."""
    table = Table(box=None, pad_edge=False)
    table.add_column(_(_TITLES[report.by]), overflow="fold")
    if report.by is By.PROCESS:
        table.add_column(_("User"))
    table.add_column(_("Received"), justify="right")
    table.add_column(_("Sent"), justify="right")
    table.add_column("")
    table.add_column(_("Method"))
    most = max((row.bytes for row in report.rows), default=0)
    for row in report.rows:
        bar = "█" * round(_BAR * row.bytes / most) if most else ""
        table.add_row(*_names(report.by, row), *_sizes(row.amount), bar, row.method.value)
    empty = [""] if report.by is By.PROCESS else []
    for title, amount in (
        (_("unattributed"), report.unattributed),
        (_("interface {names}").format(names=", ".join(report.links)), report.interface),
    ):
        cells = [title, *empty, *_sizes(amount), "", Method.INTERFACE.value]
        table.add_row(*(Text(plain(cell), style="bold") for cell in cells))
    console.print(table)
    console.print()
    for line in _remarks(report):
        console.print(Text(line))


def size(octets: int) -> str:
    """Return a number of bytes for people: ``12.3 MB``, decimal as operators count."""
    value, unit = float(octets), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _names(by: By, row: Row) -> list[Text]:
    key = row.key
    if by in (By.DAY, By.HOUR):
        shape = "%Y-%m-%d" if by is By.DAY else "%Y-%m-%d %H:%M"
        return [Text(datetime.fromtimestamp(key["start"]).strftime(shape))]  # noqa: DTZ006
    if by is By.USER:
        return [Text(plain(key["user"]))]
    place = key["container"] or key["unit"]
    if by is By.UNIT:
        return [Text(plain(place) or _("none"))]
    name = plain(key["program"]) or _("not known")
    return [Text.assemble(name, (f" {plain(place)}" if place else "", "dim")), Text(key["user"])]


def _sizes(amount: Amount) -> list[str]:
    return [size(amount.rx_bytes), size(amount.tx_bytes)]


def _remarks(report: Report) -> list[str]:
    lines = [_("Method: {method}.").format(method=_(_METHODS[report.method]))]
    whole = sum(row.bytes for row in report.rows)
    if whole:
        front, back = (
            round(100 * sum(getattr(row, name) for row in report.rows) / whole)
            for name in ("foreground_bytes", "background_bytes")
        )
        text = _("An estimate: {back} % background, {front} % foreground, the rest is not known.")
        lines.append(text.format(back=back, front=front))
    for what, count in sorted(report.losses.items()):
        lines.append(_(_LOSSES[what]).format(count=count))
    return lines
