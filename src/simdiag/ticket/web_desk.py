"""What desks with a web interface have in common: reaching them, reading their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simdiag.ticket.desk import Capabilities, Mismatch, mismatches
from simdiag.ticket.draft import Draft
from simdiag.ticket.settings import WebSettings
from simdiag.ticket.web import Web


class WebDesk:
    """A desk at one address. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(
        self,
        settings: WebSettings,
        path: str,
        capabilities: Capabilities,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> None:
        self._web = Web(
            settings.base(path),
            headers=headers,
            auth=auth,
            ca_file=settings.ca_file,
            deadline_s=settings.deadline_s,
        )
        self.capabilities = capabilities

    def close(self) -> None:
        """End the connection."""
        self._web.close()


def inside(made: Any, *names: str) -> Any:
    """Return what an answer holds, by the names on the way; ``None`` where it is not there."""
    for name in names:
        made = made.get(name) if isinstance(made, dict) else None
    return made


def not_kept(draft: Draft, kept: dict[str, str]) -> list[Mismatch]:
    """Return what of a draft a desk dropped or changed: its fields, its summary, its message."""
    sent = {**draft.fields(), "summary": draft.summary, "message": draft.message}
    return mismatches(sent, kept)


def plain(text: Any) -> str:
    """Return a text of a desk's as it was sent: desks add ends of lines, or change them."""
    return str(text or "").replace("\r\n", "\n").strip()
