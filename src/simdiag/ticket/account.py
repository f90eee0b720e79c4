"""What a user is asked only once: seller, order, plan, number. Kept on this computer alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from simdiag.errors import SimdiagError
from simdiag.files import write_whole
from simdiag.message import N_, message
from simdiag.ticket.draft import Line
from simdiag.ticket.settings import folder

FILE = "account.json"


class Account(BaseModel):
    """The facts of one card."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    seller: Line = ""
    order: Line = ""
    bought: date | None = None
    plan: Line = ""
    account: Line = ""


class _File(BaseModel):
    cards: dict[str, Account] = {}


def known(card: str) -> Account:
    """Return what was said the last time about a card; raises ``SimdiagError`` if unreadable."""
    return _read().cards.get(card, Account())


def keep(card: str, facts: Account) -> None:
    """Keep what was said, for its user alone (mode 0600). Raises ``SimdiagError``."""
    found = _read()
    found.cards[card] = facts
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, found.model_dump_json(indent=2) + "\n", 0o600)
    except OSError as problem:
        raise _cannot(path, problem.strerror or str(problem)) from problem


def _path() -> Path:
    return folder() / FILE


def _read() -> _File:
    path = _path()
    try:
        return _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _File()
    except OSError as problem:
        raise _cannot(path, problem.strerror or str(problem)) from problem
    except ValidationError as problem:
        raise _cannot(path, N_("it is damaged; move it away and it is made anew")) from problem


def _cannot(path: Path, why: str) -> SimdiagError:
    return SimdiagError(message(N_("{path} cannot be used: {why}"), path=path, why=message(why)))
