"""A modem's own counter, in the dialect of every driver that reads one, up to the comparison."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.agent import Options, Target, examine
from simdiag.driver import Layer
from simdiag.emulator import EmulatedModem, scenario, scenario_names
from simdiag.emulator.pty import running
from simdiag.evidence import Evidence, Observation, Source
from simdiag.reconcile import sides
from simdiag.reconcile.compare import reconcile
from simdiag.registry import drivers
from simdiag.rules import all_rules
from simdiag.sizes import Range
from simdiag.usage import places, readings
from simdiag.usage.readings import CounterReading
from simdiag.usage.records import Amount, Label, Link, Method, Owner, Reading
from simdiag.usage.store import Store

COUNTING = sorted(
    driver.family
    for driver in drivers()
    if any(probe.layer is Layer.COUNTERS for probe in driver.probes)
)
SCENARIOS = [
    name
    for name in scenario_names()
    for family, _, state in (name.partition("/"),)
    if family in COUNTING and state in ("healthy", "healthy-nr_sa")
]
BEGIN = datetime(2026, 10, 1).astimezone().timestamp()
END = BEGIN + 10 * 86400
LARGE = 3 * (1 << 32)  # more than 32 bits hold


def test_every_driver_that_counts_is_tried() -> None:
    assert len(COUNTING) >= 6
    assert {name.partition("/")[0] for name in SCENARIOS} == set(COUNTING)


def shown(name: str, now: float, tx: int, rx: int) -> CounterReading | None:
    """Return what an examination keeps of a modem that has counted so much."""
    modem = EmulatedModem(scenario(name))
    modem.state = modem.state.model_copy(update={"tx_bytes": tx, "rx_bytes": rx})
    with running(modem) as port:
        found = examine(Target(port=port), Options(wait_s=0)).evidence
    names = [o.name for o in found if o.name.startswith("counter.")]
    assert len(names) == len(set(names)), "of two that share a name, one would hide the other"
    return readings.of_modem(found, "usb:1", now)


def recorded(path: Path, octets: int) -> Path:
    """Record so many bytes over ten days."""
    link, firefox = Link("usb:1", "wwan0", "cdc_ether"), Label(Method.KERNEL, Owner("firefox"))
    with Store(path) as store:
        for day in range(11):
            amount = Amount(octets // 10 * day, 0, octets // 8000 * day)
            counted = {firefox: Amount(octets // 10, 0, octets // 8000)} if day else {}
            store.add(BEGIN + day * 86400, link, Reading("a", 4, amount), counted)
    return path


@pytest.mark.parametrize("name", SCENARIOS)
def test_units_directions_and_resets(name: str, tmp_path: Path) -> None:
    """In bytes, sent and received in their places; what came after a reset is added."""
    path = recorded(tmp_path / "usage.db", LARGE)
    rx = LARGE - 40_000_000
    made = [
        shown(name, BEGIN, 1_000, 2_000_000),
        shown(name, BEGIN + 5 * 86400, 10_001_000, 2_000_000 + rx // 2),
        shown(name, END + 600, 30_000_000, rx // 2),  # it began anew
    ]
    assert None not in made
    first, second, _ = made
    sent, received = (
        sum(counter[way] for counter in second.counters if counter)
        - sum(counter[way] for counter in first.counters if counter)
        for way in (0, 1)
    )
    assert (sent, received) == (10_000_000, rx // 2)
    for reading in made:
        readings.add(places.counters_for_writing(path), reading)
    found = reconcile(sides.collect(path, (BEGIN, END + 600), device="usb:1"))
    grown = found.sides.device
    assert grown is not None
    whole = 10_000_000 + rx // 2 + 30_000_000 + rx // 2
    assert grown.counted == Range(whole, whole)
    assert grown.resets == 1
    assert found.verdict == "consistent"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_counter_that_adds_a_fifth_is_named_in_every_dialect(name: str, tmp_path: Path) -> None:
    path = recorded(tmp_path / "usage.db", LARGE)
    ends = ((BEGIN, 7, 11), (END + 600, 7 + 50_000_000, 11 + round(1.2 * LARGE) - 50_000_000))
    for when, tx, rx in ends:
        readings.add(places.counters_for_writing(path), shown(name, when, tx, rx))
    found = reconcile(sides.collect(path, (BEGIN, END + 600), device="usb:1"))
    assert (found.verdict, found.inflated_by) == ("usage_mismatch", "device")


# ---- two counters, of LTE and of NR ------------------------------------------------------
def pair(now: float, lte: int, nr: int) -> CounterReading:
    return CounterReading(now, "usb:1", 0, lte, 0, nr)


@pytest.mark.parametrize("in_both", [True, False])
def test_an_honest_module_on_lte_and_nr_is_not_named(tmp_path: Path, in_both: bool) -> None:
    """Some firmware has what went over NR in both counters, some in one."""
    path, nr = recorded(tmp_path / "usage.db", LARGE), LARGE // 2
    lte = LARGE if in_both else LARGE - nr
    for reading in (pair(BEGIN, 5, 7), pair(END + 600, 5 + lte, 7 + nr)):
        readings.add(places.counters_for_writing(path), reading)
    found = reconcile(sides.collect(path, (BEGIN, END + 600), device="usb:1"))
    assert found.verdict == "consistent"
    assert found.sides.device.counted == Range(max(lte, nr), lte + nr)


amounts = st.integers(0, 10**12)


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=8))
def test_the_truth_is_in_the_range(steps: list[tuple[int, int]]) -> None:
    """Whether a firmware has the bytes of NR in its other counter too or not."""
    lte = nr = both = 0
    apart, within = [pair(0, 0, 0)], [pair(0, 0, 0)]
    for now, (over_lte, over_nr) in enumerate(steps, 1):
        lte, nr, both = lte + over_lte, nr + over_nr, both + over_lte + over_nr
        apart.append(pair(now, lte, nr))
        within.append(pair(now, both, nr))
    for made in (apart, within):
        counted = readings.growth(made).counted
        assert counted.low <= both <= counted.high
    if not (lte and nr):
        assert readings.growth(apart).counted == Range(both, both)


def test_a_counter_that_once_did_not_answer_is_no_reset() -> None:
    silent = CounterReading(1, "usb:1", 0, 0)
    assert readings.growth([pair(0, 0, 10**9), silent, pair(2, 0, 10**9 + 5)]).counted.high == 5


def test_both_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "counters.jsonl"
    made = [pair(1, 2, 3), CounterReading(4, "usb:1", 5, 6)]
    for reading in made:
        readings.add(path, reading)
    with path.open("a") as file:
        file.write('{"time":1,"device":"usb:1","tx_bytes":1,"rx_bytes":1,"nr_tx_bytes":-4}\n')
        file.write('{"time":1,"device":"usb:1","tx_bytes":1,"rx_bytes":1,"nr_tx_bytes":[]}\n')
    assert readings.read(path, "usb:1") == made


# ---- sent, and nothing came back ---------------------------------------------------------
@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"tx": 50_000, "rx": 0}, True),
        ({"tx": 50_000, "rx": 0, "nr_tx": 0, "nr_rx": 0}, True),
        ({"tx": 0, "rx": 0, "nr_tx": 50_000, "nr_rx": 0}, True),
        ({"tx": 50_000, "rx": 0, "nr_tx": 50_000, "nr_rx": 900_000}, False),
        ({"tx": 50_000, "rx": 900}, False),
        ({"tx": 50}, False),
    ],
)
def test_one_way_traffic_is_told_of_both_radios(counts: dict[str, int], said: bool) -> None:
    source = Source(0, "", "")
    evidence = Evidence(Observation(f"counter.{n}_bytes", v, source) for n, v in counts.items())
    codes = {finding.code for rule in all_rules() for finding in rule(evidence, None)}
    assert ("no_downlink" in codes) is said
