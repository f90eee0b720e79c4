"""Experiments: offered where they can tell more, asked first, undone after."""

import threading
import time

import pytest

from simdiag.agent import Options, Target, examine, examine_all
from simdiag.errors import Cancelled
from simdiag.experiment import EXPERIMENTS, fitting


def sent(result) -> list[str]:
    return [e.data.decode().strip() for e in result.events if e.dir == "tx"]


def test_the_radio_cycle_brings_out_the_hidden_reason_and_restores(emulated):
    asked = []
    with emulated("quectel-ec2x/network_refused-cause_hidden") as port:
        options = Options(wait_s=1, confirm=lambda question: not asked.append(question))
        result = examine(Target(port=port), options)
    assert asked == [EXPERIMENTS[0].question]
    assert result.diagnosis.cause == "sim_not_activated"
    assert [c for c in sent(result) if c.startswith("AT+CFUN=")] == ["AT+CFUN=4", "AT+CFUN=1"]
    assert "AT+CEREG=0" in sent(result)[-5:]


@pytest.mark.parametrize("confirm", [None, lambda question: False], ids=["not offered", "refused"])
def test_nothing_is_changed_without_a_yes(confirm, emulated):
    with emulated("quectel-ec2x/network_refused-cause_hidden") as port:
        result = examine(Target(port=port), Options(wait_s=0.5, confirm=confirm))
    assert result.diagnosis.cause == "network_refused"
    assert not [c for c in sent(result) if "CFUN=" in c]


def test_a_healthy_device_is_offered_nothing():
    assert fitting("healthy") == []


def test_many_examinations_can_be_ended_and_restore_their_modems(emulated):
    names = ["quectel-ec2x/searching", "simcom-sim7600/searching", "huawei-stick/searching"]
    with emulated(names[0]) as a, emulated(names[1]) as b, emulated(names[2]) as c:
        options = Options(wait_s=30)
        threading.Timer(1.0, options.cancel.set).start()
        start = time.monotonic()
        with pytest.raises(Cancelled):
            examine_all([Target(port=p) for p in (a, b, c)], options)
        assert time.monotonic() - start < 15
