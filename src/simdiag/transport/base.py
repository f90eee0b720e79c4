"""What a session needs of a port."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """Bytes in and out. Every method raises ``PortGone`` once the port has vanished."""

    @property
    def name(self) -> str:
        """The port in a word, for transcripts: ``ttyUSB2``."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most ``timeout_s`` for the first byte."""

    def write(self, data: bytes) -> None:
        """Write all of it."""

    def close(self) -> None:
        """Give the port back; harmless when called twice."""
