"""What the documents say exists: commands, options, targets and files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from pyrage.x25519 import Identity

from simdiag.cli.group import cli
from simdiag.cli.status import Status

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("hil/*.md"), *ROOT.glob("docs/**/*.md")]
SHELL = {"sh", "console"}
DESK_KEY = str(Identity.generate().to_public())
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def shell_lines(path: Path) -> list[str]:
    """Return the lines of the document's ``sh`` and ``console`` blocks, without the prompt."""
    blocks = [body for kind, body in _BLOCK.findall(path.read_text("utf-8")) if kind in SHELL]
    lines = [line.removeprefix("$ ").strip() for body in blocks for line in body.splitlines()]
    return [line for line in lines if line]


EXAMPLES = [
    pytest.param(line, id=f"{relative(path)}: {line[:50]}")
    for path in DOCUMENTS
    for line in shell_lines(path)
    if line.startswith("simdiag ")
]


def words(line: str) -> list[str]:
    """Return the arguments of a command line, up to what is the shell's."""
    found = shlex.split(line.replace("age1…", DESK_KEY), comments=True)[1:]
    shell = next((i for i, word in enumerate(found) if word[0] in "<>|&;"), len(found))
    return found[:shell]


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command, options and values are known; nothing is run."""
    monkeypatch.chdir(tmp_path)
    name, *arguments = words(line)
    for word in arguments:  # the folders that an example names
        if "/" in word and word[0] != "/":
            Path(word).parent.mkdir(parents=True, exist_ok=True)
    if name.startswith("-"):
        cli.make_context("simdiag", [name, *arguments], resilient_parsing=True)
        return
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"there is no command {name}"
    command.make_context(name, arguments)


@pytest.mark.parametrize("path", READMES, ids=relative)
def test_the_readme_opens_with_the_two_commands(path: Path) -> None:
    first = next(body for _, body in _BLOCK.findall(path.read_text("utf-8")))
    assert re.search(r"^make demo\b.*^make test\b", first, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", READMES, ids=relative)
def test_the_readme_shows_every_command_and_exit_status(path: Path) -> None:
    shown = {words(line)[0] for line in shell_lines(path) if line.startswith("simdiag ")}
    assert shown == set(cli.list_commands(click.Context(cli)))
    table = re.findall(r"^\| (\d+) \|", path.read_text("utf-8"), re.MULTILINE)
    assert set(map(int, table)) >= set(map(int, Status))


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(path: Path) -> None:
    links = _LINK.findall(_BLOCK.sub("", path.read_text("utf-8")))
    missing = [x for x in links if "://" not in x and not (path.parent / x).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join([*shell_lines(path), *re.findall(r"`([^`\n]+)`", path.read_text("utf-8"))])
    assert set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(_LINK.findall((folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}
