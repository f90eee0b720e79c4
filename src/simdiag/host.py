"""Facts about this computer and its ports. Pure reads: no port is opened, no packet is sent.

Everything here tolerates what it may not read (processes of other users, containers without
``/sys``): the answer is then smaller, never an exception.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simdiag.message import N_, Message, message

_LOCK_FOLDERS = ("/var/lock", "/run/lock", "/var/spool/lock")
_SERIAL_GROUPS = ("dialout", "uucp")  # Debian, Fedora and SUSE; Arch
_STUB_RESOLVER = "127.0.0.53"
_UPSTREAM_RESOLVERS = "/run/systemd/resolve/resolv.conf"
_RTF_UP, _RTF_REJECT = 0x0001, 0x0200  # linux/route.h

# Programs that take modem or serial ports by themselves, as they appear in /proc/PID/comm.
_PORT_TAKERS = {
    "ModemManager", "brltty", "chat", "gammu-smsd", "gpsd", "kermit", "minicom", "modem-manager-g",
    "picocom", "pppd", "screen", "smsd", "smstools", "wvdial",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open. ``lock`` is its UUCP lock file where that is the proof.

    ``name`` is the kernel's short name of the process (at most 15 characters); ``user`` its
    owner, or ``None`` where that cannot be read.
    """

    pid: int
    name: str
    user: str | None = None
    lock: str | None = None

    def __str__(self) -> str:
        owner = f", user {self.user}" if self.user else ""
        return f"{self.name} (pid {self.pid}{owner})"


@dataclass(frozen=True, slots=True)
class Lock:
    """A UUCP lock file. It is ``stale`` when its process is dead, so that it only misleads."""

    path: str
    pid: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of this computer.

    ``exists`` is ``None`` where this could not be read. ``up`` means enabled and with a
    carrier (or one that cannot tell); ``ipv4`` and ``ipv6`` that it
    has an address that is more than link-local. ``rx_bytes`` and ``tx_bytes`` are the kernel's
    counters since the interface appeared, link-layer headers included as the driver counts
    them. ``default_metric`` is the metric of its best default route (lower wins; the IPv4
    one where there is one), ``None`` without a default route.
    """

    name: str
    exists: bool | None
    up: bool = False
    ipv4: bool = False
    ipv6: bool = False
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    default_metric: int | None = None


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The network as this computer sees it, no packet sent.

    ``default_interface`` is where unspecific traffic leaves (any interface, not only those
    asked for); ``nameservers`` counts the resolvers that are configured, not those that answer.
    """

    interfaces: tuple[Interface, ...]
    default_interface: str | None
    nameservers: int

    @property
    def has_resolver(self) -> bool:
        """Whether any name server is configured."""
        return self.nameservers > 0

    def __getitem__(self, name: str) -> Interface:
        return next((i for i in self.interfaces if i.name == name), Interface(name, exists=False))


# ---- who holds a port --------------------------------------------------------------------
def port_holders(path: str) -> list[Holder]:
    """Return the other processes that have a port open or hold a live UUCP lock on it.

    Not root, one sees only one's own processes: an empty list then does not prove a free port.
    See :func:`possible_holders`.
    """
    return holders([path])[path]


def holders(paths: Iterable[str]) -> dict[str, list[Holder]]:
    """Return the holders of several ports by path, reading ``/proc`` once."""
    ports = {path: _Device.of(path) for path in paths}
    found: dict[str, list[Holder]] = {path: [] for path in ports}
    wanted = {path: device for path, device in ports.items() if device}
    numbers = frozenset(device.number for device in wanted.values())
    for pid in _pids() if wanted else ():
        if pid == os.getpid():
            continue
        opened = list(_open_devices(pid, numbers))
        for path, device in wanted.items():
            if any(device.same(entry) for entry in opened) and not _is_far_end(device, opened):
                found[path].append(_holder(pid))
    for path, by_fd in found.items():
        _add_lock_holder(path, by_fd)
    return found


def possible_holders(path: str) -> list[Holder]:
    """Return running programs that usually take modem ports and whose files may not be read.

    For when a port is busy and :func:`port_holders` is empty: ModemManager runs as root, and an
    ordinary user cannot see what it has open. A suspicion, not a proof.
    """
    if not Path(path).exists():
        return []
    hidden = (pid for pid in _pids() if pid != os.getpid() and not may_read_files(pid))
    return [suspect for pid in hidden if (suspect := _holder(pid)).name in _PORT_TAKERS]


def port_lock(path: str) -> Lock | None:
    """Return the UUCP lock file of a port (``/var/lock/LCK..ttyUSB2``), live or stale."""
    names = dict.fromkeys(f"LCK..{Path(p).name}" for p in (path, os.path.realpath(path)))
    for file in (Path(folder, name) for folder in _LOCK_FOLDERS for name in names):
        try:
            content = file.read_bytes()[:64]
        except OSError:
            continue
        pid = _lock_pid(content)
        if pid is not None:
            return Lock(str(file), pid, stale=not _alive(pid))
    return None


@dataclass(frozen=True, slots=True)
class _Device:
    """The identity of a character device, or of an open file that refers to one."""

    name: str
    number: int
    filesystem: int
    tty_index: int | None = None

    @classmethod
    def of(cls, path: str | Path, tty_index: int | None = None) -> _Device | None:
        try:
            status = os.stat(path)  # noqa: PTH116 -- os.stat takes both kinds of path
        except OSError:
            return None
        if not stat.S_ISCHR(status.st_mode):
            return None
        try:
            real = os.path.realpath(path)
        except OSError:  # closed a moment ago
            return None
        return cls(real, status.st_rdev, status.st_dev, tty_index)

    @property
    def is_pts(self) -> bool:
        return self.name.startswith("/dev/pts/") and self.name != "/dev/pts/ptmx"

    @property
    def pts_index(self) -> int | None:
        last = self.name.rpartition("/")[2]
        return int(last) if self.is_pts and last.isascii() and last.isdigit() else None

    def same(self, other: _Device) -> bool:
        """Whether both are one device: the number counts, a name may be a copy or a link.

        Pseudo-terminals are numbered per devpts mount, and every container has its own.
        """
        if self.number != other.number:
            return False
        return not self.is_pts or self.filesystem == other.filesystem


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []


def _open_devices(pid: int, wanted: frozenset[int]) -> Iterator[_Device]:
    """Yield which of the wanted devices a process has open, by their numbers, and pty masters.

    Nothing where its files may not be read. Texts, not paths, since this is a hot loop.
    """
    folder = f"/proc/{pid}/fd"
    try:
        files = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return
    for file in files:
        link = f"{folder}/{file}"
        try:
            name = os.readlink(link)  # noqa: PTH115
            # Only below /dev: to stat anything else could hang on a dead network file system.
            if not name.startswith("/dev/"):
                continue
            is_master = name.endswith("/ptmx")
            if not is_master and os.stat(link).st_rdev not in wanted:  # noqa: PTH116
                continue
        except OSError:
            continue
        if device := _Device.of(link, _tty_index(pid, file) if is_master else None):
            yield device


def _tty_index(pid: int, number: str) -> int | None:
    """Which pty an open ``/dev/ptmx`` masters (``tty-index`` in fdinfo, Linux 4.14 and later)."""
    try:
        text = Path(f"/proc/{pid}/fdinfo/{number}").read_text("ascii", "replace")
    except OSError:
        return None
    match = re.search(r"^tty-index:\s*(\d+)", text, re.M)
    return int(match[1]) if match else None


def _is_far_end(port: _Device, opened: list[_Device]) -> bool:
    """Whether the process is the other end of this pty (an emulator, socat), not a rival for it."""
    if not port.is_pts:
        return False
    masters = [device for device in opened if device.name.rpartition("/")[2] == "ptmx"]
    return any(m.tty_index is None or m.tty_index == port.pts_index for m in masters)


def may_read_files(pid: int) -> bool:
    """Whether it may be seen what a process has open; true of one that has ended."""
    try:
        os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
    except PermissionError:
        return False
    except OSError:  # it has ended
        return True
    return True


def _holder(pid: int, lock: str | None = None) -> Holder:
    return Holder(pid, _process_name(pid), _process_user(pid), lock)


def _process_name(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").rstrip("\n")
    except OSError:
        return "unknown"
    # A process names itself as it likes, terminal escapes included.
    return "".join(c if c.isprintable() else "?" for c in name) or "unknown"


def _process_user(pid: int) -> str | None:
    try:
        uid = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _add_lock_holder(path: str, found: list[Holder]) -> None:
    lock = port_lock(path)
    if lock is None or lock.stale or lock.pid == os.getpid():
        return
    if lock.pid not in {holder.pid for holder in found}:
        found.append(_holder(lock.pid, lock.path))


def _lock_pid(content: bytes) -> int | None:
    """Read a lock file: the pid is decimal text (HDB style) or four bytes (V2 style)."""
    words = content.split()
    if words and words[0].isdigit():
        return int(words[0])
    return int.from_bytes(content, sys.byteorder) if len(content) == 4 else None


def _alive(pid: int) -> bool:
    return pid > 0 and Path(f"/proc/{pid}").exists()


# ---- why a port may not be opened --------------------------------------------------------
def explain_denied(path: str, vid: int | None = None) -> Message:
    """Return one sentence: who may open the port, how to become one of them, which rule helps.

    ``vid`` is the USB vendor id for the udev rule; left out, it is looked up in sysfs.
    """
    try:
        status = Path(path).stat()
    except OSError as problem:
        why = message(str(problem.strerror))
        return message(N_("{path} cannot be looked at: {why}."), path=path, why=why)
    owner = _group_name(status.st_gid)
    group = owner if status.st_gid else serial_group()
    open_to_group = status.st_mode & 0o060 == 0o060 and status.st_gid != 0
    if not open_to_group:
        text = _CLOSED
    elif group in _groups_on_file() - _groups_of_session():
        text = _JOINED_SINCE
    else:
        text = _NOT_A_MEMBER
    return message(
        text,
        path=path,
        owner=owner,
        group=group,
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        rule=_udev_rule(group, _usb_vendor(path) if vid is None else vid),
    )


_NOT_A_MEMBER = N_(
    "{path} belongs to the group {owner}, and you are not in it: join it with "
    "`sudo usermod -aG {group} $USER` and log in again, or put the udev rule {rule} "
    "into /etc/udev/rules.d."
)
_JOINED_SINCE = N_(
    "{path} belongs to the group {owner}, which you joined after you logged in: "
    "log out and in again."
)
_CLOSED = N_(
    "{path} is closed to the group {owner} (mode {mode}): put the udev rule {rule} into "
    "/etc/udev/rules.d, plug the device in again, join the group with "
    "`sudo usermod -aG {group} $USER` and log in again."
)


def _udev_rule(group: str, vid: int | None) -> str:
    vendor = "" if vid is None else f'ATTRS{{idVendor}}=="{vid:04x}", '
    return f'`SUBSYSTEM=="tty", {vendor}GROUP="{group}", MODE="0660"`'


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def serial_group() -> str:
    """Return the group that this distribution gives serial ports to."""
    for name in _SERIAL_GROUPS:
        with contextlib.suppress(KeyError):
            return grp.getgrnam(name).gr_name
    return _SERIAL_GROUPS[0]


def _groups_of_session() -> set[str]:
    return {_group_name(gid) for gid in (*os.getgroups(), os.getegid())}


def _groups_on_file() -> set[str]:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return set()
    return {group.gr_name for group in grp.getgrall() if user in group.gr_mem}


def _usb_vendor(path: str) -> int | None:
    """Look the USB vendor id above a tty up in sysfs."""
    name = Path(os.path.realpath(path)).name
    start = Path(os.path.realpath(f"/sys/class/tty/{name}/device"))
    for folder in (start, *start.parents):
        try:
            return int((folder / "idVendor").read_text("ascii"), 16)
        except (OSError, ValueError):
            continue
    return None


# ---- the network -------------------------------------------------------------------------
def network_facts(interfaces: Iterable[str]) -> HostNetwork:
    """Return what this computer knows of some interfaces, and of its routes and resolvers."""
    routes4 = default_routes4(_text("/proc/net/route"))
    routes6 = default_routes6(_text("/proc/net/ipv6_route"))
    metrics = routes6 | routes4
    preferred = routes4 or routes6
    return HostNetwork(
        interfaces=_interfaces(list(interfaces), metrics),
        default_interface=min(preferred, key=lambda name: preferred[name], default=None),
        nameservers=_nameservers(),
    )


def default_routes4(table: str) -> dict[str, int]:
    """Parse ``/proc/net/route``: the metric of the best default route, by interface."""
    found: dict[str, int] = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        try:
            name, target, flags, metric, mask = (fields[i] for i in (0, 1, 3, 6, 7))
            is_default = int(target, 16) == int(mask, 16) == 0
            usable = int(flags, 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
            cost = int(metric)
        except (ValueError, IndexError):
            continue
        if is_default and usable:
            found[name] = min(cost, found.get(name, cost))
    return found


def default_routes6(table: str) -> dict[str, int]:
    """Parse ``/proc/net/ipv6_route`` likewise; reject routes on ``lo`` do not count."""
    found: dict[str, int] = {}
    for line in table.splitlines():
        fields = line.split()
        try:
            target, length, metric, flags, name = (fields[i] for i in (0, 1, 5, 8, 9))
            is_default = int(target, 16) == int(length, 16) == 0
            usable = int(flags, 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
            cost = int(metric, 16)
        except (ValueError, IndexError):
            continue
        if is_default and usable:
            found[name] = min(cost, found.get(name, cost))
    return found


def _interfaces(names: list[str], metrics: dict[str, int]) -> tuple[Interface, ...]:
    if not names:
        return ()
    import psutil  # slow to import, and few runs come here

    try:
        states = psutil.net_if_stats()
        addresses = psutil.net_if_addrs()
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
    except (OSError, psutil.Error):  # a sandbox without /proc or netlink
        return tuple(Interface(name, exists=None) for name in names)
    found = []
    for name in names:
        state, counter = states.get(name), counters.get(name)
        texts = [address.address for address in addresses.get(name, ())]
        interface = Interface(
            name,
            exists=state is not None,
            up=state is not None and state.isup,
            ipv4=any(_is_usable_address(text, 4) for text in texts),
            ipv6=any(_is_usable_address(text, 6) for text in texts),
            rx_bytes=counter.bytes_recv if counter else None,
            tx_bytes=counter.bytes_sent if counter else None,
            default_metric=metrics.get(name),
        )
        found.append(interface)
    return tuple(found)


def _is_usable_address(text: str, version: int) -> bool:
    """Whether the text is an address of this IP version that reaches beyond the link."""
    import ipaddress

    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a hardware address
        return False
    return address.version == version and not (address.is_link_local or address.is_unspecified)


def _nameservers() -> int:
    """Count the resolvers; behind systemd's local stub, those that it asks in turn."""
    servers = nameservers(_text("/etc/resolv.conf"))
    upstream = _text(_UPSTREAM_RESOLVERS)
    if servers == [_STUB_RESOLVER] and upstream:
        servers = nameservers(upstream)
    return len(servers)


def nameservers(text: str) -> list[str]:
    """Parse the ``nameserver`` lines of a ``resolv.conf``."""
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
