"""Other network namespaces, which are containers mostly: whose address a forwarded packet has."""

from __future__ import annotations

import ipaddress
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from simdiag.usage.forwarding import Client
from simdiag.usage.owners import PROC
from simdiag.usage.records import Amount, Method
from simdiag.usage.sharing import Flow, Flows, Settlement

_LOCAL4 = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
"""An address of the computer's own in /proc/net/fib_trie."""


class Namespaces:
    """Names what is forwarded for other network namespaces by the processes in them."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._own = _name(f"{proc}/self")
        self._of_process: dict[int, str] = {}
        self._of_cookie: dict[int, str] = {}
        self._of_address: dict[str, str] = {}
        self._settlements: dict[Client, Settlement] = {}  # by namespace and protocol

    def note(self, pid: int) -> None:
        """Note where a process is that has just begun, if elsewhere: it may soon be gone."""
        name = _name(f"{self._proc}/{pid}")
        if name and name != self._own:
            known = name in self._of_process.values()
            self._of_process[pid] = name
            if not known:
                self._look_at(pid, name)

    def forget(self, pids: Iterable[int]) -> None:
        """Drop processes of which nothing more will come."""
        for pid in pids:
            self._of_process.pop(pid, None)

    def charge(
        self, there: Mapping[int, Flows], forwarded: Mapping[Client, Amount]
    ) -> Iterator[tuple[Flow | Client, Method, Amount]]:
        """Yield the forwarded traffic by process where there is one, else by client.

        ``there`` is what processes exchanged in each namespace, by its cookie.
        """
        wanted: dict[Client, dict[Flow, Amount]] = defaultdict(dict)
        for cookie, flows in there.items():
            name = self._find(cookie, {flow.process for flow in flows} - {0})
            for flow, amount in flows.items():
                wanted[name, flow.protocol][flow] = amount
        seen: dict[Client, Amount] = defaultdict(Amount)
        for client, amount in forwarded.items():
            if name := self._of_address.get(client[0], ""):
                key = name, client[1]
                seen[key] += amount
                self._settlements.setdefault(key, Settlement()).client = client
            else:
                yield client, Method.KERNEL, amount
        for key, settlement in self._settlements.items():
            parts, method, rest = settlement.settle(seen[key], wanted[key])
            for flow, amount in parts.items():
                yield flow, method, amount
            if rest:
                yield settlement.client, Method.KERNEL, rest
        self._forget_those_without_address()

    def _find(self, cookie: int, pids: Iterable[int]) -> str:
        """Return a namespace's name, and look what addresses it has now if one of them lives."""
        for pid in pids:
            name = _name(f"{self._proc}/{pid}")
            if name and name != self._own:
                self._of_cookie[cookie] = name
                self._look_at(pid, name)
                break
            if name := self._of_process.get(pid, ""):
                self._of_cookie[cookie] = name
        return self._of_cookie.get(cookie, "")

    def _forget_those_without_address(self) -> None:
        """Drop namespaces that are gone: others have their addresses."""
        left = set(self._of_address.values())
        self._settlements = {k: v for k, v in self._settlements.items() if k[0] in left}
        self._of_cookie = {k: name for k, name in self._of_cookie.items() if name in left}

    def _look_at(self, pid: int, name: str) -> None:
        with suppress(OSError):
            self._of_address.update(dict.fromkeys(addresses(self._proc / str(pid)), name))


def _name(process: str) -> str:
    """Return the name of a process's network namespace, or nothing if it may not be looked at."""
    try:
        return os.readlink(f"{process}/ns/net")  # noqa: PTH115 -- a hot path
    except OSError:
        return ""


def addresses(process: Path) -> Iterator[str]:
    """Yield the addresses of a process's network namespace, but loopback. Raises ``OSError``."""
    for text in set(_LOCAL4.findall((process / "net/fib_trie").read_text("ascii"))):
        if not text.startswith("127."):
            yield text
    with suppress(FileNotFoundError):  # no IPv6
        for line in (process / "net/if_inet6").read_text("ascii").splitlines():
            address = ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))
            if not (address.is_loopback or address.is_link_local):
                yield str(address)
