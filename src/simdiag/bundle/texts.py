"""The texts in source files. Parsing them takes half a second, so they are kept when building.

``hatch_build.py`` runs this file alone, without the package: it imports the standard library only.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

KEPT = Path(__file__).with_name("texts.json")
"""The texts of source files as they were when the package was built, by their digests."""


def texts_of(path: Path) -> list[str]:
    """Return the texts of a source file that are no docstrings."""
    source = path.read_bytes()
    found = _kept().get(_digest(source))
    return list(_parsed(source)) if found is None else found


def keep(paths: Iterable[Path], where: Path = KEPT) -> None:
    """Write down the texts of source files."""
    sources = [path.read_bytes() for path in paths]
    kept = {_digest(source): list(_parsed(source)) for source in sources}
    unfinished = where.with_suffix(".tmp")
    unfinished.write_text(json.dumps(kept), "utf-8")
    unfinished.replace(where)  # a running simdiag never sees half of it


def _parsed(source: bytes) -> Iterator[str]:
    nodes = list(ast.walk(ast.parse(source)))
    alone = {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in alone and isinstance(node.value, str):
            yield node.value


@lru_cache(maxsize=1)
def _kept() -> dict[str, list[str]]:
    try:
        kept: dict[str, list[str]] = json.loads(KEPT.read_text("utf-8"))
    except (OSError, ValueError):  # a checkout that nothing was built from
        return {}
    return kept


def _digest(source: bytes) -> str:
    return hashlib.blake2b(source, digest_size=16).hexdigest()
