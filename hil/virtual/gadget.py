"""USB devices made of the kernel's gadget functions, plugged into its own looped-back bus."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
import tomllib
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

from pydantic import BaseModel, ConfigDict, Field
from pyudev import Context, Devices

from simdiag.discovery import SUBSYSTEMS
from simdiag.emulator import EmulatedModem
from simdiag.emulator.server import ModemServer, Wire

_PATIENCE_S = 20.0
_QUIET_S = 0.15
"""Between two looks, which must find the same: a driver that binds makes its children at once."""
_TRIES = 3
_UDEV = Context()
_GADGETS = Path("/sys/kernel/config/usb_gadget")
_INTERFACES = {"gser": 1, "acm": 2, "ecm": 2, "ncm": 2, "rndis": 2, "mass_storage": 1}
_NEW_ID = Path("/sys/bus/usb-serial/drivers/option1/new_id")


class Product(BaseModel):
    """A product of ``devices.toml``, where the fields are explained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    usb: str = Field(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")
    functions: tuple[str, ...]
    family: str = ""
    at: tuple[int, ...] = ()
    new_id: bool = False

    @property
    def numbered(self) -> dict[int, str]:
        """The functions by the number of their first interface."""
        found, number = {}, 0
        for function in self.functions:
            found[number] = function
            number += _INTERFACES[function]
        return found

    @property
    def interfaces(self) -> int:
        """How many interfaces there are."""
        return sum(_INTERFACES[function] for function in self.functions)


def products() -> dict[str, Product]:
    """Return what can be plugged in, by its name in the table."""
    table = tomllib.loads(Path(__file__).with_name("devices.toml").read_text("utf-8"))
    return {name: Product.model_validate(entry) for name, entry in table.items()}


class Gadget:
    """One product on one controller of the looped-back bus, with modems behind its AT ports."""

    def __init__(self, product: Product, bus: int) -> None:
        """``bus`` is the number of the controller."""
        self.product = product
        self.bus = bus
        self.serial = f"VIRTUAL{bus:05}"
        self._folder = _GADGETS / f"modem{bus}"
        self._servers: list[_Port] = []
        try:
            with _one_at_a_time():
                self._build()
        except OSError:
            self._take_apart()
            raise

    @property
    def id(self) -> str:
        """Return the name by which udev knows the socket that it is plugged into."""
        return f"platform-dummy_hcd.{self.bus}-usb-0:1"

    def tty(self, interface: int) -> Path:
        """Return the lasting link to the port of an interface; it exists once that is ready."""
        suffix = "-port0" if self.product.numbered[interface] == "gser" else ""
        return Path(f"/dev/serial/by-path/{self.id}:1.{interface}{suffix}")

    @property
    def ports(self) -> list[Path]:
        """The ports on which a modem answers."""
        return [self.tty(interface) for interface in self.product.at]

    # ---- in and out ----------------------------------------------------------------------
    def plug(
        self, modem: Callable[[], EmulatedModem] | None = None, wire: Wire | None = None
    ) -> None:
        """Plug it in and wait until udev has done all it does; ``modem`` answers on its ports.

        If the modem's scenario unplugs itself, the device vanishes from the bus.
        """
        self._enumerate()
        if self.product.new_id:
            subprocess.run(["modprobe", "option"], check=True)
            with contextlib.suppress(FileExistsError):
                _NEW_ID.write_text(self.product.usb.replace(":", " "))
        self.settle()
        if modem is not None:  # not earlier: qcserial resets the ports that it binds
            nodes = map(self._modem_side, self.product.at)
            self._servers = [_Port(node, modem(), wire, self._pull) for node in nodes]

    def unplug(self) -> None:
        """Pull it out, and wait until its nodes are gone."""
        self._pull()
        for server in self._servers:
            server.close()
        self._servers.clear()
        name = self.product.name
        _wait_for(lambda: not self._on_the_bus(), f"{name} stayed on the bus")
        _wait_for(lambda: not self._links(), f"udev kept the links to {name}")

    def settle(self) -> None:
        """Wait until udev has done all it does with what hangs below the socket.

        ``udevadm settle`` waits for all devices, and never ends while others come and go.
        """
        before: set[str] | None = None

        def is_settled() -> bool:
            nonlocal before
            now = self._initialized()
            is_same, before = now is not None and now == before, now
            return is_same

        _wait_for(is_settled, f"udev was not done with {self.product.name}", _QUIET_S)

    def _initialized(self) -> set[str] | None:
        """Return what hangs below the socket, or ``None`` if udev has yet to handle some.

        Only where udev always notes that it has handled it: not what has no node and no
        properties, as much of a drive, nor the bus ``usb-serial``, filed by names that recur.
        """
        found = [
            below
            for device in self._on_the_bus()
            for below in Devices.from_sys_path(_UDEV, str(device)).children
            if below.subsystem in SUBSYSTEMS
        ]
        done = all(device.is_initialized for device in found)
        return {device.sys_path for device in found} if done else None

    def _links(self) -> list[Path]:
        with contextlib.suppress(FileNotFoundError):  # the folder goes with its last link
            return list(Path("/dev/serial/by-path").glob(f"{self.id}:*"))
        return []

    def _enumerate(self) -> None:
        """Have the kernel see it. Where time is short the first try may fail: plug it in again."""
        for _ in range(_TRIES):
            (self._folder / "UDC").write_text(f"dummy_udc.{self.bus}")
            with contextlib.suppress(TimeoutError):
                return _wait_for(self._configured, "")
            self._pull()
        raise TimeoutError(f"{self.product.name} was not enumerated")

    def _pull(self) -> None:
        with contextlib.suppress(OSError):  # out already
            (self._folder / "UDC").write_text("\n")

    def _on_the_bus(self) -> list[Path]:
        return list(Path(f"/sys/devices/platform/dummy_hcd.{self.bus}").glob("usb*/*-1"))

    def _configured(self) -> bool:
        """Whether the kernel has read the descriptors and made all the interfaces."""
        found = (len(list(device.glob("*:1.*"))) for device in self._on_the_bus())
        return self.product.interfaces in found

    # ---- the gadget ------------------------------------------------------------------------
    def _build(self) -> None:
        folder, product = self._folder, self.product
        vendor_id, product_id = product.usb.split(":")
        maker, _, name = product.name.partition(" ")
        folder.mkdir()
        strings, configuration = folder / "strings/0x409", folder / "configs/c.1"
        strings.mkdir()
        configuration.mkdir()
        for path, value in {
            folder / "idVendor": f"0x{vendor_id}",
            folder / "idProduct": f"0x{product_id}",
            strings / "manufacturer": maker,
            strings / "product": name,
            strings / "serialnumber": self.serial,
        }.items():
            path.write_text(value)
        for interface, function in product.numbered.items():
            path = self._function(interface)
            path.mkdir()
            if function == "mass_storage":
                (path / "lun.0/removable").write_text("1")
            (configuration / path.name).symlink_to(path)

    def _function(self, interface: int) -> Path:
        function = self.product.numbered[interface]
        return self._folder / "functions" / f"{function}.modem{self.bus}i{interface}"

    def _modem_side(self, interface: int) -> Path:
        number = (self._function(interface) / "port_num").read_text().strip()
        return Path(f"/dev/ttyGS{number}")

    def remove(self) -> None:
        """Pull it out and take it apart."""
        self.unplug()
        self._take_apart()

    def _take_apart(self) -> None:
        """Remove the folders of the gadget, as many as were made."""
        configuration = self._folder / "configs/c.1"
        functions = [self._function(interface) for interface in self.product.numbered]
        for path in functions:
            (configuration / path.name).unlink(missing_ok=True)
        with _one_at_a_time():
            for path in (*functions, configuration, self._folder / "strings/0x409", self._folder):
                if path.exists():
                    path.rmdir()


class _Port:
    """The modem behind one port of the device."""

    def __init__(
        self, node: Path, modem: EmulatedModem, wire: Wire | None, unplug: Callable[[], None]
    ) -> None:
        _wait_for(node.exists, f"{node} is missing")
        self._fd = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self._server = ModemServer(modem, self._fd, wire)
        self._unplug = unplug
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        if self._server.serve():
            self._unplug()

    def close(self) -> None:
        """Stop answering."""
        self._server.stop()
        self._thread.join()
        os.close(self._fd)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep the tests of other workers from making or removing a function meanwhile.

    u_serial.c frees the number of a port before it takes the node of that number away: who asks
    for a number in between is given that one, and EEXIST.
    """
    with Path("/run/gadgets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait_for(condition: Callable[[], object], complaint: str, pause_s: float = 0.02) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(pause_s)
