"""Reads a folder of bundles on all processors, and the tickets that lie beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.ticket.draft import Draft
from simdiag.triage.case import Case, Refused, read

_BUNDLES = (".zip", ".age")
_CHUNK = 32
_MAX_TICKET = 1 << 20
_FEW = 64
"""Below so many files starting processes takes longer than reading."""


def bundles_in(folder: Path) -> list[Path]:
    """Return the files that may be bundles, in all folders below; raises ``SimdiagError``."""
    if not folder.is_dir():
        raise SimdiagError(message(N_("{folder} is no folder"), folder=str(folder)))
    found = sorted(p for p in folder.rglob("*") if p.suffix in _BUNDLES and p.is_file())
    if not found:
        text = N_("{folder} holds no bundles (files that end in .zip or .zip.age)")
        raise SimdiagError(message(text, folder=str(folder)))
    return found


def read_all(paths: Iterable[Path], told: Callable[[], None]) -> Iterator[Case | Refused]:
    """Read bundles in their order; ``told`` is called after each."""
    paths = list(paths)
    if len(paths) < _FEW:
        results: Iterator[Case | Refused] = map(read, paths)
        for result in results:
            told()
            yield result
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(read, paths, chunksize=_CHUNK):
            told()
            yield result


def with_sellers(cases: Iterable[Case], folder: Path) -> Iterator[Case]:
    """Add the seller that a ticket names, found by the digest of its bundle."""
    sellers = dict(_sellers(folder))
    for case in cases:
        yield replace(case, seller=sellers.get(case.sha256))


def _sellers(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.json")):
        with suppress(ValueError, OSError, RecursionError):
            if path.is_file() and path.stat().st_size <= _MAX_TICKET:
                draft = _draft(path.read_bytes())
                if draft.bundle is not None and draft.seller:
                    yield draft.bundle.sha256, draft.seller


def _draft(content: bytes) -> Draft:
    """Read a draft, or the one that ``ticket show --json`` prints. Raises ``ValueError``."""
    found = json.loads(content)
    case = isinstance(found, dict) and found.get("schema") == "simdiag/case/1"
    return Draft.model_validate(found.get("draft") if case else found)
