"""What simdiag brings for udev and systemd: the rules for modems' ports, and services.

The templates beside this file hold all that is fixed; what can be discovered (products,
the group of serial ports, where simdiag is installed) is filled in here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simdiag.driver import ModemDriver

RULES = "70-simdiag.rules"
SERVICES = {
    "watch": "simdiag-watch.service", "usage": "simdiag-usage.service",
    "tickets": "simdiag-tickets.service",
}  # fmt: skip
"""Each service by what it does."""
TIMERS = {"tickets": "simdiag-tickets.timer"}
"""What starts a service again and again; the others run on."""
OF_USERS = {"tickets"}
"""Services of a user's own systemd; the others are the computer's."""
PLACES = {RULES: "etc/udev/rules.d"} | {
    unit: "etc/systemd/" + ("user" if name in OF_USERS else "system")
    for units in (SERVICES, TIMERS) for name, unit in units.items()
}  # fmt: skip
"""Where each file belongs, below the root of the file system."""
OWN_PLACES = {units[name]: "systemd/user" for units in (SERVICES, TIMERS) for name in OF_USERS}
"""Where a user's own files belong, below the folder of his settings."""

_PER_LINE = 12


def udev_rules(drivers: Iterable[ModemDriver], group: str) -> str:
    """Return the udev rules for every product that a driver claims (udev(7))."""
    from simdiag.discovery import MODEM_DRIVERS  # takes its time

    return _filled(
        RULES,
        GROUP=group,
        BY_DRIVER=f'DRIVERS=="{"|".join(sorted(MODEM_DRIVERS))}", {_FOUND}',
        BY_PRODUCT="\n".join(_product_rules(drivers)),
    )


def units(service: str) -> list[str]:
    """Return the names of the files that a service needs."""
    return [kind[service] for kind in (SERVICES, TIMERS) if service in kind]


def service_unit(name: str, command: Iterable[str], group: str) -> str:
    """Return the systemd unit of that name; a service runs ``command`` (systemd.service(5))."""
    return _filled(name, GROUP=group, EXEC=" ".join(map(_quoted, command)))


_FOUND = 'GOTO="simdiag_modem"'


def _product_rules(drivers: Iterable[ModemDriver]) -> Iterator[str]:
    """Yield a rule for some products of a vendor; both attributes are of one USB device."""
    claimed: dict[int, set[int | None]] = defaultdict(set)
    for match in (match for driver in drivers for match in driver.match):
        claimed[match.vid].add(match.pid)
    for vid, products in sorted(claimed.items()):
        vendor = f'ATTRS{{idVendor}}=="{vid:04x}", '
        if None in products:
            yield vendor + _FOUND
            continue
        named = sorted(pid for pid in products if pid is not None)
        for start in range(0, len(named), _PER_LINE):
            pids = "|".join(f"{pid:04x}" for pid in named[start : start + _PER_LINE])
            yield f'{vendor}ATTRS{{idProduct}}=="{pids}", {_FOUND}'


def _quoted(word: str) -> str:
    """Quote a word of a command line as systemd reads it."""
    escaped = re.sub(r'(["\\])', r"\\\1", word).replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s;'\"\\]", word) else escaped


def _filled(name: str, **values: str) -> str:
    """Return a template with its ``@NAME@`` marks replaced."""
    text = resources.files(__name__).joinpath(name).read_text("utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)
