"""The layers: who may import whom, and what may be loaded before a command is known.

The tables here are the architecture; ``docs/adr`` says why. A new module needs a row.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "simdiag"

FREE_FOR_ALL = {"message", "errors"}
"""Texts and exceptions: every layer but ``at`` may import them."""

LAYERS = {
    # what is said on the wire, and what it tells
    "at": "",
    "message": "",
    "errors": "",
    "sizes": "",
    "causes": "",
    "evidence": "",
    "profile": "",
    "driver": "at evidence",
    "conversation": "at evidence",
    "safety": "",
    "identity": "at",
    "pseudonym": "",
    "redact": "evidence identity",
    # bytes in and out
    "transport": "",
    "transcript": "at conversation evidence files",
    "session": "at conversation evidence safety transcript transport",
    # what is there: drivers, profiles, devices, the computer
    "drivers": "",
    "profiles": "",
    "registry": "driver drivers files profile profiles",
    "host": "",
    "modem_manager": "",
    "discovery": "driver host registry",
    # from exchanges to a verdict
    "collect": "discovery driver evidence host registry session sizes transport usage",
    "rules": "evidence profile sizes",
    "diagnose": "causes evidence profile rules",
    "report": (
        "causes diagnose evidence explain identity monitor profile reconcile redact rules sizes usage"
    ),
    "explain": "at causes rules",
    # the whole way, for a device and for a log
    "apn": "collect evidence profile rules",
    "experiment": "collect driver",
    "agent": (
        "collect diagnose discovery driver evidence experiment host modem_manager profile registry "
        "transcript transport"
    ),
    "watch": "agent collect discovery driver evidence",
    "log": "collect conversation diagnose driver evidence profile registry transcript",
    "monitor": "collect driver evidence",
    "reconcile": "at causes collect evidence profile rules session sizes usage",
    "swap": "causes diagnose evidence",
    "usage": "closing database evidence files host sizes",
    "bundle": (
        "agent at causes collect conversation diagnose discovery driver drivers emulator evidence files "
        "host identity log profile profiles pseudonym redact registry report rules transcript usage "
        "validation"
    ),
    "ticket": (
        "bundle causes closing database diagnose evidence files i18n profile redact registry report "
        "validation"
    ),
    "triage": "bundle ticket",
    # beside it
    "emulator": "at",
    "i18n": "",
    "database": "",
    "files": "",
    "validation": "",
    "closing": "",
    "hostfiles": "discovery driver files",
    "cli": (
        "agent apn bundle causes collect diagnose discovery driver emulator evidence experiment explain "
        "files host hostfiles i18n log monitor profile pseudonym reconcile redact registry report "
        "sizes swap ticket transcript triage usage watch"
    ),
}
"""Each part of the package and the parts it may import beside itself."""

ONLY_IN = {
    "click": {"cli"},
    "duckdb": {"triage"},
    "cryptography": {"bundle", "pseudonym"},
    "httpx": {"ticket"},
    "jeepney": {"modem_manager"},
    "jinja2": {"report"},
    "keyring": {"ticket"},
    "markupsafe": {"report"},
    "rich": {"cli", "report"},
    "pydantic": {"bundle", "emulator", "profile", "report", "ticket", "triage", "validation"},
    "serial": {"transport"},
    "pyrage": {"bundle"},
    "pyudev": {"discovery", "watch"},
    "psutil": {"bundle", "host"},
}
"""Each dependency and the parts that may use it."""

PURE = {"at", "message", "errors", "sizes", "causes", "evidence", "profile", "driver", "conversation",
        "safety", "identity", "redact", "rules", "diagnose"}  # fmt: skip
IMPURE_MODULES = {"datetime", "os", "pathlib", "random", "select", "socket", "subprocess",
                  "threading", "time"}  # fmt: skip
"""Parts without I/O and without a clock, and the modules that would bring them in."""
EXCEPTIONS = {("rules", "threading")}
"""The rules' files are loaded once, under a lock."""

HEAVY = {"cryptography", "jeepney", "jinja2", "pydantic", "psutil", "pyudev", "rich", "serial"}
"""Not loaded for ``simdiag --help``."""


def imports(path: Path) -> Iterator[str]:
    """Yield the full names that a file imports anywhere; ``a.b`` for ``from a import b``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str) -> str:
    """Return the part that a full name belongs to: ``cli`` of ``simdiag.cli.group``."""
    head = name.split(".")[1]
    return head if head in LAYERS else ""


def files() -> list[tuple[str, Path]]:
    """Return every file of the package with the part it belongs to."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.append(("cli" if name == "__main__" else name, path))
    return found


FILES = [pytest.param(name, path, id=str(path.relative_to(PACKAGE))) for name, path in files()]


def test_every_part_has_a_row_and_no_row_is_left_over() -> None:
    assert {name for name, _ in files()} == set(LAYERS)


def test_the_table_goes_downwards_only() -> None:
    TopologicalSorter({name: below.split() for name, below in LAYERS.items()}).prepare()


@pytest.mark.parametrize(("name", "path"), FILES)
def test_a_part_imports_only_the_parts_below_it(name: str, path: Path) -> None:
    allowed = {name, "", *LAYERS[name].split()} | (FREE_FOR_ALL if name != "at" else set())
    used = {part(full) for full in imports(path) if full.startswith("simdiag.")}
    assert used <= allowed


@pytest.mark.parametrize(("name", "path"), FILES)
def test_a_dependency_is_used_only_where_it_belongs(name: str, path: Path) -> None:
    used = {full.split(".")[0] for full in imports(path)}
    strangers = used - set(sys.stdlib_module_names) - set(ONLY_IN) - {"simdiag"}
    assert not strangers
    assert {module for module in used & set(ONLY_IN) if name not in ONLY_IN[module]} == set()


@pytest.mark.parametrize(("name", "path"), [p for p in FILES if p.values[0] in PURE])
def test_a_pure_part_has_no_clock_and_no_io(name: str, path: Path) -> None:
    used = {full.split(".")[0] for full in imports(path)} & IMPURE_MODULES
    assert {module for module in used if (name, module) not in EXCEPTIONS} == set()


DRIVERS = sorted((ROOT / "drivers").glob("*.py"))


@pytest.mark.parametrize("path", DRIVERS, ids=lambda path: path.name)
def test_a_driver_imports_only_the_driver_interface(path: Path) -> None:
    used = set(imports(path))
    assert {full for full in used if full.startswith("simdiag.")} == {
        full for full in used if full.startswith("simdiag.driver.")
    }
    others = {full.split(".")[0] for full in used} - {"simdiag"}
    assert others <= set(sys.stdlib_module_names) - IMPURE_MODULES


def test_help_loads_nothing_heavy() -> None:
    """All commands are made for the list of ``--help``; what they need is loaded when they run."""
    script = (
        "import sys\n"
        "from simdiag.cli.group import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "print('LOADED', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stdout.partition("LOADED")[2].split()}
    assert loaded & HEAVY == set()
