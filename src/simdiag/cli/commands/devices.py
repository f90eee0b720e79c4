"""``simdiag devices``: what is plugged in."""

from __future__ import annotations

from dataclasses import asdict
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from simdiag.cli.common import language_option

if TYPE_CHECKING:
    from rich.table import Table

    from simdiag.discovery import UsbModem
    from simdiag.host.holders import Holder


@click.command(
    help=_("List USB modems and portable WiFi devices with their ports and who uses them.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON, one device per line."))
@language_option
def command(as_json: bool) -> int:
    """List the devices."""
    from rich.console import Console

    from simdiag.cli.common import warn_of_broken_files
    from simdiag.cli.status import Status
    from simdiag.discovery import discover
    from simdiag.host.holders import holders_of
    from simdiag.report.json_text import dumps

    warn_of_broken_files()
    devices = discover()
    held = holders_of(p.path for d in devices for p in d.ports)
    if as_json:
        for device in devices:
            click.echo(dumps(_as_json(device, held)))
    elif not devices:
        click.echo(
            _("No modem is attached. If one is plugged in, try another cable or USB port."),
            err=True,
        )
    else:
        console = Console(highlight=False)
        for device in devices:
            console.print(_table(device, held))
    return Status.OK if devices else Status.NOT_EXAMINED


def _as_json(device: UsbModem, held: dict[str, list[Holder]]) -> dict[str, Any]:
    entry = asdict(device)
    del entry["serial"]
    entry["usb_id"], entry["name"] = device.usb_id, device.name
    for port in entry["ports"]:
        port.pop("by_id")
        port["held_by"] = [str(h) for h in held.get(port["path"], [])]
    return entry


def _table(device: UsbModem, held: dict[str, list[Holder]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from simdiag.report.terminal import plain

    title = Text.assemble((plain(device.name), "bold"), f"  {device.usb_id}  ", (device.id, "cyan"))
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, show_header=bool(device.ports)
    )
    for heading in (_("port"), _("role"), _("driver"), _("by-id name"), _("in use by")):
        table.add_column(heading, overflow="fold")
    for port in device.ports:
        table.add_row(
            port.path,
            port.role or "?",
            port.kernel_driver or "",
            _without_serial(device, port.by_id),
            ", ".join(str(h) for h in held.get(port.path, [])) or "-",
        )
    facts = [
        (_("family"), device.family),
        (_("network interface"), ", ".join(device.network_interfaces)),
        (_("control device"), ", ".join(device.cdc_wdm)),
        (_("mode"), _(device.composition) if device.composition else None),
    ]
    table.caption_justify = "left"
    table.caption = Text("   ".join(f"{name}: {plain(value)}" for name, value in facts if value))
    return table


def _without_serial(device: UsbModem, by_id: str | None) -> str:
    """The by-id name holds the device's serial number: hide it."""
    name = (by_id or "").rpartition("/")[2]
    return name.replace(device.serial, "*" * len(device.serial)) if device.serial else name
