"""A report for other programs: JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from simdiag.usage.ledger import PARTS, Report, Row
from simdiag.usage.records import Amount, By, Method

SCHEMA = "simdiag/usage/1"
_NUMBERS = (*PARTS, "unbilled_bytes")


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON's types; times are local, in ISO 8601 with their offset.

    ``forwarded`` is ``None`` where no traffic forwarded for others was counted: if there was any,
    it is part of ``unattributed``. ``unbilled`` did not go over the air: to the device itself, and
    to others on the link.
    """
    return {
        "schema": SCHEMA,
        "since": _time(report.since),
        "until": _time(report.until),
        "by": report.by.value,
        "method": report.method.value,
        "interface": {"names": list(report.links), **_amount(report.interface)},
        "rows": [_row(row) for row in report.rows],
        "local": {"method": report.local_method.value, **_amount(report.local)},
        "forwarded": None if report.forwarded is None else _amount(report.forwarded),
        "unattributed": {
            "method": Method.INTERFACE.value,
            **_amount(report.unattributed),
            "ownerless": _amount(report.ownerless),
        },
        "unbilled": {"device_bytes": report.device_bytes, "local_bytes": report.local_bytes},
        "losses": report.losses,
        "damaged": report.damaged,
    }


def as_csv(report: Report) -> str:
    """Return the rows with a header line, then what else adds up to ``interface``, and that.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    rest = [
        {report.keys[0]: name, "method": method.value, **_amount(amount)}
        for name, method, amount in remainder(report)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*report.keys, "method", *_amount(Amount()), *_NUMBERS])
    writer.writeheader()
    for row in [*map(_row, report.rows), *rest]:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return text.getvalue()


def remainder(report: Report) -> Iterator[tuple[str, Method, Amount]]:
    """Yield what the rows lack of the interface's total, by name, then that total."""
    if report.by is By.CLIENT:
        yield "local", report.local_method, report.local
    elif report.forwarded is not None:
        yield "forwarded", Method.KERNEL, report.forwarded
    yield "unattributed", Method.INTERFACE, report.unattributed
    yield "interface", Method.INTERFACE, report.interface


def _row(row: Row) -> dict[str, Any]:
    key = {name: _time(v) if name == "start" else v for name, v in row.key.items()}
    return {
        **key,
        "method": row.method.value,
        **_amount(row.amount),
        **{name: getattr(row, name) for name in _NUMBERS},
    }


def _amount(amount: Amount) -> dict[str, int]:
    return {
        "rx_bytes": amount.rx_bytes,
        "tx_bytes": amount.tx_bytes,
        "rx_packets": amount.rx_packets,
        "tx_packets": amount.tx_packets,
    }


def _time(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
