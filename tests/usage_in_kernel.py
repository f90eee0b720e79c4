"""What the tests of counting in the kernel share: a meter, and a network of their own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simdiag.errors import SimdiagError
from simdiag.usage.kernel import KernelMeter

CLONE_NEWNET = 0x40000000
BLACK_HOLE = ("203.0.113.9", 9)


@pytest.fixture
def working() -> Iterator[KernelMeter]:
    try:
        with contextlib.closing(KernelMeter("usb0")) as made:
            yield made
    except SimdiagError as problem:
        pytest.skip(problem.message.render())


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Move to a network of our own, with an interface whose far end is silent."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("not root, or no iproute2")
    libc = ctypes.CDLL(None)
    with Path("/proc/thread-self/ns/net").open() as home:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip("a network cannot be made")
        try:
            plug_in()
            yield
        finally:
            assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


def plug_in() -> None:
    """Make the interface ``usb0``, whose far end is silent."""
    for words in (
        "link add usb0 type veth peer name far0", "addr add 203.0.113.2/24 dev usb0",
        "link set usb0 up", "link set far0 up",
    ):  # fmt: skip
        run("ip", *words.split())


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
