"""Examinations whose pages are looked at: one of each kind that a reader meets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from simdiag.bundle.build import redact
from simdiag.bundle.material import of_run
from simdiag.diagnose import diagnose
from simdiag.evidence import Evidence, Observation, Source
from simdiag.log import Examined
from simdiag.message import Translate
from simdiag.pseudonym import Pseudonyms
from simdiag.registry import profiles
from simdiag.report.page import Bundle, Tried, View, view_of
from simdiag.usage.ledger import Report, Row
from simdiag.usage.records import Amount, By, Method

ICCID, IMSI, IMEI = "89860012345678900003", "460001234567890", "004999010640000"
_CARD = f"ATI\nQuectel\nEC25\nRevision: EC25EFAR06A03M4G\nOK\nAT+CGSN\n{IMEI}\nOK\nAT+CIMI\n{IMSI}\nOK\nAT+QCCID\n+QCCID: {ICCID}\nOK\nAT+CPIN?\n+CPIN: READY\nOK\n"
LOGS = {
    "not_activated": _CARD + "AT+CEREG?\n+CEREG: 3,3,,,,0,2\nOK\nAT+CSQ\n+CSQ: 23,99\nOK\n",
    "healthy": _CARD + "AT+CEREG?\n+CEREG: 2,1,\"1A2B\",\"01C3D405\",7\nOK\nAT+CGPADDR\n+CGPADDR: 1,\"10.11.12.13\"\nOK\n",
    "inconclusive": "AT+CSQ\n+CSQ: 18,99\nOK\n",
}  # fmt: skip
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj.exe\u2066\x1b[31m\x00{{7*7}}"
SCENES = (*LOGS, "weak_signal", "hostile")
_WHEN = datetime(2026, 10, 1, 6, 5, tzinfo=UTC)


def view(scene: str, translate: Translate) -> View:
    """Return the view of a scene in a language."""
    evidence, extras = _material(scene)
    profile = profiles().by_id["china_mobile"]
    return view_of(diagnose(evidence, profile), evidence, translate, **extras)


def redacted(log: str, *reveal: str) -> Examined:
    """Return what a page shows of a log: its identifiers are replaced."""
    material = of_run(io.BytesIO(log.encode()), None, [])
    return redact(material, Pseudonyms(bytes(32), reveal)).examined


def _material(scene: str) -> tuple[Evidence, dict[str, Any]]:
    if scene == "weak_signal":
        return Evidence(_weak()), {"examined": _WHEN}
    if scene == "hostile":
        tried = [Tried(EVIL * 40, EVIL, EVIL)]
        return Evidence(_hostile()), {"tried": tried, "bundle": Bundle(EVIL, "x" * 900)}
    extras: dict[str, Any] = {"examined": _WHEN}
    if scene == "healthy":
        extras["usage"] = _usage()
    if scene == "not_activated":
        extras["tried"] = [Tried("Restarted the device", "no change", "1 October, 14:02")]
        extras["bundle"] = Bundle("e467b4dd", "de8c-3fcb-1bb8-8d17-d6f8")
    return redacted(LOGS[scene]).evidence, extras


def _weak() -> Iterator[Observation]:
    """A monitor's readings, one every two seconds, that sink below what is of use."""
    for number in range(30):
        rsrp, sinr = -104 - number * 0.6 + number % 3, 9 - number * 0.5
        line = f'+QENG: "servingcell",…,{rsrp:.0f},{sinr:.0f}'
        source = Source(number, 'AT+QENG="servingcell"', line)
        yield Observation("signal.rsrp_dbm", round(rsrp), source, number * 2.0)
        yield Observation("signal.rsrq_db", -9 - number // 4, source, number * 2.0 + 0.1)
        yield Observation("signal.sinr_db", sinr, source, number * 2.0 + 0.1)
    yield Observation("sim.state", "READY", Source(90, "AT+CPIN?", "+CPIN: READY"), 60.0)
    status = Source(91, "AT+CEREG?", "+CEREG: 0,2")
    yield Observation("registration.eps.status", 2, status, 60.0)


def _hostile() -> Iterator[Observation]:
    pile = "Z" + "\u0301" * 60
    line = EVIL + "A" * 5000
    for number, (name, value) in enumerate({
        "device.manufacturer": EVIL + "A" * 5000, "device.model": pile, "device.revision": "W" * 5000,
        "operator.name": EVIL + "漢" * 400, "sim.state": "READY",
        "registration.eps.status": 3, "registration.reject_cause": 2,
    }.items()):  # fmt: skip
        yield Observation(name, value, Source(number, EVIL, line), float(number))


def _usage() -> Report:
    def row(program: str, received: int, sent: int, background: int) -> Row:
        key = {"program": program, "user": "somebody", "unit": "user@1000.service", "container": ""}
        amount = Amount(received, sent, 1, 1)
        return Row(key, Method.KERNEL, amount, received + sent - background, background, 0)

    rows = (
        row("firefox", 5_200_000_000, 160_000_000, 0),
        row("apt-get", 2_900_000_000, 12_000_000, 2_912_000_000),
        row("a-program-with-a-very-long-name-that-wraps-" + EVIL, 52_000_000, 40_000_000, 0),
    )
    local = Amount(8_152_000_000, 212_000_000, 3, 3)
    return Report(By.PROCESS, None, None, ("wwan0",), Amount(8_200_000_000, 220_000_000, 4, 4),
                  rows, local, Method.KERNEL)  # fmt: skip
