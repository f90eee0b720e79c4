"""Roundup 2, by its REST interface (the manual's "Rest API for Roundup").

What it wants, met on a real one: ``X-Requested-With``, ``Referer`` and ``Origin`` that equal the
tracker's configured address, and that address as the host; an author at every message, for one
without breaks the issue that is to hold it. A second issue with a known key gets a 409: the kit in
``docs/desks/roundup`` makes the field a key. A file is made first, and hung to the issue under the
condition that nobody changed the issue meanwhile (``If-Match``): so a request that comes late
hangs nothing twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import StringConstraints

from simdiag.message import N_, message
from simdiag.ticket.desk import (
    Attachment,
    Capabilities,
    Case,
    File,
    Guard,
    Hold,
    Mismatch,
    Missing,
    Never,
    Post,
    State,
    Unknown,
    number_of,
)
from simdiag.ticket.draft import FIELDS, Draft
from simdiag.ticket.settings import WebSettings
from simdiag.ticket.web_desk import WebDesk, inside, not_kept, plain

_STATES = {
    "unread": State.NEW, "need-eg": State.WAITING, "deferred": State.WAITING,
    "done-cbb": State.SOLVED, "resolved": State.SOLVED,
}  # fmt: skip
"""The states of the classic template; any other is an open one."""
_WORDS = {State.OPEN: "chatting", State.SOLVED: "resolved"}


class Settings(WebSettings):
    """What a user says about a Roundup tracker; ``address`` is its ``tracker_web``."""

    kind: Literal["roundup"]
    account: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,100}$")]


def connect(settings: Settings) -> Roundup:
    """Return the desk; nothing is sent yet."""
    return Roundup(settings)


def field_name(name: str) -> str:
    """Return what a field of a draft is called there: ``simdiag_key`` for ``key``."""
    return f"simdiag_{name}"


class Roundup(WebDesk):
    """One Roundup tracker. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._user = ""
        parts = urlsplit(settings.address)
        headers = {
            "X-Requested-With": "simdiag",
            "Referer": settings.address,
            "Origin": f"{parts.scheme}://{parts.netloc}",
        }
        able = Capabilities(Guard.SERVER, settings.max_bytes, settings.extensions)
        auth = (settings.account, settings.secret())
        super().__init__(settings, "rest/", able, headers=headers, auth=auth)

    def probe(self) -> Capabilities:
        """See that it is a Roundup with our fields, which our account may write to."""
        about = self._web.get("")
        if not isinstance(about, dict) or "supported_versions" not in (about.get("data") or {}):
            text = N_("{desk} is no Roundup tracker with its REST interface on")
            raise Hold(message(text, desk=self._settings.address))
        names = ",".join(field_name(name) for name in FIELDS)
        try:
            self._look("data/issue", {"@page_size": 1, "@fields": names})
        except Never as problem:
            text = N_(
                "{desk} lacks a field for our tickets: install the kit in docs/desks/roundup "
                "({why})"
            )
            why = problem.message
            raise Hold(message(text, desk=self._settings.address, why=why)) from problem
        self._me()
        return self.capabilities

    def find(self, key: str) -> list[str]:
        """Return the issue with a key; there cannot be two."""
        found = self._look("data/issue", {f"{field_name('key')}:": key})
        return [number_of(item["id"]) for item in found["collection"]]

    def create(self, draft: Draft, file: File | None = None) -> str:
        """Make the message, then the issue that holds it."""
        body: dict[str, Any] = {field_name(k): v for k, v in draft.fields().items()}
        body |= {"title": draft.summary, "messages": [self._say(draft.message)]}
        try:
            return self._made(self._web.send("POST", "data/issue", json=body))
        except Unknown:
            # Also "there is one with this key": of an earlier request, carried out meanwhile.
            found = self.find(draft.key)
            if not found:
                raise
            return found[0]

    def attachments(self, number: str) -> list[Attachment]:
        """Return the files at an issue; their sizes are not told."""
        issue = self._look(f"data/issue/{number}", {"@fields": "files", "@verbose": 2})
        files = issue["attributes"]["files"]
        return [Attachment(str(f.get("name", "")), None, str(f["id"])) for f in files]

    def attach(self, number: str, file: File) -> None:
        """Make the file, then hang it to the issue unless that has changed meanwhile."""
        issue = self._look(f"data/issue/{number}", {"@fields": "files"})
        with file.path.open("rb") as content:
            made = self._web.send(
                "POST",
                "data/file",
                size=file.size,
                data={"name": file.name, "type": "application/octet-stream"},
                files={"content": (file.name, content, "application/octet-stream")},
            )
        change = {"@op": "add", "files": [self._made(made)]}
        if file.note:
            change["messages"] = [self._say(file.note)]
        self._patch(number, change, issue["@etag"])

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the content of a file."""
        return self._web.download(f"data/file/{attachment.id}/binary_content")

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Compare title, fields and first message with what was sent."""
        issue = self._look(f"data/issue/{number}", {"@verbose": 1})["attributes"]
        kept = {name: str(issue.get(field_name(name)) or "") for name in FIELDS}
        kept["summary"] = str(issue.get("title") or "")
        posts = sorted(issue.get("messages", ()), key=lambda found: int(found["id"]))
        kept["message"] = _text(self._message(str(posts[0]["id"]))) if posts else ""
        return not_kept(draft, kept)

    def case(self, number: str) -> Case:
        """Return where an issue stands and what was said."""
        issue = self._look(f"data/issue/{number}", {"@fields": "status,messages", "@verbose": 2})[
            "attributes"
        ]
        word = str((issue.get("status") or {}).get("name", ""))
        posts = sorted(int(found["id"]) for found in issue["messages"])
        return Case(number, _STATES.get(word, State.OPEN), word, tuple(map(self._post, posts)))

    def comment(self, number: str, text: str) -> None:
        """Write to the desk, as a message at the issue."""
        etag = self._look(f"data/issue/{number}", {"@fields": "messages"})["@etag"]
        self._patch(number, {"@op": "add", "messages": [self._say(text)]}, etag)

    def set_state(self, number: str, state: State) -> None:
        """Reopen or close an issue."""
        etag = self._look(f"data/issue/{number}", {"@fields": "status"})["@etag"]
        self._patch(number, {"status": _WORDS[state]}, etag)

    def merge(self, keep: str, extra: str) -> None:
        """Nothing to merge: two issues with one key cannot be."""
        raise NotImplementedError

    def _look(self, path: str, params: dict[str, str | int] | None = None) -> Any:
        return self._web.get(path, params)["data"]

    def _patch(self, number: str, change: dict[str, Any], etag: str) -> None:
        headers = {"If-Match": etag}
        self._web.send("PATCH", f"data/issue/{number}", json=change, headers=headers)

    def _say(self, text: str) -> str:
        return self._made(
            self._web.send(
                "POST", "data/msg", json={"content": text, "author": self._me(), "date": "."}
            )
        )

    def _me(self) -> str:
        """Return the number of our account there."""
        if not self._user:
            found = self._look("data/user", {"username:": self._settings.account})["collection"]
            if not found:
                raise Missing(
                    message(N_("{desk} does not show our account"), desk=self._settings.address)
                )
            self._user = str(found[0]["id"])
        return self._user

    def _message(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self._look(
            f"data/msg/{number}", {"@fields": "author,content,date", "@verbose": 3}
        )["attributes"]
        return found

    def _post(self, number: int) -> Post:
        found = self._message(str(number))
        author, date = found.get("author") or {}, found.get("date")
        return Post(
            str(number),
            str(author.get("username", author.get("id", ""))),
            datetime.strptime(date, "%Y-%m-%d.%H:%M:%S").replace(tzinfo=UTC) if date else None,
            _text(found),
            str(author.get("id", "")) == self._me(),
        )

    @staticmethod
    def _made(answer: Any) -> str:
        return number_of(inside(answer, "data", "id"))


def _text(found: dict[str, Any]) -> str:
    return plain(found.get("content"))
