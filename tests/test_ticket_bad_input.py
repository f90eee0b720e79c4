"""What goes wrong with settings, tokens, TLS and strangers: one clear sentence, and all is kept."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

import outbox_run as run
from simdiag.errors import SimdiagError
from simdiag.ticket import credentials, settings, web
from simdiag.ticket.desk import AuthRefused, Hold, NotDone, Unknown, Unreached
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import send_due
from test_ticket_outbox import PATIENCE, bundle_file

PAGE = b"<html><title>Hotel</title></html>"


@contextmanager
def answering(
    status: int, body: bytes, kind: str = "text/html", certificate: trustme.LeafCert | None = None,
    **headers: str,
) -> Iterator[tuple[int, list[str]]]:  # fmt: skip
    """Serve one answer to everything; yield the port and the list of what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(self.command)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign, assignment]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(run.TOKEN, "secret-token-of-the-test")
    monkeypatch.setattr(web, "_PAUSES_S", (0.0,))


@pytest.mark.parametrize(
    ("status", "body", "kind", "looked", "sent", "sentence"),
    [
        (200, PAGE, "text/html", NotDone, Unknown, "something else answers in the place of"),
        (302, b"", "text/html", NotDone, Unknown, "something else answers in the place of"),
        (405, PAGE, "text/html", NotDone, Unknown, "something else answers in the place of"),
        (407, b"{}", "application/json", NotDone, Unknown, "something else answers in the place"),
        (500, PAGE, "text/html", NotDone, Unknown, r"has a problem of its own \(500 Internal"),
        (502, b"", "text/html", NotDone, Unknown, "has a problem of its own"),
        (401, b"{}", "application/json", AuthRefused, AuthRefused, "refuses our token"),
        (403, b'{"message":"No"}', "application/json", Hold, Hold, r"does not allow this \(403 No\)"),
        (429, b"", "text/plain", NotDone, NotDone, "asked again later"),
    ],
)  # fmt: skip
def test_what_an_answer_means(status, body, kind, looked, sent, sentence) -> None:
    with (
        answering(status, body, kind, **({"Retry_After": "77"} if status == 429 else {})) as (
            port,
            _,
        ),
        closing(web.Web(f"http://127.0.0.1:{port}/")) as client,
    ):
        with pytest.raises(looked, match=sentence):
            client.get("x")
        with pytest.raises(sent, match=sentence) as told:
            client.send("POST", "x", json={})
    if status == 429:
        assert told.value.wait_s == 77


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with (
        answering(200, b"x" * (9 << 20), "application/json") as (port, _),
        closing(web.Web(f"http://127.0.0.1:{port}/")) as client,
        pytest.raises(NotDone, match="too long"),
    ):
        client.get("x")


def test_control_characters_of_a_desk_do_not_reach_the_terminal() -> None:
    said = b'{"message": "\\u001b[31mred\\u202e"}'
    with (
        answering(400, said, "application/json") as (port, _),
        closing(web.Web(f"http://127.0.0.1:{port}/")) as client,
        pytest.raises(SimdiagError) as told,
    ):
        client.get("x")
    assert "\x1b" not in str(told.value)
    assert "\u202e" not in str(told.value)


def test_nobody_listens() -> None:
    with closing(web.Web("http://127.0.0.1:1/")) as client:
        for act in (lambda: client.get("x"), lambda: client.send("POST", "x", json={})):
            with pytest.raises(Unreached, match="cannot be reached"):
                act()


# ---- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_cases() -> dict[str, tuple[dict[str, datetime], str, str]]:
    now = datetime.now(UTC)
    clock = "is not valid at this computer's time"
    return {
        "not yet valid": ({"not_before": now + timedelta(days=1)}, "127.0.0.1", clock),
        "expired": ({"not_after": now - timedelta(days=1)}, "127.0.0.1", clock),
        "of another": ({}, "127.0.0.2", "did not prove who it is"),
        "unknown": ({}, "127.0.0.1", "did not prove who it is"),
    }


@pytest.mark.parametrize("case", tls_cases())
def test_nothing_is_sent_where_tls_fails_and_the_ticket_stays(case, authority, tmp_path) -> None:
    times, name, sentence = tls_cases()[case]
    maker = trustme.CA() if case == "unknown" else authority
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with answering(200, b"{}", certificate=maker.issue_cert(name, **times)) as (port, asked):
        wanted = run.desk_settings(
            "request_tracker", port, address=f"https://127.0.0.1:{port}/",
            ca_file=tmp_path / "ca.pem",
        )  # fmt: skip
        with Outbox(tmp_path / "outbox") as outbox:
            outbox.add(run.make_draft(b"bundle"), "desk", [bundle_file(tmp_path, b"bundle")])
            (result,) = send_due(outbox, {"desk": wanted}, PATIENCE)
            (entry,) = outbox.entries()
    assert sentence in result.problem.render()
    assert asked == []
    assert (entry.state, entry.attempts) == ("queued", 1)


# ---- a desk that is none, and the outbox -----------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"), [(200, "queued"), (500, "queued"), (401, "held"), (403, "held")]
)
def test_the_ticket_stays_and_one_sentence_says_why(status, state, tmp_path) -> None:
    with answering(status, PAGE) as (port, asked), Outbox(tmp_path / "outbox") as outbox:
        key = outbox.add(run.make_draft(b"bundle"), "desk", [bundle_file(tmp_path, b"bundle")]).key
        wanted = run.desk_settings("request_tracker", port)
        (result,) = send_due(outbox, {"desk": wanted}, PATIENCE)
        entry = outbox.entry(key)
    assert "\n" not in result.problem.render()
    assert entry.state == state
    assert entry.files[0].path.read_bytes() == b"bundle"
    assert set(asked) == {"GET"}, "nothing is sent to what is not the desk"
    kept = b"".join(p.read_bytes() for p in (tmp_path / "outbox").rglob("*") if p.is_file())
    assert b"secret-token-of-the-test" not in kept


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[1]", b"null", b'"x"', b'{"data": 7}', b"{}"])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("request_tracker", {"queue": "q"}), ("roundup", {"account": "a"}),
        ("zammad", {"group": "g"}), ("zendesk", {"account": "a@b.test"}),
    ],
)  # fmt: skip
def test_json_of_another_shape_is_one_sentence_and_the_ticket_stays(
    kind: str, more: dict[str, str], body: bytes, tmp_path: Path
) -> None:
    with (
        answering(200, body, "application/json") as (port, asked),
        Outbox(tmp_path / "outbox") as outbox,
    ):
        key = outbox.add(run.make_draft(b"bundle"), "desk", [bundle_file(tmp_path, b"bundle")]).key
        wanted = settings.kinds()[kind].Settings(
            kind=kind, name="desk", address=f"http://127.0.0.1:{port}/", token="test", **more
        )
        (result,) = send_due(outbox, {"desk": wanted}, PATIENCE)
        assert outbox.entry(key).state in ("queued", "held")
    assert "\n" not in result.problem.render()
    assert set(asked) == {"GET"}


# ---- settings and secrets --------------------------------------------------------------------

GOOD = 'kind = "request_tracker"\naddress = "https://a.test"\nqueue = "Q"\ntoken = "t"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[shop]\n" + GOOD + "colour = 1\n", r"\[shop\] colour: nothing of this name may stand here"),
        ("[shop]\nkind = 'carrier_pigeon'\n", r"\[shop\] needs a kind out of email, paper, request"),
        ("shop = 1\n", r"\[shop\] needs a kind"),
        ("[shop]\n" + GOOD.replace("https", "http"), "address: it must begin with https://, for a token"),
        ("[shop]\n" + GOOD.replace("//a", "//me:pw@a"), "nothing but host and path"),
        ("[shop]\n" + GOOD.replace('"Q"', '"Q\' OR"'), r"\[shop\] queue: it is not written as it has to be"),
        ("[shop\n", "cannot be read"),
        ("[\"../x\"]\n" + GOOD, "name: it is not written as it has to be"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "desks.toml"
    path.write_text(text)
    with pytest.raises(SimdiagError, match=sentence) as told:
        settings.read(path)
    assert "\n" not in str(told.value)
    assert "pw" not in str(told.value)


def test_good_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "desks.toml"
    path.write_text("[shop]\n" + GOOD)
    assert settings.read(path)["shop"].kind == "request_tracker"
    assert settings.read(tmp_path / "none.toml") == {}


def test_the_kinds_are_the_files() -> None:
    assert set(settings.kinds()) == {
        "email", "paper", "request_tracker", "roundup", "zammad", "zendesk",
    }  # fmt: skip
    assert all(hasattr(m, "Settings") and hasattr(m, "connect") for m in settings.kinds().values())


def test_a_secret_comes_from_the_environment_else_the_keyring(monkeypatch) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setenv("SIMDIAG_TOKEN_MY_SHOP", "from the environment")
    assert credentials.secret("my-shop") == "from the environment"
    monkeypatch.delenv("SIMDIAG_TOKEN_MY_SHOP")
    monkeypatch.setattr(keyring, "get_password", lambda service, name: f"{service}:{name}")
    assert credentials.secret("my-shop") == "simdiag:my-shop"
    monkeypatch.setattr(keyring, "get_password", Keyring().get_password)
    with pytest.raises(AuthRefused, match=r"no token my-shop: store it with `keyring set simdiag"):
        credentials.secret("my-shop")
