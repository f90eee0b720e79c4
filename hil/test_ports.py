"""Ports that another program has open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import Bench
from virtual_bench import VirtualBench


@contextmanager
def held(port: str | Path) -> Iterator[None]:
    """Let another program have the port open."""
    words = ["sh", "-c", 'exec 3<>"$1"; echo ready; exec sleep 1000', "sh", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


def test_the_holder_is_named(bench: Bench) -> None:
    device = bench.device("huawei-stick/healthy")
    options = ("--port", device.port)
    with held(device.port):
        result = bench.run("check", "--json", *options)
    assert (result.json["cause"], result.status) == ("port_busy", 4)
    assert "sleep" in result.json["findings"][0]["text"]
    assert bench.run("check", "--json", "--wait", "2", *options).json["cause"] == "healthy"


@pytest.mark.products
def test_the_second_port_is_used(bench: VirtualBench) -> None:
    device = bench.product("quectel-ec25", "quectel-ec2x/healthy")
    first, second = device.usb.ports
    with held(first):
        assert device.check("--wait", "2").json["cause"] == "healthy"
        with held(second):
            result = device.check()
    assert (result.json["cause"], result.status) == ("port_busy", 4)
    assert "sleep" in result.json["findings"][0]["text"]
