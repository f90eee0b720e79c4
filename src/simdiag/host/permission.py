"""Why a port may not be opened, and what helps."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from pathlib import Path

from simdiag.message import N_, Message, message

_SERIAL_GROUPS = ("dialout", "uucp")  # Debian, Fedora and SUSE; Arch


def explain_denied(path: str, vid: int | None = None) -> Message:
    """Return one sentence: who may open the port, how to become one of them, which rule helps.

    ``vid`` is the USB vendor id for the udev rule; left out, it is looked up in sysfs.
    """
    try:
        status = Path(path).stat()
    except OSError as problem:
        why = message(str(problem.strerror))
        return message(N_("{path} cannot be looked at: {why}."), path=path, why=why)
    owner = _group_name(status.st_gid)
    group = owner if status.st_gid else serial_group()
    open_to_group = status.st_mode & 0o060 == 0o060 and status.st_gid != 0
    if not open_to_group:
        text = _CLOSED
    elif group in _groups_on_file() - _groups_of_session():
        text = _JOINED_SINCE
    else:
        text = _NOT_A_MEMBER
    return message(
        text,
        path=path,
        owner=owner,
        group=group,
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        rule=_udev_rule(group, _usb_vendor(path) if vid is None else vid),
    )


_NOT_A_MEMBER = N_(
    "{path} belongs to the group {owner}, and you are not in it: join it with "
    "`sudo usermod -aG {group} $USER` and log in again, or put the udev rule {rule} "
    "into /etc/udev/rules.d."
)
_JOINED_SINCE = N_(
    "{path} belongs to the group {owner}, which you joined after you logged in: "
    "log out and in again."
)
_CLOSED = N_(
    "{path} is closed to the group {owner} (mode {mode}): put the udev rule {rule} into "
    "/etc/udev/rules.d, plug the device in again, join the group with "
    "`sudo usermod -aG {group} $USER` and log in again."
)


def _udev_rule(group: str, vid: int | None) -> str:
    vendor = "" if vid is None else f'ATTRS{{idVendor}}=="{vid:04x}", '
    return f'`SUBSYSTEM=="tty", {vendor}GROUP="{group}", MODE="0660"`'


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def serial_group() -> str:
    """Return the group that this distribution gives serial ports to."""
    for name in _SERIAL_GROUPS:
        with contextlib.suppress(KeyError):
            return grp.getgrnam(name).gr_name
    return _SERIAL_GROUPS[0]


def _groups_of_session() -> set[str]:
    return {_group_name(gid) for gid in (*os.getgroups(), os.getegid())}


def _groups_on_file() -> set[str]:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return set()
    return {group.gr_name for group in grp.getgrall() if user in group.gr_mem}


def _usb_vendor(path: str) -> int | None:
    """Look the USB vendor id above a tty up in sysfs."""
    name = Path(os.path.realpath(path)).name
    start = Path(os.path.realpath(f"/sys/class/tty/{name}/device"))
    for folder in (start, *start.parents):
        try:
            return int((folder / "idVendor").read_text("ascii"), 16)
        except (OSError, ValueError):
            continue
    return None
