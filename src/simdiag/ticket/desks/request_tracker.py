"""Request Tracker 5, by its REST interface of version 2 (the manual's ``RT::REST2``).

What it does unasked, met on a real one: unknown fields and values outside a list are dropped while
it says 201, so everything is read back; a file's name that is not ASCII ends in a 500 when sent as
JSON, so multipart is used; a date without a zone is taken as UTC; an unknown queue is "Forbidden".
The kit in ``docs/desks/request-tracker`` makes queue and fields, and the guard that merges a second
ticket with a known key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

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
    Post,
    State,
    number_of,
)
from simdiag.ticket.draft import FIELDS, Draft, utc
from simdiag.ticket.settings import WebSettings
from simdiag.ticket.web_desk import WebDesk, inside, not_kept, plain

_PAGE = 100
_MOST_PAGES = 20
_STATES = {
    "new": State.NEW, "open": State.OPEN, "stalled": State.WAITING, "resolved": State.SOLVED,
    "rejected": State.CLOSED, "deleted": State.CLOSED,
}  # fmt: skip
_WORDS = {State.OPEN: "open", State.SOLVED: "resolved"}
_SPOKEN = ("Create", "Correspond", "Comment")
"""The transactions that carry text."""


class Settings(WebSettings):
    """What a user says about a Request Tracker."""

    kind: Literal["request_tracker"]
    queue: Annotated[str, StringConstraints(pattern=r"^[^'\"/\\]{1,100}$")]
    account: str = "simdiag"
    """Name of the token's user, to tell our own messages from the desk's."""


def connect(settings: Settings) -> RequestTracker:
    """Return the desk; nothing is sent yet."""
    return RequestTracker(settings)


def field_name(name: str) -> str:
    """Return what a field of a draft is called there: ``SimdiagKey`` for ``key``."""
    return f"Simdiag{name.title()}"


class RequestTracker(WebDesk):
    """One queue of a Request Tracker. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        able = Capabilities(Guard.SEARCH, settings.max_bytes, settings.extensions, merges=True)
        headers = {"Authorization": f"token {settings.secret()}"}
        super().__init__(settings, "REST/2.0/", able, headers=headers)

    def probe(self) -> Capabilities:
        """See that it is a Request Tracker 5, with our queue, the right to use it, its fields."""
        version = self._web.get("rt")
        if not isinstance(version, dict) or not str(version.get("Version", "")).startswith("5."):
            text = N_("{desk} is no Request Tracker 5")
            raise Hold(message(text, desk=self._settings.address))
        try:
            queue = self._web.get(f"queue/{self._settings.queue}")
        except (Missing, Hold) as problem:  # it says "Forbidden" to both
            text = N_("{desk} has no queue {queue}, or does not show it to our account")
            raise Hold(self._said(text)) from problem
        if not any(link.get("ref") == "create" for link in queue.get("_hyperlinks", ())):
            text = N_("{desk} does not let our account make tickets in the queue {queue}")
            raise Hold(self._said(text))
        present = {found.get("name") for found in queue.get("TicketCustomFields", ())}
        if field_name("key") not in present:
            text = N_(
                "the queue {queue} of {desk} has no field SimdiagKey: install the kit in "
                "docs/desks/request-tracker"
            )
            raise Hold(self._said(text))
        return self.capabilities

    def find(self, key: str) -> list[str]:
        """Return the tickets with a key, in whatever queue they are by now."""
        query = f"CF.{{{field_name('key')}}} = '{key}'"
        found = self._web.get("tickets", {"query": query, "orderby": "id", "per_page": _PAGE})
        return [number_of(item["id"]) for item in found["items"]]

    def create(self, draft: Draft, file: File | None = None) -> str:
        """Make the ticket without its file."""
        own = {field_name(k): v for k, v in draft.fields().items() if k != "due"}
        body = {
            "Queue": self._settings.queue,
            "Subject": draft.summary,
            "Content": draft.message,
            "ContentType": "text/plain",
            "CustomFields": own,
        }
        if draft.due:
            body["Due"] = utc(draft.due)
        made = self._web.send("POST", "ticket", json=body)
        return number_of(inside(made, "id"))

    def attachments(self, number: str) -> list[Attachment]:
        """Return the files at a ticket; parts without a name are text."""
        return [
            Attachment(part["Filename"], int(part["ContentLength"]), str(part["id"]))
            for part in self._parts(number)
            if part.get("Filename")
        ]

    def attach(self, number: str, file: File) -> None:
        """Add a file with a comment, as multipart."""
        note = {"Content": file.note or file.name, "ContentType": "text/plain"}
        with file.path.open("rb") as content:
            self._web.send(
                "POST",
                f"ticket/{number}/comment",
                size=file.size,
                files=[
                    ("JSON", (None, json.dumps(note), "application/json")),
                    ("Attachments", (file.name, content, "application/octet-stream")),
                ],
            )

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the content of a file."""
        return base64.b64decode(self._web.get(f"attachment/{attachment.id}")["Content"])

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Compare subject, fields, date and first message with what was sent."""
        ticket = self._web.get(f"ticket/{number}")
        fields = {
            field["name"]: (field["values"] or [""])[0] for field in ticket.get("CustomFields", ())
        }
        kept = {name: str(fields.get(field_name(name), "")) for name in FIELDS}
        kept["due"] = re.sub(r"^(\S{10})T(\S{8})Z$", r"\1 \2", str(ticket.get("Due") or ""))
        kept["summary"] = str(ticket.get("Subject", ""))
        texts = (part for part in self._parts(number) if _is_text(part))
        first = min((int(part["id"]) for part in texts), default=0)
        kept["message"] = self._text(str(first)) if first else ""
        return not_kept(draft, kept)

    def case(self, number: str) -> Case:
        """Return where a ticket stands and what was said."""
        ticket = self._web.get(f"ticket/{number}")
        word = str(ticket.get("Status", ""))
        state = _STATES.get(word, State.OPEN)
        return Case(str(ticket.get("id", number)), state, word, tuple(self._posts(number)))

    def comment(self, number: str, text: str) -> None:
        """Write to the desk, as an answer at the ticket."""
        body = {"Content": text, "ContentType": "text/plain"}
        self._web.send("POST", f"ticket/{number}/correspond", json=body)

    def set_state(self, number: str, state: State) -> None:
        """Reopen or close a ticket; it says 200 to what it does not allow, so it is read back."""
        self._web.send("PUT", f"ticket/{number}", json={"Status": _WORDS[state]})
        if self._web.get(f"ticket/{number}").get("Status") != _WORDS[state]:
            text = N_("{desk} did not change the state of ticket {number}")
            raise Hold(self._said(text, number=number))

    def merge(self, keep: str, extra: str) -> None:
        """Make ``extra`` a part of ``keep``."""
        self._web.send("PUT", f"ticket/{extra}", json={"MergeInto": int(keep)})

    def _posts(self, number: str) -> Iterator[Post]:
        fields = "Type,Creator,Created"
        for found in self._pages(f"ticket/{number}/history", fields):
            if found.get("Type") not in _SPOKEN:
                continue
            author = str((found.get("Creator") or {}).get("id", ""))
            yield Post(
                str(found["id"]),
                author,
                datetime.fromisoformat(found["Created"]) if found.get("Created") else None,
                self._text_of(str(found["id"])),
                author == self._settings.account,
            )

    def _text_of(self, transaction: str) -> str:
        parts = self._pages(f"transaction/{transaction}/attachments", "Filename,ContentType")
        return next((self._text(str(part["id"])) for part in parts if _is_text(part)), "")

    def _text(self, part: str) -> str:
        content = base64.b64decode(self._web.get(f"attachment/{part}").get("Content") or "")
        return plain(content.decode("utf-8", "replace"))

    def _parts(self, number: str) -> Iterator[dict[str, Any]]:
        fields = "Filename,ContentLength,ContentType"
        return self._pages(f"ticket/{number}/attachments", fields)

    def _pages(self, path: str, fields: str) -> Iterator[dict[str, Any]]:
        for page in range(1, _MOST_PAGES + 1):
            found = self._web.get(path, {"fields": fields, "per_page": _PAGE, "page": page})
            yield from found["items"]
            if len(found["items"]) < _PAGE:
                return

    def _said(self, text: str, **more: str) -> Any:
        return message(text, desk=self._settings.address, queue=self._settings.queue, **more)


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("ContentType") == "text/plain" and not part.get("Filename")
