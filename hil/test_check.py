"""``simdiag check`` as people run it: a program of its own, over a real port."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from bench import SIMDIAG, EmulatorBench, finish
from simdiag.report.contract import DiagnosisJson

STATES = [
    ("quectel-ec2x/healthy", 0),
    ("quectel-ec2x/sim_not_activated", 1),
    ("quectel-rm5xx/apn_wrong", 1),
    ("simcom-sim7600/sim_pin_required", 1),
    ("simcom-a76xx/weak_signal", 1),
    ("huawei-me909/radio_off", 1),
    ("huawei-stick/sim_not_detected", 1),
    ("huawei-stick/healthy", 0),
]


@pytest.mark.parametrize(("scenario", "status"), STATES)
def test_the_cause_is_found_and_nothing_is_left_changed(
    bench: EmulatorBench, scenario: str, status: int
) -> None:
    device = bench.device(scenario)
    before = device.settings()
    result = device.check("--wait", "2")
    assert result.errors == ""
    assert (result.json["cause"], result.status) == (scenario.partition("/")[2], status)
    assert device.settings() == before


def test_settings_that_somebody_else_chose_come_back(bench: EmulatorBench) -> None:
    device = bench.device("quectel-ec2x/sim_not_activated")
    for setting in ("ATE0", "AT+CMEE=2", "AT+CEREG=1"):
        device.ask(setting)
    before = device.settings()
    assert device.check().status == 1
    assert device.settings() == before


def test_what_is_printed_keeps_the_published_contract(bench: EmulatorBench) -> None:
    result = bench.device("quectel-ec2x/sim_not_activated").check()
    assert result.output.count("\n") == 1
    DiagnosisJson.model_validate_json(result.output)
    printed = subprocess.run([*SIMDIAG, "schema"], capture_output=True, check=True).stdout
    schema = json.loads(printed)
    assert set(schema["required"]) <= set(result.json) <= set(schema["properties"])


@pytest.mark.unplugs
def test_unplugged_while_it_answers(bench: EmulatorBench) -> None:
    """It is a finding with the evidence so far, no traceback."""
    result = bench.device("quectel-ec2x/device_removed").check()
    assert result.errors == ""
    assert (result.json["cause"], result.status) == ("device_removed", 4)
    assert "device.manufacturer" in {o["name"] for o in result.json["observations"]}


@pytest.mark.interrupts
@pytest.mark.parametrize(
    ("scenario", "latency_ms"),
    [
        pytest.param("quectel-ec2x/sim_not_activated", 300, id="while a command waits"),
        pytest.param("quectel-ec2x/searching", 0, id="while the network is waited for"),
    ],
)
def test_interrupted(bench: EmulatorBench, scenario: str, latency_ms: int) -> None:
    """Ctrl-C ends it soon, with the modem as it was found."""
    device = bench.device(scenario, latency_ms=latency_ms)
    before = device.settings()
    process = device.start_check("--wait", "45")
    device.wait_until_opened(process)
    time.sleep(2)  # by now settings are changed, and commands or the network are waited for
    process.send_signal(signal.SIGINT)
    result = finish(process, timeout_s=8)
    assert (result.status, result.output) == (130, "")
    assert len(result.errors.strip().splitlines()) == 1
    assert "Traceback" not in result.errors
    assert device.settings() == before
