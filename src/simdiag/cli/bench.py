"""What ``simdiag watch`` shows: a live table on a terminal, else a line for every event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from gettext import gettext as _

import click
from rich.cells import cell_len
from rich.console import Console, Group, OverflowMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from simdiag.agent import Examination
from simdiag.cli.progress import LAYER_TITLES
from simdiag.cli.status import Status, of_cause
from simdiag.report.terminal import plain
from simdiag.watch import Kept, State, Verdict, Visit

Take = Callable[[Visit, Examination], None]
"""What to do with a result beside showing it."""

_STYLES = {
    Status.OK: "green",
    Status.FAULT: "red",
    Status.INCONCLUSIVE: "yellow",
    Status.NOT_EXAMINED: "magenta",
}
_AROUND = 4
"""Lines of the screen that no visit can have: headings, the last sentence, the cursor."""
_NARROW = 60
"""Columns below which the verdict needs the room of its certainty."""


class Quiet:
    """Shows nothing but what ``take`` prints: for JSON."""

    tick_s: float | None = None

    def __init__(self, take: Take) -> None:
        self.take = take

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_problem: object) -> None:
        """Leave nothing behind."""

    def arrived(self, visit: Visit) -> None:
        """Pass over that a device was plugged in."""

    def examined(self, visit: Visit, examination: Examination) -> None:
        """Hand the result on."""
        self.take(visit, examination)

    def kept(self, visit: Visit, kept: Kept) -> None:
        """Tell what went wrong with a bundle, if anything did."""
        if kept.problem is not None:
            click.echo(f"simdiag: {visit.socket}: {plain(kept.problem.render(_))}", err=True)

    def left(self, visit: Visit) -> None:
        """Pass over that a device was unplugged."""

    def refresh(self, visits: list[Visit], now_s: float) -> None:
        """Nothing moves here."""


class Lines(Quiet):
    """A line for every event: for pipes, files and the journal."""

    def arrived(self, visit: Visit) -> None:
        """Print that a device was plugged in."""
        self._print(visit, _("plugged in"))

    def examined(self, visit: Visit, examination: Examination) -> None:
        """Print the verdict."""
        self.take(visit, examination)
        if visit.verdict is not None:
            self._print(visit, _in_words(visit.verdict))

    def kept(self, visit: Visit, kept: Kept) -> None:
        """Print the name of the bundle, and what went wrong with it."""
        if kept.name:
            self._print(visit, _("bundle {file}").format(file=kept.name))
        if kept.problem is not None:
            self._print(visit, plain(kept.problem.render(_)))

    def left(self, visit: Visit) -> None:
        """Print that a device was unplugged."""
        self._print(visit, _left_in_words(visit))

    def _print(self, visit: Visit, event: str) -> None:
        stamp = datetime.now().astimezone().strftime("%H:%M:%S")
        name = plain(visit.device.name)
        click.echo(f"{stamp} {visit.socket} {name} ({visit.device.usb_id}): {event}")


class LiveTable(Quiet):
    """A row for every visit, those that matter most if the screen is too small for all."""

    tick_s = 1.0

    def __init__(self, take: Take) -> None:
        super().__init__(take)
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._all: Table | None = None

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        """Leave a table of all visits on the screen, however long."""
        if self._all is not None:
            self._live.update(self._all)
        self._live.stop()

    def kept(self, visit: Visit, kept: Kept) -> None:
        """Leave it to the table."""

    def refresh(self, visits: list[Visit], now_s: float) -> None:
        """Draw the table anew, with as much of everything as the screen has room for."""
        shown = newest(visits, max(1, self._console.height - _AROUND))
        # outside of the table, which fills its lines: the terminal's own ^C needs room on the last
        footer = Text(_footer(len(visits) - len(shown)))
        narrow = self._console.width < _NARROW
        for wrap, files in ((True, True), (True, False), (False, False)):
            screen = Group(_table(shown, now_s, wrap=wrap, files=files, narrow=narrow), footer)
            if len(self._console.render_lines(screen)) < self._console.height:
                break
        self._all = _table(visits, now_s, wrap=True, files=True, narrow=narrow)
        self._live.update(screen, refresh=True)


def newest(visits: list[Visit], room: int) -> list[Visit]:
    """Return the visits that fit into ``room`` rows: what goes on before what is over."""
    surplus = max(0, len(visits) - room)
    over = [visit for visit in visits if not visit.active][:surplus]
    return [visit for visit in visits if visit not in over][-room:]


def _footer(hidden: int) -> str:
    waiting = _("Waiting for devices; Ctrl-C ends it.")
    more = _("{count} more are not shown.").format(count=hidden) if hidden else ""
    return f"{waiting} {more}".strip()


def _table(visits: list[Visit], now_s: float, *, wrap: bool, files: bool, narrow: bool) -> Table:
    """Return the table; long texts wrap or are cut, ``files`` get lines of their own."""
    table = Table(box=None, expand=True, pad_edge=False)
    too_long: OverflowMethod = "fold" if wrap else "ellipsis"
    table.add_column(_("Socket"), no_wrap=True)
    device = _("Device")
    table.add_column(
        device, ratio=2, no_wrap=not wrap, overflow=too_long, min_width=cell_len(device)
    )
    table.add_column(_("Card"), no_wrap=True)
    table.add_column(_("Result"), ratio=4, no_wrap=not wrap, overflow=too_long)
    if not narrow:
        table.add_column(_("Sure"), no_wrap=True, justify="right")
    table.add_column(_("Time"), no_wrap=True, justify="right")
    for visit in visits:
        cells = _cells(visit, now_s, files=files, narrow=narrow)
        table.add_row(*cells, style="" if visit.present else "dim")
    return table


def _cells(visit: Visit, now_s: float, *, files: bool, narrow: bool) -> list[Text]:
    verdict = visit.verdict
    took_s = verdict.elapsed_s if verdict else now_s - visit.began_s if visit.active else None
    sure = Text(f"{verdict.confidence * 100:.0f} %" if verdict else "")
    return [
        Text(visit.socket),
        Text(plain(visit.device.name)),
        Text(_card(verdict) if verdict else ""),
        _state(visit).append(_files(visit.kept) if files and visit.kept else ""),
        *([] if narrow else [sure]),
        Text("" if took_s is None else _("{seconds} s").format(seconds=f"{max(0.0, took_s):.0f}")),
    ]


def _state(visit: Visit) -> Text:
    if visit.verdict is not None:
        text = Text(_(visit.verdict.title), _STYLES[of_cause(visit.verdict.cause)])
        return text if visit.present else text.append(" " + _("(unplugged)"))
    if visit.state is State.LEFT:
        return Text(_left_in_words(visit))
    if visit.state is State.INTERRUPTED:
        return Text(_("interrupted"))
    if visit.state is State.SETTLING:
        return Text(_("settling …"))
    if visit.layer is None:
        return Text(_("opening …"))
    return Text(_("Reading: {what} …").format(what=_(LAYER_TITLES[visit.layer.value])))


def _files(kept: Kept) -> Text:
    """Return lines that go below the verdict."""
    problem = plain(kept.problem.render(_)) if kept.problem is not None else ""
    name = kept.name or ("" if problem else _("making the bundle …"))
    found = Text(f"\n{name}" if name else "", "dim")
    return found.append(f"\n{problem}" if problem else "", "yellow")


def _left_in_words(visit: Visit) -> str:
    if visit.state is State.LEFT:
        return _("unplugged before it could be examined")
    return _("unplugged")


def _in_words(verdict: Verdict) -> str:
    text = _("{summary} ({cause}, certainty {percent} %, {seconds} s)").format(
        summary=_(verdict.title),
        cause=verdict.cause,
        percent=round(verdict.confidence * 100),
        seconds=f"{verdict.elapsed_s:.1f}",
    )
    return f"{_card(verdict)} {text}".strip()


def _card(verdict: Verdict) -> str:
    """The card, known by its last four digits."""
    return plain(f"…{verdict.card}") if verdict.card else ""
