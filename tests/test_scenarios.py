"""Every scenario of the emulator, examined over a real pty: the cause is found."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.causes import CAUSES
from simdiag.emulator import EmulatedModem, scenario, scenario_names
from simdiag.emulator.pty import Wire, running

# Causes that no modem can show: they lie in the host, or in what an operator counts.
NOT_SHOWN_BY_A_MODEM = {
    "inconclusive", "no_modem_found", "no_at_port", "port_busy", "port_denied",
    "host_network_fault", "quota_exhausted", "usage_mismatch", "background_usage",
}  # fmt: skip
FAMILIES = sorted({name.partition("/")[0] for name in scenario_names()})
AT_ONCE = 24
"""Examinations wait for their modem most of the time."""


def verdict(name: str, wire: Wire | None = None) -> str:
    with running(EmulatedModem(scenario(name)), wire) as port:
        return examine(Target(port=port), Options(wait_s=1)).diagnosis.cause


def wrong_verdicts(runs: list[tuple[str, Wire | None]]) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = pool.map(lambda run: verdict(*run), runs)
        return {
            f"{name} {wire or ''}": found
            for (name, wire), found in zip(runs, verdicts, strict=True)
            if found != scenario(name).cause
        }


def test_there_are_enough_scenarios_and_they_cover_every_cause_a_modem_can_show():
    causes = {scenario(name).cause for name in scenario_names()}
    assert len(scenario_names()) >= 30
    assert len(FAMILIES) >= 4
    assert causes == set(CAUSES) - NOT_SHOWN_BY_A_MODEM


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.timeout(300)
def test_every_cause_is_found_on_every_family(family):
    names = [name for name in scenario_names() if name.startswith(f"{family}/")]
    assert wrong_verdicts([(name, None) for name in names]) == {}


@pytest.mark.parametrize("part", range(4))
@pytest.mark.timeout(600)
def test_no_latency_chunking_noise_or_interleaving_changes_a_verdict(part):
    """A thousand seeded runs in all, in four parts that can run side by side."""
    dice = random.Random(part)
    quick = [n for n in scenario_names() if "modem_not_responding" not in n]
    runs = [
        (
            dice.choice(quick),
            Wire(
                latency_s=dice.choice([0.0, 0.005, 0.03]),
                chunk=dice.choice([0, 1, 7, 64]),
                noise=dice.choice([0.0, 0.1]),
                urcs=dice.choice([0.0, 0.2]),
                seed=seed,
            ),
        )
        for seed in range(250)
    ]
    assert wrong_verdicts(runs) == {}
