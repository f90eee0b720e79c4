"""Languages: the Chinese catalogue is whole, and it is what a user gets."""

from __future__ import annotations

import importlib.util
import io
import os
import pkgutil
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from rich.cells import cell_len

from simdiag.cli import commands
from simdiag.i18n import LOCALE_DIR, choose, from_environment, normalise, translator
from simdiag.message import LANGUAGE_TAG, LocalText
from simdiag.registry import profiles

ROOT = Path(__file__).parents[1]
PO = LOCALE_DIR / "zh_CN" / "LC_MESSAGES" / "simdiag.po"
NOT_ACTIVATED = (
    "AT+CPIN?\n+CPIN: READY\nOK\nAT+CEREG?\n+CEREG: 3,3,,,,0,2\nOK\nAT+CSQ\n+CSQ: 23,99\nOK\n"
)
COMMANDS = sorted(
    module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__)
)
HEADINGS = (
    "Why", "Worth knowing", "Ruled out", "Not ruled out", "Who can fix it", "What to do next",
    "certainty", "Card", "Network", "Signal",
)  # fmt: skip


def ids(message: Message) -> tuple[str, ...]:
    """Return singular and plural of an entry, or its one text."""
    return tuple(message.id) if isinstance(message.id, tuple | list) else (message.id,)


def translations(message: Message) -> tuple[str, ...]:
    found = message.string
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.fixture(scope="session")
def catalogue() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN")


@pytest.fixture(scope="session")
def entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


@pytest.fixture(scope="session")
def compiled() -> None:
    """Compile the catalogues as an installation does; whole at once, for tests run side by side."""
    for source in LOCALE_DIR.glob("*/LC_MESSAGES/*.po"):
        wanted = io.BytesIO()
        with source.open("rb") as file:
            write_mo(wanted, read_po(file))
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != wanted.getvalue():
            fresh = target.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(wanted.getvalue())
            fresh.replace(target)


@pytest.fixture(scope="session")
def extracted() -> set[tuple[str, ...]]:
    """Return the texts that the sources mark, found as ``make messages`` finds them."""
    found = set()
    for folder in ("src/simdiag", "drivers"):
        for _, _, text, _, _ in extract_from_dir(
            ROOT / folder, [("**.py", "python"), ("**.html", "jinja2")], keywords={**DEFAULT_KEYWORDS, "N_": None, "message": None}
        ):  # fmt: skip
            found.add(tuple(text) if isinstance(text, tuple | list) else (text,))
    return found


def chinese(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "simdiag", *arguments], input=stdin, capture_output=True,
        encoding="utf-8", timeout=60,
        env=os.environ | {"LANGUAGE": "zh_CN", "COLUMNS": "100"} | environment,
    )  # fmt: skip


# ---- the catalogue -----------------------------------------------------------------------
def test_every_marked_text_is_in_the_catalogue(extracted, entries):
    assert len(extracted) > 300
    missing = extracted - {ids(message) for message in entries}
    assert not missing, "run `make messages` and translate what is new"


def test_every_text_is_translated(entries):
    assert [ids(m) for m in entries if not all(translations(m))] == []
    assert [ids(m) for m in entries if m.fuzzy] == []


def test_nothing_is_left_over(extracted, catalogue, entries):
    assert list(catalogue.obsolete) == []
    assert {ids(message) for message in entries} - extracted == set()


def test_placeholders_are_kept(entries):
    wrong = [
        ids(message)
        for message in entries
        for translation in translations(message)
        if translation
        and placeholders(translation) not in [placeholders(text) for text in ids(message)]
    ]
    assert wrong == []


def test_names_of_commands_and_options_are_kept(entries):
    literal = re.compile(r"`[^`]+`|(?<!\w)--[a-z]+|\bAT\+\w+[=?]?\d?|/[a-z]+/\S*[a-z]")
    wrong = [
        (text, name)
        for message in entries
        for text in ids(message)[:1]
        for name in literal.findall(text)
        if name not in translations(message)[0]
    ]
    assert wrong == []


def test_the_traditional_catalogue_is_made_of_the_simplified_one(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("t", ROOT / "tools" / "traditional_chinese.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    monkeypatch.setattr(maker, "RESULT", tmp_path / "made.po")
    maker.main()
    kept = LOCALE_DIR / "zh_HK" / "LC_MESSAGES" / "simdiag.po"
    assert kept.read_bytes() == (tmp_path / "made.po").read_bytes(), "run `make messages`"


# ---- which language ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "tag", ["zh-CN", "zh_CN", "zh", "zh-Hans", "ZH-cn", "zh_CN.UTF-8", "zh-SG"]
)
def test_ways_to_ask_for_simplified_chinese(tag):
    assert choose(tag) == "zh_CN"


@pytest.mark.parametrize("tag", ["zh-HK", "zh_TW", "zh-Hant", "zh-Hant-HK", "zh_MO.UTF-8", "ZH-hk"])
def test_ways_to_ask_for_traditional_chinese(tag):
    assert choose(tag) == "zh_HK"


@pytest.mark.parametrize("tag", ["en", "en-GB", "tlh", "xx_YY", "?", "C"])
def test_other_languages_get_english(tag):
    assert choose(tag) == "en"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh_CN"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en_US"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh_CN"),
        ({"LANGUAGE": "zh_CN:en", "LC_ALL": "en_US.UTF-8"}, "zh_CN"),
        ({"LANG": "POSIX"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_is_read_in_the_order_of_posix(monkeypatch, environment, language):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert from_environment() == language
    assert choose(None) == ("zh_CN" if language == "zh_CN" else "en")
    assert choose("en") == "en"


@pytest.mark.usefixtures("compiled")
def test_texts_of_profiles_come_in_the_language_of_the_catalogue():
    name = LocalText(profiles().by_id["china_mobile"].name)
    assert normalise(translator("zh_CN")(LANGUAGE_TAG)) == "zh_CN"
    assert name.render(translator("zh_CN")) == "中国移动"
    assert name.render(translator("en")) == name.render() == "China Mobile"


@pytest.mark.usefixtures("compiled")
def test_texts_of_profiles_come_in_the_other_chinese_where_one_is_missing():
    both = {"en": "Reset", "zh-CN": "重置"}
    assert LocalText(both).render(translator("zh_HK")) == "重置"
    assert LocalText(both | {"zh-HK": "重設"}).render(translator("zh_HK")) == "重設"


# ---- what a user gets --------------------------------------------------------------------
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("arguments", [["--lang", "zh-CN"], ["--lang=zh"], []])
def test_a_report_is_chinese(arguments):
    done = chinese("diagnose", "-", *arguments, stdin=NOT_ACTIVATED)
    assert done.stderr == ""
    assert "未激活" in done.stdout
    assert "sim_not_activated" in done.stdout
    for heading in HEADINGS:
        assert not re.search(rf"\b{heading}\b", done.stdout), heading


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("width", [60, 80, 140])
def test_wide_characters_fit_the_box(width):
    lines = chinese("diagnose", "-", stdin=NOT_ACTIVATED, COLUMNS=str(width)).stdout.splitlines()
    box = [line for line in lines if line.startswith(("╭", "│", "╰"))]
    assert len(box) >= 3
    assert {cell_len(line) for line in box} == {width}
    assert max(map(cell_len, lines)) <= width


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)],
    ids=" ".join,
)
def test_help_is_chinese(arguments):
    done = chinese(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"Usage|Options:|Commands|Show |default|required", done.stdout)
    for line in done.stdout.splitlines():
        words = re.sub(r"`[^`]*`|^-[a-z-]+", "", line.partition("  -")[2])
        assert not re.search(r"\b(the|and|of|to|is)\b", words), line


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "没有 'chek' 这个命令"),
        (["check", "--prt", "x"], "没有 '--prt' 这个选项"),
        (["check", "--port"], "选项 '--port' 后面要带一个值"),
        (["check", "--all=yes"], "选项 '--all' 不能带值"),
        (["check", "--wait", "9999"], "'--wait' 的值无效: 9999.0 超出范围"),
        (["check", "--wait", "soon"], "'soon' 不是有效的数字"),
        (["check", "--record", "/nonexistent/x"], "文件夹 /nonexistent 不存在"),
        (["check", "more"], "多余的参数: more"),
        (["diagnose"], "缺少参数 'FILE…'"),
        (["emulate"], "请给出场景名称"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors_are_chinese(arguments, words):
    done = chinese(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("错误: ") == 1
    assert words in done.stderr
    assert not re.search(r"Usage|Error|Try |Invalid|No such", done.stderr)


@pytest.mark.usefixtures("compiled")
def test_the_reasons_of_the_system_are_chinese():
    done = chinese("diagnose", "/nonexistent")
    assert done.returncode == 4
    assert done.stderr.strip() == "simdiag: 无法读取 /nonexistent：文件或目录不存在"
