"""Carrier profiles: what is known of one operator or virtual operator, as data.

A profile is one TOML file. Every fact names where it comes from: ``source`` on the table that
holds it. Nothing here reads a modem; the registry finds the files, the rules read the values.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Plmn = Annotated[str, StringConstraints(pattern=r"^\d{5,6}$")]
"""MCC and MNC in digits (TS 23.003 clause 2.2)."""
IccidPrefix = Annotated[str, StringConstraints(pattern=r"^89\d{2,8}$")]
"""Leading digits of an ICCID (ITU-T E.118: 89, country code, issuer)."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]


def _has_text_in_english(text: dict[str, str]) -> dict[str, str]:
    if "en" not in text:
        raise ValueError("text needs at least the language 'en'")
    return text


Text = Annotated[dict[Language, str], AfterValidator(_has_text_in_english)]
"""The same sentence by language; English is required, the rest falls back to it."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Apn(_Table):
    """An access point name and how to log in to it."""

    name: str = Field(min_length=1, max_length=100)
    """The network identifier (TS 23.003 clause 9.1.1), compared without regard to case."""
    use: Literal["internet", "mms", "ims", "iot", "wap"] = "internet"
    pdp_type: Literal["IP", "IPV6", "IPV4V6"] | None = None
    auth: Literal["none", "pap", "chap"] | None = None
    username: str = ""
    password: str = ""
    plans: str = ""
    """For which plans or cards this APN holds, where it does not hold for all."""
    source: str


class Activation(_Table):
    """How a new card becomes usable, step by step."""

    steps: tuple[Text, ...] = Field(min_length=1)
    source: str


Role = Literal["seller", "operator", "consumer_body", "regulator", "public"]
"""Who can act; ``public`` is a platform where complaints are published."""
Channel = Literal["phone", "web", "app", "shop", "email"]


class Contact(_Table):
    """A way to reach somebody who can act; the best of each role first."""

    role: Role
    channel: Channel
    address: str
    note: Text | None = None
    source: str


class Rung(_Table):
    """A step of the ladder on which a complaint climbs; who it is, the contacts say."""

    role: Role
    days: int | None = Field(default=None, gt=0)
    """By when it has to answer, by rule or promise; then the next rung takes the case."""
    note: Text | None = None
    """What it asks for, and what it does not deal with."""
    source: str


class DeskAddress(_Table):
    """Where the operator takes a ticket, and what is read there."""

    channel: Channel
    address: str
    languages: tuple[Language, ...] = Field(min_length=1)
    """The best first."""
    source: str


class Window(_Table):
    """A period in which a card may be given back or exchanged."""

    kind: Literal["return", "exchange"]
    days: int = Field(gt=0)
    condition: Text | None = None
    source: str


class UsageQuery(_Table):
    """How the operator is asked how much data was used, and what it answers."""

    channel: Literal["ussd", "sms", "app"]
    address: str = Field(min_length=1, max_length=100)
    """The USSD code, the number that the message goes to, or the name or address of the app."""
    text: str = Field(default="", max_length=70)
    """What the message says; one message holds 70 characters of any script."""
    senders: tuple[Annotated[str, StringConstraints(min_length=1, max_length=20)], ...] = ()
    """Whom the answering message comes from, where that is not the number asked."""
    reply: str = Field(default="", max_length=500)
    """A regular expression for the answer, with the groups ``used``, ``left``, ``total``: each an
    amount with its unit, such as ``12.5GB``. Without one, the usual words are looked for."""
    free: bool | None = None
    """Whether asking is free of charge; unknown where it is left out."""
    note: Text | None = None
    source: str

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        shapes = {"ussd": r"[*#]{1,2}\d{2,5}(?:\*\d{1,4}){0,2}#", "sms": r"\+?\d{3,15}"}
        if self.channel in shapes and not re.fullmatch(shapes[self.channel], self.address):
            raise ValueError(f"{self.address!r} is no address for {self.channel}")
        if (self.channel == "sms") != bool(self.text) or (self.senders and self.channel != "sms"):
            raise ValueError("a message, and only that, has a text and may have senders")
        if not self.text.isprintable() or len(self.text.encode("utf-16-be")) > 140:
            raise ValueError("the text is one line and fits into one message")
        try:
            groups = set(re.compile(self.reply).groupindex)
        except re.error as problem:
            raise ValueError(f"reply is no regular expression: {problem}") from problem
        if self.reply and not groups & {"used", "left"}:
            raise ValueError("reply needs the group 'used' or 'left'")
        return self


class CarrierProfile(_Table):
    """One operator or virtual operator."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
    """Equal to the file's name without ``.toml``."""
    name: Text
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166-1 alpha-2; none for the generic profile."""
    host: str | None = None
    """The id of the operator whose network a virtual operator uses."""
    plmns: tuple[Plmn, ...] = ()
    """Home PLMNs: what an IMSI of this operator may begin with."""
    plmns_source: str = ""
    iccid_prefixes: tuple[IccidPrefix, ...] = ()
    iccid_source: str = ""
    languages: tuple[Language, ...] = ("en",)
    apns: tuple[Apn, ...] = ()
    activation: Activation | None = None
    contacts: tuple[Contact, ...] = ()
    ladder: tuple[Rung, ...] = ()
    """In the order in which a complaint climbs."""
    desk: DeskAddress | None = None
    windows: tuple[Window, ...] = ()
    usage_queries: tuple[UsageQuery, ...] = ()
    """The best first."""
    notes: tuple[Text, ...] = ()
    """What a support desk should know of this operator's network and cards."""

    def match(self, imsi: str | None, iccid: str | None) -> int:
        """How many digits of the card's numbers this profile claims; 0 when it does not fit.

        An IMSI speaks for the subscription, so it decides; an ICCID (the card's maker and issuer)
        adds to it or stands in when no IMSI could be read.
        """
        by_imsi = max((len(p) for p in self.plmns if imsi and imsi.startswith(p)), default=0)
        by_iccid = max(
            (len(p) for p in self.iccid_prefixes if iccid and iccid.startswith(p)), default=0
        )
        if imsi and self.plmns and not by_imsi:
            return 0
        return by_imsi * 100 + by_iccid
