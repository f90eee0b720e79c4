"""The computer: its kernel, its distribution, and what runs the examination."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from typing import Any, Literal, get_args

from simdiag.bundle.collector import Collector, Subject
from simdiag.bundle.fields import Event, SmallInt, Version, Word

Machine = Literal[
    "x86_64", "i686", "aarch64", "armv7l", "armv6l", "riscv64", "ppc64le", "mips", "mips64", "other"
]


class System(Event):
    """Kernel, machine, distribution and Python; whether root examined, and whether udev runs."""

    kernel: Version
    machine: Machine
    distribution: Word
    distribution_version: Version
    python: Version
    processors: SmallInt
    init: Literal["systemd", "other"]
    root: bool
    container: bool
    modem_manager: bool
    modeswitch: bool


def _collect(_: Subject) -> Iterator[System]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    machine: Any = platform.machine()
    yield System(
        kernel=platform.release(),
        machine=machine if machine in get_args(Machine) else "other",
        distribution=release.get("ID", "unknown"),
        distribution_version=release.get("VERSION_ID", ""),
        python=platform.python_version(),
        processors=os.cpu_count() or 0,
        init="systemd" if os.path.isdir("/run/systemd/system") else "other",  # noqa: PTH112
        root=os.geteuid() == 0,
        container=os.path.exists("/.dockerenv") or bool(os.environ.get("container")),  # noqa: PTH110, SIM112
        modem_manager=shutil.which("ModemManager", path="/usr/sbin:/usr/bin") is not None,
        modeswitch=shutil.which("usb_modeswitch", path="/usr/sbin:/usr/bin") is not None,
    )


COLLECTOR = Collector(System, _collect)
