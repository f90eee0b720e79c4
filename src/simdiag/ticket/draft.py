"""The draft of a ticket: what a desk is told, fixed before it is sent and never changed after."""

from __future__ import annotations

import enum
import hashlib
import secrets
import time
import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from simdiag.report.hostile import shown


class Category(enum.StrEnum):
    """What kind of request it is, as after-sales desks sort them."""

    ACTIVATION = "activation"
    CARD_FAULT = "card_fault"
    NO_SERVICE = "no_service"
    TOP_UP = "top_up"
    USAGE_DISPUTE = "usage_dispute"
    BILLING_DISPUTE = "billing_dispute"
    PLAN_CHANGE = "plan_change"
    ENQUIRY = "enquiry"
    COMPLAINT = "complaint"


class Urgency(enum.StrEnum):
    """How soon somebody should act."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Complexity(enum.StrEnum):
    """How much work it is likely to be."""

    SIMPLE = "simple"
    NORMAL = "normal"
    COMPLEX = "complex"


_LINE = 250
"""Characters; Request Tracker keeps no more than 255 bytes of a plain field in its index."""
_TEXT = 40_000
_STORY = 4_000
"""So that a text pasted whole leaves room for the evidence, in two languages."""


def _one_line(text: str) -> str:
    return shown(" ".join(text.split()), _LINE)


def _lines(text: str, most: int = _TEXT) -> str:
    kept = (line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return shown("\n".join(kept).strip(), most)


Line = Annotated[str, AfterValidator(_one_line)]
"""One line; desks trim and cut fields at line ends, so there are none."""
Text = Annotated[str, AfterValidator(_lines)]
Story = Annotated[str, AfterValidator(lambda text: _lines(text, _STORY))]
"""What somebody tells in his own words."""
Key = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BundleRef(_Model):
    """A bundle, told by its digest."""

    name: Line = Field(description="Name of the file where it was made")
    sha256: Sha256
    size: int = Field(ge=0, description="Bytes")


class Draft(_Model):
    """One ticket. Everything in it leaves the computer, so identifiers stand in it redacted."""

    schema_: Literal["simdiag/ticket/1"] = Field(default="simdiag/ticket/1", alias="schema")
    key: Key = Field(description="Tells this ticket from every other: a UUID of version 7")
    created: AwareDatetime = Field(description="By the computer's clock, which may be wrong")
    category: Category
    urgency: Urgency = Urgency.NORMAL
    complexity: Complexity = Complexity.NORMAL
    summary: Annotated[Line, StringConstraints(min_length=1)]
    message: Text = Field(description="The first message, as the desk reads it")
    languages: tuple[str, ...] = Field(default=("en",), description="Of the message")
    device: Line = ""
    card: Line = Field(default="", description="Number of the card, its personal digits hidden")
    cause: Line = Field(default="", description="Code of the diagnosed cause")
    happened: Line = Field(default="", description="When it happened, with its time zone")
    place: Line = ""
    steps: tuple[Line, ...] = Field(default=(), description="What was tried, and how it ended")
    wish: Line = ""
    seller: Line = ""
    order: Line = Field(default="", description="Number of the order")
    plan: Line = ""
    bought: date | None = Field(default=None, description="Day of the order")
    account: Line = Field(default="", description="Number at the operator, as the user gave it")
    profile: Line = Field(default="", description="Id of the carrier profile")
    due: AwareDatetime | None = Field(default=None, description="By when an answer is wanted")
    bundle: BundleRef | None = None
    fingerprint: Line = Field(default="", description="Of the key that signed the bundle")

    def fields(self) -> dict[str, str]:
        """Return what goes into a desk's own fields, by name; empty ones are left out."""
        values = {name: str(getattr(self, name)) for name in FIELDS if name not in _SPECIAL}
        values["due"] = utc(self.due) if self.due else ""
        values["bundle"] = self.bundle.sha256 if self.bundle else ""
        return {name: values[name] for name in FIELDS if values[name]}

    def canonical(self) -> str:
        """Return the draft as JSON, always the same for the same draft."""
        return self.model_dump_json(by_alias=True)


FIELDS = (
    "key", "category", "urgency", "complexity", "card", "cause", "device", "happened", "place",
    "wish", "seller", "order", "plan", "due", "bundle", "fingerprint",
)  # fmt: skip
"""The fields a desk should have for our tickets; the desk kits make them."""
_SPECIAL = {"due", "bundle"}


def utc(moment: datetime) -> str:
    """Return a moment as desks without a notion of zones take it: in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def new_key() -> str:
    """Make a key: a UUID of version 7 (RFC 9562 section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    bits = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64
    return str(uuid.UUID(int=bits | 0b10 << 62 | secrets.randbits(62)))


def content_key(draft: Draft) -> str:
    """Return what is equal for tickets of one meaning: the card, its cause, the day.

    Empty where the draft names neither card nor cause: then nothing tells it from others.
    """
    if not (draft.card and draft.cause):
        return ""
    day = draft.created.date().isoformat()
    return hashlib.sha256("\n".join((draft.card, draft.cause, day)).encode()).hexdigest()
