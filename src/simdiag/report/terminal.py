"""A diagnosis on the terminal, for people: the verdict first, then its proof."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simdiag.causes import CAUSES, RESPONSIBLE_TITLES
from simdiag.diagnose import Diagnosis
from simdiag.evidence import Evidence
from simdiag.explain import Explanation
from simdiag.message import N_, Translate
from simdiag.redact import Redactor
from simdiag.report.said import citations, values
from simdiag.rules import Alternative, Finding, Severity

_STYLE = {"healthy": "green", "inconclusive": "yellow"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return text from a device without control characters, so that none reaches the terminal."""
    return _CONTROL.sub("�", text)


def show(
    console: Console,
    diagnosis: Diagnosis,
    evidence: Evidence,
    redactor: Redactor,
    _: Translate,
    *,
    title: str = "",
) -> None:
    """Print the verdict, its proof, what was ruled out, who can act and what to do next."""
    style = _STYLE.get(diagnosis.cause, "red")
    sure = _("certainty {percent} %").format(percent=round(diagnosis.confidence * 100))
    head = Text.assemble(
        (_(diagnosis.entry.title), f"bold {style}"),
        "\n",
        (f"{diagnosis.cause} · {sure}", "dim"),
    )
    console.print(
        Panel(
            head,
            title=Text(plain(title)) if title else None,
            title_align="left",
            border_style=style,
        )
    )
    _section(console, "", _facts(evidence, redactor, _))
    _section(
        console, _(N_("Why")), [line for f in diagnosis.proof for line in _proof(f, redactor, _)]
    )
    _section(console, _(N_("Worth knowing")), _remarks(diagnosis, redactor, _))
    fine = _ruled_out(diagnosis, redactor, _)
    _section(console, _(N_("Ruled out")), fine, ["✓"] * len(fine))
    _section(console, _(N_("Not ruled out")), _other_causes(diagnosis.alternatives, _))
    if diagnosis.cause != "healthy":
        _section(
            console, _(N_("Who can fix it")), [Text(_(RESPONSIBLE_TITLES[diagnosis.responsible]))]
        )
    show_steps(console, [step.render(_) for step in diagnosis.next_steps], _)


def show_steps(console: Console, steps: list[str], _: Translate) -> None:
    """Print what to do next, numbered."""
    marks = [f"{number}." for number in range(1, len(steps) + 1)]
    _section(console, _(N_("What to do next")), [Text(plain(step)) for step in steps], marks)


def _section(
    console: Console, title: str, lines: list[Text], marks: list[str] | None = None
) -> None:
    """Print a heading and its lines; long ones wrap under themselves, not under their mark."""
    if not lines:
        return
    if title:
        console.print(Text(title, "bold"))
    grid = Table.grid(padding=(0, 1))
    for _column in range(3):
        grid.add_column(overflow="fold")  # lines of a modem and Chinese have no blanks to wrap at
    for number, line in enumerate(lines):
        grid.add_row(" ", Text(marks[number]) if marks else "", line)
    console.print(grid)


_FACTS = (
    (N_("Device"), ("device.manufacturer", "device.model", "device.revision")),
    (N_("Card"), ("sim.state", "sim.iccid")),
    (N_("Network"), ("operator.name", "operator.plmn", "cell.technology", "cell.band")),
    (N_("Signal"), ("signal.rsrp_dbm", "signal.rsrq_db", "signal.sinr_db", "signal.rssi_dbm")),
    (N_("Data"), ("data.granted_apns", "data.addresses")),
)
"""What a technician wants to see at a glance: a heading and the newest values of these names."""


def _facts(evidence: Evidence, redactor: Redactor, _: Translate) -> list[Text]:
    found = [(_(heading), values(evidence, names, redactor)) for heading, names in _FACTS]
    if "usage.today_bytes" in evidence:
        from simdiag.report.usage_text import usage_line

        found.append((_(N_("Data used")), [usage_line(evidence, redactor, _)]))
    return [
        Text.assemble((heading, "dim"), ": ", ", ".join(map(plain, shown)))
        for heading, shown in found
        if shown
    ]


def _proof(finding: Finding, redactor: Redactor, _: Translate) -> list[Text]:
    lines = [Text(redactor.text(plain(finding.text.render(_))))]
    for asked, answer, _time in citations(finding, redactor, _):
        between = " → " if asked else ""
        lines.append(Text.assemble("  ", (plain(asked), "cyan"), between, (plain(answer), "dim")))
    return lines


def _remarks(diagnosis: Diagnosis, redactor: Redactor, _: Translate) -> list[Text]:
    return [
        Text(
            redactor.text(plain(f.text.render(_))),
            "yellow" if f.severity is Severity.WARNING else "",
        )
        for f in diagnosis.findings
        if f.severity in (Severity.WARNING, Severity.INFO)
    ]


def _ruled_out(diagnosis: Diagnosis, redactor: Redactor, _: Translate) -> list[Text]:
    shown = [f for f in diagnosis.ruled_out if f not in diagnosis.proof]
    return [Text(redactor.text(plain(f.text.render(_)))) for f in shown]


def _other_causes(alternatives: Iterable[Alternative], _: Translate) -> list[Text]:
    return [
        Text.assemble(_(CAUSES[a.cause].title), (f" ({a.cause})", "dim"), "\n  ", a.test.render(_))
        for a in alternatives
    ]


def show_explanation(console: Console, found: Explanation, _: Translate) -> None:
    """Print what something means, the cause it points to, who can act and what to do."""
    console.print(Text(plain(found.name), "bold"))
    console.print(Text(found.meaning.render(_)))
    if found.cause is None:
        return
    if found.name != found.cause.code:
        title = Text.assemble(_(found.cause.title), (f" ({found.cause.code})", "dim"))
        _section(console, _(N_("Points to")), [title])
    _section(console, _(N_("Not ruled out")), _other_causes(found.alternatives, _))
    who = Text(_(RESPONSIBLE_TITLES[found.cause.responsible]))
    _section(console, _(N_("Who can fix it")), [who])
    show_steps(console, [_(step) for step in found.cause.steps], _)
