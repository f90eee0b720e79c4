"""Stubs of Zammad and Zendesk that enforce what the two publish of their interfaces.

They are no Zammad and no Zendesk: what these do beside their documents is not in here. A request
that the documents do not allow is a test failure (``AssertionError`` in ``broken``).
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

STAMP = "2026-11-22T08:00:{:02d}Z"


class Stub(ThreadingHTTPServer):
    """A desk in memory. ``fates`` may lose the answers of requests that change something."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.tickets: dict[int, dict[str, Any]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, tuple[bytes, int]] = {}
        self.contents: dict[int, bytes] = {}
        self.lost: list[str] = []
        self.broken: list[str] = []
        self.lag_s = 0.0
        self.last = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def next(self) -> int:
        self.last += 1
        return self.last

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Handler(BaseHTTPRequestHandler):
    """What both have in common."""

    protocol_version = "HTTP/1.1"
    server: Stub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _any(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, answer = self.route(self.command, parts.path)
        except AssertionError as problem:
            self.server.broken.append(f"{self.command} {self.path}: {problem}")
            status, answer = 400, {"error": str(problem)}
        if self.command != "GET" and self.server.lost and self.server.lost.pop(0) == "lost":
            self.close_connection = True
            return
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _any

    def route(self, method: str, path: str) -> tuple[int, Any]:
        raise NotImplementedError

    def given(self) -> dict[str, Any]:
        assert self.headers.get("Content-Type", "").startswith("application/json")
        found: dict[str, Any] = json.loads(self.body)
        return found


class Zammad(Handler):
    """docs.zammad.org: tickets, articles, groups, users; token access."""

    FIELDS = ("simdiag_key", "simdiag_card", "simdiag_place")
    """The attributes that the administrator made; any other is dropped in silence."""

    def route(self, method: str, path: str) -> tuple[int, Any]:
        if self.headers.get("Authorization") != "Token token=right":
            return 401, {"error": "Authentication required"}
        words = path.removeprefix("/api/v1/").split("/")
        tickets = self.server.tickets
        match method, words:
            case "GET", ["users", "me"]:
                return 200, {"id": 7, "login": "simdiag"}
            case "GET", ["groups"]:
                return 200, [{"id": 1, "name": "Users"}, {"id": 2, "name": "SIM"}]
            case "GET", ["tickets", "search"]:
                key = self.query["query"].split(":", 1)[1].strip('"')
                known = time.monotonic() - self.server.lag_s
                found = [
                    n for n, t in tickets.items()
                    if t.get("simdiag_key") == key and t["at"] <= known
                ]  # fmt: skip
                return 200, {"tickets": found, "tickets_count": len(found), "assets": {}}
            case "POST", ["tickets"]:
                return 201, self._create(self.given())
            case "GET", ["tickets", number] if int(number) in tickets:
                return 200, tickets[int(number)]
            case "PUT", ["tickets", number]:
                tickets[int(number)] |= self.given()
                return 200, tickets[int(number)]
            case "PUT", ["ticket_merge", extra, public]:
                if tickets[int(extra)]["state"] == "merged":
                    return 422, {"error": "It is merged already"}
                keep = next(t for t in tickets.values() if t["number"] == public)
                tickets[int(extra)]["into"] = keep["id"]
                tickets[int(extra)]["state"] = "merged"
                return 200, {"result": "success"}
            case "POST", ["ticket_articles"]:
                given = self.given()
                return 201, self._article(tickets[given["ticket_id"]], given)
            case "GET", ["ticket_articles", "by_ticket", number]:
                return 200, tickets[int(number)]["articles"]
            case "GET", ["ticket_attachment", number, article, file]:
                (held,) = [a for a in tickets[int(number)]["articles"] if a["id"] == int(article)]
                assert int(file) in {f["id"] for f in held["attachments"]}
                return 200, self.server.contents[int(file)]
        return 404, {"error": "No route matches"}

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        assert given["title"], "a title is required"
        assert given["group"] in ("Users", "SIM"), "a group is required"
        assert given["customer_id"], "customer is required"
        number = self.server.next()
        ticket: dict[str, Any] = {name: given[name] for name in self.FIELDS if name in given}
        ticket |= {
            "id": number, "number": f"220{number:02d}", "title": given["title"], "state": "new",
            "articles": [], "at": time.monotonic(),
        }  # fmt: skip
        self.server.tickets[number] = ticket
        self._article(ticket, given["article"])
        return ticket

    def _article(self, ticket: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        assert given["body"], "an article needs a body"
        assert given["type"] in ("note", "web", "email", "phone")
        files = []
        for file in given.get("attachments", []):
            assert set(file) == {"filename", "data", "mime-type"}
            number = self.server.next()
            self.server.contents[number] = base64.b64decode(file["data"], validate=True)
            files.append({"id": number, "filename": file["filename"], "preferences": {}})
        article = {
            "id": self.server.next(), "body": given["body"], "from": "simdiag",
            "created_by_id": 7, "created_at": STAMP.format(1), "attachments": files,
        }  # fmt: skip
        ticket["articles"].append(article)
        return article


class Zendesk(Handler):
    """developer.zendesk.com: tickets, comments, uploads, idempotency, safe updates."""

    FIELDS = (360001, 360002)

    def route(self, method: str, path: str) -> tuple[int, Any]:
        words = path.removeprefix("/api/v2/").split("/")
        if words[0] == "content":  # a link to a file holds its own proof; no log-in goes there
            assert "Authorization" not in self.headers, "the token was sent to another place"
            return 200, self.server.contents[int(words[1])]
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
        if given != b"agent@simdiag.test/token:right":
            return 401, {"error": "Couldn't authenticate you"}
        tickets = self.server.tickets
        match method, words:
            case "GET", ["users", "me"]:
                return 200, {"user": {"id": 7}}
            case "GET", ["ticket_fields"]:
                return 200, {"ticket_fields": [{"id": number} for number in self.FIELDS]}
            case "GET", ["tickets"]:
                key = self.query["external_id"]
                found = [t for t in tickets.values() if t["external_id"] == key]
                return 200, {"tickets": found, "count": len(found)}
            case "POST", ["tickets"]:
                return self._create()
            case "GET", ["tickets", number] if int(number) in tickets:
                return 200, {"ticket": tickets[int(number)]}
            case "GET", ["tickets", number, "comments"]:
                return 200, {"comments": tickets[int(number)]["comments"], "next_page": None}
            case "PUT", ["tickets", number]:
                return self._update(tickets[int(number)], self.given()["ticket"])
            case "POST", ["uploads"]:
                return self._upload()
            case "POST", ["tickets", _, "merge"]:
                for extra in self.given()["ids"]:
                    if tickets[extra]["status"] == "closed":
                        return 422, {"error": "RecordInvalid"}
                    tickets[extra]["status"] = "closed"
                return 200, {"job_status": {"status": "queued"}}
        return 404, {"error": "RecordNotFound"}

    def _create(self) -> tuple[int, Any]:
        key = self.headers.get("Idempotency-Key")
        assert key, "no key, so a repetition would make a second ticket"
        assert len(key) <= 255
        if key in self.server.keys:
            body, number = self.server.keys[key]
            if body != self.body:
                return 400, {"error": "IdempotentRequestError"}
            return 201, {"ticket": self.server.tickets[number]}
        given = self.given()["ticket"]
        assert given["priority"] in ("urgent", "high", "normal", "low")
        assert given["subject"]
        assert given["comment"]["body"]
        number = self.server.next()
        known = [f for f in given["custom_fields"] if f["id"] in self.FIELDS]
        ticket = {
            "id": number, "subject": given["subject"], "external_id": given["external_id"],
            "priority": given["priority"], "custom_fields": known, "status": "new", "comments": [],
            "updated_at": STAMP.format(number),
        }  # fmt: skip
        self.server.tickets[number] = ticket
        self._comment(ticket, given["comment"])
        self.server.keys[key] = (self.body, number)
        return 201, {"ticket": ticket}

    def _update(self, ticket: dict[str, Any], given: dict[str, Any]) -> tuple[int, Any]:
        if given.get("safe_update") and given["updated_stamp"] != ticket["updated_at"]:
            return 409, {"error": "UpdateConflict"}
        if ticket["status"] == "closed":
            return 422, {"error": "RecordInvalid", "description": "closed prevents ticket update"}
        if "comment" in given:
            self._comment(ticket, given["comment"])
        ticket["status"] = given.get("status", ticket["status"])
        ticket["updated_at"] = STAMP.format(self.server.next())
        return 200, {"ticket": ticket}

    def _upload(self) -> tuple[int, Any]:
        assert self.query["filename"].isascii()
        assert self.headers.get("Content-Type") == "application/binary"
        number = self.server.next()
        self.server.contents[number] = self.body
        token = f"upload-{number}"
        self.server.uploads[token] = {
            "file_name": self.query["filename"], "size": len(self.body),
            "content_url": f"{self.server.address}api/v2/content/{number}",
        }  # fmt: skip
        return 201, {"upload": {"token": token}}

    def _comment(self, ticket: dict[str, Any], given: dict[str, Any]) -> None:
        files = [self.server.uploads.pop(token) for token in given.get("uploads", [])]
        ticket["comments"].append(
            {
                "id": self.server.next(), "author_id": 7, "body": given["body"],
                "created_at": STAMP.format(1), "attachments": files,
            }
        )  # fmt: skip


@contextmanager
def stub(handler: type[Handler]) -> Iterator[Stub]:
    """Serve a stub until the end of the block; every request must have kept to the contract."""
    server = Stub(handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert server.broken == []
