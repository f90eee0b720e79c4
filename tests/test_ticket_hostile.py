"""Desks, networks and mail servers that mean harm, or are out of order in unlikely ways."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
import trustme

from outbox_run import TOKEN, make_draft
from simdiag.ticket import (
    credentials,
    web,
)
from simdiag.ticket.desk import AuthRefused, Hold, NotDone, Unknown
from simdiag.ticket.desks import email as email_desk

Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """Talk to each that connects, in whatever manner; yield the port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def dripping(first: bytes, rest: bytes) -> Talk:
    """Answer at once, and then go on for ever, a little at a time."""

    def talk(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(first)
        while True:
            connection.sendall(rest)
            time.sleep(0.02)

    return talk


def answering(*parts: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        for part in parts:
            connection.sendall(part)

    return talk


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "secret-token-of-the-test")
    monkeypatch.setattr(web, "_PAUSES_S", ())


# ---- HTTP --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "talk",
    [
        dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["headers", "interim answers", "body"],
)
def test_an_answer_that_never_ends_is_ended(talk: Talk) -> None:
    with (
        listening(talk) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/", deadline_s=0.5)) as w,
    ):
        begun_s = time.monotonic()
        with pytest.raises(NotDone):
            w.get("x")
        assert time.monotonic() - begun_s < 10
        with pytest.raises(Unknown):
            w.send("POST", "x", json={})


def packed(body: bytes, encoding: bytes) -> Talk:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return answering(head % (encoding, len(body)), body)


def test_what_unpacks_to_very_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    whole = web.zlib.decompressobj

    class Watched:
        def __init__(self, kind: int) -> None:
            self.inner = whole(kind)

        def decompress(self, data: bytes, length: int) -> bytes:
            found = self.inner.decompress(data, length)
            most.append(len(found))
            return found

    monkeypatch.setattr(web.zlib, "decompressobj", Watched)
    bomb = gzip.compress(bytes(64 << 20))
    with (
        listening(packed(bomb, b"gzip")) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/")) as w,
        pytest.raises(NotDone, match="too long"),
    ):
        w.get("x")
    assert most
    assert max(most) <= (8 << 20) + 1


@pytest.mark.parametrize("encoding", [b"gzip, gzip", b"br", b"deflate, gzip"])
def test_what_is_packed_in_another_way_is_refused(encoding: bytes) -> None:
    body = gzip.compress(gzip.compress(b"{}"))
    with (
        listening(packed(body, encoding)) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/")) as w,
        pytest.raises(NotDone, match="packed as"),
    ):
        w.get("x")


def test_what_is_packed_once_is_read() -> None:
    talk = packed(gzip.compress(b'{"a": 1}'), b"gzip")
    with listening(talk) as port, closing(web.Web(f"http://127.0.0.1:{port}/")) as w:
        assert w.get("x") == {"a": 1}


def test_what_is_packed_and_damaged_is_not() -> None:
    talk = packed(b"\0" + gzip.compress(b"{}"), b"gzip")
    with (
        listening(talk) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/")) as w,
        pytest.raises(NotDone),
    ):
        w.get("x")


@pytest.mark.parametrize(
    ("given", "wait_s"),
    [
        ("77", 77), ("999999999999", 86400), ("-5", 0), ("²", 0), ("soon", 0), ("1e9", 0),
        ("Sun, 22 Nov 2026 08:10:00 GMT", 600),
        ("Sun, 22 Nov 2020 08:10:00 GMT", 0),
        ("Sun, 22 Nov 9999 08:10:00 GMT", 86400),
    ],
)  # fmt: skip
def test_how_long_a_desk_asks_us_to_wait(given: str, wait_s: float) -> None:
    """A date is told by the desk's own clock, for ours may be wrong."""
    head = f"HTTP/1.1 429 Slow\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\nRetry-After: {given}\r\n"
    talk = answering(head.encode("latin-1") + b"Content-Length: 0\r\n\r\n")
    with (
        listening(talk) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/")) as w,
        pytest.raises(NotDone) as told,
    ):
        w.send("POST", "x", json={})
    assert told.value.wait_s == wait_s


@pytest.mark.parametrize(
    ("name", "proxy"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("HTTPS_PROXY", "nonsense:port"),
        ("ALL_PROXY", "x://y"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence(
    name: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(Hold, match="the proxy that the environment names cannot be used"):
        web.Web("https://desk.simdiag.test/")


def test_what_stays_on_this_computer_passes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token goes to a loopback address without TLS; a proxy elsewhere would read it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    talk = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with listening(talk) as port, closing(web.Web(f"http://127.0.0.1:{port}/")) as w:
        assert w.get("x") == {}


@pytest.mark.parametrize("secret", ["abc\ndef", "abc\x00def", "abc\rdef", "a\u202eb"])
def test_a_token_that_breaks_a_line_is_not_used_and_not_shown(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_from_keyring", lambda _name: secret)
    with pytest.raises(AuthRefused) as told:
        credentials.secret("of-the-keyring")
    assert "abc" not in str(told.value)


def test_what_is_wrong_with_our_own_request_is_not_quoted() -> None:
    headers = {"Authorization": "token very-secret\nX: y"}
    with (
        listening(answering(b"")) as port,
        closing(web.Web(f"http://127.0.0.1:{port}/", headers=headers)) as w,
        pytest.raises(NotDone) as told,
    ):
        w.get("x")
    assert "very-secret" not in str(told.value)


def test_a_token_beyond_ascii_is_sent() -> None:
    got: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        got.append(connection.recv(1 << 16))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with listening(talk) as port:
        headers = {"Authorization": "token geheimß"}
        with closing(web.Web(f"http://127.0.0.1:{port}/", headers=headers)) as w:
            w.get("x")
    assert "token geheimß".encode() in got[0]


@pytest.mark.parametrize("problem", [RuntimeError("no bus"), ImportError("backend")])
def test_a_keyring_that_fails_in_its_own_way_has_no_token(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring

    def fails(*_words: str) -> str:
        raise problem

    monkeypatch.setattr(keyring, "get_password", fails)
    with pytest.raises(AuthRefused, match="there is no token"):
        credentials.secret("none-such")


# ---- SMTP --------------------------------------------------------------------------------
_SAYS = {
    "EHLO": b"250-x\r\n250 SIZE 100000\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n",
    "DATA": b"354 go\r\n", ".": b"250 done\r\n", "QUIT": b"221 bye\r\n",
}  # fmt: skip


def smtp(says: Mapping[str, bytes], heard: list[bytes] | None = None) -> Talk:
    """A mail server that says what it likes."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(says.get("greeting", b"220 x\r\n"))
        inside = False
        with connection.makefile("rb") as lines:
            for line in lines:
                if heard is not None:
                    heard.append(line)
                word = line.split()[0].decode("ascii", "replace").upper() if line.split() else ""
                if inside and line != b".\r\n":
                    continue
                inside = word == "DATA"
                connection.sendall({**_SAYS, **says}.get(word, b"500 ?\r\n"))

    return talk


def mailbox(port: int, **more: Any) -> email_desk.Email:
    values = {"kind": "email", "name": "m", "address": "desk@simdiag.test", "port": port,
              "sender": "me@simdiag.test", "server": "127.0.0.1", "security": "none"}  # fmt: skip
    return email_desk.Email(email_desk.Settings(**{**values, **more}))


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ({".": b"HTTP/1.1 400 Bad Request\r\n"}, Unknown),
        ({".": b"354 more\r\n"}, Unknown),
        ({".": b"\r\n"}, Unknown),
        ({"RCPT": b"what?\r\n"}, NotDone),
        ({"MAIL": b"199 hm\r\n"}, NotDone),
        ({"RCPT": b"450 4.2.0 greylisted\r\n"}, NotDone),
        ({"RCPT": b"552 5.2.2 mailbox full\r\n"}, NotDone),
        ({"greeting": b"554 go away\r\n"}, NotDone),
        ({"EHLO": b"250-" + b"x" * 99999 + b"\r\n"}, NotDone),
    ],
)
def test_only_what_a_mail_server_says_counts_as_taken(says, error) -> None:
    with listening(smtp(says)) as port, pytest.raises(error) as told:
        mailbox(port).create(make_draft(), None)
    assert type(told.value) is error


@pytest.mark.parametrize("answer", [b"250 fine\r\n", b"junk\r\n", b"454 not now\r\n"])
def test_no_password_goes_where_encryption_was_stripped(answer, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_MAIL", "right")
    heard: list[bytes] = []
    says = {"EHLO": b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", "STARTTLS": answer}
    with listening(smtp(says, heard)) as port, pytest.raises(NotDone):
        mailbox(port, security="starttls", token="mail").create(make_draft(), None)
    assert not [line for line in heard if line.startswith((b"AUTH", b"MAIL"))]


def flooding(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220-x\r\n")
        time.sleep(0.02)


def over_tls(talk: Talk, authority: trustme.CA) -> Talk:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            talk(inside)

    return wrapped


def test_a_server_that_speaks_tls_from_the_first_byte(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(email_desk, "_STEP_S", 0.3)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    more = {"security": "tls", "ca_file": tmp_path / "ca.pem"}
    with listening(over_tls(smtp({}), authority)) as port:
        assert mailbox(port, **more).create(make_draft(), None)
    endless = over_tls(flooding, authority)
    with listening(endless) as port:
        begun_s = time.monotonic()
        with pytest.raises(NotDone):
            mailbox(port, **more).create(make_draft(), None)
        assert time.monotonic() - begun_s < 10


def test_a_password_that_mail_cannot_carry_is_one_sentence(monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_MAIL", "geheimß")
    says = {"EHLO": b"250-x\r\n250 AUTH PLAIN LOGIN\r\n"}
    with listening(smtp(says)) as port, pytest.raises(AuthRefused, match="only ASCII letters"):
        mailbox(port, token="mail").create(make_draft(), None)


def test_the_name_of_this_computer_is_not_told(monkeypatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "somebodys-laptop.home")
    heard: list[bytes] = []
    with listening(smtp({}, heard)) as port:
        mailbox(port).create(make_draft(), None)
    assert heard[0] == b"ehlo [127.0.0.1]\r\n"
    assert b"somebodys" not in b"".join(heard)


@pytest.mark.parametrize("where", ["greeting", "EHLO", "RCPT"])
def test_a_mail_server_that_never_ends_its_answer_is_left(where, monkeypatch) -> None:
    monkeypatch.setattr(email_desk, "_STEP_S", 0.2)

    def talk(connection: socket.socket) -> None:
        if where != "greeting":
            connection.sendall(b"220 x\r\n")
            lines = connection.makefile("rb")
            for line in lines:
                if line.startswith(where.encode()) or line[:4].lower() == where.lower().encode():
                    break
                connection.sendall(b"250 ok\r\n")
        while True:
            connection.sendall(b"250-x\r\n")
            time.sleep(0.02)

    with listening(talk) as port:
        begun_s = time.monotonic()
        with pytest.raises(NotDone):
            mailbox(port).create(make_draft(), None)
        assert time.monotonic() - begun_s < 10
