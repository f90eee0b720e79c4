"""What desks have in common that take tickets and show nothing of them."""

from __future__ import annotations

from simdiag.message import N_, message
from simdiag.ticket.desk import Attachment, Capabilities, Case, File, Mismatch, Never, State
from simdiag.ticket.draft import Draft


def _cannot() -> Never:
    return Never(message(N_("this desk cannot be asked: write, call or go there yourself")))


class OneWay:
    """A desk that can only be written to. See :class:`~simdiag.ticket.desk.Desk`."""

    capabilities: Capabilities

    def close(self) -> None:
        """Nothing is open."""

    def find(self, key: str) -> list[str]:
        """Nothing can be found."""
        return []

    def attachments(self, number: str) -> list[Attachment]:
        """Nothing is shown."""
        return []

    def attach(self, number: str, file: File) -> None:
        """Nothing can be added later."""
        raise _cannot()

    def download(self, number: str, attachment: Attachment) -> bytes:
        """Nothing is shown."""
        raise _cannot()

    def verify(self, number: str, draft: Draft) -> list[Mismatch]:
        """Nothing can be read back."""
        return []

    def case(self, number: str) -> Case:
        """Nothing is shown."""
        raise _cannot()

    def comment(self, number: str, text: str) -> None:
        """Nothing can be added later."""
        raise _cannot()

    def set_state(self, number: str, state: State) -> None:
        """The state is the desk's own matter."""
        raise _cannot()

    def merge(self, keep: str, extra: str) -> None:
        """Nothing is known to merge."""
        raise _cannot()
