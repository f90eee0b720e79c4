"""Which process owns a tunnel: a TUN or TAP interface that a program at ``/dev/net/tun`` serves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from simdiag.usage import links
from simdiag.usage.owners import PROC

_DEVICE = os.makedev(10, 200)  # admin-guide/devices.txt; its name may differ in a container


def tunnels() -> dict[int, str]:
    """Return the TUN and TAP interfaces of this network namespace. Raises ``OSError``."""
    return {i.index: i.link.name for i in links.interfaces() if i.link.driver == "tun"}


def served_by(pid: int, proc: Path = PROC) -> Iterator[str]:
    """Yield the names of the tunnels that a process serves, if one may look (proc(5), fdinfo)."""
    folder = proc / str(pid)
    try:
        numbers = os.listdir(folder / "fd")  # noqa: PTH208
    except OSError:
        return
    for number in numbers:
        try:
            if os.stat(folder / "fd" / number).st_rdev != _DEVICE:  # noqa: PTH116
                continue
            text = (folder / "fdinfo" / number).read_text("utf-8", "replace")
        except OSError:
            continue
        for line in text.splitlines():
            word, _, name = line.partition(":")
            if word == "iff" and name.strip():
                yield name.strip()
