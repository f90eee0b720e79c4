"""Who used the modem's data, as `simdiag usage record` has counted it; nothing without a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import Event, InterfaceName, ProgramName, UserName, Word
from simdiag.usage import ledger, places
from simdiag.usage.records import Amount, By

_MOST = 50


class Used(Event):
    """The traffic of one program, of what no program can be named for, or of the interface.

    L3 bytes and IP packets, all that was recorded.
    """

    row: Literal["program", "unattributed", "interface"]
    program: ProgramName | None = None
    user: UserName | None = None
    unit: ProgramName | None = None
    interfaces: tuple[InterfaceName, ...] = ()
    method: Word
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int


def _collect(_: Subject) -> Iterator[Used]:
    path = places.for_reading()
    if not path.exists():
        raise Skipped
    yield from used(path)


def used(path: Path) -> Iterator[Used]:
    """Yield what a database has recorded; raises ``SimdiagError`` with a sentence."""
    report = ledger.report(path, By.PROCESS)
    for row in report.rows[:_MOST]:
        yield Used(
            row="program",
            program=row.key["program"] or None,
            user=row.key["user"] or None,
            unit=row.key["unit"] or None,
            method=row.method.value,
            **_amount(row.amount),
        )
    rest = _amount(report.unattributed)
    yield Used(row="unattributed", method="interface", **rest)
    yield Used(
        row="interface", interfaces=report.links, method="interface", **_amount(report.interface)
    )


def _amount(amount: Amount) -> dict[str, int]:
    names = ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets")
    return dict(zip(names, amount.fields(), strict=True))


COLLECTOR = Collector(Used, _collect)
