"""What ModemManager (1.14 to 1.22) logged about the device: states, registration, connections.

Where no device is known, all modems count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from simdiag.bundle import loglines
from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import Event, PortName, SmallInt, Version, Word


class ManagerEvent(Event):
    """One message. ``t_us`` counts from the start of the computer, durations are seconds."""

    t_us: int
    event: Word
    modem: SmallInt | None = None
    bearer: SmallInt | None = None
    before: Word | None = None
    after: Word | None = None
    reason: Word | None = None
    plugin: Word | None = None
    port: PortName | None = None
    step: SmallInt | None = None
    version: Version | None = None
    number: SmallInt | None = None
    seconds: int | None = None
    count: int | None = None


_STATE = (
    "failed|unknown|initializing|locked|disabled|disabling|enabling|enabled|searching|registered|"
    "disconnecting|connecting|connected|idle|registering|home|denied|roaming|on|off|low"
)
_REASON = (
    "SIM not inserted|SIM failure|SIM busy|SIM wrong|SIM PIN required|SIM PUK required|sim-missing|"
    "sim-error|unknown-capabilities|esim-without-profiles|Operation not allowed|"
    "No network service|Network timeout|Unknown error|Call failed|Internal error|Timeout"
)
_WORDS = {
    "modem": r"\d{1,4}", "bearer": r"\d{1,4}", "before": _STATE, "after": _STATE,
    "reason": _REASON, "plugin": r"[a-z][-a-z0-9]{1,20}",
    "port": r"(?:tty/)?tty(?:USB|ACM)\d{1,3}|cdc-wdm\d{1,3}|wwan\d{1,3}", "step": r"\d{1,2}",
    "version": r"\d+(?:\.\d+){1,3}", "number": r"\d{1,4}", "seconds": r"\d{1,9}",
    "count": r"\d{1,15}",
}  # fmt: skip

_MESSAGES = (
    ("started", "ModemManager (version {version}) starting in …"),
    ("stopped", "ModemManager is shut down"),
    ("state", "[modem{modem}] state changed ({before} -> {after})"),
    ("registration", "[modem{modem}] 3GPP registration state changed ({before} -> {after})"),
    ("packet_service", "[modem{modem}] 3GPP packet service state changed ({before} -> {after})"),
    ("power", "[modem{modem}] power state updated: {after}"),
    ("signal", "[modem{modem}] signal quality updated ({number})"),
    ("not_initialised", "[modem{modem}] couldn't initialize: '…{reason}'"),
    ("not_initialised", "[modem{modem}] error initializing: …{reason}"),
    ("not_enabled", "[modem{modem}] couldn't enable modem: '…{reason}…'"),
    ("locked", "[modem{modem}] modem is locked…"),
    ("creating", "[device …] creating modem with plugin '{plugin}' and '{count}' ports"),
    ("created", "[base-manager] modem for device '…' successfully created"),
    ("not_created", "[base-manager] couldn't create modem for device '…': …"),
    ("not_supported", "[base-manager] couldn't check support for device '…': not supported by any plugin"),
    ("connecting", "[modem{modem}] simple connect state ({step}/{count}): …"),
    ("connected", "[modem{modem}/bearer{bearer}] connected"),
    ("disconnected", "[modem{modem}/bearer{bearer}] disconnected"),
    ("not_connected", "[modem{modem}/bearer{bearer}] connection attempt #{number} failed: {reason}"),
    ("not_connected", "[modem{modem}/bearer{bearer}] connection attempt #{number} failed: …"),
    ("not_connected", "[modem{modem}/bearer{bearer}] couldn't connect: …"),
    ("call_ended", "[modem{modem}/bearer{bearer}] verbose call end reason ({step},{number}): …"),
    ("connection_ended", "[modem{modem}/bearer{bearer}] connection #{number} finished: duration {seconds}s, …"),
    ("port_timed_out", "[{port}/at] at port timed out {count} consecutive times"),
    ("port_timed_out", "[modem{modem}] port {port} timed out {count} consecutive times"),
    ("port_released", "[base-manager] port {port} released by device '…'"),
    ("inhibited", "[base-manager] inhibit requested for device '…'"),
)  # fmt: skip
_LEVEL = re.compile(r"<\w{3,6}>\s*")
"""What it puts before a message, where it does not leave that to the journal."""
_KNOWN = loglines.templates(_MESSAGES, _WORDS)
_START = re.compile(r"ModemManager \(version \S+\) starting")
_PLACE = re.compile(r"device '?(/[^]']+)")
_MODEM = re.compile(r"\[modem(\d+)")
_PORT = re.compile(r"(?:\[(?:tty/)?|\bport )(tty\w+|cdc-wdm\d+|wwan\d\w*)")


def _collect(subject: Subject) -> Iterator[ManagerEvent]:
    if subject.elsewhere:
        raise Skipped
    journal = loglines.journal("-t", "ModemManager")
    lines = (line._replace(text=_LEVEL.sub("", line.text, count=1)) for line in journal)
    if subject.bus_path:
        device = _Device(subject)
        lines = (line for line in lines if device.is_meant(line.text))
    for entry in loglines.events(lines, _KNOWN, lambda _values: True):
        yield ManagerEvent.model_validate(entry)


class _Device:
    """Knows the lines about one device by its place, its ports, and the number of its modem.

    ModemManager numbers the modems that it creates, from 0 after each start; which number is
    whose is known from that line on, and no sooner.
    """

    def __init__(self, subject: Subject) -> None:
        self._bus_path = subject.bus_path
        self._ports = frozenset((*subject.ports, *subject.controls))
        self._created: int | None = None
        self._modems: set[int] = set()

    def is_meant(self, text: str) -> bool:
        """Whether a line, the next one of the log, is about this device or about none."""
        if _START.match(text):
            self._created, self._modems = 0, set()
        if place := _PLACE.search(text):
            ours = place[1].rpartition("/")[2] == self._bus_path
            if "creating modem" in text:
                self._number(ours)
            return ours
        if modem := _MODEM.search(text):
            return int(modem[1]) in self._modems
        port = _PORT.search(text)
        return port is None or port[1] in self._ports

    def _number(self, ours: bool) -> None:
        """Count a modem that is being created."""
        if self._created is not None:
            self._modems |= {self._created} if ours else set()
            self._created += 1


COLLECTOR = Collector(ManagerEvent, _collect)
