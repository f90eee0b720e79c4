"""The meters that the benchmarks of usage accounting run, and what they find."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from usage_network import Network, run

SIMDIAG = (sys.executable, "-m", "simdiag", "usage")
MAY_LOOK = "-all,+dac_read_search,+sys_ptrace"
"""What a root needs who polls socket statistics, and names programs."""


def start_recorder(
    network: Network, path: Path, user: str | None = None, capabilities: str | None = None
) -> subprocess.Popen[str]:
    words = (*SIMDIAG, "record", "--interface", "wwan0", "--db", str(path))
    if capabilities is not None:
        words = ("setpriv", f"--bounding-set={capabilities}", *words)
    recorder = network.start("computer", *words, user=user, stderr=subprocess.PIPE)
    line = ""
    while "Recording" not in line:
        line = recorder.stderr.readline()
        if not line:
            raise RuntimeError("the recorder has ended")
    return recorder


def start_nethogs(network: Network, trace: Path) -> subprocess.Popen[str]:
    line = network.enter("computer", "nethogs", "-t", "-C", "-v", "2", "-d", "1", "wwan0")
    with trace.open("w") as output:
        hogs = subprocess.Popen(line, stdout=output, stderr=subprocess.DEVNULL, text=True)
    time.sleep(1)
    return hogs


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(30)


def report(path: Path, by: str = "process") -> dict:
    return json.loads(run(*SIMDIAG, "report", "--db", str(path), "--by", by, "--json"))


def by_program(report: dict) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for row in report["rows"]:
        rx, tx = found.get(row["program"], (0, 0))
        found[row["program"]] = (rx + row["rx_bytes"], tx + row["tx_bytes"])
    return found


def nethogs_figures(trace: str) -> dict[str, tuple[float, float]]:
    """Add up the last total of each process in nethogs's trace: path/pid/uid, sent, received."""
    last = {}
    for line in trace.splitlines():
        process, *numbers = line.split("\t")
        if len(numbers) == 2:
            last[process] = (float(numbers[1]), float(numbers[0]))
    sums: dict[str, tuple[float, float]] = {}
    for process, (rx, tx) in last.items():
        name = Path(process.rsplit("/", 2)[0]).name
        before = sums.get(name, (0, 0))
        sums[name] = (before[0] + rx, before[1] + tx)
    return sums
