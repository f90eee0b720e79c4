"""Things that many tests share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simdiag.emulator.pty import Wire, running
from sms_modem import modem_with
from usage_in_kernel import elsewhere, working  # noqa: F401 -- fixtures

Run = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def emulated() -> Run:
    """Serve a scenario on a pty: ``with emulated("quectel-ec2x/healthy") as port``."""

    def serve(name: str, wire: Wire | None = None, **state: object) -> AbstractContextManager[str]:
        return running(modem_with(name, **state), wire)

    return serve


@pytest.fixture(autouse=True)
def no_personal_files(monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> None:
    """Keep the drivers, profiles, keys and tickets of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
