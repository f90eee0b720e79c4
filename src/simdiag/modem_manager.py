"""ModemManager, the usual rival for a modem's port: what it does there, and how it lets go.

It speaks over D-Bus (ModemManager D-Bus API, interface ``org.freedesktop.ModemManager1``). An
inhibition belongs to the connection that asked for it: when this program ends, however it ends,
the bus closes the connection and ModemManager takes the device back by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simdiag.message import N_, Message

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

_NAME = "org.freedesktop.ModemManager1"
_PATH = "/org/freedesktop/ModemManager1"
_MODEM = f"{_NAME}.Modem"
_ANSWER_S = 5.0
_INHIBIT_S = 25.0
"""To let go, ModemManager first ends what it does with the modem."""
_DISCONNECTING = 9
"""MMModemState: from here on (disconnecting, connecting, connected) a connection is carried."""
_LOOK_AGAIN_S = 0.25
_SETTLED_S = 40.0
"""So long after the plug-in a device that ModemManager does not show is none of its modems."""

CARRIES_DATA = N_(
    "ModemManager carries a data connection over it; --interrupt allows to interrupt that"
)
NOT_ALLOWED = N_("only root may ask ModemManager to let go of it: run this with sudo")
STILL_PROBING = N_("ModemManager is still examining it: try again in half a minute")
NO_ANSWER = N_("ModemManager does not answer")


@dataclass(frozen=True, slots=True)
class Managed:
    """A modem that ModemManager has taken; ``uid`` is its name for the physical device."""

    uid: str
    carries_data: bool


@dataclass(frozen=True, slots=True)
class Release:
    """How ModemManager stands to a device for the time being.

    ``inhibited`` says that it let go of the device, ``reason`` why it did not where it should.
    """

    inhibited: bool = False
    reason: Message | None = None


@contextmanager
def let_go(
    sys_path: str,
    *,
    interrupt: bool = False,
    plugged_in_s: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Release]:
    """Have ModemManager leave one device alone for the time of the ``with`` block.

    ``sys_path`` is the USB device's path in sysfs. A device that carries data is left as it is
    unless ``interrupt`` is true; one that was plugged in so lately (``plugged_in_s``, seconds)
    that ModemManager still examines it is waited for. Without ModemManager nothing is done.
    """
    manager = _Manager.find()
    if manager is None:
        yield Release()
        return
    with manager:
        yield _release(manager, sys_path, interrupt, plugged_in_s, cancelled)


def _release(
    manager: _Manager,
    sys_path: str,
    interrupt: bool,
    plugged_in_s: float | None,
    cancelled: Callable[[], bool],
) -> Release:
    from jeepney.wrappers import DBusErrorResponse

    left = 0.0 if plugged_in_s is None else _SETTLED_S - plugged_in_s
    deadline = time.monotonic() + left
    try:
        while (managed := manager.managed(sys_path)) is None:
            if cancelled() or not Path(sys_path).exists():  # unplugged meanwhile
                return Release()
            if time.monotonic() >= deadline:
                return Release(reason=Message(STILL_PROBING) if left > 0 else None)
            time.sleep(_LOOK_AGAIN_S)
        if managed.carries_data and not interrupt:
            return Release(reason=Message(CARRIES_DATA))
        manager.inhibit(managed.uid)
    except DBusErrorResponse as refused:
        denied = refused.name.endswith(("AccessDenied", "Unauthorized"))
        return Release(reason=Message(NOT_ALLOWED if denied else NO_ANSWER))
    except OSError:  # a closed connection, or no answer in time
        return Release(reason=Message(NO_ANSWER))
    return Release(inhibited=True)


class _Manager:
    """A connection to the system bus on which ModemManager is present."""

    def __init__(self, connection: DBusConnection) -> None:
        self._connection = connection

    @classmethod
    def find(cls) -> _Manager | None:
        """Connect, unless there is no bus or no ModemManager; never starts it."""
        if not _bus_is_there():
            return None
        from jeepney import DBusAddress
        from jeepney.io.blocking import open_dbus_connection

        try:
            manager = cls(open_dbus_connection(bus="SYSTEM"))
        except (OSError, ValueError, KeyError, IndexError, RuntimeError):  # the last for tcp:
            return None
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        with suppress(OSError):
            if manager._call(bus, "NameHasOwner", "s", (_NAME,))[0]:
                return manager
        manager.close()
        return None

    def __enter__(self) -> _Manager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, which gives back what was inhibited."""
        with suppress(OSError):
            self._connection.close()

    def managed(self, sys_path: str) -> Managed | None:
        """Return the modem that ModemManager shows for a device, if it shows one."""
        from jeepney import DBusAddress

        objects = DBusAddress(_PATH, _NAME, "org.freedesktop.DBus.ObjectManager")
        for interfaces in self._call(objects, "GetManagedObjects")[0].values():
            properties = {name: value for name, (_, value) in interfaces.get(_MODEM, {}).items()}
            if sys_path in (properties.get("Device"), properties.get("Physdev")):
                state = properties.get("State", 0)
                return Managed(str(properties["Device"]), state >= _DISCONNECTING)
        return None

    def inhibit(self, uid: str) -> None:
        """Ask for the device; raises what D-Bus answers if it is refused."""
        from jeepney import DBusAddress

        manager = DBusAddress(_PATH, _NAME, _NAME)
        self._call(manager, "InhibitDevice", "sb", (uid, True), timeout_s=_INHIBIT_S)

    def _call(
        self,
        address: Any,
        method: str,
        signature: str | None = None,
        body: tuple[Any, ...] = (),
        timeout_s: float = _ANSWER_S,
    ) -> tuple[Any, ...]:
        from jeepney import new_method_call
        from jeepney.wrappers import unwrap_msg

        question = new_method_call(address, method, signature, body)
        answer = self._connection.send_and_get_reply(question, timeout=timeout_s)
        found: tuple[Any, ...] = unwrap_msg(answer)
        return found


def _bus_is_there() -> bool:
    """Whether a system bus may be asked; a look at the file system saves loading the library."""
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    return bool(address) or Path("/run/dbus/system_bus_socket").exists()
