"""What the methods of counting have in common."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from simdiag.message import N_, Message, message
from simdiag.usage.links import Interface
from simdiag.usage.records import Amount, Label, Method


class Meter(Protocol):
    """Counts traffic by owner from the moment it is made until it is closed."""

    @property
    def method(self) -> Method:
        """Return how it counts."""

    @property
    def blind_spots(self) -> tuple[Message, ...]:
        """Return what this method cannot see here, a sentence each."""

    def wait(self, seconds: float) -> None:
        """Let time pass and note what must be noted at once; may return early on a signal."""

    def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
        """Return the traffic over the interface since the last call.

        ``interface`` is ``None`` while it is away; what it carried just before still counts.
        """

    def losses(self) -> Mapping[str, int]:
        """Return how much could not be filed since the last call, by what it was."""

    def close(self) -> None:
        """Stop counting and leave nothing behind."""


class InterfaceMeter:
    """Tells nothing by owner: what is recorded is the interface's own total."""

    method = Method.INTERFACE
    blind_spots = (message(N_("Only the interface's total is recorded, not who caused it.")),)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def read(self, interface: Interface | None) -> Mapping[Label, Amount]:
        """Return nothing."""
        return {}

    def losses(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}

    def close(self) -> None:
        """Do nothing."""
