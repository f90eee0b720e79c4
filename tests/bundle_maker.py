"""Makes many bundles of one: the same evidence, another card, cause, device, day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simdiag.bundle import container
from simdiag.bundle.build import build
from simdiag.bundle.canonical import digest, document
from simdiag.bundle.layout import VERDICT
from simdiag.bundle.manifest import NAME, SIGNATURE, Manifest
from simdiag.bundle.material import of_run
from simdiag.bundle.sealing import sign
from simdiag.message import Translate
from simdiag.pseudonym import Pseudonyms

TALK = "AT+CPIN?\n+CPIN: READY\nOK\nAT+CEREG?\n+CEREG: 3,3,,,,0,2\nOK\n"


class BundleMaker:
    """Signs each bundle anew, with this installation's key; all are in order."""

    def __init__(self, folder: Path, languages: Sequence[Translate] = ()) -> None:
        log = folder / "template.txt"
        log.write_text(TALK)
        made = build(of_run(log, None, []), Pseudonyms(bytes(32)), languages)
        log.unlink()
        members = container.unpack(made.data).members
        self._manifest = made.manifest
        self._verdict = json.loads(members[VERDICT])
        fixed = {n: d for n, d in members.items() if n not in (NAME, SIGNATURE, VERDICT)}
        packed = container.pack(fixed)
        self._packed = list(container._entries(packed))

    def make(
        self, cause: str, day: str, revealed: Sequence[str] = (), **observations: Any
    ) -> bytes:
        """Return a bundle; ``observations`` are named with ``__`` for the dot."""
        verdict = self._verdict | {
            "cause": cause,
            "observations": [
                {
                    "name": name.replace("__", "."), "value": value, "unit": None, "time": 0.0,
                    "source": {"exchange": 0, "command": "", "line": ""}, "error": None,
                }
                for name, value in observations.items()
            ],
        }  # fmt: skip
        data = document(verdict)
        members = tuple(
            m.model_copy(update={"bytes": len(data), "sha256": digest(data)})
            if m.path == VERDICT
            else m
            for m in self._manifest.members
        )
        manifest: Manifest = self._manifest.model_copy(
            update={
                "examined": day,
                "verdict": self._manifest.verdict.model_copy(update={"cause": cause}),
                "redaction": self._manifest.redaction.model_copy(
                    update={"revealed": tuple(revealed)}
                ),
                "members": members,
            }
        )
        raw = manifest.to_bytes()
        changed = container.unpack(
            container.pack({NAME: raw, SIGNATURE: sign(raw).to_bytes(), VERDICT: data})
        )
        own = container._entries(container.pack(changed.members))
        return container.assemble([*own, *self._packed])
