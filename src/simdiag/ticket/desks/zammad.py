"""Zammad, by its published interface (docs.zammad.org, "REST API", version 1).

It knows no key of a client's, and its search lags behind (Elasticsearch), so a ticket of unknown
outcome may be made twice; it is looked for at every sync, and merged then. Fields are attributes of
tickets that an administrator adds (``simdiag_key`` … as text); unknown ones are dropped silently.
Tested against a stub that enforces the published contract, not against a Zammad.
"""

from __future__ import annotations

import base64
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
    Post,
    State,
    number_of,
)
from simdiag.ticket.draft import FIELDS, Draft
from simdiag.ticket.settings import WebSettings
from simdiag.ticket.web_desk import WebDesk, inside, not_kept, plain

_STATES = {
    "new": State.NEW, "open": State.OPEN, "pending reminder": State.WAITING,
    "pending close": State.SOLVED, "closed": State.CLOSED, "merged": State.CLOSED,
}  # fmt: skip
_WORDS = {State.OPEN: "open", State.SOLVED: "closed"}


class Settings(WebSettings):
    """What a user says about a Zammad."""

    kind: Literal["zammad"]
    group: Annotated[str, StringConstraints(min_length=1, max_length=160)]


def connect(settings: Settings) -> Zammad:
    """Return the desk; nothing is sent yet."""
    return Zammad(settings)


def field_name(name: str) -> str:
    """Return what a field of a draft is called there: ``simdiag_key`` for ``key``."""
    return f"simdiag_{name}"


class Zammad(WebDesk):
    """One group of a Zammad. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._me = 0
        able = Capabilities(Guard.SEARCH, settings.max_bytes, settings.extensions, merges=True)
        headers = {"Authorization": f"Token token={settings.secret()}"}
        super().__init__(settings, "api/v1/", able, headers=headers)

    def probe(self) -> Capabilities:
        """See that it is a Zammad whose account sees our group."""
        self._my_id()
        names = {group.get("name") for group in self._web.get("groups")}
        if self._settings.group not in names:
            text = N_("{desk} has no group {group}, or does not show it to our account")
            raise Hold(message(text, desk=self._settings.address, group=self._settings.group))
        return self.capabilities

    def find(self, key: str) -> list[str]:
        """Return the tickets with a key, as far as the search knows them already."""
        query = f'{field_name("key")}:"{key}"'
        found = self._web.get("tickets/search", {"query": query, "limit": 20})
        return [number_of(number) for number in sorted(found["tickets"])]

    def create(self, draft: Draft, file: File | None = None) -> str:
        """Make the ticket with its first article."""
        body: dict[str, Any] = {field_name(k): v for k, v in draft.fields().items()}
        body |= {
            "title": draft.summary,
            "group": self._settings.group,
            "customer_id": self._my_id(),
            "article": self._article(draft.summary, draft.message),
        }
        made = self._web.send("POST", "tickets", json=body)
        return number_of(inside(made, "id"))

    def attachments(self, number: str) -> list[Attachment]:
        """Return the files of all articles; their sizes are no part of the contract."""
        return [
            Attachment(str(file["filename"]), None, f"{article['id']}/{file['id']}")
            for article in self._articles(number)
            for file in article.get("attachments", ())
        ]

    def attach(self, number: str, file: File) -> None:
        """Add an article with the file, in base 64."""
        data = base64.b64encode(file.path.read_bytes()).decode("ascii")
        mime = "application/octet-stream"
        article = self._article(file.name, file.note or file.name)
        article |= {
            "ticket_id": int(number),
            "attachments": [{"filename": file.name, "data": data, "mime-type": mime}],
        }
        self._web.send("POST", "ticket_articles", size=len(data), json=article)

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Return the content of a file."""
        return self._web.download(f"ticket_attachment/{number}/{attachment.id}")

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Compare title, fields and first message with what was sent."""
        ticket = self._web.get(f"tickets/{number}")
        kept = {name: str(ticket.get(field_name(name)) or "") for name in FIELDS}
        kept["summary"] = str(ticket.get("title") or "")
        first = next(self._articles(number), None)
        kept["message"] = _text(first) if first else ""
        return not_kept(draft, kept)

    def case(self, number: str) -> Case:
        """Return where a ticket stands and what was said."""
        ticket = self._web.get(f"tickets/{number}", {"expand": "true"})
        word = str(ticket.get("state", ""))
        posts = tuple(self._post(article) for article in self._articles(number))
        return Case(str(ticket.get("number", number)), _STATES.get(word, State.OPEN), word, posts)

    def comment(self, number: str, text: str) -> None:
        """Write to the desk, as an article."""
        article = self._article("", text)
        self._web.send("POST", "ticket_articles", json={**article, "ticket_id": int(number)})

    def set_state(self, number: str, state: State) -> None:
        """Reopen or close a ticket."""
        self._web.send("PUT", f"tickets/{number}", json={"state": _WORDS[state]})

    def merge(self, keep: str, extra: str) -> None:
        """Make ``extra`` a part of ``keep``, which is named by its public number there.

        What was merged may still be found by its key, and cannot be merged again.
        """
        if self._web.get(f"tickets/{extra}", {"expand": "true"}).get("state") == "merged":
            return
        public = self._web.get(f"tickets/{keep}")["number"]
        self._web.send("PUT", f"ticket_merge/{extra}/{public}")

    def _my_id(self) -> int:
        """Return the number of our account."""
        if not self._me:
            user = self._web.get("users/me")
            if not isinstance(user, dict) or "login" not in user:
                text = N_("{desk} is no Zammad")
                raise Hold(message(text, desk=self._settings.address))
            self._me = int(user["id"])
        return self._me

    @staticmethod
    def _article(subject: str, text: str) -> dict[str, Any]:
        kind = {"type": "note", "content_type": "text/plain", "internal": False}
        return {"subject": subject, "body": text, **kind}

    def _articles(self, number: str) -> Iterator[dict[str, Any]]:
        for article in self._web.get(f"ticket_articles/by_ticket/{number}"):
            if "attachments" in article:
                yield article
            else:  # the list may leave them out
                yield self._web.get(f"ticket_articles/{article['id']}")

    def _post(self, article: dict[str, Any]) -> Post:
        return Post(
            str(article["id"]),
            str(article.get("from") or ""),
            datetime.fromisoformat(article["created_at"]) if article.get("created_at") else None,
            _text(article),
            article.get("created_by_id") == self._my_id(),
        )


def _text(article: dict[str, Any]) -> str:
    return plain(article.get("body"))
