"""Measures usage accounting: `python benchmarks/usage.py`, as root for the part with traffic.

Accuracy: every kind of traffic at once over a link whose truth nftables counts, beside the method
that needs no rights, the same method where programs may be looked at (``polling``) and, if it is
installed, nethogs. Cost: kernel time per packet by the kernel's own statistics, the recorder's CPU
time and memory, with no other meter beside it. Storage: two years of a busy computer.
The exit status is 1 if a target of the project is missed. ``--quick`` is a tenth of the traffic;
``--json`` prints figures for programs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from usage_cost import check_cost, measure_cost, show_cost
from usage_meters import (
    MAY_LOOK,
    by_program,
    cpu_s,
    end,
    nethogs_figures,
    report,
    start_nethogs,
    start_recorder,
)
from usage_network import PHONE, VPN, Network, missing
from usage_store import measure_store
from usage_workload import INSIDE, PORTS, PROGRAMS, SERVERS, ready

COMPARED = [name for name in (*PROGRAMS, "ping", *SERVERS) if name not in INSIDE]
A_FEW_PACKETS = 1200
"""The last acknowledgement of a connection may find no socket any more: it has no owner."""
A_FEW_FRAMES = 6000
"""ARP and neighbour discovery, which count little in a full run only."""
DIRECTIONS = ("rx_bytes", "tx_bytes")
TCP = ("bulk_down", "bulk_up", "short", "forks", "ipv6", "older_tcp", *SERVERS)


def measure_traffic(scale: float, *, others: bool) -> dict:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o777)
        network = Network(folder, PORTS, SERVERS)
        stack.enter_context(network.up())
        transfer = stack.enter_context(ready(network, scale))
        meters = {"kernel": start_recorder(network, folder / "kernel.db")}
        if others:
            meters["sockets"] = start_recorder(network, folder / "sockets.db", user="nobody")
            meters["polling"] = start_recorder(
                network, folder / "polling.db", capabilities=MAY_LOOK
            )
        if others and shutil.which("nethogs"):
            meters["nethogs"] = start_nethogs(network, folder / "nethogs")
        for process in meters.values():
            stack.callback(process.kill)
        truth, cpu = network.truth(), {name: cpu_s(p.pid) for name, p in meters.items()}
        seconds = transfer()
        result: dict = {
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
    print(
        "CPU of each, beside the others, %:",
        {name: round(value, 2) for name, value in result["cpu_percent"].items()},
    )


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
            cost = measure_cost()
            show_cost(cost)
            problems += check_cost(cost)
    if not options.quick:
        problems += measure_store()
    for problem in problems:
        print("missed:", problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
