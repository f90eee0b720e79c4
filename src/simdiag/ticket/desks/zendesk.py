"""Zendesk Support, by its published interface (developer.zendesk.com, "Ticketing", version 2).

A key stands in ``external_id``, which can be looked up at once, and in ``Idempotency-Key``, which
is known for two hours: until then a repeated request gets the ticket that is there. An uploaded
file lives for an hour until it is hung to a ticket, under the condition that nobody changed that
meanwhile (``safe_update``). Fields have numbers, which the settings name; the rest is put below the
message. Tested against a stub that enforces the published contract, not against a Zendesk.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from simdiag.message import N_, message
from simdiag.ticket import labels
from simdiag.ticket.desk import (
    Attachment,
    Capabilities,
    Case,
    File,
    Guard,
    Hold,
    Mismatch,
    Post,
    State,
    Unknown,
    mismatches,
    number_of,
)
from simdiag.ticket.draft import FIELDS, Draft
from simdiag.ticket.settings import WebSettings
from simdiag.ticket.web import Web
from simdiag.ticket.web_desk import WebDesk, inside

_MAX_BYTES = 50_000_000
"""Of one file, by the published limits."""
_MOST_PAGES = 20
_STATES = {
    "new": State.NEW, "open": State.OPEN, "pending": State.WAITING, "hold": State.OPEN,
    "solved": State.SOLVED, "closed": State.CLOSED,
}  # fmt: skip
_WORDS = {State.OPEN: "open", State.SOLVED: "solved"}
_ELSEWHERE = ("key", "urgency")
"""What stands in ``external_id`` and ``priority``."""


def _known(fields: dict[str, int]) -> dict[str, int]:
    if unknown := set(fields) - set(FIELDS):
        raise ValueError(f"there is no field {', '.join(sorted(unknown))}")
    return fields


class Settings(WebSettings):
    """What a user says about a Zendesk."""

    kind: Literal["zendesk"]
    account: Annotated[str, StringConstraints(pattern=r"^[^:\s]+@[^:\s]+$")]
    """E-mail address of the token's user."""
    fields: Annotated[dict[str, int], AfterValidator(_known)] = Field(default={})
    """The numbers of the desk's own fields, by the names of ours: ``fields.card = 360001``."""


def connect(settings: Settings) -> Zendesk:
    """Return the desk; nothing is sent yet."""
    return Zendesk(settings)


class Zendesk(WebDesk):
    """A Zendesk. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._me = 0
        most = min(_MAX_BYTES, settings.max_bytes or _MAX_BYTES)
        able = Capabilities(Guard.WINDOW, most, settings.extensions, merges=True)
        auth = (f"{settings.account}/token", settings.secret())
        super().__init__(settings, "api/v2/", able, auth=auth)

    def probe(self) -> Capabilities:
        """See that it is a Zendesk, that knows our account and the fields of the settings."""
        self._my_id()
        if self._settings.fields:
            known = {field["id"] for field in self._web.get("ticket_fields")["ticket_fields"]}
            if lacking := sorted(set(self._settings.fields.values()) - known):
                text = N_("{desk} has no field with the number {number}")
                raise Hold(message(text, desk=self._settings.address, number=lacking[0]))
        return self.capabilities

    def find(self, key: str) -> list[str]:
        """Return the tickets with a key."""
        found = self._web.get("tickets", {"external_id": key})
        return [number_of(number) for number in sorted(ticket["id"] for ticket in found["tickets"])]

    def create(self, draft: Draft, file: File | None = None) -> str:
        """Make the ticket without its file."""
        fields = draft.fields()
        numbers = self._settings.fields
        ticket = {
            "subject": draft.summary,
            "comment": {"body": self._message(draft)},
            "external_id": draft.key,
            "priority": str(draft.urgency),
            "custom_fields": [
                {"id": n, "value": fields[k]} for k, n in numbers.items() if k in fields
            ],
        }
        made = self._web.send(
            "POST", "tickets", json={"ticket": ticket}, headers={"Idempotency-Key": draft.key}
        )
        return number_of(inside(made, "ticket", "id"))

    def attachments(self, number: str) -> list[Attachment]:
        """Return the files of all comments."""
        return [
            Attachment(str(file["file_name"]), int(file["size"]), str(file["content_url"]))
            for comment in self._comments(number)
            for file in comment.get("attachments", ())
        ]

    def attach(self, number: str, file: File) -> None:
        """Upload the file, then hang it to the ticket unless that has changed meanwhile."""
        stamp = self._web.get(f"tickets/{number}")["ticket"]["updated_at"]
        with file.path.open("rb") as content:
            made = self._web.upload(
                "POST",
                "uploads",
                content,
                file.size,
                params={"filename": file.name},
                headers={"Content-Type": "application/binary"},
            )
        comment = {"body": file.note or file.name, "public": False}
        comment["uploads"] = [_inner(made, "upload")["token"]]
        ticket = {"comment": comment, "safe_update": True, "updated_stamp": stamp}
        self._web.send("PUT", f"tickets/{number}", json={"ticket": ticket})

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the content of a file, which may lie elsewhere: no token goes there."""
        parts = urlsplit(attachment.id)
        elsewhere = Web(f"{parts.scheme}://{parts.netloc}/", ca_file=self._settings.ca_file)
        try:
            return elsewhere.download(attachment.id)
        finally:
            elsewhere.close()

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Compare subject, fields and first message with what was sent."""
        ticket = self._web.get(f"tickets/{number}")["ticket"]
        values = {field["id"]: field["value"] for field in ticket.get("custom_fields", ())}
        numbers = self._settings.fields
        kept = {name: str(values.get(number) or "") for name, number in numbers.items()}
        kept["key"] = str(ticket.get("external_id") or "")
        kept["urgency"] = str(ticket.get("priority") or "")
        kept["summary"] = str(ticket.get("subject") or "")
        first = next(self._comments(number), None)
        kept["message"] = str(first.get("body") or "").strip() if first else ""
        fields = draft.fields()
        sent = {name: fields[name] for name in (*_ELSEWHERE, *numbers) if name in fields}
        sent |= {"summary": draft.summary, "message": self._message(draft)}
        return mismatches(sent, kept)

    def case(self, number: str) -> Case:
        """Return where a ticket stands and what was said."""
        word = str(self._web.get(f"tickets/{number}")["ticket"].get("status", ""))
        posts = tuple(self._post(comment) for comment in self._comments(number))
        return Case(number, _STATES.get(word, State.OPEN), word, posts)

    def comment(self, number: str, text: str) -> None:
        """Write to the desk."""
        comment = {"comment": {"body": text, "public": True}}
        self._web.send("PUT", f"tickets/{number}", json={"ticket": comment})

    def set_state(self, number: str, state: State) -> None:
        """Reopen or close a ticket; one that is closed for good cannot be reopened."""
        self._web.send("PUT", f"tickets/{number}", json={"ticket": {"status": _WORDS[state]}})

    def merge(self, keep: str, extra: str) -> None:
        """Make ``extra`` a part of ``keep``; Zendesk does it a little later.

        What was merged is closed for good, and cannot be merged again.
        """
        if self._web.get(f"tickets/{extra}")["ticket"].get("status") == "closed":
            return
        self._web.send("POST", f"tickets/{keep}/merge", json={"ids": [int(extra)]})

    def _message(self, draft: Draft) -> str:
        return labels.text(draft, (*_ELSEWHERE, *self._settings.fields)).strip()

    def _my_id(self) -> int:
        """Return the number of our account; strangers are told of an anonymous user."""
        if not self._me:
            user = (self._web.get("users/me") or {}).get("user") or {}
            if not user.get("id"):
                text = N_("{desk} is no Zendesk, or does not know our account")
                raise Hold(message(text, desk=self._settings.address))
            self._me = int(user["id"])
        return self._me

    def _comments(self, number: str) -> Iterator[dict[str, Any]]:
        for page in range(1, _MOST_PAGES + 1):
            found = self._web.get(f"tickets/{number}/comments", {"page": page, "per_page": 100})
            yield from found["comments"]
            if not found.get("next_page"):
                return

    def _post(self, comment: dict[str, Any]) -> Post:
        return Post(
            str(comment["id"]),
            str(comment.get("author_id", "")),
            datetime.fromisoformat(comment["created_at"]) if comment.get("created_at") else None,
            str(comment.get("body") or "").strip(),
            comment.get("author_id") == self._my_id(),
        )


def _inner(made: Any, name: str) -> dict[str, Any]:
    inner = made.get(name) if isinstance(made, dict) else None
    if not isinstance(inner, dict):
        raise Unknown(message(N_("the desk's answer does not name the ticket")))
    return inner
