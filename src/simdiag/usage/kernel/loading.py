"""Gets the counting program into the kernel: the object, the variants, where it is attached."""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys
from importlib import resources
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.usage.kernel.libbpf import Library, Object

_PROGRAMS = (
    "on_create", "on_connect4", "on_connect6", "on_sendmsg4", "on_sendmsg6", "on_receive",
    "on_send",
)  # fmt: skip
_VARIANTS = ((True, True), (True, False), (False, True), (False, False))
"""may_name_threads, may_ask_for_namespace: best first."""


def load() -> Object:
    """Return the object in the kernel. Raises ``SimdiagError``, saying why, where that fails."""
    library, code = Library(), _code()
    for variant in _VARIANTS:
        try:
            return Object(library, code, "usage", struct.pack("=??", *variant))
        except OSError as problem:
            refused = problem
    if refused.errno in (errno.EPERM, errno.EACCES) and os.geteuid():
        raise SimdiagError(message(N_("counting in the kernel needs root")))
    why = message(str(refused.strerror))
    text = N_("this kernel ({release}) does not take the counting program: {why}")
    raise SimdiagError(message(text, release=platform.release(), why=why))


def attach(counting: Object) -> None:
    """Have it count from now on. Raises ``SimdiagError``."""
    cgroup = cgroup_root()
    try:
        counting.attach(cgroup, *_PROGRAMS)
    except OSError as problem:
        why = message(str(problem.strerror))
        text = N_("the kernel does not let simdiag count at {cgroup}: {why}")
        raise SimdiagError(message(text, cgroup=cgroup, why=why)) from problem


def cgroup_root(mounts: Path = Path("/proc/self/mountinfo")) -> Path:
    """Return where cgroup2 is mounted. Raises ``SimdiagError`` where it is not."""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        words = line.split()
        if words[words.index("-") + 1] == "cgroup2":
            return Path(words[4])
    raise SimdiagError(
        message(
            N_("cgroup v2 is not mounted: mount it with `mount -t cgroup2 none /sys/fs/cgroup`")
        )
    )


def _code() -> bytes:
    if sys.byteorder == "big":
        raise SimdiagError(message(N_("the counting program is for little-endian computers only")))
    return resources.files(__package__).joinpath("usage.bpf.o").read_bytes()
