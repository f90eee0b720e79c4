"""Writes the pages that follow from the code: a page per cause, and what each family reads.

Run it after changing a cause, a driver or a family of the emulator: ``python docs/generate.py``.
A test compares the result with what is checked in.
"""

from __future__ import annotations

import sys
from pathlib import Path

from simdiag.agent import Options, Target, examine
from simdiag.causes import CAUSES, RESPONSIBLE_TITLES, Cause
from simdiag.emulator import EmulatedModem, scenario, scenario_names
from simdiag.emulator.pty import running
from simdiag.i18n import translator
from simdiag.message import Translate
from simdiag.registry import drivers
from simdiag.rules.network_causes import MOBILITY, SESSION

DOCS = Path(__file__).parent
HEADER = "<!-- Written by docs/generate.py; change the code, not this page. -->\n"
COLUMNS = {
    "ICCID": "sim.iccid",
    "PIN tries": "sim.pin_retries",
    "card switch": "sim.inserted",
    "RSRP": "signal.rsrp_dbm",
    "SINR": "signal.sinr_db",
    "cell": "cell.state",
    "band": "cell.band",
    "mode lock": "radio.mode_restricted",
    "granted APN": "data.granted_apns",
    "counters": "counter.rx_bytes",
    "temperature": "device.temperature_c",
    "voltage": "device.voltage_mv",
}


def cause_page(cause: Cause) -> str:
    parts = [HEADER, f"# `{cause.code}`\n"]
    for language in ("en", "zh_CN"):
        parts.append(_cause_in(cause, translator(language)))
    numbers = [f"reject cause {n}" for n, known in MOBILITY.items() if known.cause == cause.code]
    numbers += [f"session cause {n}" for n, known in SESSION.items() if known.cause == cause.code]
    if numbers:
        parts.append(f"Network causes that point here: {', '.join(numbers)}.\n")
    scenarios = [n for n in scenario_names() if n.startswith("quectel-ec2x/")]
    mine = [n for n in scenarios if scenario(n).cause == cause.code]
    if mine:
        lines = [f"simdiag emulate {n} --link /tmp/modem   # {scenario(n).title}" for n in mine]
        block = "\n".join(["```sh", *lines, "simdiag check --port /tmp/modem", "```"])
        parts.append(f"To see it without a broken device:\n\n{block}\n")
    return "\n".join(parts)


def _cause_in(cause: Cause, _: Translate) -> str:
    steps = "\n".join(f"{n}. {_(step)}" for n, step in enumerate(cause.steps, 1))
    who = f"{_('Who can fix it')}: {_(RESPONSIBLE_TITLES[cause.responsible])}"
    return f"## {_(cause.title)}\n\n{who}.\n\n{_('What to do next')}:\n\n{steps}\n"


def index_page() -> str:
    rows = [
        f"| [`{c.code}`](causes/{c.code}.md) | {c.title} | {RESPONSIBLE_TITLES[c.responsible]} |"
        for c in CAUSES.values()
    ]
    return "\n".join(
        [HEADER, "# Causes\n", "| code | meaning | who can act |", "|---|---|---|", *rows, ""]
    )


def families_page() -> str:
    families = sorted({name.partition("/")[0] for name in scenario_names()})
    rows = [_family_row(family) for family in families]
    head = f"| family | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}"
    text = (
        "What an examination of a healthy modem of each family reads, beyond the standard's "
        "registration, operator, context and address. Made with the emulator.\n"
    )
    return "\n".join([HEADER, "# Families\n", text, head, *rows, ""])


def _family_row(family: str) -> str:
    with running(EmulatedModem(scenario(f"{family}/healthy"))) as port:
        evidence = examine(Target(port=port), Options(wait_s=0)).evidence
    marks = ("✓" if evidence.last(name) else "" for name in COLUMNS.values())
    vendor = drivers().by_family[family].vendor
    return f"| {family} ({vendor}) | {' | '.join(marks)} |"


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    found = {DOCS / "causes" / f"{c.code}.md": cause_page(c) for c in CAUSES.values()}
    return found | {DOCS / "causes.md": index_page(), DOCS / "families.md": families_page()}


def main() -> int:
    """Write the pages."""
    (DOCS / "causes").mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
