"""Measures usage accounting: `python benchmarks/usage.py`, as root for the part with traffic.

Accuracy: every kind of traffic at once over a link whose truth nftables counts, beside the method
that needs no rights, the same method where programs may be looked at (``polling``) and, if it is
installed, nethogs. Cost: kernel time per packet by the kernel's own statistics, the recorder's CPU
time and memory. Storage: two years of a busy computer.
The exit status is 1 if a target of the project is missed. ``--quick`` is a tenth of the traffic;
``--json`` prints figures for programs.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from usage_network import COMPUTER, OPERATOR, OPERATOR6, PHONE, VPN, Network, missing, run
from usage_store import measure_store

SIMDIAG = (sys.executable, "-m", "simdiag", "usage")
PROGRAMS = ("bulk_down", "bulk_up", "short", "forks", "udp_con", "udp_uncon", "udp_up", "ipv6",
            "dns", "tethered", "contained", "older_tcp", "vpn", "vpn_user",
            "vpn_other")  # fmt: skip
INSIDE = ("vpn_user", "vpn_other")
"""What is seen on the link as the VPN's traffic only."""
PORTS = {name: 5001 + n for n, name in enumerate(PROGRAMS)}
SERVERS = {"older_srv": 8080}
COMPARED = [name for name in (*PROGRAMS, "ping", *SERVERS) if name not in INSIDE]
A_FEW_PACKETS = 1200
"""The last acknowledgement of a connection may find no socket any more: it has no owner."""
A_FEW_FRAMES = 6000
"""ARP and neighbour discovery, which count little in a full run only."""
DIRECTIONS = ("rx_bytes", "tx_bytes")
TCP = ("bulk_down", "bulk_up", "short", "forks", "ipv6", "older_tcp", *SERVERS)
VPN_NEAR, VPN_FAR = "10.9.0.2", "10.9.0.1"
MAY_LOOK = "-all,+dac_read_search,+sys_ptrace"
"""What a root needs who polls socket statistics, and names programs."""
STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")


def workload(network: Network, scale: float) -> list[subprocess.Popen[str]]:
    """Start every kind of traffic."""

    def n(amount: int) -> int:
        return max(int(amount * scale), 1)

    def on_computer(name: str, action: str, *words: object) -> subprocess.Popen[str]:
        return network.traffic("computer", name, action, *words)

    def port(name: str) -> tuple[str, int]:
        return OPERATOR, PORTS[name]

    return [
        on_computer("bulk_down", "tcp", *port("bulk_down"), n(60_000_000), 0),
        on_computer("bulk_up", "tcp", *port("bulk_up"), 0, n(15_000_000)),
        on_computer("short", "short", *port("short"), n(5000), 10_000),
        on_computer("forks", "fork", *port("forks"), n(500), 10_000),
        on_computer("udp_con", "udp", *port("udp_con"), n(10_000_000), 0, "connected"),
        on_computer("udp_uncon", "udp", *port("udp_uncon"), n(10_000_000), 0, "unconnected"),
        on_computer("udp_up", "udp", *port("udp_up"), 0, n(5_000_000), "unconnected"),
        on_computer("ipv6", "tcp", OPERATOR6, PORTS["ipv6"], n(10_000_000), n(1_000_000)),
        on_computer("dns", "dns", *port("dns"), n(300)),
        on_computer("ping", "ping", OPERATOR, n(100)),
        network.traffic(
            "behind", "tethered", "tcp", *port("tethered"), n(10_000_000), n(1_000_000)
        ),
        network.traffic(
            "container", "contained", "tcp", *port("contained"), n(5_000_000), n(5_000_000)
        ),
        on_computer("vpn_user", "tcp", VPN_FAR, PORTS["vpn_user"], n(3_000_000), 0),
        on_computer("vpn_other", "tcp", VPN_FAR, PORTS["vpn_other"], n(1_000_000), 0),
        network.traffic("operator", "op", "tcp", COMPUTER, 8080, n(5_000_000), n(1_000_000)),
    ]


@contextmanager
def statistics() -> Iterator[None]:
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        yield
    finally:
        STATISTICS.write_text(before)


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


def start_vpn(network: Network) -> list[subprocess.Popen[str]]:
    """Start both ends of a VPN; the far one hears of the near one by its first packet."""
    port = PORTS["vpn"]
    far = network.traffic("operator", "vpn_far", "tunnel", VPN_FAR, port)
    near = network.traffic("computer", "vpn", "tunnel", VPN_NEAR, 0, OPERATOR, port)
    for end in (far, near):
        end.stdout.readline()
    return [far, near]


def start_older_connection(network: Network, scale: float) -> subprocess.Popen[str]:
    """Connect before the recorder starts, and transfer after."""
    older = network.traffic(
        "computer", "older_tcp", "tcp", OPERATOR, PORTS["older_tcp"], int(10_000_000 * scale),
        int(2_000_000 * scale), "later",
    )  # fmt: skip
    older.stdout.readline()
    return older


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


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_mb(pid: int) -> float:
    return int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


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


def measure_traffic(scale: float, *, others: bool) -> dict:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o777)
        network = Network(folder, PORTS, SERVERS)
        stack.enter_context(network.up())
        stack.enter_context(statistics())
        older = [*start_vpn(network), *network.serve()]
        older.append(start_older_connection(network, scale))
        meters = {"kernel": start_recorder(network, folder / "kernel.db")}
        if others:
            meters["sockets"] = start_recorder(network, folder / "sockets.db", user="nobody")
            meters["polling"] = start_recorder(
                network, folder / "polling.db", capabilities=MAY_LOOK
            )
        if others and shutil.which("nethogs"):
            meters["nethogs"] = start_nethogs(network, folder / "nethogs")
        for process in (*older, *meters.values()):
            stack.callback(process.kill)
        truth, cpu = network.truth(), {name: cpu_s(p.pid) for name, p in meters.items()}
        started = time.monotonic()
        print("go", file=older[-1].stdin, flush=True)
        for process in [*workload(network, scale), older[-1]]:
            if process.wait(180):
                raise RuntimeError(f"{process.args} failed")
        time.sleep(1.5)
        seconds = time.monotonic() - started
        result: dict = {
            "cost": nanoseconds(meters["kernel"].pid)
            | {"memory_mb": memory_mb(meters["kernel"].pid), "seconds": seconds},
            "cpu_percent": {
                name: 100 * (cpu_s(p.pid) - cpu[name]) / seconds for name, p in meters.items()
            },
        }
        for process in meters.values():
            end(process)
        result["truth"] = grown(truth, network.truth())
        result["report"] = report(folder / "kernel.db")
        result["kernel"] = by_program(result["report"])
        for row in report(folder / "kernel.db", "client")["rows"]:
            if row["client"] == PHONE:
                result["kernel"]["tethered"] = (row["rx_bytes"], row["tx_bytes"])
        result["users_of_vpn"] = {n: result["kernel"].pop(n, (0, 0)) for n in (VPN, *INSIDE)}
        result["kernel"][VPN] = sums(result["users_of_vpn"].values())
        if "sockets" in meters:
            found = report(folder / "sockets.db", "user")
            result["sockets"] = [
                sum(row[name] for row in (*found["rows"], found["unattributed"]["ownerless"]))
                for name in DIRECTIONS
            ]
            result["sockets_by_user"] = [
                sum(row[name] for row in found["rows"]) for name in DIRECTIONS
            ]
        if "polling" in meters:
            result["polling"] = by_program(report(folder / "polling.db"))
        if "nethogs" in meters:
            result["nethogs"] = nethogs_figures((folder / "nethogs").read_text(errors="replace"))
        return result


def grown(before: dict, after: dict) -> dict[str, list[int]]:
    return {
        name: [now - then for now, then in zip(both, before[name], strict=True)]
        for name, both in after.items()
    }


def sums(pairs: Iterable[Iterable[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*pairs, strict=True)))


def percent(mine: float, true: float) -> str:
    return f"{100 * mine / true:.2f}" if true else "–"


def tcp_truth(result: dict) -> list[int]:
    return [sum(result["truth"][name][n] for name in TCP) for n in (0, 1)]


def beyond_rows(result: dict) -> list[int]:
    """Return what neither a row, nor a packet without owner, nor a client explains."""
    left = result["report"]["unattributed"]
    return [left[name] - left["ownerless"][name] for name in DIRECTIONS]


def show_traffic(result: dict) -> None:
    columns = [name for name in ("kernel", "polling", "nethogs") if name in result]
    print(
        "| program | true bytes, received/sent | " + " | ".join(f"{c}, %" for c in columns) + " |"
    )
    print("|---|---|" + "---|" * len(columns))
    for name in COMPARED:
        true = result["truth"][name]
        cells = (
            "/".join(map(percent, result[column].get(name, (0, 0)), true)) for column in columns
        )
        print(f"| {name} | {true[0]:,}/{true[1]:,} | {' | '.join(cells)} |")
    if "sockets" in result:
        for title in ("sockets", "sockets_by_user"):
            found = "/".join(map(percent, result[title], tcp_truth(result)))
            print(f"all TCP, {title} as nobody: {found} % of {tcp_truth(result)}")
    interface = [result["report"]["interface"][name] for name in DIRECTIONS]
    print(f"of vpn: {result['users_of_vpn']}")
    print(f"interface {interface}, unexplained {beyond_rows(result)} bytes")
    print(f"losses {result['report']['losses']}")
    print("recorder:", {name: round(value, 1) for name, value in result["cost"].items()})
    print("CPU, %:", {name: round(value, 2) for name, value in result["cpu_percent"].items()})


def check(result: dict) -> list[str]:
    """Return the targets of accuracy that were missed."""
    problems = []
    for name in COMPARED:
        for mine, true in zip(
            result["kernel"].get(name, (0, 0)), result["truth"][name], strict=True
        ):
            if abs(mine - true) > max(0.001 * true, A_FEW_PACKETS):
                problems.append(f"{name}: {mine} of {true} bytes")
    for rest, name in zip(beyond_rows(result), DIRECTIONS, strict=True):
        if abs(rest) > max(0.0002 * result["report"]["interface"][name], A_FEW_FRAMES):
            problems.append(f"total, {name}: {rest} bytes are not explained")
    for mine, true in zip(result.get("sockets", ()), tcp_truth(result), strict=False):
        if abs(mine - true) > 0.005 * true:
            problems.append(f"sockets: {mine} of {true} bytes")
    return problems


def check_cost(result: dict) -> list[str]:
    """Return the targets of cost that were missed; a busy computer misses them too."""
    found = (
        ("ns per packet", result["cost"]["packet_ns"], 300),
        ("MB of memory", result["cost"]["memory_mb"], 60),
        ("% of a core", result["cpu_percent"]["kernel"], 1),
    )
    return [f"{value:.1f} {what}, at most {most}" for what, value, most in found if value > most]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problems = []
    if reason := missing():
        print(f"No traffic is measured: {reason}.", file=sys.stderr)
    else:
        traffic = measure_traffic(0.1 if options.quick else 1, others=not options.quick)
        problems += check(traffic)
        if options.json:
            print(json.dumps(traffic))
        else:
            show_traffic(traffic)
        if not options.quick:
            problems += check_cost(traffic)
    if not options.quick:
        problems += measure_store()
    for problem in problems:
        print("missed:", problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
