"""The fault knowledge: one file per layer of the stack. A new file here is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from threading import Lock

from simdiag.rules.base import RULES, Alternative, Finding, Rule, Severity

__all__ = ["Alternative", "Finding", "Rule", "Severity", "all_rules"]


_LOADING = Lock()


def all_rules() -> tuple[Rule, ...]:
    """Return the rules of every file in this folder."""
    with _LOADING:
        return _load()


@lru_cache(maxsize=1)
def _load() -> tuple[Rule, ...]:
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return tuple(RULES)
