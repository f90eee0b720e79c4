"""A bundle replays to the cause that was found live, with every identifier hidden.

A sample of the scenarios runs with the suite; ``SIMDIAG_ALL_SCENARIOS=1`` runs every one of them.
"""

from __future__ import annotations

import io
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simdiag.agent import Examination, Options, Target, examine, nothing_found
from simdiag.bundle.build import build
from simdiag.bundle.cases import pasted
from simdiag.bundle.material import of_examination, of_run
from simdiag.bundle.opening import open_bundle
from simdiag.bundle.replaying import replay, replayed
from simdiag.emulator import EmulatedModem, scenario, scenario_names
from simdiag.emulator.pty import Wire, running
from simdiag.pseudonym import Pseudonyms

EXAMINED = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
CASES = [
    json.loads(line)
    for path in sorted((Path(__file__).parent / "cases").glob("*_cases.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]
AT_ONCE = 12


def names() -> Pseudonyms:
    return Pseudonyms(bytes(range(32)))


def replays_as(result: Examination, path: Path) -> str:
    built = build(of_examination(result, EXAMINED, []), names(), [])
    path.write_bytes(built.data)
    bundle = open_bundle(path)
    assert bundle.manifest.verdict.live_cause == result.diagnosis.cause
    assert replay(bundle).differences == ()
    return replayed(bundle).diagnosis.cause


def examined(name: str, wire: Wire | None) -> Examination:
    with running(EmulatedModem(scenario(name)), wire) as port:
        return examine(Target(port=port), Options(wait_s=1))


def wrong(runs: list[tuple[str, Wire | None]], folder: Path) -> dict[str, str]:
    """Examine at once, for that is waiting; bundle one after the other, for that is work."""
    found = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (name, wire), result in zip(runs, pool.map(lambda r: examined(*r), runs), strict=True):
            cause = replays_as(result, folder / "bundle.zip")
            if cause != result.diagnosis.cause:
                found[f"{name} {wire or ''}"] = f"{result.diagnosis.cause} became {cause}"
    return found


def sample() -> list[str]:
    """One scenario of every cause, of all kinds of families."""
    names = scenario_names()
    random.Random(6).shuffle(names)
    return sorted({scenario(name).cause: name for name in names}.values())


@pytest.mark.parametrize("part", range(3))
@pytest.mark.timeout(300)
def test_a_scenario_replays_to_the_same_cause(part: int, tmp_path: Path) -> None:
    assert wrong([(name, None) for name in sample()[part::3]], tmp_path) == {}


@pytest.mark.timeout(300)
def test_so_it_does_over_a_bad_wire(tmp_path: Path) -> None:
    dice = random.Random(7)
    runs = [
        (name, Wire(latency_s=0.005, chunk=dice.choice([1, 7]), noise=0.1, urcs=0.2, seed=seed))
        for seed, name in enumerate(dice.sample(sample(), 6))
        if "modem_not_responding" not in name
    ]
    assert wrong(runs, tmp_path) == {}


@pytest.mark.skipif(
    "SIMDIAG_ALL_SCENARIOS" not in os.environ, reason="SIMDIAG_ALL_SCENARIOS=1 runs all, in minutes"
)
@pytest.mark.timeout(1800)
def test_every_scenario_replays_to_the_same_cause(tmp_path: Path) -> None:
    assert wrong([(name, None) for name in scenario_names()], tmp_path) == {}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_a_field_case_replays_to_the_same_cause(case: dict, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(pasted(case["exchange"]))
    material = of_run(log, None, [])
    path = tmp_path / "bundle.zip"
    path.write_bytes(build(material, names(), []).data)
    assert replayed(open_bundle(path)).diagnosis.cause == material.cause


def test_without_a_device_the_bundle_says_so(tmp_path: Path) -> None:
    assert replays_as(nothing_found(), tmp_path / "b.zip") == "no_modem_found"


def test_a_port_that_another_program_holds(tmp_path: Path) -> None:
    with running(EmulatedModem(scenario("quectel-ec2x/healthy"))) as port:
        from simdiag.host.holders import Holder

        held = {port: [Holder(4711, "minicom", "anna")]}
        result = examine(Target(port=port), Options(wait_s=0), held=held)
    assert replays_as(result, tmp_path / "b.zip") == "port_busy"
    assert b"anna" not in (tmp_path / "b.zip").read_bytes()


def test_a_device_that_is_pulled_out(tmp_path: Path, emulated) -> None:
    with emulated("quectel-ec2x/healthy", unplug_after=5) as port:
        result = examine(Target(port=port), Options(wait_s=0))
    assert replays_as(result, tmp_path / "b.zip") == "device_removed"


def test_a_bundle_becomes_a_test_case(tmp_path: Path) -> None:
    """What the suite's field cases are made of: pasted, it gives the same cause."""
    from simdiag.bundle.cases import case_of
    from simdiag.log import examine_log

    path = tmp_path / "b.zip"
    replays_as(examined("quectel-ec2x/sim_not_activated", None), path)
    case = case_of(open_bundle(path))
    assert case["scored"]
    assert case["accept"] == ["sim_not_activated"]
    found = examine_log(io.BytesIO(pasted(case["exchange"])))
    assert found.diagnosis.cause == "sim_not_activated"
