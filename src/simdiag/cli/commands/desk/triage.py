"""``simdiag desk triage``: what many bundles have in common, and what stands out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import json_option, language_option
from simdiag.cli.progress import counting

if TYPE_CHECKING:
    from simdiag.triage.case import Case, Refused

_KEYS = ("cause", "issuer", "operator", "cell", "device", "firmware", "seller")


@click.command(
    help=_(
        "Read all bundles in a folder, group them, and say what stands out: a batch of cards, a "
        "seller, a firmware or a cell with far more faults of a kind than the others. Tickets "
        "(JSON) beside the bundles tell the sellers."
    )
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--by", "keys", type=click.Choice(_KEYS), multiple=True,
    help=_("What to group by; may be given several times.  [default: cause]"),
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, metavar="N",
    help=_("Show the N largest groups."),
)  # fmt: skip
@click.option(
    "--parquet", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help=_("Write all cases to FILE, a row each, for DuckDB, Spark and other engines."),
)  # fmt: skip
@json_option
@language_option
def command(
    folder: Path, keys: tuple[str, ...], top: int, parquet: Path | None, as_json: bool
) -> int:
    """Read, count and print."""
    from simdiag.cli.status import Status
    from simdiag.triage.case import Case
    from simdiag.triage.table import Key, Table
    from simdiag.triage.unusual import unusual

    results = _read(folder)
    cases = [result for result in results if isinstance(result, Case)]
    refused = [result for result in results if not isinstance(result, Case)]
    table = Table(cases, until=datetime.now(UTC) + timedelta(days=1))
    if parquet is not None:
        table.write_parquet(parquet)
    groups = {key: table.groups(key)[:top] for key in map(Key, keys or ("cause",))}
    found = unusual(table)
    if as_json:
        from simdiag.report.json_text import dumps
        from simdiag.triage.export import as_json as exported

        click.echo(dumps(exported(len(table), refused, groups, found)))
    else:
        from rich.console import Console

        from simdiag.cli.triage_report import show

        show(Console(highlight=False), len(table), refused, groups, found)
    return Status.OK if cases else Status.NOT_EXAMINED


def _read(folder: Path) -> list[Case | Refused]:
    from simdiag.triage.case import Case
    from simdiag.triage.folder import bundles_in, read_all, with_sellers

    paths = bundles_in(folder)
    with counting(_("Reading bundles"), len(paths)) as told:
        results = list(read_all(paths, told))
    cases = iter([*with_sellers((r for r in results if isinstance(r, Case)), folder)])
    return [next(cases) if isinstance(result, Case) else result for result in results]
