"""Everything that simdiag raises for its callers.

::

    SimdiagError
    ├── TransportError          the port could not be used
    │   ├── PortNotFound
    │   ├── PortDenied          no permission
    │   ├── PortBusy            another program has it
    │   └── PortGone            it vanished while in use
    ├── ModemMute               it has stopped answering
    ├── Cancelled               the user wants no more
    ├── UnsafeCommand           the command is not on the allow-list
    ├── RegistryError           a driver or profile file is broken
    ├── TranscriptError         a log cannot be read
    └── ScenarioError           no such emulator scenario
"""

from __future__ import annotations

from simdiag.message import Message


class SimdiagError(Exception):
    """Base of all. ``message`` is a sentence for the user, translated when it is shown."""

    def __init__(self, text: Message | str) -> None:
        self.message = text if isinstance(text, Message) else Message(text)
        super().__init__(self.message.render())


class TransportError(SimdiagError):
    """The port could not be used. ``port`` is its URL or path."""

    def __init__(self, port: str, text: Message | str) -> None:
        super().__init__(text)
        self.port = port


class PortNotFound(TransportError):
    """There is no such port."""


class PortDenied(TransportError):
    """The port may not be opened by this user."""


class PortBusy(TransportError):
    """Another program has the port. ``holder`` names it where that could be found out."""

    def __init__(self, port: str, text: Message | str, holder: str = "") -> None:
        super().__init__(port, text)
        self.holder = holder


class PortGone(TransportError):
    """The port vanished while it was in use: unplugged, or the modem reset itself."""


class ModemMute(SimdiagError):
    """The modem has stopped answering: to ask on would cost one deadline after another."""


class Cancelled(SimdiagError):
    """The user has ended the examination."""


class UnsafeCommand(SimdiagError):
    """The command is not on the allow-list of an examination."""


class RegistryError(SimdiagError):
    """A driver or profile file is broken; the text names file and line."""


class TranscriptError(SimdiagError):
    """A log cannot be read."""


class ScenarioError(SimdiagError):
    """There is no such emulator scenario, or its data is broken."""
