"""What pydantic and OpenSSL say is told in sentences that can be translated."""

from __future__ import annotations

import ast
import ssl
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
import trustme
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

import simdiag.ticket
from desk_stubs import Zammad, stub
from simdiag.message import N_
from simdiag.ticket import settings
from simdiag.ticket.connecting import reason, tls_problem
from simdiag.ticket.desk import NotDone
from simdiag.validation import first_fault


def _own(value: int) -> int:
    if value == 7:
        raise ValueError(N_("it must begin with https://"))
    return value


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    day: date = date(2026, 1, 1)


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=5, min_length=2)] = "abc"
    code: Annotated[str, StringConstraints(pattern="^[a-z]+$")] = "a"
    port: Annotated[int, Field(gt=0, le=9), AfterValidator(_own)] = 1
    size: Annotated[float, Field(ge=1, lt=5)] = 1.0
    parts: Annotated[tuple[int, ...], Field(max_length=2)] = ()
    kind: Literal["one", "two"] = "one"
    on: bool = True
    inner: Inner = Inner()
    needed: int


@pytest.mark.parametrize(
    ("given", "where", "sentence"),
    [
        ({"needed": None}, "needed", "it must be a whole number"),
        ({"needed": "x"}, "needed", "it must be a whole number"),
        ({"needed": 1.5}, "needed", "it must be a whole number"),
        ({}, "needed", "it is missing"),
        ({"needed": 1, "colour": 1}, "colour", "nothing of this name may stand here"),
        ({"needed": 1, "name": 5}, "name", "it must be a text"),
        ({"needed": 1, "name": "abcdef"}, "name", "it is too long: at most 5 characters"),
        ({"needed": 1, "name": "a"}, "name", "it is too short: at least 2 characters"),
        ({"needed": 1, "code": "A"}, "code", "it is not written as it has to be (^[a-z]+$)"),
        ({"needed": 1, "port": 0}, "port", "it must be more than 0"),
        ({"needed": 1, "port": 10}, "port", "it must be at most 9"),
        ({"needed": 1, "size": 0}, "size", "it must be at least 1.0"),
        ({"needed": 1, "size": 5}, "size", "it must be less than 5.0"),
        ({"needed": 1, "size": "x"}, "size", "it must be a number"),
        ({"needed": 1, "parts": [1, 2, 3]}, "parts", "it has too many parts: at most 2"),
        ({"needed": 1, "parts": 7}, "parts", "it must be a list"),
        ({"needed": 1, "kind": "six"}, "kind", "it must be 'one' or 'two'"),
        ({"needed": 1, "on": "perhaps"}, "on", "it must be true or false"),
        ({"needed": 1, "inner": 3}, "inner", "it must be a table of names and values"),
        ({"needed": 1, "inner": {"day": "x"}}, "inner.day", "it must be a day, such as 2026-10-01"),
    ],
)
def test_what_is_wrong_has_a_sentence_of_ours(given: Any, where: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as problem:
        Model.model_validate(given)
    place, why = first_fault(problem.value)
    assert (place, why.render()) == (where, sentence)
    seen: list[str] = []
    why.render(lambda text: seen.append(text) or text)  # type: ignore[func-returns-value]
    assert seen[0] != "{words}", "it can be translated"


def test_what_a_validator_of_ours_says_is_translated_as_it_stands() -> None:
    with pytest.raises(ValidationError) as problem:
        Model.model_validate({"needed": 1, "port": 7})
    assert (
        first_fault(problem.value)[1].render(lambda text: "必须" if "begin" in text else text)
        == "必须"
    )


def test_no_json_has_a_sentence_and_strange_words_reach_nobody_raw() -> None:
    with pytest.raises(ValidationError) as problem:
        Model.model_validate_json('{"needed": \x1b}')
    where, why = first_fault(problem.value)
    assert (where, why.text) == ("", "it is no JSON ({error})")
    assert why.render().isprintable()


def test_every_sentence_of_a_setting_that_is_refused_is_marked() -> None:
    """A ``ValueError`` of a model of the tickets' reaches its user."""
    folder = Path(simdiag.ticket.__file__).parent
    for path in [folder / "settings.py", folder / "desks" / "email.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = node.exc.func
                if isinstance(name, ast.Name) and name.id == "ValueError":
                    (words,) = node.exc.args
                    assert isinstance(words, ast.Call)
                    assert isinstance(words.func, ast.Name)
                    assert words.func.id == "N_", f"{path}:{node.lineno}"


# ---- TLS -----------------------------------------------------------------------------------

_PAST = datetime.now(UTC) - timedelta(days=2)
CERTIFICATES = {
    "expired": ("127.0.0.1", {"not_before": _PAST - timedelta(days=9), "not_after": _PAST},
                "is not valid at this computer's time"),
    "another": ("127.0.0.2", {}, "its certificate is for another address"),
}  # fmt: skip


def handshake(certificate: trustme.LeafCert | None, ca_file: Path | None) -> str:
    """Return what is said where a desk shows this certificate; none: it speaks no TLS at all."""
    with stub(Zammad) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        address = f"https://127.0.0.1:{server.server_address[1]}/"
        chosen = settings.kinds()["zammad"].Settings(
            kind="zammad", name="d", address=address, token="stub", group="SIM", ca_file=ca_file,
            deadline_s=10,
        )  # fmt: skip
        with pytest.raises(NotDone) as problem:
            settings.connect(chosen).probe()
        return str(problem.value)


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_does_not_hold_is_told_why(case, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    name, times, sentence = CERTIFICATES[case]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert sentence in handshake(authority.issue_cert(name, **times), tmp_path / "ca.pem")


def test_an_authority_that_nobody_knows_and_a_desk_without_tls(monkeypatch) -> None:
    monkeypatch.setenv("SIMDIAG_TOKEN_STUB", "right")
    said = handshake(trustme.CA().issue_cert("127.0.0.1"), None)
    assert "of an authority that" in said
    assert "did not prove who it is" in said
    assert "no encrypted connection could be agreed upon" in handshake(None, None)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(18, "its certificate is signed by itself"), (62, "its certificate is for another name"),
     (23, "its certificate was revoked"), (99, "no encrypted connection could be agreed upon")],
)  # fmt: skip
def test_openssls_numbers_have_sentences(code: int, sentence: str) -> None:
    problem = ssl.SSLCertVerificationError(1, "raw")
    problem.verify_code, problem.verify_message = code, "words of OpenSSL"
    told = tls_problem(httpx.ConnectError("x").with_traceback(None), "desk")
    assert told is None
    told = tls_problem(problem, "desk")
    assert told is not None
    assert f"{sentence} (words of OpenSSL)" in str(told)


@pytest.mark.parametrize(
    ("problem", "text"),
    [(httpx.ReadTimeout(""), "no answer in time"), (TimeoutError(), "no answer in time"),
     (httpx.RemoteProtocolError("peer closed"), "the other side closed it"),
     (ConnectionRefusedError(111, "Connection refused"), "Connection refused")],
)  # fmt: skip
def test_why_a_connection_failed_can_be_translated(problem: Exception, text: str) -> None:
    assert reason(problem).text == text
    wrapped = httpx.ConnectError("[Errno 1] in words of a library")
    wrapped.__cause__ = problem
    assert reason(wrapped).text == (text if text != "the other side closed it" else "{words}")
