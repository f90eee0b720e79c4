"""A proxy on loopback that does to a desk's clients what networks and gateways do.

Each request gets a fate, by weights and a seed:

======== =====================================================================================
pass     as it should be
refuse   the connection is reset before anything reaches the desk
cut      half of the request reaches the desk, then both connections end
during   the whole request reaches the desk, and the client is cut off while the desk works on it
after    the desk has done its work, and its answer is lost
bad      the desk has done its work, and the client gets a 502
twice    the request is delivered twice; the client gets the second answer
late     the client is cut off, and the request reaches the desk ``hold_s`` later
portal   the desk is not reached: a page in HTML with status 200, as at a hotel
======== =====================================================================================
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = {
    "pass": 76, "refuse": 3, "cut": 4, "during": 4, "after": 4, "bad": 3, "twice": 2, "late": 2,
    "portal": 2,
}  # fmt: skip
"""A quarter of all requests; a report takes about ten."""
_PAGE = b"<!DOCTYPE html><html><title>Welcome</title><form>Room and name, please</form></html>"


class FaultProxy(ThreadingHTTPServer):
    """The proxy; ``met`` counts the fates."""

    daemon_threads = True

    def __init__(
        self, port: int, weights: Mapping[str, int], seed: int = 1, hold_s: float = 1.0
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = port
        self.weights = dict(weights)
        self.hold_s = hold_s
        self.met: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.late: list[threading.Thread] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def fate(self, method: str) -> str:
        with self._lock:
            fate = self._random.choices(list(self.weights), list(self.weights.values()))[0]
            self.met[fate] += 1
            self.writes[fate] += method != "GET"
            return fate

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed leave broken connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        getattr(self, f"_{self.server.fate(self.command)}")(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _pass(self, body: bytes) -> None:
        self._answer(*self._deliver(body))

    def _refuse(self, body: bytes) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._end()

    def _cut(self, body: bytes) -> None:
        upstream = self._begin(body)
        upstream.send(body[: len(body) // 2])
        upstream.close()
        self._end()

    def _during(self, body: bytes) -> None:
        upstream = self._begin(body)
        upstream.send(body)
        self._end()
        with suppress(OSError, http.client.HTTPException):
            upstream.getresponse().read()
        upstream.close()

    def _after(self, body: bytes) -> None:
        self._deliver(body)
        self._end()

    def _bad(self, body: bytes) -> None:
        self._deliver(body)
        self._answer(502, [], b"")

    def _twice(self, body: bytes) -> None:
        self._deliver(body)
        self._answer(*self._deliver(body))

    def _late(self, body: bytes) -> None:
        def later() -> None:
            time.sleep(self.server.hold_s)
            with suppress(OSError, http.client.HTTPException):
                self._deliver(body)

        thread = threading.Thread(target=later, daemon=True)
        self.server.late.append(thread)
        thread.start()
        self._end()

    def _portal(self, body: bytes) -> None:
        self._answer(200, [("Content-Type", "text/html")], _PAGE)

    def _begin(self, body: bytes) -> http.client.HTTPConnection:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=120)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "accept-encoding"):
                upstream.putheader(name, self._desk(value))
        upstream.putheader("Connection", "close")
        upstream.endheaders()
        return upstream

    def _desk(self, value: str) -> str:
        """Name the desk where the client named the proxy: a desk may look at Host and Origin."""
        return value.replace(f":{self.server.port}", f":{self.server.upstream}")

    def _deliver(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = self._begin(body)
        upstream.send(body)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        return answer.status, answer.getheaders(), content

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in (
                "content-length",
                "transfer-encoding",
                "connection",
                "date",
                "server",
            ):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _end(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def faulty(
    port: int, weights: Mapping[str, int] = FAULTS, seed: int = 1, hold_s: float = 1.0
) -> Iterator[FaultProxy]:
    """Serve a proxy before a port until the end of the block; what is late is waited for."""
    proxy = FaultProxy(port, weights, seed, hold_s)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        for late in proxy.late:
            late.join()
        proxy.server_close()
