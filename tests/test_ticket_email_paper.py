"""Desks that can only be written to: a real SMTP server on loopback, and a folder on paper."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from desk_servers import free_port
from outbox_run import make_draft
from simdiag.ticket import settings
from simdiag.ticket.desk import (
    AuthRefused,
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
from simdiag.ticket.desks import email as email_desk
from simdiag.ticket.desks import paper
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import send_due
from test_ticket_outbox import PATIENCE, bundle_file


class Mailbox:
    """What the server got; ``answer`` is what it says to a whole message."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answer = "250 OK"
        self.lose = 0

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.answer.startswith("250"):
            self.got.append(envelope.original_content)
        if self.lose:
            self.lose -= 1
            server.transport.abort()
        return self.answer

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(m, policy=email.policy.default) for m in self.got]  # type: ignore[misc]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def post(authority, tmp_path, monkeypatch) -> Iterator[Any]:
    """An SMTP server with STARTTLS and a log-in, and the settings for it."""
    servers: list[Controller] = []
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def start(certificate: trustme.LeafCert | None = None, size: int = 1_000_000, **more: Any):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or authority.issue_cert("127.0.0.1")).configure_cert(context)
        box = Mailbox()
        server = Controller(
            box, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
            auth_required=True, data_size_limit=size,
            authenticator=lambda *a: AuthResult(success=a[-1].password == b"right", handled=False),
        )  # fmt: skip
        server.start()
        servers.append(server)
        port = server.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        values = {
            "kind": "email", "name": "desk", "address": "desk@simdiag.test", "port": port,
            "sender": "user@simdiag.test", "server": "127.0.0.1", "token": "mail",
            "ca_file": tmp_path / "ca.pem", **more,
        }  # fmt: skip
        return box, email_desk.Settings(**values)

    monkeypatch.setenv("SIMDIAG_TOKEN_MAIL", "right")
    yield start
    for server in servers:
        server.stop()


def file_of(folder: Path, content: bytes) -> File:
    path = bundle_file(folder, content)
    return File(f"simdiag-{path.stem}.sdb", path, path.stem, len(content))


def test_a_message_holds_the_ticket_and_its_file(post, tmp_path) -> None:
    box, wanted = post()
    draft, content = make_draft(b"\0\r\nbundle" * 999), b"\0\r\nbundle" * 999
    desk = settings.connect(wanted)
    able = desk.probe()
    assert (able.guard, able.together, able.reads_back) == (Guard.MESSAGE_ID, True, False)
    assert 600_000 < able.max_bytes < 750_000
    number = desk.create(draft, file_of(tmp_path, content))
    (mail,) = box.mails()
    assert mail["Message-ID"] == number == f"<{draft.key}@simdiag.test>"
    assert mail["Subject"] == draft.summary
    assert mail["X-Simdiag-Key"] == draft.key
    body = mail.get_body().get_content().replace("\r\n", "\n")
    assert body.startswith(draft.message)
    assert "上海市 浦东新区" in body
    (attached,) = mail.iter_attachments()
    assert attached.get_filename().isascii()
    assert attached.get_content() == content


def test_a_message_is_the_same_at_every_attempt(post, tmp_path) -> None:
    box, wanted = post()
    draft, file = make_draft(b"x" * 3000), file_of(tmp_path, b"x" * 3000)
    for _ in range(2):
        settings.connect(wanted).create(draft, file)
    assert box.got[0] == box.got[1]


def test_a_lost_answer_is_repeated_under_the_same_message_id(post, tmp_path) -> None:
    box, wanted = post()
    box.lose = 1
    clock = [1000.0]

    def now():
        from simdiag.ticket.moment import Moment

        return Moment(clock[0], "boot", clock[0])

    with Outbox(tmp_path / "outbox") as outbox:
        outbox.add(make_draft(b"bundle"), "desk", [bundle_file(tmp_path, b"bundle")])
        (first,) = send_due(outbox, {"desk": wanted}, PATIENCE, now)
        assert "broke off while the message was sent" in first.problem.render()
        assert send_due(outbox, {"desk": wanted}, PATIENCE, now) == []
        clock[0] += 200
        (second,) = send_due(outbox, {"desk": wanted}, PATIENCE, now)
    assert second.entry.state == "verified"
    assert len(box.got) == 2
    assert len({mail["Message-ID"] for mail in box.mails()}) == 1


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ("552 5.3.4 too large", NotTaken, "takes no message of this size: 5.3.4 too large"),
        ("554 5.7.1 spam", Never, "refuses the message: 5.7.1 spam"),
        ("451 4.3.0 later", NotDone, "refuses the message: 4.3.0 later"),
    ],
)
def test_what_the_server_says_is_told_apart(post, answer, error, sentence) -> None:
    box, wanted = post()
    box.answer = answer
    with pytest.raises(error, match=sentence) as told:
        settings.connect(wanted).create(make_draft(None), None)
    assert type(told.value) is error


def test_a_wrong_password_holds_the_desk(post, monkeypatch) -> None:
    _, wanted = post()
    monkeypatch.setenv("SIMDIAG_TOKEN_MAIL", "wrong")
    with pytest.raises(AuthRefused, match="refuses our password"):
        settings.connect(wanted).probe()


def test_an_unknown_mailbox_holds_the_desk(post) -> None:
    _, wanted = post(address="nobody@simdiag.test")
    with pytest.raises(Hold, match=r"takes no mail from us to nobody@simdiag.test: 5.1.1"):
        settings.connect(wanted).create(make_draft(None), None)


def test_nothing_is_sent_to_a_server_that_does_not_prove_who_it_is(post) -> None:
    box, wanted = post(certificate=trustme.CA().issue_cert("127.0.0.1"))
    with pytest.raises(NotDone, match="did not prove who it is"):
        settings.connect(wanted).create(make_draft(None), None)
    assert box.got == []


def test_a_certificate_of_the_future_is_a_matter_of_the_clock(post, authority) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    box, wanted = post(certificate=authority.issue_cert("127.0.0.1", not_before=tomorrow))
    with pytest.raises(NotDone, match="not valid at this computer's time"):
        settings.connect(wanted).create(make_draft(None), None)
    assert box.got == []


def test_a_server_without_encryption_gets_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_MAIL", "right")
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        wanted = email_desk.Settings(
            kind="email", name="desk", address="a@b.test", sender="c@d.test", server="127.0.0.1",
            port=server.server.sockets[0].getsockname()[1], token="mail",
        )  # fmt: skip
        with pytest.raises(Hold, match="offers no encryption"):
            settings.connect(wanted).create(make_draft(None), None)
    finally:
        server.stop()
    assert box.got == []


def test_a_server_that_is_away_is_tried_again(tmp_path) -> None:
    wanted = email_desk.Settings(
        kind="email", name="desk", address="a@b.test", sender="c@d.test", server="127.0.0.1", port=1
    )
    with pytest.raises(Unreached, match="cannot be reached"):
        settings.connect(wanted).probe()


@pytest.mark.parametrize("method", ["case", "comment", "set_state", "merge", "download"])
def test_a_mailbox_shows_nothing(post, method) -> None:
    _, wanted = post()
    with pytest.raises(Never, match="cannot be asked"):
        getattr(settings.connect(wanted), method)(*["1"] * (1 if method == "case" else 2))


def test_unknown_is_not_taken_for_a_refusal() -> None:
    assert not issubclass(Unknown, NotDone)
    assert issubclass(Unknown, DeskError)


# ---- paper ---------------------------------------------------------------------------------------


def test_paper_is_text_a_page_and_the_bundle(tmp_path) -> None:
    wanted = paper.Settings(kind="paper", name="desk", folder=tmp_path / "tickets")
    draft = make_draft(b"bundle", summary="<b>不能上网</b> & more")
    with Outbox(tmp_path / "outbox") as outbox:
        outbox.add(draft, "desk", [bundle_file(tmp_path, b"bundle")])
        (result,) = send_due(outbox, {"desk": wanted})
        assert result.entry.state == "verified"
        assert result.entry.missing == ()
        folder = Path(result.entry.number)
        outbox.receipt(draft.key, "10086-4711")
        assert outbox.entry("10086-4711").state == "verified"
    text = (folder / "ticket.txt").read_text("utf-8")
    assert text.startswith("<b>不能上网</b> & more\n\n插卡后有信号")
    assert draft.key in text
    page = (folder / "ticket.html").read_text("utf-8")
    assert "<b>不能" not in page
    assert "&lt;b&gt;不能上网" in page
    assert "<script" not in page
    assert (folder / f"simdiag-{draft.bundle.sha256}.sdb").read_bytes() == b"bundle"
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    wanted = paper.Settings(kind="paper", name="desk", folder=tmp_path / "file" / "tickets")
    with pytest.raises(Hold, match="cannot be used"):
        settings.connect(wanted).probe()
