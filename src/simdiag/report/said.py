"""What the modem said, as reports quote it: values at a glance, and the lines behind a finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, Translate
from simdiag.redact import Redactor
from simdiag.rules import Finding

_LINES_PER_CITE = 4
_LONGEST = 200
_NO_ANSWER = N_("no answer")


def values(evidence: Evidence, names: Iterable[str], redactor: Redactor) -> list[str]:
    """Return the newest values of these names that are there, each with its unit."""
    found = [o for o in map(evidence.last, names) if o is not None]
    return list(filter(None, (_value(o, redactor) for o in found)))


def _value(observation: Observation, redactor: Redactor) -> str:
    value = redactor.value(observation)
    if isinstance(value, dict):
        each = (v if isinstance(v, list) else [v] for v in value.values())
        value = " ".join(str(v) for several in each for v in several)
    kind = observation.name.removeprefix("signal.").partition("_")[0].upper()
    prefix = f"{kind} " if observation.name.startswith("signal.") else ""
    unit = f" {observation.unit}" if observation.unit else ""
    return f"{prefix}{value}{unit}" if str(value) else ""


def citations(
    finding: Finding, redactor: Redactor, translate: Translate
) -> Iterator[tuple[str, str, float]]:
    """Yield command, answer and time (s) of the few exchanges that a finding rests on."""
    cited = {(o.source.command, o.source.line): o for o in finding.cites}
    for observation in list(cited.values())[:_LINES_PER_CITE]:
        source = observation.source
        if source.exchange >= 0:
            answer = source.line
            said = translate(answer) if answer == _NO_ANSWER else redactor.text(answer)
            yield redactor.text(source.command), said[:_LONGEST], observation.time
