"""What the evidence answers, so that nobody is asked for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simdiag.diagnose import Diagnosis
from simdiag.evidence import Evidence
from simdiag.redact import Redactor
from simdiag.report.said import values
from simdiag.ticket.draft import BundleRef


@dataclass(frozen=True, slots=True)
class Facts:
    """A judged piece of evidence, and the file that holds it."""

    diagnosis: Diagnosis
    evidence: Evidence
    examined: datetime | None = None
    path: Path | None = None
    bundle: BundleRef | None = None
    fingerprint: str = ""

    @property
    def redactor(self) -> Redactor:
        """What hides identifiers that a text of the evidence holds."""
        return Redactor(self.evidence)

    @property
    def device(self) -> str:
        """Maker, model and firmware of the modem."""
        return self.shown("device.manufacturer", "device.model", "device.revision")

    @property
    def card(self) -> str:
        """The card's number, its personal digits hidden."""
        return self.shown("sim.iccid")

    @property
    def profile(self) -> str:
        """The id of the carrier profile; empty where the operator is not known."""
        found = self.diagnosis.profile
        return found.id if found else ""

    @property
    def names_a_fault(self) -> bool:
        """Whether the evidence itself says what is wrong."""
        return names_a_fault(self.diagnosis.cause)

    def shown(self, *names: str) -> str:
        """Return the newest values of these names, identifiers hidden."""
        return ", ".join(values(self.evidence, names, self.redactor))


def names_a_fault(cause: str) -> bool:
    """Whether a cause says what is wrong."""
    return cause not in ("healthy", "inconclusive")


def of_bundle(path: Path) -> Facts:
    """Return what a bundle answers: its recorded talk, judged anew. Raises ``BundleError``."""
    from simdiag.bundle.opening import open_bundle
    from simdiag.bundle.replaying import replayed

    bundle = open_bundle(path)
    result = replayed(bundle)
    data = path.read_bytes()
    begun = bundle.manifest.examined
    return Facts(
        result.diagnosis,
        result.evidence,
        datetime.fromisoformat(begun) if begun else None,
        path,
        BundleRef(name=path.name, sha256=hashlib.sha256(data).hexdigest(), size=len(data)),
        bundle.fingerprint or "",
    )
