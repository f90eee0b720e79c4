"""HTTP as desks need it: bounded in time and size, and every failure told by what it means.

A failed request that changes something is ``Unknown`` unless the connection was never made or the
desk said no: answers get lost, gateways answer 502 after the desk has done its work, and a request
that its sender gave up may be carried out later. A failed look is always ``NotDone``.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

import httpx

from simdiag.message import N_, message
from simdiag.report.hostile import shown
from simdiag.ticket.connecting import reason, tls_problem, trusted
from simdiag.ticket.desk import (
    AuthRefused,
    Hold,
    Missing,
    Never,
    NotDone,
    NotTaken,
    Unknown,
    Unreached,
)
from simdiag.ticket.watchdog import ended_after

DEADLINE_S = 60.0
"""For a request without a file; well above what a loaded desk takes."""
SLOWEST_BYTES_PER_S = 1500
"""A poor GPRS link; what a file adds to the deadline."""
_STEP_S = 20.0
"""How long a connection may stand still."""
_MOST_BYTES = 8 << 20
_MOST_DOWNLOAD = 256 << 20
_LONGEST_WAIT_S = 86400.0
"""That a desk may ask for."""

_PAUSES_S = (0.1, 0.3, 1.0)

_T = TypeVar("_T")
Params = Mapping[str, str | int]
REHEARSAL: ContextVar[httpx.BaseTransport | None] = ContextVar("REHEARSAL", default=None)
"""Takes what would be sent, in the place of the network (:mod:`simdiag.ticket.rehearsal`)."""


class _BrokeOff(NotDone):
    """A look that may well succeed at once when it is repeated."""


class Web:
    """One desk's address. ``base`` ends in a slash; paths are relative to it."""

    def __init__(
        self,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        ca_file: Path | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.base = base
        self._deadline_s = deadline_s
        self._socket: socket.socket | None = None
        always = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "simdiag"}
        verify = trusted(ca_file)
        try:
            self._client = httpx.Client(
                base_url=base,
                headers=httpx.Headers({**always, **(headers or {})}, encoding="utf-8"),
                auth=auth,
                verify=verify,
                timeout=httpx.Timeout(min(_STEP_S, deadline_s)),
                follow_redirects=False,
                transport=REHEARSAL.get(),
                # no proxy of the environment's between this computer and itself
                trust_env=not is_loopback(urlsplit(base).hostname or ""),
            )
        except (ImportError, ValueError, httpx.InvalidURL) as problem:
            text = N_("the proxy that the environment names cannot be used: {why}")
            raise Hold(message(text, why=shown(str(problem), 200))) from problem

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, params: Params | None = None) -> Any:
        """Look something up; return the JSON. Raises ``NotDone``, ``Missing``, ``Hold``."""
        return self._look(
            lambda: self._json(*self._request("GET", path, params=params), write=False)
        )

    def download(self, path: str, params: Params | None = None) -> bytes:
        """Return the bytes of a file at the desk."""
        return self._look(lambda: self._download(path, params))

    def send(self, method: str, path: str, *, size: int = 0, **what: Any) -> Any:
        """Change something; return the JSON. ``what`` is as in httpx, ``size`` that of a file."""
        return self._json(*self._request(method, path, size=size, **what), write=True)

    def upload(self, method: str, path: str, content: IO[bytes], size: int, **what: Any) -> Any:
        """Send a file as the body of a request; return the JSON."""
        what["headers"] = {"Content-Length": str(size), **what.get("headers", {})}
        return self.send(method, path, size=size, content=_chunks(content), **what)

    def _look(self, look: Callable[[], _T]) -> _T:
        """Look again at once where the connection breaks off; not where none can be made."""
        for pause_s in _PAUSES_S:
            try:
                return look()
            except _BrokeOff:
                time.sleep(pause_s)
        return look()

    def _download(self, path: str, params: Params | None) -> bytes:
        headers = {"Accept": "*/*"}
        answer, body = self._request(
            "GET", path, params=params, headers=headers, most=_MOST_DOWNLOAD
        )
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise _stranger(self.base, write=False)
        return body

    def _request(
        self, method: str, path: str, *, size: int = 0, most: int = _MOST_BYTES, **what: Any
    ) -> tuple[httpx.Response, bytes]:
        write = method != "GET"
        allowed_s = self._deadline_s + size / SLOWEST_BYTES_PER_S
        what["extensions"] = {"trace": self._follow}
        with (
            _told_apart(self.base, write),
            ended_after(allowed_s, lambda: self._socket),
            self._client.stream(method, path, **what) as answer,
        ):
            body = _body(answer, most)
        _raise_for(answer, body, write)
        return answer, body

    def _follow(self, event: str, info: Mapping[str, Any]) -> None:
        """Know the socket that is in use (httpx's ``trace``)."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _json(self, answer: httpx.Response, body: bytes, *, write: bool) -> Any:
        if not body:
            return None
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise _stranger(self.base, write) from problem


def is_loopback(host: str) -> bool:
    """Whether a host is this computer, so that nobody can listen."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _body(answer: httpx.Response, most: int) -> bytes:
    """Read an answer, never more than ``most`` bytes also where little unpacks to very much."""
    packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip"):
        raise httpx.DecodingError(f"packed as {packed}")
    unpack = zlib.decompressobj(31).decompress if packed == "gzip" else None
    body = bytearray()
    for chunk in answer.iter_raw():
        try:
            body += unpack(chunk, most + 1 - len(body)) if unpack else chunk
        except zlib.error as problem:
            raise httpx.DecodingError(str(problem)) from problem
        if len(body) > most:
            raise httpx.ReadError("too long")
    return bytes(body)


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(1 << 16):
        yield chunk


@contextmanager
def _told_apart(base: str, write: bool) -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
        tls = tls_problem(problem, base)
        if tls is None:
            text = N_("{desk} cannot be reached ({why}); it is tried again later")
            tls = Unreached(message(text, desk=base, why=reason(problem)))
        raise tls from problem
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.ProxyError) as problem:
        text = N_("{desk} cannot be used as an address: {why}")
        raise Hold(message(text, desk=base, why=shown(str(problem), 200))) from problem
    except httpx.HTTPError as problem:
        text = N_("the connection to {desk} broke off ({why})")
        raise _failed(write)(message(text, desk=base, why=reason(problem))) from problem


def _failed(write: bool) -> type[NotDone | Unknown]:
    return Unknown if write else _BrokeOff


def _stranger(base: str, write: bool) -> NotDone | Unknown:
    text = N_(
        "something else answers in the place of {desk}: perhaps the network wants you to log in, "
        "or the address in desks.toml is wrong"
    )
    return _failed(write)(message(text, desk=base))


def _raise_for(answer: httpx.Response, body: bytes, write: bool) -> None:
    """Raise what a status means (RFC 9110 clause 15); nothing for success."""
    status, base = (
        answer.status_code,
        f"{answer.request.url.scheme}://{answer.request.url.netloc.decode()}",
    )
    if answer.is_success:
        return
    own_words = _words(body)
    words = own_words or shown(answer.reason_phrase, 80)
    said = {"desk": base, "status": status, "words": words}
    if status == 401:
        text = N_("{desk} refuses our token or password ({status}); all its tickets wait")
        raise AuthRefused(message(text, **said))
    if status == 403:
        text = N_("{desk} does not allow this ({status} {words}): the account lacks a right there")
        raise Hold(message(text, **said))
    if status in (404, 410):
        raise Missing(message(N_("{desk} has no such thing ({status} {words})"), **said))
    if status in (413, 415):
        text = N_("{desk} does not take a file of this size or kind ({status} {words})")
        raise NotTaken(message(text, **said))
    wait_s = _retry_after(answer)
    if status in (412, 425, 429) or (wait_s and not write):
        text = N_("{desk} wants to be asked again later ({status} {words})")
        raise NotDone(message(text, **said), wait_s)
    if status >= 500 or status in (408, 409):
        text = N_("{desk} has a problem of its own ({status} {words})")
        raise _failed(write)(message(text, **said), wait_s)
    if answer.is_redirect or answer.is_informational or status == 407 or not own_words:
        raise _stranger(base, write)  # a desk says why
    raise Never(message(N_("{desk} refuses the ticket ({status} {words})"), **said))


def _words(body: bytes) -> str:
    """Return the desk's own words for an error, short; none for a page of HTML."""
    found: Any = ""
    with suppress(ValueError, RecursionError):
        found = json.loads(body[:_MOST_BYTES])
    while isinstance(found, dict):
        found = next(
            (found[k] for k in ("message", "msg", "error", "description") if k in found), ""
        )
    return shown(" ".join(str(found).split()), 200)


def _retry_after(answer: httpx.Response) -> float:
    """Return the wait asked for: seconds, or a date, which only the desk's own clock can tell."""
    given, wait_s = answer.headers.get("Retry-After", "").strip(), 0.0
    if given.isascii() and given.isdigit():
        wait_s = float(given[:9])
    elif given:
        with suppress(ValueError, TypeError, OverflowError):
            then, there = (parsedate_to_datetime(d) for d in (given, answer.headers["Date"]))
            wait_s = (then - there).total_seconds()
    return min(max(0.0, wait_s), _LONGEST_WAIT_S)
