"""A desk that takes e-mail: SMTP with TLS (RFC 5321, RFC 3207), by the standard library.

One message holds ticket and bundle, and is the same byte for byte at every attempt: its Message-ID
is made of the ticket's key, its date is that of the draft. When the last answer of the server is
lost the message is sent again, and only a desk that looks at the Message-ID sees one ticket
(Zammad and osTicket do, Request Tracker does not).
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from simdiag.message import N_, Message, message
from simdiag.report.hostile import shown
from simdiag.ticket import labels
from simdiag.ticket.connecting import reason, tls_problem, trusted
from simdiag.ticket.credentials import secret
from simdiag.ticket.desk import (
    AuthRefused,
    Capabilities,
    DeskError,
    File,
    Guard,
    Hold,
    Never,
    NotDone,
    NotTaken,
    Unknown,
    Unreached,
)
from simdiag.ticket.draft import Draft
from simdiag.ticket.one_way import OneWay
from simdiag.ticket.settings import DeskSettings
from simdiag.ticket.watchdog import ended_after
from simdiag.ticket.web import SLOWEST_BYTES_PER_S, is_loopback

_STEP_S = 60.0
"""How long the server may take for one answer; RFC 5321 section 4.5.3.2 allows it minutes."""
_SPARE = 20_000
"""Bytes of a message beside its bundle."""
_Mailbox = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$")
]


class Settings(DeskSettings):
    """What a user says about a desk that takes e-mail."""

    kind: Literal["email"]
    address: _Mailbox
    """Of the desk."""
    sender: _Mailbox
    """The user's own, where the answers go."""
    server: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]+$")]
    """The mail server of the user's own provider."""
    port: int = Field(default=587, gt=0, lt=65536)
    security: Literal["starttls", "tls", "none"] = "starttls"
    account: str = ""
    token: str = ""
    """Name of the password, not the password."""
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _not_in_the_open(self) -> Settings:
        if self.security == "none" and not is_loopback(self.server):
            raise ValueError(N_("security must be starttls or tls, for a password goes there"))
        return self


def connect(settings: Settings) -> Email:
    """Return the desk; nothing is sent yet."""
    return Email(settings)


class _Smtp(smtplib.SMTP):
    """Is known to the caller before its constructor connects and waits for a greeting.

    It does not tell the name of this computer, which would stand in the mail's trace.
    """

    def __init__(self, known: list[smtplib.SMTP], host: str, port: int, **more: Any) -> None:
        known.append(self)
        super().__init__(host, port, local_hostname="[127.0.0.1]", **more)


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    pass


class Email(OneWay):
    """A desk's mailbox. See :class:`~simdiag.ticket.desk.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.capabilities = self._able(settings.max_bytes)

    def _able(self, most: int | None) -> Capabilities:
        return Capabilities(
            Guard.MESSAGE_ID, most, self._settings.extensions, reads_back=False, together=True
        )

    def probe(self) -> Capabilities:
        """Log in, and ask how large a message may be (RFC 1870)."""
        with self._connection() as server:
            size = server.esmtp_features.get("size", "")
        told = (int(size) - _SPARE) * 3 // 4 if size.isdigit() and int(size) > _SPARE else None
        limits = [most for most in (told, self._settings.max_bytes) if most]
        self.capabilities = self._able(min(limits) if limits else None)
        return self.capabilities

    def create(self, draft: Draft, file: File | None) -> str:
        """Send the message; return its Message-ID."""
        mail = compose(self._settings, draft, file)
        content = mail.as_bytes()
        with self._connection(len(content)) as server:
            refused = N_("{desk} takes no mail from us to {address}: {why}")
            self._expect(server.mail(self._settings.sender, [f"SIZE={len(content)}"] if
                         server.has_extn("size") else []), refused, Hold)  # fmt: skip
            self._expect(server.rcpt(self._settings.address), refused, Hold)
            try:
                answer = server.data(content)
            except smtplib.SMTPDataError as problem:
                answer = (problem.smtp_code, _bytes(problem.smtp_error))
            except (OSError, smtplib.SMTPException) as problem:
                text = N_("the connection to {desk} broke off while the message was sent ({why})")
                raise Unknown(self._said(text, reason(problem))) from problem
            self._expect(answer, N_("{desk} refuses the message: {why}"), Never, Unknown)
        return str(mail["Message-ID"])

    def render(self, draft: Draft, file: File | None) -> bytes:
        """Return the mail as it will leave."""
        return compose(self._settings, draft, file).as_bytes()

    @contextmanager
    def _connection(self, size: int = 0) -> Iterator[smtplib.SMTP]:
        settings, tls = self._settings, trusted(self._settings.ca_file)
        password = secret(settings.token) if settings.token else ""
        known: list[smtplib.SMTP] = []
        allowed_s = 3 * _STEP_S + size / SLOWEST_BYTES_PER_S
        kind = _SmtpOverTls if settings.security == "tls" else _Smtp
        more = {"context": tls} if settings.security == "tls" else {}
        with ended_after(allowed_s, lambda: known[0].sock if known else None):
            try:
                server = kind(known, settings.server, settings.port, timeout=_STEP_S, **more)
                server.ehlo()
                if settings.security == "starttls":
                    self._expect(server.starttls(context=tls), N_("{desk}: {why}"), NotDone)
                    server.ehlo()
                if password:
                    server.login(settings.account or settings.sender, password)
                yield server
            except smtplib.SMTPAuthenticationError as problem:
                if problem.smtp_code < 500:
                    raise NotDone(self._said(N_("{desk}: {why}"), problem.smtp_error)) from problem
                text = N_("{desk} refuses our password; all its tickets wait")
                raise AuthRefused(self._said(text, "")) from problem
            except UnicodeEncodeError as problem:  # smtplib's log-in
                text = N_("a log-in at {desk} takes only ASCII letters; all its tickets wait")
                raise AuthRefused(self._said(text, "")) from problem
            except smtplib.SMTPNotSupportedError as problem:
                text = N_("{desk} offers no encryption or no log-in ({why}); nothing was sent")
                raise Hold(self._said(text, str(problem))) from problem
            except smtplib.SMTPResponseException as problem:
                raise NotDone(self._said(N_("{desk}: {why}"), problem.smtp_error)) from problem
            except (OSError, smtplib.SMTPException) as problem:
                told = tls_problem(problem, settings.server)
                text = N_("{desk} cannot be reached ({why}); it is tried again later")
                raise told or Unreached(self._said(text, reason(problem))) from problem
            finally:
                with suppress(IndexError, OSError, smtplib.SMTPException):
                    known[0].quit()

    def _expect(
        self, answer: tuple[int, bytes], text: str, never: type[DeskError],
        unclear: type[DeskError] = NotDone,
    ) -> None:  # fmt: skip
        """Raise what an answer means (RFC 5321 section 4.2.1, RFC 3463); nothing for success.

        What is no answer of SMTP's at all is ``unclear``.
        """
        code, words = answer
        if 200 <= code < 300:
            return
        if (code == 552 and b"5.2.2" not in words) or b"5.3.4" in words:  # not: the mailbox is full
            raise NotTaken(self._said(N_("{desk} takes no message of this size: {why}"), words))
        if not 400 <= code < 600:
            raise unclear(self._said(N_("{desk} answers what no mail server does: {why}"), words))
        lasting = code >= 500 and code != 552
        raise (never if lasting else NotDone)(self._said(text, words))

    def _said(self, text: str, why: str | bytes | Message) -> Message:
        if not isinstance(why, Message):
            words = " ".join(_bytes(why).decode("utf-8", "replace").split())
            why = Message("{words}", {"words": shown(words, 200)})
        return message(text, desk=self._settings.server, address=self._settings.address, why=why)


def compose(settings: Settings, draft: Draft, file: File | None) -> EmailMessage:
    """Return the message for a draft, always the same for the same draft and file."""
    mail = EmailMessage(policy=SMTP)
    domain = settings.sender.rpartition("@")[2]
    mail["From"] = Address("simdiag", addr_spec=settings.sender)
    mail["To"] = settings.address
    mail["Subject"] = draft.summary
    mail["Date"] = draft.created
    mail["Message-ID"] = f"<{draft.key}@{domain}>"
    mail["X-Simdiag-Key"] = draft.key
    mail.set_content(labels.text(draft))
    if file:
        mail.add_attachment(
            file.path.read_bytes(),
            maintype="application",
            subtype="octet-stream",
            filename=file.name,
        )
        mail.set_boundary(f"simdiag-{draft.key}")
    return mail


def _bytes(words: str | bytes) -> bytes:
    return words.encode("utf-8", "replace") if isinstance(words, str) else words
