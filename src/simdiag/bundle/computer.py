"""What this computer and its user are known by: learnt before anything is redacted."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from simdiag.pseudonym import Pseudonyms

_COMMON = frozenset({"root", "nobody", "daemon", "localhost", "localhost.localdomain", "debian"})
"""Names that every computer has: they are nobody's."""
_FIRST_PERSON = 1000
"""User ids below this are the system's own."""


def learn(names: Pseudonyms) -> None:
    """Note host and user names, hardware and IP addresses, and serial numbers on the USB bus."""
    for kind, value in _known():
        if value and value not in _COMMON:
            names.knows(kind, value)


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
