"""Every scenario of the emulator, examined over a real pty: the cause is found."""

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.causes import CAUSES
from simdiag.emulator import scenario, scenario_names
from simdiag.emulator.pty import Wire

# Causes that no modem can show: they lie in the host, or in what an operator counts.
NOT_SHOWN_BY_A_MODEM = {
    "inconclusive", "no_modem_found", "no_at_port", "port_busy", "port_denied",
    "host_network_fault", "quota_exhausted", "usage_mismatch", "background_usage",
}  # fmt: skip


def test_there_are_enough_scenarios_and_they_cover_every_cause_a_modem_can_show():
    families = {name.partition("/")[0] for name in scenario_names()}
    causes = {scenario(name).cause for name in scenario_names()}
    assert len(scenario_names()) >= 30
    assert len(families) >= 4
    assert causes == set(CAUSES) - NOT_SHOWN_BY_A_MODEM


@pytest.mark.parametrize("name", scenario_names())
def test_the_cause_is_found(name, emulated):
    with emulated(name) as port:
        result = examine(Target(port=port), Options(wait_s=1))
    assert result.diagnosis.cause == name.partition("/")[2].partition("-")[0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("state", ["healthy", "sim_not_activated", "sim_not_detected", "apn_wrong"])
@pytest.mark.parametrize("family", ["quectel-ec2x", "simcom-sim7600", "huawei-stick"])
def test_a_rough_wire_changes_no_verdict(family, state, seed, emulated):
    wire = Wire(latency_s=0.001 * seed, chunk=1 + 3 * seed, noise=0.05 * seed, urcs=0.1, seed=seed)
    with emulated(f"{family}/{state}", wire) as port:
        result = examine(Target(port=port), Options(wait_s=1))
    assert result.diagnosis.cause == state
