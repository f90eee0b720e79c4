"""What ``pip install .`` gives: a ``simdiag`` that works, with drivers, profiles, catalogues."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.xdist_group("packaging"),  # one worker builds, for all tests here
    pytest.mark.timeout(600),  # downloads what the package depends on
]

ROOT = Path(__file__).parents[1]
NEEDED = ["src", "drivers", "profiles", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE"]
"""All that a build needs; built from a copy so that no other test sees half a catalogue."""


def run(*words: str | Path, **environment: str) -> str:
    """Run a program and return what it printed; its own words explain a failure."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    clean |= {"XDG_CONFIG_HOME": os.devnull} | environment  # no drivers or profiles of this user
    done = subprocess.run(
        list(map(str, words)), cwd="/", env=clean, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("source")
    for name in NEEDED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, copy / name, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
        else:
            shutil.copy(path, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", out, copy)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of a fresh environment into which the wheel is installed."""
    home = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", home)
    run(home / "bin/python", "-m", "pip", "install", "-q", wheel)
    return home / "bin"


def packed(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("folder", ["drivers", "profiles"])
def test_the_wheel_holds_what_git_holds(wheel: Path, folder: str) -> None:
    """Stray files would be shipped too: ``force-include`` does not read .gitignore."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the package is not known")
    known = run(git, "-C", ROOT, "-c", "safe.directory=*", "ls-files", folder).splitlines()
    inside = {name.removeprefix("simdiag/") for name in packed(wheel)}
    shipped = {name for name in inside if name.startswith(f"{folder}/")}
    assert shipped - {f"{folder}/__init__.py"} == set(known), "git add it, or remove it"


def test_the_wheel_holds_every_catalogue(wheel: Path) -> None:
    sources = sorted((ROOT / "src/simdiag/locale").glob("*/LC_MESSAGES/*.po"))
    compiled = {f"simdiag/locale/{p.parts[-3]}/LC_MESSAGES/{p.stem}.mo" for p in sources}
    assert compiled <= packed(wheel)


def test_the_wheel_holds_the_rules_and_the_service(wheel: Path) -> None:
    folder = ROOT / "src/simdiag/hostfiles"
    templates = {p.name for p in folder.glob("*simdiag*")}
    assert {"70-simdiag.rules", "simdiag-watch.service", "simdiag-tickets.timer"} <= templates
    assert {f"simdiag/hostfiles/{name}" for name in templates} <= packed(wheel)


def test_help(scripts: Path) -> None:
    assert "diagnose" in run(scripts / "simdiag", "--help")


def test_scenarios_are_installed(scripts: Path) -> None:
    assert len(run(scripts / "simdiag", "emulate", "--list").splitlines()) >= 30


@pytest.mark.parametrize(
    ("finder", "found", "pattern"),
    [("drivers", "by_family", "*.py"), ("profiles", "by_id", "*.toml")],
)
def test_every_driver_and_profile_loads(
    scripts: Path, finder: str, found: str, pattern: str
) -> None:
    script = (
        f"from simdiag.registry import {finder} as all\nprint(len(all().{found}), *all().problems)"
    )
    expected = len(list((ROOT / finder).glob(pattern)))
    assert run(scripts / "python", "-c", script).strip() == str(expected)


def test_chinese_is_installed(scripts: Path) -> None:
    if not (ROOT / "src/simdiag/locale/zh_CN").exists():
        pytest.skip("there is no Chinese catalogue yet")
    text = run(scripts / "simdiag", "--help", LANGUAGE="zh_CN")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text)
