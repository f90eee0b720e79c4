"""The bench: where the devices of this suite come from.

``--bench emulator`` (the default) starts ``simdiag emulate`` for each device that a test asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import EmulatorBench


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bench",
        default="emulator",
        metavar="BENCH",
        help="where the devices come from: emulator (default)",
    )


def pytest_configure(config: pytest.Config) -> None:
    wanted = config.getoption("--bench")
    if wanted != "emulator":
        raise pytest.UsageError(f"--bench {wanted}: this bench is not built yet; use emulator")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[EmulatorBench]:
    """Give devices; all of them are gone when the test ends."""
    with ExitStack() as stack:
        yield EmulatorBench(tmp_path, stack)
