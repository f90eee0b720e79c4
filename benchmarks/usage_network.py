"""A computer, its modem's link, an operator, a container and a tethered device, in namespaces.

::

    behind eth0 ── lan0 phone eth0 ── ap0  computer  wwan0 ── eth0  operator
                         container eth0 ── ctr0

The phone is what the computer forwards for, whatever is behind it: all processes run on one kernel,
which would otherwise tell whose they are.

The link behaves as with a USB modem: the network stack segments what the computer sends, and what
it receives is not joined. What crosses it is counted by nftables after segmentation, by port: the
truth.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

TOOLS = ("ip", "nft", "tc", "ethtool", "nsenter", "setpriv", "sysctl")
TRAFFIC = Path(__file__).with_name("usage_traffic.py")
OPERATOR, OPERATOR6, COMPUTER = "203.0.113.1", "2001:db8:1::1", "203.0.113.2"
RATE = "100mbit"
ICMP, VPN = "ping", "vpn"
PHONE, CONTAINER = "10.42.0.2", "172.30.0.2"
JOINED = "tso on gso on gro on"
"""What comes from other devices is joined, as WiFi drivers do, and separated at the link."""
NAMESPACES = ("computer", "operator", "behind", "phone", "container")


def run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def missing() -> str:
    """Return why the network cannot be made here, or nothing."""
    if os.geteuid() != 0:
        return "not root"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    return ""


class Network:
    """The namespaces; ``ports`` gives each program its own, by which the truth is counted.

    ``folder`` takes the programs: links to the interpreter, so that each has its name.
    """

    def __init__(self, folder: Path, ports: dict[str, int], servers: dict[str, int]) -> None:
        self._folder = folder
        self._ports, self._servers = ports, servers
        self._names = {n: f"simdiag{os.getpid()}{n}" for n in NAMESPACES}

    @contextmanager
    def up(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in self._names.values():
                run("ip", "netns", "add", name)
                stack.callback(run, "ip", "netns", "del", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            self._make_links()
            self._make_counters()
            yield

    def enter(self, where: str, *words: str, user: str | None = None) -> list[str]:
        """Return the command line that runs a program there; cgroups stay visible."""
        as_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        return ["nsenter", f"--net=/run/netns/{self._names[where]}", *as_user, *words]

    def start(
        self, where: str, *words: str, user: str | None = None, **more: object
    ) -> subprocess.Popen[str]:
        line = self.enter(where, *words, user=user)
        pipe = subprocess.PIPE
        return subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, **more)  # type: ignore[call-overload,no-any-return]

    def traffic(self, where: str, name: str, *words: object) -> subprocess.Popen[str]:
        program = self._folder / name
        if not program.exists():
            program.symlink_to(Path(sys.executable).resolve())
        return self.start(where, str(program), str(TRAFFIC), *map(str, words))

    def serve(self) -> list[subprocess.Popen[str]]:
        ports = [port for name, port in self._ports.items() if name != VPN]
        far = self.traffic("operator", "operator", "serve", *ports)
        near = [
            self.traffic("computer", name, "serve", port) for name, port in self._servers.items()
        ]
        for server in (far, *near):
            server.stdout.readline()
        return [far, *near]

    def truth(self) -> dict[str, tuple[int, int]]:
        """Return received and sent L3 bytes by program."""
        counted: dict[str, int] = {}
        for where in ("computer", "operator"):
            listed = json.loads(run(*self.enter(where, "nft", "-j", "list", "counters")))
            for entry in listed["nftables"]:
                if "counter" in entry:
                    counted[entry["counter"]["name"]] = entry["counter"]["bytes"]
        names = {name.rpartition("_")[0] for name in counted}
        return {name: (counted[f"{name}_down"], counted[f"{name}_up"]) for name in names}

    def _make_links(self) -> None:
        computer, operator, behind, phone, container = self._names.values()
        for a, near, b, far in (
            (computer, "wwan0", operator, "eth0"),
            (computer, "ap0", phone, "eth0"),
            (computer, "ctr0", container, "eth0"),
            (phone, "lan0", behind, "eth0"),
        ):
            run("ip", "link", "add", near, "netns", a, "type", "veth", "peer", "name", far,
                "netns", b)  # fmt: skip
        for where, name, *addresses in (
            (computer, "wwan0", f"{COMPUTER}/24", "2001:db8:1::2/64"),
            (operator, "eth0", f"{OPERATOR}/24", f"{OPERATOR6}/64"),
            (computer, "ap0", "10.42.0.1/24"),
            (phone, "eth0", f"{PHONE}/24"),
            (phone, "lan0", "192.168.43.1/24"),
            (behind, "eth0", "192.168.43.2/24"),
            (computer, "ctr0", "172.30.0.1/24"),
            (container, "eth0", f"{CONTAINER}/24"),
        ):
            for address in addresses:
                once = ["nodad"] if ":" in address else []
                run("ip", "-n", where, "addr", "add", address, "dev", name, *once)
            run("ip", "-n", where, "link", "set", name, "up")
        run("ip", "-n", computer, "route", "add", "default", "via", OPERATOR)
        run("ip", "-n", phone, "route", "add", "default", "via", "10.42.0.1")
        run("ip", "-n", behind, "route", "add", "default", "via", "192.168.43.1")
        run("ip", "-n", container, "route", "add", "default", "via", "172.30.0.1")
        for where in ("computer", "phone"):
            run(*self.enter(where, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        for where, name, joins in (
            ("computer", "wwan0", "tso off gso on gro off"),
            ("operator", "eth0", "tso off gso off gro off"),
            ("computer", "ap0", JOINED),
            ("phone", "eth0", JOINED),
            ("phone", "lan0", JOINED),
            ("behind", "eth0", JOINED),
            ("container", "eth0", JOINED),
        ):
            run(*self.enter(where, "ethtool", "-K", name, *joins.split()))
        for where, name in (("computer", "wwan0"), ("operator", "eth0")):
            run(*self.enter(where, "tc", "qdisc", "add", "dev", name, "root", "tbf", "rate", RATE,
                            "burst", "64k", "limit", "64m"))  # fmt: skip

    def _make_counters(self) -> None:
        for where, device, direction, far in (
            ("operator", "eth0", "up", "dport"),
            ("computer", "wwan0", "down", "sport"),
        ):
            own = "sport" if far == "dport" else "dport"
            rules = [(f"meta l4proto {{tcp,udp}} th {far} {p}", n) for n, p in self._ports.items()]
            rules += [
                (f"meta l4proto {{tcp,udp}} th {own} {p}", n) for n, p in self._servers.items()
            ]
            rules += [("meta l4proto icmp", ICMP), ("meta protocol { ip, ip6 }", "other")]
            counters = "".join(f"counter {name}_{direction} {{}}\n" for _, name in rules)
            lines = "".join(f"{rule} counter name {n}_{direction} accept\n" for rule, n in rules)
            run(*self.enter(where, "nft", "-f", "-"), text=f"""
                table netdev truth {{
                    {counters}
                    chain arriving {{
                        type filter hook ingress device "{device}" priority -300;
                        {lines}
                    }}
                }}
                """)  # fmt: skip
        for where, name in (("computer", "wwan0"), ("phone", "eth0")):
            run(*self.enter(where, "nft", "-f", "-"), text=f"""
                table ip translation {{
                    chain leaving {{
                        type nat hook postrouting priority 100;
                        oifname "{name}" masquerade;
                    }}
                }}
                """)  # fmt: skip
