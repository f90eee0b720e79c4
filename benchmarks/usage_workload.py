"""The traffic of the benchmarks of usage accounting: every kind at once, each program its port."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from usage_network import COMPUTER, OPERATOR, OPERATOR6, Network

PROGRAMS = ("bulk_down", "bulk_up", "short", "forks", "udp_con", "udp_uncon", "udp_up", "ipv6",
            "dns", "tethered", "contained", "older_tcp", "vpn", "vpn_user",
            "vpn_other")  # fmt: skip
INSIDE = ("vpn_user", "vpn_other")
"""What is seen on the link as the VPN's traffic only."""
PORTS = {name: 5001 + n for n, name in enumerate(PROGRAMS)}
SERVERS = {"older_srv": 8080}
VPN_NEAR, VPN_FAR = "10.9.0.2", "10.9.0.1"


@contextmanager
def ready(network: Network, scale: float) -> Iterator[Callable[[], float]]:
    """Start the servers, a VPN, and a connection; then give what transfers all of it once.

    That returns the seconds that it took, with those that the last packets may take.
    """
    with ExitStack() as stack:
        older = [*start_vpn(network), *network.serve(), start_older_connection(network, scale)]
        for process in older:
            stack.callback(process.kill)

        def transfer() -> float:
            started = time.monotonic()
            print("go", file=older[-1].stdin, flush=True)
            for process in [*workload(network, scale), older[-1]]:
                if process.wait(180):
                    raise RuntimeError(f"{process.args} failed")
            time.sleep(1.5)
            return time.monotonic() - started

        yield transfer


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
        on_computer("udp_con", "udp", *port("udp_con"), n(10_000_000), n(3_000_000), "connected"),
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
