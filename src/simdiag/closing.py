"""Things that are closed at the end of a block."""

from __future__ import annotations

from typing import Self


class Closing:
    """A context manager that closes itself; what it is says how."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Give away what is held."""
        raise NotImplementedError
