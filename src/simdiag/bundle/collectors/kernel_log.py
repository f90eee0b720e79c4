"""What the kernel logged about the device: plugging in, resets, errors of the bus, drivers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simdiag.bundle import loglines
from simdiag.bundle.collector import Collector, Skipped, Subject
from simdiag.bundle.fields import (
    DriverName,
    Event,
    Hex,
    InterfaceName,
    PortName,
    SmallInt,
    UsbPath,
    Word,
)


class KernelEvent(Event):
    """One message. ``t_us`` counts from the start of the computer; errors are negative errno."""

    t_us: int
    event: Word
    path: UsbPath | None = None
    hub_port: Word | None = None
    number: SmallInt | None = None
    speed: Word | None = None
    controller: DriverName | None = None
    vendor: Hex | None = None
    product: Hex | None = None
    driver: DriverName | None = None
    port: PortName | None = None
    interface: InterfaceName | None = None
    error: int | None = None
    count: int | None = None


_WORDS = {
    "path": r"\d+-\d+(?:\.\d+)*(?::\d+\.\d+)?", "hub_port": r"usb\d+-port\d+|\d+-[\d.]+-port\d+",
    "number": r"\d{1,3}", "speed": "(?:low|full|high|SuperSpeed(?: Plus)?)(?:-speed)?(?: Gen \\S+)?",
    "controller": r"[a-z]+[-_a-z0-9]{0,20}", "vendor": "[0-9a-f]{4}", "product": "[0-9a-f]{4}",
    "driver": r"[a-z]\w{1,30}", "port": r"tty(?:USB|ACM)\d{1,3}|cdc-wdm\d{1,3}",
    "interface": r"[a-z]+\d{1,3}", "error": r"-?\d{1,4}", "count": r"\d{1,9}",
}  # fmt: skip

_KNOWN = loglines.templates(
    (
        # drivers/usb/core: hub.c, config.c, message.c
        ("new_device", "usb {path}: new {speed} USB device number {number} using {controller}"),
        ("reset", "usb {path}: reset {speed} USB device number {number} using {controller}"),
        ("found", "usb {path}: New USB device found, idVendor={vendor}, idProduct={product}…"),
        ("strings", "usb {path}: New USB device strings: …"),
        ("product_text", "usb {path}: Product: …"),
        ("maker_text", "usb {path}: Manufacturer: …"),
        ("serial_text", "usb {path}: SerialNumber: …"),
        ("disconnect", "usb {path}: USB disconnect, device number {number}"),
        ("descriptor_error", "usb {path}: device descriptor read/{count}, error {error}"),
        ("address_refused", "usb {path}: device not accepting address {number}, error {error}"),
        ("address_unanswered", "usb {path}: Device not responding to setup address."),
        ("not_enumerated", "usb {hub_port}: unable to enumerate USB device"),
        ("power_cycle", "usb {hub_port}: attempt power cycle"),
        ("cannot_enable", "usb {hub_port}: Cannot enable. Maybe the USB cable is bad?"),
        ("cannot_reset", "usb {hub_port}: cannot reset (err = {error})"),
        ("port_disabled", "usb {hub_port}: disabled by hub (EMI?), re-enabling..."),
        ("over_current", "usb {hub_port}: over-current change #{count}"),
        ("over_current", "usb {hub_port}: over-current condition"),
        ("over_current", "hub {path}: over-current change on port {number}"),
        ("too_little_power", "usb {path}: rejected {count} configuration due to insufficient available bus power"),
        ("configuration_error", "usb {path}: can't set config #{count}, error {error}"),
        ("configuration_error", "usb {path}: unable to read config index {count} descriptor/start: {error}"),
        ("string_error", "usb {path}: string descriptor {count} read error: {error}"),
        ("resume_error", "usb {path}: can't resume, status {error}"),
        ("not_restored", "usb {path}: can't restore configuration #{count} (error={error})"),
        # drivers/usb/serial: usb-serial.c, usb_wwan.c; drivers/usb/class: cdc-acm.c, cdc-wdm.c
        ("serial_detected", "{driver} {path}: GSM modem (1-port) converter detected"),
        ("serial_detected", "{driver} {path}: Qualcomm USB modem converter detected"),
        ("serial_attached", "usb {path}: GSM modem (1-port) converter now attached to {port}"),
        ("serial_attached", "usb {path}: Qualcomm USB modem converter now attached to {port}"),
        ("serial_attached", "usb {path}: Sierra USB modem converter now attached to {port}"),
        ("serial_detached", "{driver} {port}: GSM modem (1-port) converter now disconnected from …"),
        ("serial_detached", "{driver} {port}: Qualcomm USB modem converter now disconnected from …"),
        ("driver_detached", "{driver} {path}: device disconnected"),
        ("serial_error", "{driver} {port}: usb_wwan_indat_callback: nonzero status: {error} on endpoint …"),
        ("serial_error", "{driver} {port}: option_instat_callback: error {error}"),
        ("serial_error", "{driver} {port}: usb_wwan_open: submit read urb {count} failed: {error}"),
        ("acm_attached", "cdc_acm {path}: {port}: USB ACM device"),
        ("acm_error", "cdc_acm {path}: failed to set dtr/rts"),
        ("control_attached", "{driver} {path}: {port}: USB WDM device"),
        # drivers/net/usb
        ("network_attached", "{driver} {path} {interface}: register '…' at …"),
        ("network_detached", "{driver} {path} {interface}: unregister '…' …"),
        ("network_renamed", "{driver} {path} {interface}: renamed from …"),
        ("network_event_lost", "{driver} {path} {interface}: kevent {count} may have been dropped"),
        ("network_stalled", "NETDEV WATCHDOG: {interface} ({driver}): transmit queue {count} timed out…"),
        ("storage_detected", "usb-storage {path}: USB Mass Storage device detected"),
        ("controller_died", "{controller} …: HC died; cleaning up"),
    ),
    _WORDS,
)  # fmt: skip


def _collect(subject: Subject) -> Iterator[KernelEvent]:
    if subject.elsewhere:
        raise Skipped

    def about(values: dict[str, str]) -> bool:
        """Whether it is of the device, of a hub's port before it, or of none in particular."""
        place = values.get("path") or _behind(values.get("hub_port", ""))
        if not subject.bus_path or not (place or values.keys() & {"port", "interface"}):
            return True
        names = {*subject.ports, *subject.interfaces, *subject.controls}
        if {values.get("port"), values.get("interface")} & names:
            return True
        place = place.partition(":")[0]
        return bool(place) and f"{subject.bus_path}.".startswith(f"{place}.")

    for entry in loglines.events(loglines.kernel_lines(), _KNOWN, about):
        yield KernelEvent.model_validate(entry)


def _behind(hub_port: str) -> str:
    """Return the place on the bus that a hub's port is: ``1-2.3`` of ``1-2-port3``."""
    match = re.fullmatch(r"usb(\d+)-port(\d+)|(\d+-[\d.]+)-port(\d+)", hub_port)
    if match is None:
        return ""
    bus, root_port, hub, port = match.groups()
    return f"{bus}-{root_port}" if bus else f"{hub}.{port}"


COLLECTOR = Collector(KernelEvent, _collect)
