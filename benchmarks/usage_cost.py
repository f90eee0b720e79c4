"""What usage accounting costs, with no other meter beside it."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from usage_meters import cpu_s, end, start_recorder
from usage_network import OPERATOR, Network
from usage_workload import PORTS, SERVERS, ready

STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")
STEADY_BYTES = 120_000_000
"""Ten seconds of the link."""


def measure_cost() -> dict[str, float]:
    """Measure with every kind of traffic, then with one program's, both at the rate of the link."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        network = Network(folder, PORTS, SERVERS)
        stack.enter_context(network.up())
        stack.enter_context(statistics())
        transfer = stack.enter_context(ready(network, 1))
        recorder = start_recorder(network, folder / "usage.db")
        stack.callback(recorder.kill)
        found = {
            "mixed_cpu_percent": percent_of_a_core(recorder.pid, transfer),
            **nanoseconds(recorder.pid),
            "steady_cpu_percent": percent_of_a_core(
                recorder.pid, lambda: transfer_steadily(network)
            ),
            "memory_mb": memory_mb(recorder.pid),
        }
        end(recorder)
        return found


def transfer_steadily(network: Network) -> float:
    started = time.monotonic()
    done = network.traffic(
        "computer", "bulk_down", "tcp", OPERATOR, PORTS["bulk_down"], STEADY_BYTES, 0
    )
    if done.wait(60):
        raise RuntimeError(f"{done.args} failed")
    return time.monotonic() - started


def percent_of_a_core(pid: int, action: Callable[[], float]) -> float:
    before = cpu_s(pid)
    seconds = action()
    return 100 * (cpu_s(pid) - before) / seconds


@contextmanager
def statistics() -> Iterator[None]:
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        yield
    finally:
        STATISTICS.write_text(before)


def nanoseconds(pid: int) -> dict[str, float]:
    """Return the mean run time of the recorder's programs, by the kernel's own statistics."""
    runs: dict[str, list[tuple[int, int]]] = {"8": [], "9": []}  # cgroup_skb, cgroup_sock
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        fields = dict(re.findall(r"(prog_type|run_time_ns|run_cnt):\s*(\d+)", path.read_text()))
        if fields.get("prog_type") in runs and "run_cnt" in fields:
            runs[fields["prog_type"]].append((int(fields["run_time_ns"]), int(fields["run_cnt"])))
    return {
        name: sum(t for t, _ in runs[kind]) / max(sum(c for _, c in runs[kind]), 1)
        for name, kind in (("packet_ns", "8"), ("socket_ns", "9"))
    }


def memory_mb(pid: int) -> float:
    return int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def show_cost(found: dict[str, float]) -> None:
    """Print what was measured."""
    print(
        f"a packet: {found['packet_ns']:.0f} ns (at most 300); a socket: {found['socket_ns']:.0f}"
    )
    for what, name in (
        ("at 100 Mbit/s (at most 1)", "steady_cpu_percent"),
        ("with 30 new processes a second beside", "mixed_cpu_percent"),
    ):
        print(f"the recorder takes {found[name]:.2f} % of a core {what}")
    print(f"and {found['memory_mb']:.0f} MB (at most 60)")


def check_cost(found: dict[str, float]) -> list[str]:
    """Return the targets of cost that were missed; a busy computer misses them too."""
    targets = (("packet_ns", 300), ("memory_mb", 60), ("steady_cpu_percent", 1))
    return [f"{n}: {found[n]:.1f}, at most {most}" for n, most in targets if found[n] > most]
