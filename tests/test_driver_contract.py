"""What every driver in ``drivers/`` must fulfil, whoever writes it."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simdiag import emulator
from simdiag.driver import Fact, Layer, ModemDriver, Reply
from simdiag.evidence import Error
from simdiag.registry import GENERIC, drivers
from simdiag.safety import is_read_only

ROOT = Path(__file__).parents[1]
DRIVERS = sorted(drivers(), key=lambda d: d.family)
FAMILIES = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((Path(emulator.__file__).parent / "families").glob("*.toml"))
}
READ_ERRORS = (ValueError, IndexError, KeyError, TypeError)


def stem(driver: ModemDriver) -> str:
    return driver.family.replace("-", "_")


def description(family: str) -> str:
    data = FAMILIES[family]
    return " ".join((data["manufacturer"], data["model"], data["revision"]))


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.family)
def driver(request: pytest.FixtureRequest) -> ModemDriver:
    return request.param


def test_every_file_is_a_driver():
    assert drivers().problems == []
    assert GENERIC in drivers().by_family


def test_file_is_named_after_the_family(driver):
    assert (ROOT / "drivers" / f"{stem(driver)}.py").is_file()


def test_has_transcripts(driver):
    folder = ROOT / "tests" / "transcripts" / stem(driver)
    assert list(folder.glob("*.json")), f"put what the device says into {folder}"


def test_imports_only_the_driver_interface(driver):
    tree = ast.parse((ROOT / "drivers" / f"{stem(driver)}.py").read_text("utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else ["." * node.level + (node.module or "")]
        )
    }
    strange = {n for n in imported if n.partition(".")[0] not in sys.stdlib_module_names}
    assert strange <= {"simdiag.driver"}


def test_asks_only_what_reads(driver):
    for probe in driver.probes:
        command = probe.command
        assert is_read_only(command, declared=frozenset({command.upper()})), command
        if "=" in command and "?" not in command and not command.startswith("AT+CRSM=176,"):
            assert probe.reads_by_set, f"{command}: does the manual define it as a query?"


def test_attempts_are_beginnings_of_commands(driver):
    for beginning in driver.attempts:
        assert beginning.startswith("AT")
        assert len(beginning) > 5


def test_probes_are_in_order(driver):
    commands = [probe.command for probe in driver.probes]
    assert len(commands) == len(set(commands))
    layers = [list(Layer).index(probe.layer) for probe in driver.probes]
    assert layers == sorted(layers)
    assert all(0 < probe.timeout_s <= 30 and 0 <= probe.linger_s <= 5 for probe in driver.probes)


def test_claims_only_its_own_usb_ids(driver):
    mine = {(m.vid, m.pid) for m in driver.match}
    assert len(mine) == len(driver.match)
    for other in DRIVERS:
        if other is not driver:
            assert not mine & {(m.vid, m.pid) for m in other.match}, other.family
    assert not mine & set(driver.compositions), "a mode without AT port is no match"


def test_readers_have_keys_that_can_occur(driver):
    for key, reader in driver.readers.items():
        assert key == key.upper()
        assert reader.__doc__ or reader.__name__ == "read", f"{key}: name the command and manual"


def test_docstrings_name_the_command(driver):
    if driver.family == GENERIC:
        return
    for key, reader in driver.readers.items():
        command = key.removeprefix("AT").rstrip(":")
        assert command in (reader.__doc__ or ""), f"{key}: say what its docstring is about"


# ---- readers and hostile replies ---------------------------------------------------------
VALUES = st.one_of(
    st.sampled_from(
        ("", '"', '""', "-", "255", "99", "32767", "-32768", "65535", "0xFFFF", "FFFE")
    ),
    st.sampled_from(("LTE", "NR5G-SA", "servingcell", "NO SERVICE", "READY", "SC", "mode_pref")),
    st.integers(-(10**19), 10**19).map(str),
    st.floats(allow_nan=True).map(str),
    st.text(max_size=12),
)
PREFIXED = st.lists(VALUES, max_size=24).map(",".join)
RAW = st.one_of(st.text(max_size=80), st.text(max_size=3).map(lambda t: t * 10_000), st.just(""))


@st.composite
def replies(draw: st.DrawFn, key: str) -> Reply:
    prefix = "" if key.startswith("AT") else key
    answer = st.one_of(PREFIXED.map(lambda rest: f"{prefix} {rest}"), RAW)
    lines = tuple(draw(st.lists(answer, min_size=1, max_size=4)))
    command = draw(
        st.sampled_from(
            ("", f"AT{key.rstrip(':').removeprefix('AT')}?", "AT+CRSM=176,28539,0,0,12")
        )
    )
    if key in ("+CME ERROR:", "ERROR"):
        error = Error(
            "+CME ERROR",
            draw(st.none() | st.integers(0, 10**6)),
            draw(st.none() | st.text(max_size=60)),
        )
        return Reply(command, (str(error),), error)
    return Reply(command, lines)


KEYS = [(d.family, key) for d in DRIVERS for key in (*d.readers, *d.overrides)]


@pytest.mark.parametrize(("family", "key"), KEYS, ids=lambda value: value)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_reader_survives_any_reply(family, key, data):
    driver = drivers().by_family[family]
    reader = {**driver.readers, **driver.overrides}[key]
    reply = data.draw(replies(key))
    try:
        facts = list(reader(reply))
    except READ_ERRORS:
        return
    for fact in facts:
        assert isinstance(fact, Fact)
        assert fact.name == fact.name.lower()
        assert "." in fact.name


# ---- families of the emulator ------------------------------------------------------------
@pytest.mark.parametrize("family", FAMILIES)
def test_emulated_family_is_identified_by_its_driver_alone(family):
    assert [d.family for d in DRIVERS if d.identifies(description(family))] == [family]


def test_a_prefix_is_read_by_one_family_for_all_the_others():
    """Where the same words mean something else in a family, they belong to its ``overrides``."""
    owners: dict[str, list[str]] = {}
    for driver in drivers():
        for key in driver.readers:
            owners.setdefault(key.upper(), []).append(driver.family)
    assert {key: who for key, who in owners.items() if len(who) > 1} == {}
