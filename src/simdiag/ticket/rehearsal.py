"""What will leave for a desk, byte for byte, without anything leaving.

A desk that renders its tickets itself is asked to. Of any other, making a ticket is rehearsed: what
it would send is taken down in the place of the network. Only the secret is hidden.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Protocol, runtime_checkable

import httpx

from simdiag.ticket.desk import File
from simdiag.ticket.draft import Draft
from simdiag.ticket.settings import DeskSettings, connect
from simdiag.ticket.web import REHEARSAL

_ANSWER = {
    "id": 0, "login": "", "ticket": {"id": 0}, "data": {"id": "0", "collection": [{"id": "0"}]},
}  # fmt: skip
"""What desks read from an answer is a number: here 0, as only the desk knows it."""


@runtime_checkable
class Renders(Protocol):
    """A desk whose ticket is a text of its own."""

    def render(self, draft: Draft, file: File | None) -> bytes:
        """Return what will leave."""


def leaving(settings: DeskSettings, draft: Draft, file: File | None) -> bytes:
    """Return what will leave to make a ticket; its file too where both go together.

    Raises ``Hold`` where the desk's secret is missing.
    """
    recorder = _Recorder()
    before = REHEARSAL.set(recorder)
    try:
        with closing(connect(settings)) as desk:
            together = file if desk.capabilities.together else None
            if isinstance(desk, Renders):
                return desk.render(draft, together)
            desk.create(draft, together)
    finally:
        REHEARSAL.reset(before)
    return b"".join(recorder.sent)


class _Recorder(httpx.BaseTransport):
    """Takes down what is sent, as HTTP/1.1 writes it (RFC 9112), and says that it was done."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Keep a request that would change something; what only looks is left out."""
        body = request.read()
        if request.method != "GET":
            head = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1".encode()]
            head += [
                name + b": " + (b"***" if name.lower() == b"authorization" else value)
                for name, value in request.headers.raw
            ]
            self.sent.append(b"\r\n".join([*head, b"", body, b""]))
        answer = httpx.ByteStream(json.dumps(_ANSWER).encode())
        return httpx.Response(200, stream=answer, request=request)
