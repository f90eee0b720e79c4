"""SIMCom SIM800, SIM808, SIM868, SIM900 and SIM908 (GSM alone), on a UART.

Facts from the SIM800 series AT command manual. ``+SPIC`` is read as on the SIM7600.
"""

import re
from collections.abc import Iterator

from simdiag.driver import Dialect, Fact, Layer, ModemDriver, Probe, Reply, addresses_in

_BANDS = {
    "EGSM_MODE", "PGSM_MODE", "DCS_MODE", "PCS_MODE", "GSM850_MODE", "EGSM_DCS_MODE",
    "GSM850_PCS_MODE", "EGSM_PCS_MODE", "ALL_BAND",
}  # fmt: skip
_SINGLE = {"EGSM_MODE", "PGSM_MODE", "DCS_MODE", "PCS_MODE", "GSM850_MODE"}


def band(reply: Reply) -> Iterator[Fact]:
    """+CBAND?: the bands that the module may search, then, from some firmware, all it knows."""
    name = (reply.fields().text(0) or "").upper()
    if "=?" not in reply.command and len(reply.lines) == 1 and name in _BANDS:
        yield Fact("radio.mode_restricted", name in _SINGLE)
        yield Fact("radio.mode", name.removesuffix("_MODE").replace("_", " "))


def bearer(reply: Reply) -> Iterator[Fact]:
    """+SAPBR=2,1: bearer, 1 when connected (0 connecting, 2 closing, 3 closed), address."""
    values = reply.fields()
    number, address = values.integer(0), values.text(2) or ""
    if number is None or values.integer(1) != 1:
        return
    if re.fullmatch(r"[0-9.]{7,15}", address) and address.strip("0."):
        yield Fact("data.addresses", {number: [address]})


def own_address(reply: Reply) -> Iterator[Fact]:
    """+CIFSR: the address that AT+CIICR got, alone on its line and without an OK."""
    if found := addresses_in(reply.lines):
        yield Fact("data.addresses", {1: found})


def temperature(reply: Reply) -> Iterator[Fact]:
    """+CMTE?: whether warnings are on, then degrees Celsius; unasked it is a warning's number."""
    degrees = reply.fields().number(1)
    if degrees is not None and "=?" not in reply.command and -40 <= degrees <= 125:
        yield Fact("device.temperature_c", degrees)


_FORMS = (
    "+CENG: {count},{arfcn},{small*2},{mcc},{mnc},{bsic},{cell},{small*2},{lac},{small}",
    "+CENG: {count},{arfcn},{small},{neighbour},{cell},{mcc},{mnc},{lac}",
    "+CENG: {count},{mcc},{mnc},{lac},{cell},{bsic},{small}",
)
"""SIM800 AT command manual: ``+CENG``."""

DRIVER = ModemDriver(
    family="simcom-sim800",
    vendor="SIMCom",
    attempts=("AT+CIICR", "AT+SAPBR=1"),
    identify=r"(?<![A-Z])SIM(800|808|868|900|908)(?!\d)",
    dialect=Dialect(
        urc_prefixes=("*PSUTTZ", "*PSNWID", "DST:"),
        final_ok=frozenset({"SHUT OK"}),
    ),
    probes=(
        Probe("AT+SPIC", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+CBAND?", Layer.REGISTRATION),
        Probe("AT+SAPBR=2,1", Layer.DATA, reads_by_set=True),
    ),
    readers={
        "+CBAND:": band,
        "+SAPBR:": bearer,
        "AT+CIFSR": own_address,
        "+CMTE:": temperature,
    },
    forms=_FORMS,
)
