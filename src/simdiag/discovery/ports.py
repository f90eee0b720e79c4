"""Which of a device's ports to talk to."""

from __future__ import annotations

from collections.abc import Collection

from simdiag.discovery.devices import SerialPort, UsbModem
from simdiag.driver import PortRole
from simdiag.host.holders import holders_of

_AT_ROLES = (PortRole.AT_PRIMARY, PortRole.AT_SECONDARY, PortRole.PPP)


def best_at_port(modem: UsbModem, held: Collection[str] | None = None) -> SerialPort | None:
    """Return the port to ask first, or ``None`` where no port can be an AT port.

    If every candidate is held by other programs, the best one is returned nevertheless: to open
    it then fails with the holder's name.
    """
    return next(iter(candidates(modem, held)), None)


def candidates(modem: UsbModem, held: Collection[str] | None = None) -> list[SerialPort]:
    """Return the ports that may speak AT, in the order of trying.

    Ports known for AT go first: primary, secondary, the PPP port; then those of unknown role by
    interface. Among either, free ports come before ``held`` ones (paths that other processes
    have open; looked up if left out). Diagnostic and GNSS ports are never asked: they answer
    nothing, and a probe costs its whole deadline.
    """
    ports = [p for p in modem.ports if p.role not in (PortRole.DIAG, PortRole.GNSS)]
    if held is None:
        # A single port is returned either way, so the walk through /proc would be in vain.
        held = _held(ports) if len(ports) > 1 else ()
    return sorted(
        ports,
        key=lambda port: (
            port.role not in _AT_ROLES,
            port.path in held,
            _AT_ROLES.index(port.role) if port.role in _AT_ROLES else port.role is not None,
        ),
    )


def _held(ports: list[SerialPort]) -> set[str]:
    found = holders_of(port.path for port in ports)
    return {path for path, by_whom in found.items() if by_whom}
