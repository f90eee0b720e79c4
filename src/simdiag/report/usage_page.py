"""A usage report as a page of one file: charts and tables, nothing loaded, nothing run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from simdiag.message import N_, Translate
from simdiag.report.html import document
from simdiag.report.svg import Bar, bar, columns
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
from simdiag.usage.records import By
from simdiag.usage.timeline import Slice, without_gaps


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: what it is, whose and how counted, both directions, its share, its bar."""

    name: str
    detail: str
    received: str
    sent: str
    percent: str
    bar: Markup


def page(
    report: Report,
    translate: Translate,
    *,
    slices: Sequence[Slice] = (),
    by: By = By.HOUR,
    clients: Report | None = None,
    made: datetime,
    top: int = 30,
) -> str:
    """Return an HTML document. ``slices`` are the hours or days (``by``) of the plot.

    ``clients`` is the report by client of the same period; ``made`` is when this was, aware.
    """
    _ = translate
    whole = both(report.interface) or sum(row.bytes for row in report.rows)
    tables = [(_(TITLES[report.by]), list(lines(report, whole, top, _)))]
    if clients is not None and clients.rows:
        tables.append((_(TITLES[By.CLIENT]), list(lines(clients, whole, top, _))))
    return document(
        "usage.html",
        translate,
        period=_period(report, _),
        links=", ".join(report.links),
        made=made.strftime("%Y-%m-%d %H:%M %z"),
        facts=list(_facts(report, _)),
        chart=_chart(slices, by, _),
        chart_title=_(N_("By hour")) if by is By.HOUR else _(N_("By day")),
        series=[_(name) for name in _SERIES],
        tables=tables,
        remarks=[line.render(_) for line in remarks(report, _)],
    )


_SERIES = (
    N_("programs, not in the background"),
    N_("programs in the background"),
    N_("forwarded for other devices"),
    N_("unattributed"),
)
"""The parts of a bar, from the base outwards."""


def _period(report: Report, _: Translate) -> str:
    def moment(time: float | None) -> str | None:
        return None if time is None else when(time, By.HOUR)

    since, until = moment(report.since), moment(report.until)
    if since and until:
        return _(N_("From {since} to {until}")).format(since=since, until=until)
    if since or until:
        text = _(N_("Since {time}")) if since else _(N_("Until {time}"))
        return text.format(time=since or until)
    return _(N_("All that was recorded"))


def _facts(report: Report, _: Translate) -> Iterator[tuple[str, str]]:
    """Yield what to see first: a title and an amount or a share."""
    yield _(N_("Total")), size(both(report.interface))
    yield _(N_("Received")), size(report.interface.rx_bytes)
    yield _(N_("Sent")), size(report.interface.tx_bytes)
    back = report.share("background_bytes")
    if back is not None and report.by is not By.CLIENT:
        yield _(N_("Background (estimate)")), f"{back} %"
    if report.forwarded is not None:
        yield _(N_("forwarded for other devices")), size(both(report.forwarded))
    yield _(N_("unattributed")), size(both(report.unattributed))
    if report.device_bytes:
        yield _(N_("to the modem itself")), size(report.device_bytes)
    if report.local_bytes:
        yield _(N_("on the link")), size(report.local_bytes)


def _chart(slices: Sequence[Slice], by: By, _: Translate) -> Markup | None:
    found = without_gaps(slices, by)
    if len(found) < 2:
        return None
    highest = max(found, key=lambda piece: piece.interface)
    most = size(highest.interface)
    text = _(N_("Bytes over the interface; at most {size} ({when})."))
    return columns(
        [Bar(when(piece.start, by), _parts(piece)) for piece in found],
        title=_(N_("By hour")) if by is By.HOUR else _(N_("By day")),
        description=text.format(size=most, when=when(highest.start, by)),
        top=most,
    )


def _parts(piece: Slice) -> tuple[float, ...]:
    rest = piece.interface - piece.local - piece.forwarded
    return piece.local - piece.background, piece.background, piece.forwarded, rest


def lines(report: Report, whole: int, top: int, _: Translate) -> Iterator[Line]:
    """Yield the biggest ``top`` rows, what the others come to, and what the rows lack of all."""
    rows, others, count = shortened(report, top)
    most = max((row.bytes for row in rows), default=0)
    for row in rows:
        name, place = name_of(row, report.by, _)
        user = row.key["user"] if report.by is By.PROCESS else ""
        detail = " · ".join(filter(None, (place, user, row.method.value, near(row, _))))
        yield _line(row, name, detail, most, whole)
    if others is not None:
        yield _line(
            others, _(N_("{count} others")).format(count=count), others.method.value, most, whole
        )
    for kind, method, amount in remainder(report):
        title = rest_title(kind, report, _)
        yield Line(
            title, method.value, size(amount.rx_bytes), size(amount.tx_bytes),
            _percent(both(amount), whole), Markup(),
        )  # fmt: skip


def _line(row: Row, name: str, detail: str, most: int, whole: int) -> Line:
    back = row.background_bytes
    parts: tuple[Any, ...] = (row.bytes - back, back)
    if "client" in row.key:
        parts = (0, 0, row.bytes)
    return Line(
        name, detail, size(row.amount.rx_bytes), size(row.amount.tx_bytes),
        _percent(row.bytes, whole), bar(parts, most),
    )  # fmt: skip


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
