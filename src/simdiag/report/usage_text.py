"""The words of a usage report, the same on the terminal and in the page."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from simdiag.evidence import Evidence
from simdiag.message import N_, Message, Translate, message
from simdiag.redact import Redactor
from simdiag.sizes import size
from simdiag.usage.budget import Standing, zone_of
from simdiag.usage.ledger import PARTS, Report, Row
from simdiag.usage.records import FORWARDING_UNSEEN, Amount, By, Method, Remote, total

TITLES = {
    By.PROCESS: N_("Program"),
    By.UNIT: N_("Unit"),
    By.USER: N_("User"),
    By.CLIENT: N_("Client"),
    By.REMOTE: N_("Other end"),
    By.PROTOCOL: N_("Protocol"),
    By.DAY: N_("Day"),
    By.HOUR: N_("Hour"),
}
_METHODS = {
    Method.KERNEL: N_("counted in the kernel: exact"),
    Method.SHARES: N_("counted in the kernel; what a tunnel carried is shared out by estimate"),
    Method.SOCKETS: N_("statistics of TCP sockets: payload exact, headers estimated, no UDP"),
    Method.INTERFACE: N_("the interface's total only"),
}
_LOSSES = {
    "map_overflow": N_("{count} packets found no room in the kernel's table."),
    "client_overflow": N_("{count} packets were of more devices than the kernel's table holds."),
    FORWARDING_UNSEEN: N_(
        "What was forwarded for other devices or containers, if anything, is part of what is "
        "unattributed: this computer's kernel does not count it (Linux 5.12 or newer does)."
    ),
    "socket_endings": N_("The kernel could not tell of the end of some connections ({count})."),
}
_LOSS = N_("{count} were not filed: {what}.")
_REST = {
    "local": N_("this computer"),
    "forwarded": N_("forwarded for other devices"),
    "unattributed": N_("unattributed"),
}
_REMOTES = {
    Remote.INTERNET: N_("the Internet"),
    Remote.DEVICE: N_("the modem itself: its web page, name look-ups"),
    Remote.LOCAL: N_("other devices on the link"),
    Remote.UNKNOWN: N_("not known"),
}
_NEAR = {
    "device_bytes": N_("{size} to the modem itself"),
    "local_bytes": N_("{size} on the link"),
}
_UNCOUNTED = {
    "device_bytes": N_(
        "{size} of all this went to the modem itself (its own web page, name look-ups): no "
        "operator counts that."
    ),
    "local_bytes": N_(
        "{size} of all this went to other devices on the link: no operator counts that."
    ),
}
_MUCH = 1_000_000
"""So many bytes are worth a word, however small a part they are."""
_SHAPES = {By.DAY: "%Y-%m-%d", By.HOUR: "%Y-%m-%d %H:%M"}
_TOP = 3
_HOURS = 4 * 24


def name_of(row: Row, by: By, _: Translate) -> tuple[str, str]:
    """Return a row's name and, of a program, its container or unit; as they were recorded."""
    key = row.key
    if by in _SHAPES:
        return when(key["start"], by), ""
    if by is By.USER:
        return key["user"] or _(N_("not known")), ""
    if by is By.CLIENT:
        return client_name(key["client"]), ""
    if by is By.REMOTE:
        return _(_REMOTES[Remote(key["remote"])]), ""
    if by is By.PROTOCOL:
        return key["protocol"] or _(N_("not known")), ""
    place = key["container"] or key["unit"]
    if by is By.UNIT:
        return place or _(N_("none")), ""
    return key["program"] or _(N_("not known")), place


def near(row: Row, _: Translate) -> str:
    """Return how much of a row did not go over the air, where that is a per cent of it or more."""
    if "remote" in row.key:
        return ""
    found = {name: getattr(row, name) for name in _NEAR}
    return ", ".join(
        _(_NEAR[name]).format(size=size(part))
        for name, part in found.items()
        if part and 100 * part >= row.bytes
    )


def when(start: float, by: By) -> str:
    """Return an hour or a day in local time; of an hour that occurs twice, with its offset."""
    local = datetime.fromtimestamp(start)  # noqa: DTZ006
    twice = local.replace(fold=0).timestamp() != local.replace(fold=1).timestamp()
    return local.astimezone().strftime(_SHAPES[by] + (" %z" if twice and by is By.HOUR else ""))


def client_name(address: str) -> str:
    """Return the address of a device behind this computer; of one that the world knows, its ends.

    Private addresses tell nobody anything, and are how the device is known to its owner.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.is_private or known.is_link_local:
        return address
    groups = address.split(":" if known.version == 6 else ".")
    return f"{groups[0]}…{groups[-1]}"


def rest_title(name: str, report: Report, _: Translate) -> str:
    """Return the title of what :func:`simdiag.usage.export.remainder` yields."""
    if name == "interface":
        return _(N_("interface {names}")).format(names=", ".join(report.links))
    if name == "unattributed" and FORWARDING_UNSEEN in report.losses:
        return _(N_("unattributed, and forwarded (clients not known)"))
    return _(_REST[name])


def shortened(report: Report, most: int) -> tuple[Sequence[Row], Row | None, int]:
    """Return the biggest rows, what the others come to, and how many those are.

    Hours and days have an order of their own: of those none is left out.
    """
    if len(report.rows) <= most or report.by in _SHAPES:
        return report.rows, None, 0
    rest = report.rows[most - 1 :]
    sums = {name: sum(getattr(row, name) for row in rest) for name in PARTS}
    others = replace(rest[0], amount=total(row.amount for row in rest), **sums)
    return report.rows[: most - 1], others, len(rest)


def remarks(report: Report, _: Translate) -> Iterator[Message]:
    """Yield how it was counted, whose the most of it is, how much background, what is missing."""
    if not report.interface and not report.rows:
        yield Message(N_("No traffic was recorded in this period."))
    else:
        yield message(N_("Method: {method}."), method=Message(_METHODS[report.method]))
    if report.damaged:
        yield Message(N_("The database is damaged: this is what can still be read of it."))
    for name, text in _UNCOUNTED.items():
        part = getattr(report, name)
        if part >= _MUCH or (part and 100 * part >= both(report.interface)):
            yield message(text, size=size(part))
    back, front = report.share("background_bytes"), report.share("foreground_bytes")
    if report.by is By.PROCESS and report.rows and back is not None:
        whole = sum(row.bytes for row in report.rows)
        top = (
            f"{name_of(row, report.by, _)[0]} {round(100 * row.bytes / whole)} %"
            for row in report.rows[:_TOP]
            if whole
        )
        yield message(N_("Top talkers: {names}."), names=", ".join(top))
    if back is not None and front is not None and report.by is not By.CLIENT:
        text = N_("An estimate: {back} % background, {front} % foreground, the rest is not known.")
        yield message(text, back=back, front=front)
    unseen = FORWARDING_UNSEEN in report.losses
    if report.forwarded is None and report.by is By.CLIENT and not unseen:
        yield message(N_("Nothing was counted that was forwarded for other devices."))
    for what, count in sorted(report.losses.items()):
        yield message(_LOSSES.get(what, _LOSS), count=count, what=what)


def step_of(first: float, last: float) -> By:
    """Return whether a plot from ``first`` to ``last`` has a bar an hour or a bar a day."""
    return By.HOUR if last - first <= _HOURS * 3600 else By.DAY


def both(amount: Amount) -> int:
    """Return the bytes of both directions."""
    return amount.rx_bytes + amount.tx_bytes


def budget_lines(found: Standing) -> Iterator[tuple[Message, bool]]:
    """Yield how a plan stands, each sentence with whether it is a warning."""
    budget, zone = found.budget, zone_of(found.budget.zone)

    def day(moment: float) -> str:
        return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d")

    text = N_("{used} of {limit} used since {since}; the plan begins anew on {until}.")
    yield message(
        text, used=size(found.used_bytes), limit=size(budget.limit_bytes), since=day(found.since),
        until=day(found.until),
    ), False  # fmt: skip
    if found.percent >= 100:
        yield message(N_("The plan is used up.")), True
        return
    if found.reached is not None:
        yield message(N_("Over {mark} % of the plan are used."), mark=found.reached), True
    foreseen = found.forecast
    if foreseen is None:
        yield message(N_("Too few days are recorded to tell how long it will last.")), False
        return
    daily = size(foreseen.daily)
    if foreseen.earliest is None:
        text = N_("At {daily} a day it lasts until it begins anew.")
        yield message(text, daily=daily), False
    elif foreseen.latest is None:
        text = N_("At {daily} a day it may run out from {day} on, or last until it begins anew.")
        yield message(text, daily=daily, day=day(foreseen.earliest)), False
    else:
        text = N_("At {daily} a day it runs out between {first} and {last}.")
        first, last = day(foreseen.earliest), day(foreseen.latest)
        yield message(text, daily=daily, first=first, last=last), True


def usage_line(evidence: Evidence, redactor: Redactor, _: Translate) -> str:
    """Return what an examination found out of who used the data, in a line; empty if nothing."""
    today, month = evidence.value("usage.today_bytes"), evidence.value("usage.month_bytes")
    if today is None or month is None:
        return ""
    text = _(N_("{today} today, {month} in 30 days"))
    parts = [text.format(today=size(today), month=size(month))]
    back = evidence.value("usage.background_percent")
    if back is not None:
        parts.append(_(N_("{percent} % in the background (estimate)")).format(percent=back))
    names = [entry["program"] or "?" for entry in evidence.value("usage.top_programs", [])[:_TOP]]
    if names:
        parts.append(_(N_("most: {names}")).format(names=redactor.text(", ".join(names))))
    budget = evidence.value("usage.budget")
    if budget is not None:
        text = _(N_("{percent} % of {limit} used this month"))
        parts.append(text.format(percent=budget["percent"], limit=size(budget["limit_bytes"])))
    return "; ".join(parts)
