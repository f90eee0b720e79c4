"""Tokens and passwords: from the environment or the keyring, never from or into a file of ours."""

from __future__ import annotations

import os
import re

from simdiag.message import N_, message
from simdiag.ticket.desk import AuthRefused

SERVICE = "simdiag"
"""Under which service the keyring has them."""


def variable(name: str) -> str:
    """Return the environment variable for a secret: ``SIMDIAG_TOKEN_MY_SHOP`` for ``my-shop``."""
    return "SIMDIAG_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def secret(name: str) -> str:
    """Return the secret of a name. Raises ``AuthRefused`` where there is none."""
    found = os.environ.get(variable(name)) or _from_keyring(name)
    if not found:
        text = N_(
            "there is no token {name}: store it with `keyring set simdiag {name}`, or put it into "
            "the environment variable {variable}"
        )
        raise AuthRefused(message(text, name=name, variable=variable(name)))
    if not found.strip().isprintable():
        text = N_("the token {name} holds a line end or something else that no token holds")
        raise AuthRefused(message(text, name=name))
    return found.strip()


def _from_keyring(name: str) -> str | None:
    try:
        import keyring  # slow to load, and not needed with a variable

        return keyring.get_password(SERVICE, name)
    except Exception:  # none here, or locked: each backend raises errors of its own
        return None
