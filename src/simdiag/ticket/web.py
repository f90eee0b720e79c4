"""HTTP as desks need it: bounded in time and size, and every failure told by what it means.

A failed request that changes something is ``Unknown`` unless the connection was never made or the
desk said no: answers get lost, gateways answer 502 after the desk has done its work, and a request
that its sender gave up may be carried out later. A failed look is always ``NotDone``.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx

from simdiag.message import N_, message
from simdiag.report.hostile import shown
from simdiag.ticket.desk import AuthRefused, Hold, Missing, Never, NotDone, NotTaken, Unknown

DEADLINE_S = 60.0
"""For a request without a file; well above what a loaded desk takes."""
SLOWEST_BYTES_PER_S = 1500
"""A poor GPRS link; what a file adds to the deadline."""
_STEP_S = 20.0
"""How long a connection may stand still."""
_MOST_BYTES = 8 << 20
_MOST_DOWNLOAD = 256 << 20

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
        self._client = httpx.Client(
            base_url=base,
            headers={"Accept": "application/json", "User-Agent": "simdiag", **(headers or {})},
            auth=auth,
            verify=trusted(ca_file),
            timeout=httpx.Timeout(min(_STEP_S, deadline_s)),
            follow_redirects=False,
            transport=REHEARSAL.get(),
        )

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
        deadline = time.monotonic() + self._deadline_s + size / SLOWEST_BYTES_PER_S
        with _told_apart(self.base, write), self._client.stream(method, path, **what) as answer:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > most:
                    raise httpx.ReadError("too long")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("too slow")
        _raise_for(answer, bytes(body), write)
        return answer, bytes(body)

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


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to trust: the system's authorities, or those in a file. Raises ``Hold``."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as problem:
        text = N_("the certificates in {path} cannot be used: {why}")
        why = message(problem.strerror or str(problem))
        raise Hold(message(text, path=ca_file, why=why)) from problem


def tls_problem(problem: BaseException | None, base: str) -> NotDone | None:
    """Return the sentence for a failed TLS handshake; ``None`` where it was something else."""
    while problem is not None and not isinstance(problem, ssl.SSLError):
        problem = problem.__cause__ or problem.__context__
    if problem is None:
        return None
    code = getattr(problem, "verify_code", 0)
    if code in (9, 10):  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
        text = N_(
            "the certificate of {desk} is not valid at this computer's time, {now}: set the clock "
            "if it is wrong, else tell the desk; nothing was sent"
        )
        now = time.strftime("%Y-%m-%d %H:%M")
        return NotDone(message(text, desk=base, now=now))
    why = getattr(problem, "verify_message", "") or getattr(problem, "reason", "") or str(problem)
    text = N_("{desk} did not prove who it is ({why}); nothing was sent")
    return NotDone(message(text, desk=base, why=shown(str(why), 200)))


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
            tls = NotDone(message(text, desk=base, why=shown(str(problem) or "time-out", 200)))
        raise tls from problem
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.ProxyError) as problem:
        text = N_("{desk} cannot be used as an address: {why}")
        raise Hold(message(text, desk=base, why=shown(str(problem), 200))) from problem
    except httpx.HTTPError as problem:
        text = N_("the connection to {desk} broke off ({why})")
        why = shown(str(problem) or type(problem).__name__, 200)
        raise _failed(write)(message(text, desk=base, why=why)) from problem


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
    words = _words(body) or shown(answer.reason_phrase, 80)
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
    if answer.is_redirect or answer.is_informational:
        raise _stranger(base, write)
    if status >= 500 or status in (408, 409):
        text = N_("{desk} has a problem of its own ({status} {words})")
        raise _failed(write)(message(text, **said), wait_s)
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
    given = answer.headers.get("Retry-After", "")
    return min(float(given), 86400.0) if given.isdigit() and len(given) < 9 else 0.0
