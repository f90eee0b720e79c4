"""Makes what the page shows from a diagnosis and its evidence, identifiers hidden."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from simdiag import __version__
from simdiag.causes import CAUSES, RESPONSIBLE_TITLES, Responsible
from simdiag.diagnose import Diagnosis
from simdiag.evidence import Evidence
from simdiag.identity import kind_of
from simdiag.message import N_, Translate
from simdiag.redact import Redactor
from simdiag.report.hostile import shown
from simdiag.report.page.levels import signal
from simdiag.report.page.lights import LAYERS, light
from simdiag.report.page.operator import contacts, name, windows
from simdiag.report.page.usage import usage_of
from simdiag.report.page.view import (
    Alternative,
    Bundle,
    Fact,
    Light,
    Line,
    Proof,
    State,
    Tried,
    View,
)
from simdiag.report.said import citations, values
from simdiag.rules import Finding, Severity
from simdiag.usage.ledger import Report

_FACTS = (
    (N_("Device"), ("device.manufacturer", "device.model", "device.revision")),
    ("IMEI", ("device.imei",)),
    (N_("Supply and temperature"), ("device.voltage_mv", "device.temperature_c")),
    (N_("Card"), ("sim.state",)),
    ("ICCID", ("sim.iccid",)),
    ("IMSI", ("sim.imsi",)),
    (N_("Tries left for the PIN"), ("sim.pin_retries",)),
    (N_("Network"), ("operator.name", "operator.plmn", "cell.technology", "cell.band")),
    (N_("Area and cell"), ("registration.eps.tac", "registration.eps.cell_id")),
    (N_("Data"), ("data.granted_apns", "data.addresses")),
)
"""What a desk asks for: a heading, and the observations under it."""
_REPLACED = {
    "iccid": N_("card numbers (ICCID)"),
    "imsi": N_("subscriber numbers (IMSI)"),
    "imei": N_("device numbers (IMEI)"),
    "ip": N_("IP addresses"),
    "cell": N_("cells"),
    "area": N_("areas"),
}
"""Of what a page shows pseudonyms: kinds that it would show otherwise."""
_AS_IT_IS = Redactor(Evidence(), {"all"})
_STATES = {"healthy": State.GOOD, "inconclusive": State.OPEN}
_LONGEST_NAME = 80


def view_of(
    diagnosis: Diagnosis,
    evidence: Evidence,
    translate: Translate,
    *,
    examined: datetime | None = None,
    elapsed_s: float | None = None,
    revealed: Collection[str] = (),
    tried: Sequence[Tried] = (),
    usage: Report | None = None,
    made: Sequence[tuple[str, str]] = (),
    bundle: Bundle | None = None,
    command: str = "report",
) -> View:
    """Return the view of one examination in the language of ``translate``.

    The evidence holds pseudonyms already, but for the kinds ``revealed``. ``examined`` (aware) is
    when it began; without it times count from its begin. ``made`` is what else to say of how the
    page came about: titles and values, in the page's language. ``command`` makes such a page.
    """
    _ = translate
    remarks = [f for f in diagnosis.findings if f.severity in (Severity.WARNING, Severity.INFO)]
    ruled_out = [f for f in diagnosis.ruled_out if f not in diagnosis.proof]
    clock = _clock(evidence, examined)

    def proof(finding: Finding) -> Proof:
        lines = (Line(c, a, clock(t)) for c, a, t in citations(finding, _AS_IT_IS, _))
        return Proof(finding.text.render(_), tuple(lines))

    lights = []
    for layer, title in LAYERS.items():
        state, note = light(layer, diagnosis)
        lights.append(Light(_(title), state, note.render(_) if note else ""))
    if usage is not None and lights[-1].state is State.UNKNOWN:
        lights[-1] = replace(lights[-1], note=_(N_("Recorded, not judged: see below.")))
    met = {kind_of(o.name) for o in evidence if o.value is not None}
    who = diagnosis.responsible
    profile = diagnosis.profile
    return View(
        verdict=_(diagnosis.entry.title),
        code=diagnosis.cause,
        state=_STATES.get(diagnosis.cause, State.FAULT),
        certainty=round(diagnosis.confidence * 100),
        who="" if who is Responsible.NOBODY else _(RESPONSIBLE_TITLES[who]),
        lights=tuple(lights),
        steps=tuple(step.render(_) for step in diagnosis.next_steps),
        proof=tuple(map(proof, diagnosis.proof)),
        remarks=tuple(map(proof, remarks)),
        ruled_out=tuple(finding.text.render(_) for finding in ruled_out),
        alternatives=tuple(
            Alternative(_(CAUSES[a.cause].title), a.cause, a.test.render(_))
            for a in diagnosis.alternatives
        ),
        tried=tuple(tried),
        facts=tuple(_facts(evidence, _)),
        signal=signal(evidence, _),
        usage=usage_of(usage, _) if usage is not None else None,
        operator=name(profile, _),
        contacts=contacts(profile, _),
        windows=windows(profile, _),
        device=_device(evidence),
        examined=f"{examined:%Y-%m-%d %H:%M} {_zone(examined)}" if examined else "",
        made=(
            Fact("simdiag", __version__),
            *((Fact(_(N_("Carrier profile")), profile.id),) if profile else ()),
            *((Fact(_(N_("Examination took")), f"{elapsed_s:.1f} s"),) if elapsed_s else ()),
            *(Fact(title, value) for title, value in made),
        ),
        bundle=bundle,
        replaced=tuple(_(text) for kind, text in _REPLACED.items() if kind in met - set(revealed)),
        revealed=tuple(sorted(revealed)),
        command=command,
    )


def _facts(evidence: Evidence, _: Translate) -> Sequence[Fact]:
    """The facts that are there; one of which nothing is left but stars says nothing."""
    found = [(_(title), values(evidence, names, _AS_IT_IS)) for title, names in _FACTS]
    told = [
        (title, [shown(v, _LONGEST_NAME) for v in said if v.strip("* ")]) for title, said in found
    ]
    return [Fact(title, ", ".join(said)) for title, said in told if said]


def _device(evidence: Evidence) -> str:
    """The device's own name, as short as a heading must be."""
    said = values(evidence, ("device.manufacturer", "device.model"), _AS_IT_IS)
    return shown(" ".join(dict.fromkeys(said)), _LONGEST_NAME)


def _zone(moment: datetime) -> str:
    offset = f"{moment:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"


def _clock(evidence: Evidence, examined: datetime | None) -> Callable[[float], str]:
    """Return what writes the time of a line; a log without times has none to tell."""
    if not any(o.time for o in evidence):
        return lambda _time: ""
    if examined is None:
        return lambda time: f"+{time:.1f} s"
    return lambda time: f"{examined + timedelta(seconds=time):%H:%M:%S}"
