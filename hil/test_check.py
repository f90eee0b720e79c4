"""``simdiag check`` on one device."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from bench import Bench, finish
from simdiag.report.contract import DiagnosisJson

FAULTS = {
    "quectel-ec2x": "sim_not_activated",
    "quectel-rm5xx": "apn_wrong",
    "simcom-sim7600": "sim_pin_required",
    "sierra-mc74xx": "radio_off",
    "telit-le910": "sim_not_detected",
    "unisoc-air724": "network_refused",
    "ublox-sara": "sim_puk_required",
    "fibocom-l8xx": "device_not_allowed",
}
"""Families of modems, and a state for each beside the healthy one."""

STATES = [
    *(f"{family}/{cause}" for family, fault in FAULTS.items() for cause in ("healthy", fault)),
    "simcom-a76xx/weak_signal",
    "huawei-me909/radio_off",
    "huawei-stick/sim_not_detected",
]


@pytest.mark.parametrize("scenario", STATES)
def test_the_cause_is_found_and_nothing_is_left_changed(bench: Bench, scenario: str) -> None:
    device = bench.device(scenario)
    before = device.settings()
    result = device.check("--wait", "2")
    assert result.errors == ""
    cause = scenario.partition("/")[2]
    assert (result.json["cause"], result.status) == (cause, 0 if cause == "healthy" else 1)
    assert device.settings() == before


@pytest.mark.discovers
def test_it_is_listed_with_its_ports(bench: Bench) -> None:
    device = bench.device()
    listed = {entry["id"]: entry for entry in bench.run("devices", "--json").lines}
    ports = [port["path"] for port in listed[device.options[1]]["ports"]]
    assert os.path.realpath(device.port) in ports


@pytest.mark.changes_settings
def test_settings_that_somebody_else_chose_come_back(bench: Bench) -> None:
    device = bench.device("quectel-ec2x/sim_not_activated")
    device.ask("ATE0", "AT+CMEE=2", "AT+CEREG=1")
    before = device.settings()
    assert device.check().status == 1
    assert device.settings() == before


def test_what_is_printed_keeps_the_published_contract(bench: Bench) -> None:
    result = bench.device("quectel-ec2x/sim_not_activated").check()
    assert result.output.count("\n") == 1
    DiagnosisJson.model_validate_json(result.output)
    schema = json.loads(bench.run("schema").output)
    assert set(schema["required"]) <= set(result.json) <= set(schema["properties"])


@pytest.mark.states
@pytest.mark.parametrize("state", ["modem_not_responding", "modem_not_responding-hangs"])
def test_a_modem_that_stops_answering(bench: Bench, state: str) -> None:
    result = bench.device(f"quectel-ec2x/{state}").check("--wait", "2")
    assert result.errors == ""
    assert (result.json["cause"], result.status) == ("modem_not_responding", 1)


@pytest.mark.unplugs
def test_unplugged_while_it_answers(bench: Bench) -> None:
    """It is a finding with the evidence so far, no traceback."""
    result = bench.device("quectel-ec2x/device_removed").check()
    assert result.errors == ""
    assert (result.json["cause"], result.status) == ("device_removed", 4)
    assert "device.manufacturer" in {o["name"] for o in result.json["observations"]}


@pytest.mark.states
@pytest.mark.interrupts
@pytest.mark.parametrize(
    ("scenario", "latency_ms"),
    [
        pytest.param("quectel-ec2x/sim_not_activated", 300, id="while a command waits"),
        pytest.param("quectel-ec2x/searching", 0, id="while the network is waited for"),
    ],
)
def test_interrupted(bench: Bench, scenario: str, latency_ms: int) -> None:
    """Ctrl-C ends it soon, with the modem as it was found."""
    device = bench.device(scenario, latency_ms=latency_ms)
    before = device.settings()
    program = device.start_check("--wait", "100")
    device.wait_until_opened(program)
    time.sleep(2)  # by now settings are changed, and commands or the network are waited for
    program.send_signal(signal.SIGINT)
    result = finish(program, timeout_s=30)
    assert (result.status, result.output) == (130, "")
    assert len(result.errors.strip().splitlines()) == 1
    assert "Traceback" not in result.errors
    device.drain()
    assert device.settings() == before
