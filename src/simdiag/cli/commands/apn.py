"""``simdiag apn``: the access point names of the modem, the network and the operator."""

from __future__ import annotations

import sys
from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from simdiag.cli.common import chosen_profile, language_option, profile_option
from simdiag.cli.targets import find_target, port_options

if TYPE_CHECKING:
    from simdiag.apn import ApnReport
    from simdiag.collect.at import AtExamination


@click.command(help=_("Show the configured, the granted and the operator's known APNs."))
@port_options
@profile_option
@click.option(
    "--apply",
    "wanted",
    metavar="APN",
    help=_("Write this APN into the modem, after a question (see the known ones first)."),
)
@click.option("--yes", is_flag=True, help=_("Answer yes to that question."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
@language_option
def command(
    port: str | None, device_id: str | None, baud: int, profile_id: str | None,
    wanted: str | None, yes: bool, as_json: bool,
) -> int:  # fmt: skip
    """Show, and write where asked to."""
    from simdiag.agent import Options, examine
    from simdiag.apn import ApnReport, context_to_write, is_valid, write
    from simdiag.cli.output import print_result
    from simdiag.cli.status import Status, of_cause
    from simdiag.redact import Redactor
    from simdiag.report.json_text import dumps

    if wanted is not None and not is_valid(wanted):
        raise click.BadParameter(
            _("an APN holds letters, digits, dots and dashes only"), param_hint="--apply"
        )
    changed: list[str | None] = []

    def then(examination: AtExamination) -> None:
        if wanted is None:
            return
        cid = context_to_write(examination.evidence)["cid"]
        question = _("Write the APN {apn} as context {cid} of the modem?")
        question = question.format(apn=wanted, cid=cid)
        if yes or (sys.stdin.isatty() and click.confirm(question, err=True)):
            changed.append(write(examination, wanted))

    options = Options(profile=chosen_profile(profile_id), baud=baud, wait_s=0)
    result = examine(find_target(port, device_id), options, then=then)
    if not result.evidence.value("device.answers"):
        redactor = Redactor(result.evidence)
        print_result(result, as_json, redactor, device=result.target.name)
        return of_cause(result.diagnosis.cause)
    report = ApnReport.of(result.evidence, result.diagnosis.profile)
    if as_json:
        click.echo(dumps(report.as_dict()))
    else:
        _show(report)
    if wanted is None:
        return Status.OK
    return _tell(wanted, changed)


def _tell(wanted: str, changed: list[str | None]) -> int:
    from simdiag.cli.status import Status

    if not changed:
        click.echo(_("Nothing was written."), err=True)
        return Status.FAULT
    if changed[0] is not None:
        click.echo(_("The modem refused the APN: {why}").format(why=changed[0]), err=True)
        return Status.FAULT
    click.echo(
        _("{apn} is written; start the device again to use it.").format(apn=wanted), err=True
    )
    return Status.OK


def _show(report: ApnReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from simdiag.report.terminal import plain

    table = Table(box=None, pad_edge=False)
    for heading in (_("context"), _("type"), _("APN"), _("granted"), _("address"), _("active")):
        table.add_column(heading)
    for context in report.contexts:
        table.add_row(
            _("{cid} (attach)").format(cid=context.cid) if context.attach else str(context.cid),
            plain(context.pdp_type),
            plain(context.apn or "-"),
            plain(context.granted or "-"),
            ", ".join(context.address_types) or "-",
            "✓" if context.active else "-",
        )
    console = Console(highlight=False)
    console.print(table)
    for title, value in (
        (_("Authentication"), report.auth or "-"),
        (_("Known for the operator"), ", ".join(report.known) or "-"),
    ):
        console.print(Text.assemble((f"{title}: ", "dim"), plain(value)))
    for remark in report.remarks:
        console.print(Text(remark.render(_), "bold"))
