"""A device with several ports that is pulled out before it has answered anything."""

from __future__ import annotations

from pathlib import Path

from simdiag.agent import Options, Target, examine
from simdiag.discovery import SerialPort, UsbModem


def test_gone_at_the_first_command(emulated, tmp_path: Path) -> None:
    """The other ports, which have vanished too, do not make it a device that never was there."""
    with emulated("quectel-ec2x/healthy", unplug_after=1) as path:
        ports = (SerialPort(path), SerialPort(str(tmp_path / "vanished")))
        device = UsbModem("platform-usb-0:1", 0x2C7C, 0x0125, ports=ports)
        result = examine(Target(device=device), Options(wait_s=0))
    assert result.diagnosis.cause == "device_removed"
