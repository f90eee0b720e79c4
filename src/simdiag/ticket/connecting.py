"""Whom to trust, and why a connection failed, in sentences: OpenSSL's words are for programmers."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import httpx

from simdiag.message import N_, Message, message
from simdiag.report.hostile import shown
from simdiag.ticket.desk import Hold, NotDone

_NOT_YET_VALID, _EXPIRED = 9, 10
_UNPROVEN = {
    2: N_("its certificate is of an authority that this computer does not know"),
    18: N_("its certificate is signed by itself"),
    19: N_("its certificate is of an authority that signed itself and is not known here"),
    20: N_("its certificate is of an authority that this computer does not know"),
    21: N_("its certificate is of an authority that this computer does not know"),
    23: N_("its certificate was revoked"),
    62: N_("its certificate is for another name"),
    64: N_("its certificate is for another address"),
}
"""By OpenSSL's ``X509_V_ERR_…`` (x509_vfy.h)."""
_NOT_AGREED = N_("no encrypted connection could be agreed upon")


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to trust: the system's authorities, or those in a file. Raises ``Hold``."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as problem:
        text = N_("the certificates in {path} cannot be used: {why}")
        raise Hold(message(text, path=ca_file, why=reason(problem))) from problem


def tls_problem(problem: BaseException | None, base: str) -> NotDone | None:
    """Return the sentence for a failed TLS handshake; ``None`` where it was something else."""
    while problem is not None and not isinstance(problem, ssl.SSLError):
        problem = problem.__cause__ or problem.__context__
    if problem is None:
        return None
    code = getattr(problem, "verify_code", 0)
    if code in (_NOT_YET_VALID, _EXPIRED):
        text = N_(
            "the certificate of {desk} is not valid at this computer's time, {now}: set the clock "
            "if it is wrong, else tell the desk; nothing was sent"
        )
        now = time.strftime("%Y-%m-%d %H:%M")
        return NotDone(message(text, desk=base, now=now))
    words = getattr(problem, "verify_message", "") or getattr(problem, "reason", "") or str(problem)
    why = Message(_UNPROVEN.get(code, _NOT_AGREED))
    text = N_("{desk} did not prove who it is: {why} ({words}); nothing was sent")
    return NotDone(message(text, desk=base, why=why, words=shown(str(words), 200)))


def reason(problem: BaseException) -> Message:
    """Return why a connection failed: the system's words, which the catalogue has, if it told."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return Message(cause.strerror)
        if isinstance(cause, TimeoutError | httpx.TimeoutException):
            return message(N_("no answer in time"))
        cause = cause.__cause__ or cause.__context__
    if isinstance(problem, httpx.RemoteProtocolError | EOFError):
        return message(N_("the other side closed it"))
    if isinstance(problem, httpx.LocalProtocolError):  # it quotes our request: the secret too
        return Message(type(problem).__name__)
    return Message("{words}", {"words": shown(str(problem) or type(problem).__name__, 200)})
