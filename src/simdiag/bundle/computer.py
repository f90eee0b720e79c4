"""What this computer and its user are known by: learnt before anything is redacted."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil

from simdiag.pseudonym import Pseudonyms

_COMMON = frozenset({"root", "nobody", "daemon", "localhost", "localhost.localdomain", "debian"})
"""Names that every computer has: they are nobody's."""
_TEXTS = frozenset({".css", ".html", ".po", ".py", ".toml"})
"""Files that what stands in a bundle comes from."""
_FIRST_PERSON = 1000
"""User ids below this are the system's own."""


def learn(names: Pseudonyms) -> None:
    """Note host and user names, hardware and IP addresses, and serial numbers on the USB bus."""
    for kind, value in _known():
        if value and value not in _COMMON:
            names.knows(kind, value)


@cache
def everybodys_words() -> frozenset[str]:
    """Return the words of simdiag's own files, in lower case; a word is of letters alone.

    They stand in bundles of everybody: a user named ``desk``, or one with a program named
    ``code``, could never make a bundle if the gate looked for that. Where the type of a value
    says that it is a name, it is replaced all the same.
    """
    paths = (p for p in Path(__file__).parents[1].rglob("*") if p.suffix in _TEXTS)
    texts = (path.read_text("utf-8", "replace") for path in paths)
    return frozenset(word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower()))


def _known() -> Iterator[tuple[str, str]]:
    host = socket.gethostname()
    yield from (("host", name) for name in {host, host.partition(".")[0]})
    yield from (("user", name) for name in _users())
    with contextlib.suppress(OSError, psutil.Error):
        for addresses in psutil.net_if_addrs().values():
            for address in addresses:
                mac = address.family == psutil.AF_LINK
                yield "mac" if mac else "ip", address.address.partition("%")[0]
    for serial in Path("/sys/bus/usb/devices").glob("*/serial"):
        with contextlib.suppress(OSError):
            yield "serial", serial.read_text("utf-8", "replace").strip()


def _users() -> Iterator[str]:
    for variable in ("SUDO_USER", "USER", "LOGNAME"):
        yield os.environ.get(variable, "")
    for entry in pwd.getpwall():
        if _FIRST_PERSON <= entry.pw_uid < 1 << 16:
            yield entry.pw_name
            yield from (word for word in entry.pw_gecos.split(",")[0].split() if len(word) > 2)
