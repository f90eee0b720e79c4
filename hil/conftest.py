"""The options of the suite, and the fixture ``bench``: where the devices come from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import EMULATOR, Bench, Capability, Choice, unknown
from labgrid_bench import LabgridError
from real_bench import BenchFileError, open_bench
from virtual import guest
from virtual.program import warm_up
from virtual_bench import VIRTUAL, sharing

_TEST_LIMIT_S = 300
"""In the guest a test may have to wait until it has the bus alone."""
_CHOICE = pytest.StashKey[Choice]()
_REQUIRED = pytest.StashKey[frozenset[Capability]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench")
    group.addoption(
        "--bench", default="emulator", metavar="BENCH",
        help="where the devices come from: emulator (default), virtual, or the file of a bench",
    )  # fmt: skip
    group.addoption(
        "--require", default="", metavar="CAPABILITY,...",
        help="fail, not skip, the tests that need one of these and do not get it",
    )  # fmt: skip
    group.addoption(
        "--transcripts", type=Path, metavar="DIR", help="keep a transcript of each examination"
    )
    group.addoption(
        "--cycles", type=int, default=20, metavar="N", help="how often a device is pulled out (20)"
    )
    group.addoption(
        "--time-limit", type=float, default=guest.TIME_LIMIT_S, metavar="SECONDS",
        help=f"longest life of the virtual bench's guest ({guest.TIME_LIMIT_S:.0f})",
    )  # fmt: skip


_PLUGINS = ("-p", "xdist.plugin", "-p", "pytest_timeout")
"""All that the guest's tests need: what else is installed would take many seconds to load there."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Outside its guest, the virtual bench is: boot the guest and run the same command there.

    Two workers share the tests: the guest has two processors, and much of the time is emulation.
    """
    if config.getoption("--bench") != "virtual" or guest.inside() or config.option.help:
        return None
    options = [
        *_PLUGINS,
        f"--junit-xml={guest.RESULTS / 'junit.xml'}",
        f"--transcripts={guest.RESULTS / 'transcripts'}",
        "--numprocesses=2", "--dist=worksteal", f"--timeout={_TEST_LIMIT_S}",
    ]  # fmt: skip
    python = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable]
    command = [*python, "-m", "pytest", *options, *config.invocation_params.args]
    return guest.main(command, config.getoption("--time-limit"))


def pytest_configure(config: pytest.Config) -> None:
    for capability in Capability:
        config.addinivalue_line("markers", f"{capability}: for a bench that {capability.meaning}")
    config.addinivalue_line("markers", "alone: no device of another test may be attached")
    stack = ExitStack()
    config.add_cleanup(stack.close)
    try:
        config.stash[_CHOICE] = choice = _chosen(config.getoption("--bench"), stack)
        required = choice.require | _capabilities(config.getoption("--require"))
    except (BenchFileError, LabgridError) as problem:
        raise pytest.UsageError(str(problem)) from problem
    config.stash[_REQUIRED] = required


def _chosen(bench: str, stack: ExitStack) -> Choice:
    if bench == EMULATOR.name:
        return EMULATOR
    if bench == VIRTUAL.name:
        warm_up()
        return VIRTUAL
    return open_bench(Path(bench), stack)


def _capabilities(names: str) -> frozenset[Capability]:
    """Return what ``--require`` names."""
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    for name in wanted - {str(capability) for capability in Capability}:
        raise pytest.UsageError(f"--require: {unknown('capability', name, Capability)}")
    return frozenset(Capability(name) for name in wanted)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, except on the emulator, the tests that use no device of the bench."""
    if config.stash[_CHOICE] is EMULATOR:
        return
    without = [item for item in items if "bench" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]
    # Those that keep the other worker waiting come last; the longest, with a limit of their own,
    # before the rest.
    items.sort(key=lambda item: (_is_alone(item), item.get_closest_marker("timeout") is None))


def _is_alone(item: pytest.Item) -> bool:
    """Whether the test needs the bus for itself; ModemManager looks at every device on it."""
    return any(map(item.get_closest_marker, ("alone", Capability.MODEM_MANAGER)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail if that is required, what the bench cannot do."""
    choice, required = item.config.stash[_CHOICE], item.config.stash[_REQUIRED]
    lacking = {c for c in Capability if item.get_closest_marker(c)} - choice.capabilities
    if not lacking:
        return
    what = ", ".join(sorted(f"{c} ({c.meaning})" for c in lacking))
    if lacking & required:
        pytest.fail(f"required, but the bench {choice.name} lacks: {what}", pytrace=False)
    pytest.skip(f"the bench {choice.name} lacks: {what}")


@pytest.fixture(autouse=True)
def bus(request: pytest.FixtureRequest) -> Iterator[None]:
    """On the virtual bench, share the bus with the other worker's tests, or keep them away."""
    if request.config.stash[_CHOICE] is not VIRTUAL:
        yield
        return
    with sharing(alone=_is_alone(request.node)):
        yield


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Give devices; all of them are gone when the test ends."""
    make = request.config.stash[_CHOICE].make
    with ExitStack() as stack:
        yield make(tmp_path, stack, request.config.getoption("--transcripts"))
