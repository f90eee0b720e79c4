"""The closed vocabulary: words that a talk may show, because simdiag itself holds them.

Nothing here is a list kept by hand: the words are those of the drivers, the AT core, the carrier
profiles and the emulated modems that ship with simdiag. A word that none of them holds may be
anybody's name. Files of the user's own do not count: their words may name the user's company.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import simdiag.at
import simdiag.drivers
import simdiag.emulator
import simdiag.profiles
import simdiag.rules
from simdiag.bundle.texts import texts_of

_WORD = re.compile(r"[A-Za-z0-9]+")
_FIELD = re.compile(r"\{[^}]*\}")
"""A field in the form of an answer; its name is no word of the answer."""
_LONGEST, _DIGITS = 24, 10
_NUMBERS = frozenset(
    re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve oh nil null double "
        "triple alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike "
        "november oscar papa quebec romeo tango uniform victor whiskey xray yankee zulu dot dash "
        "dit dah un deux trois eins zwei drei vier uno dos tres ling yi er san si wu liu qi ba "
        "jiu",
    )
)
"""Words that spell numbers or letters out: a number in words is still a number."""


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Return all known words in lower case; each holds a letter, at most 24 characters."""
    texts = (*_of_sources(), *_of_data(simdiag.emulator, "**/*.toml"), *_of_profiles())
    words = (word for text in texts for word in _WORD.findall(_FIELD.sub(" ", text)))
    return frozenset(w.lower() for w in words if _is_word(w)) - _NUMBERS


def _is_word(word: str) -> bool:
    """Whether this is a word: no number, no hex, no single letter."""
    digits = sum(c.isdecimal() for c in word)
    hexadecimal = re.fullmatch(r"[0-9A-Fa-f]+", word) and digits
    return 1 < len(word) <= _LONGEST and digits <= min(_DIGITS, len(word) - 1) and not hexadecimal


_KERNEL = frozenset(
    re.findall(
        r"\w+",
        "acm adaptive address amd64 aarch64 arm64 armv7l armv6l x86 i686 riscv64 mips mipsel "
        "bridge cdc cellular class control ctrl debian deb dwc dwc2 dwc3 ehci ether ethernet "
        "fedora generic gsm hcd host huawei hub idle inhibited ipheth linux lowerlayerdown mbim "
        "mhi modemmanager musb net netbpf ncm notpresent ohci openwrt option pci plat platform "
        "ppp pppd qcserial qmi r8152 raspbian rndis rpi rpt serial sierra sierranet smsc95xx "
        "storage suspended tegra ubuntu uas uhci unknown usb usbfs usblp usbserial wdm wwan xhci "
        "xusb cpython cli python simdiag up down dormant testing auto on off",
    )
)
"""What kernels, their drivers and systems call themselves."""


@lru_cache(maxsize=1)
def host_vocabulary() -> frozenset[str]:
    """Return the words of facts about the computer: the kernel's, and those that simdiag writes."""
    found = set(_KERNEL)
    folders = "bundle/**/*.py", "host/*.py", "discovery/*.py"
    for path in _sources(Path(__file__).parents[1], *folders):
        for text in texts_of(path):
            found.update(w.lower() for w in re.findall(r"[A-Za-z]{2,24}", text))
    return frozenset(found) - _NUMBERS


@lru_cache(maxsize=1)
def apns() -> frozenset[str]:
    """Return the access point names of all operators that ship, in lower case."""
    return frozenset(
        str(apn["name"]).lower()
        for profile in _tables(simdiag.profiles, "*.toml")
        for apn in profile.get("apns", ())
    )


@lru_cache(maxsize=1)
def prefixes() -> frozenset[str]:
    """Return the names that answers are known to begin with (``+CSQ``), in upper case."""
    found = set()
    for text in (*_of_sources(), *_of_data(simdiag.emulator, "**/*.toml")):
        found.update(re.findall(r"[+^$#%!*&_][A-Z][A-Z0-9_]{1,15}", text.upper()))
    return frozenset(found)


@lru_cache(maxsize=1)
def version_forms() -> frozenset[str]:
    """Return how the firmware of known families is numbered, a zero for each digit."""
    revisions = (str(t.get("revision", "")) for t in _tables(simdiag.emulator, "families/*.toml"))
    found = (n for text in revisions for n in re.findall(r"\d+(?:\.\d+)+", text))
    return frozenset(re.sub(r"\d", "0", number) for number in found)


@lru_cache(maxsize=1)
def answer_templates() -> tuple[str, ...]:
    """Return the answers' lines of the emulated modems, ``{name}`` for a field of their state."""
    found: dict[str, None] = {}
    for table in _tables(simdiag.emulator, "families/*.toml"):
        for answer in ({"lines": table.get("ati", ())}, *table.get("answers", ())):
            found |= dict.fromkeys([*answer.get("lines", ()), *answer.get("after_ok", ())])
        own = {k: v for k, v in table.items() if k in ("manufacturer", "model", "revision")}
        found |= dict.fromkeys([*own.values(), f"Revision: {own['revision']}"])
    return tuple(found)


def _folders(package: Any) -> Iterator[Path]:
    """The folders of a package, none of the user's."""
    yield from map(Path, package.__path__)


@lru_cache(maxsize=1)
def _of_sources() -> tuple[str, ...]:
    """Return the texts in the sources of what speaks with modems, and what rules compare with."""
    packages = (simdiag.at, simdiag.drivers, simdiag.emulator)
    folders = (folder for package in packages for folder in _folders(package))
    said = (text for f in folders for path in _sources(f, "*.py") for text in texts_of(path))
    rules = (
        text for f in _folders(simdiag.rules) for p in _sources(f, "*.py") for text in texts_of(p)
    )
    return (*said, *(text for text in rules if text.count(" ") < 2))


def _sources(folder: Path, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def _tables(package: Any, pattern: str) -> Iterator[dict[str, Any]]:
    for path in (p for folder in _folders(package) for p in sorted(folder.glob(pattern))):
        yield tomllib.loads(path.read_text("utf-8"))


@lru_cache(maxsize=4)
def _of_data(package: Any, pattern: str) -> tuple[str, ...]:
    found: list[str] = []
    for table in _tables(package, pattern):
        table.pop("title", None)
        _collect(table, found)
    return tuple(found)


def _of_profiles() -> Iterator[str]:
    for profile in _tables(simdiag.profiles, "*.toml"):
        yield from (str(apn["name"]) for apn in profile.get("apns", ()))
        yield str(profile["id"])
        yield str(profile["name"]["en"])


def _collect(value: Any, found: list[str]) -> None:
    """Take every text in a TOML value."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for inner in value.values():
            _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)
