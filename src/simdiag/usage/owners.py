"""Who a process is: program, user, systemd unit or container, and whether somebody looks at it.

All from ``/proc``. A process names itself as it likes: names are cut and made printable.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from simdiag.usage.records import Owner, State

PROC = Path("/proc")
_KERNEL_NAME = 15  # what is left of a name in comm
_NAME = 64
_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount)$")
_CONTAINER = re.compile(
    r"""(?: docker- | libpod- | crio- | cri-containerd- | /docker/ | /containers?/ )
        (?P<id>[0-9a-f]{12})[0-9a-f]{52}
      | (?: lxc\.payload\. | /lxc/ | /machine-(?=[^/]+\.scope) ) (?P<name>[^/]+?)
        (?: \.scope )? (?: / | $ )""",
    re.VERBOSE,
)
_OWN_GROUP = re.compile(r"^(?:0:|\d+:name=systemd):(?P<path>/.+)$", re.MULTILINE)
"""A line of /proc/PID/cgroup (cgroups(7)); who is at the root of one hierarchy may not be so in the
other."""
_BACKGROUND = re.compile(r"^/system\.slice/|/user@\d+\.service/background\.slice/")
"""The computer's services, and what a user's session marks as its background tasks (systemd's
DESKTOP_ENVIRONMENTS.md). Its ``app.slice`` holds what the user started, looked at or not."""
_STAT_GROUP, _STAT_TTY, _STAT_TTY_GROUP = 2, 4, 5  # proc_pid_stat(5), from the state on


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was looked at."""

    owner: Owner
    state: State


def look_at(pid: int, proc: Path = PROC) -> Process | None:
    """Return who a process is, ``None`` if it is gone. What may not be read stays empty."""
    folder = f"{proc}/{pid}"
    try:
        uid = os.stat(folder).st_uid  # noqa: PTH116 -- a hot path, here and below
        stat = _text(f"{folder}/stat")
    except OSError:
        return None
    group = _cgroup(folder)
    own_name = stat[stat.find("(") + 1 : stat.rfind(")")]
    owner = identified(_program(folder, own_name), uid, group)
    numbers = stat[stat.rfind(")") + 1 :].split(maxsplit=_STAT_TTY_GROUP + 1)
    return Process(owner, _state(numbers, group))


def identified(program: str, uid: int, cgroup: str) -> Owner:
    """Return an owner by the parts that are known of it; ``cgroup`` is a path below the root."""
    unit, container = _unit_and_container(cgroup)
    return Owner(_printable(program), user_name(uid), uid, unit, container)


@lru_cache(maxsize=256)
def _unit_and_container(cgroup: str) -> tuple[str, str]:
    unit = _UNIT.search(cgroup)
    container = _CONTAINER.search(cgroup)
    return (
        _printable(unit[0]) if unit else "",
        _printable(container["id"] or container["name"]) if container else "",
    )


@lru_cache(maxsize=256)
def user_name(uid: int) -> str:
    """Return the login name of a user, or the number where none is known."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def sockets_of(pid: int) -> Iterator[tuple[int, int]]:
    """Yield file number and inode of the sockets that a process has open, if one may look."""
    folder = f"{PROC}/{pid}/fd"
    try:
        numbers = os.listdir(folder)  # noqa: PTH208 -- a hot loop
    except OSError:
        return
    for number in numbers:
        try:
            target = os.readlink(f"{folder}/{number}")  # noqa: PTH115
        except OSError:
            continue
        if target.startswith("socket:["):
            yield int(number), int(target[8:-1])


def _cgroup(folder: str) -> str:
    """Return the path of a process's cgroup: in systemd's own hierarchy, else in cgroup2."""
    try:
        found = _OWN_GROUP.search(_text(f"{folder}/cgroup"))
    except OSError:
        return ""
    return found["path"] if found else "/"


def _program(folder: str, own_name: str) -> str:
    """Return the name of the file that runs, or of the script that it runs.

    The kernel's name of a process, cut to 15 characters, is that of the script where an
    interpreter runs one by its first line.
    """
    try:
        path = os.readlink(f"{folder}/exe")  # noqa: PTH115
    except OSError:
        return own_name
    executable = path.rpartition("/")[2].removesuffix(" (deleted)")
    return executable if executable.startswith(own_name[:_KERNEL_NAME]) else own_name


def _state(stat: list[str], cgroup: str) -> State:
    """Estimate whether somebody looks at it: only a terminal's jobs tell without a desktop."""
    if _BACKGROUND.search(cgroup):
        return State.BACKGROUND
    if stat[_STAT_TTY] == "0":
        return State.UNKNOWN
    in_front = stat[_STAT_GROUP] == stat[_STAT_TTY_GROUP]
    return State.FOREGROUND if in_front else State.BACKGROUND


def _text(path: str) -> str:
    """Read a file of /proc at once; raises ``OSError``, also when its process has just ended."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 1 << 16).decode("utf-8", "replace")
    finally:
        os.close(fd)


def _printable(text: str) -> str:
    text = text[:_NAME]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
