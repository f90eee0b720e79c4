"""Nordic nRF9160, nRF9151 and nRF9161 (LTE-M and NB-IoT), on a UART.

Facts from the nRF91 AT commands reference, where no other source stands beside a reader.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Dialect,
    Fact,
    Fields,
    Layer,
    ModemDriver,
    Probe,
    Reply,
    decode_iccid,
    rsrp_level,
)


def voltage(reply: Reply) -> Iterator[Fact]:
    """%XVBAT: millivolts. These chips run on 3.0 to 5.5 V, other modules need 3.3 V."""
    millivolts = reply.fields().integer(0)
    if millivolts is not None and (2000 <= millivolts < 3000 or 3300 < millivolts <= 6000):
        yield Fact("device.voltage_mv", millivolts)


def temperature(reply: Reply) -> Iterator[Fact]:
    """%XTEMP?: degrees Celsius."""
    degrees = reply.fields().integer(0)
    if degrees is not None and "=?" not in reply.command and -40 <= degrees <= 125:
        yield Fact("device.temperature_c", degrees)


def card(reply: Reply) -> Iterator[Fact]:
    """%XSIM?: 1 is an initialised card; 0 may as well be a radio that was never switched on."""
    if reply.fields().integer(0) == 1:
        yield Fact("sim.inserted", True)


def card_number(reply: Reply) -> Iterator[Fact]:
    """%XICCID: the ICCID, with the filler F behind it."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def system_mode(reply: Reply) -> Iterator[Fact]:
    """%XSYSTEMMODE?: LTE-M, NB-IoT and GNSS switched on, then which of the first two goes first."""
    values = reply.fields()
    lte_m, narrow, gnss = (values.integer(i) for i in range(3))
    if "=?" in reply.command or lte_m not in (0, 1) or narrow not in (0, 1):
        return
    words = [name for name, on in (("LTE-M", lte_m), ("NB-IoT", narrow)) if on]
    if words or gnss == 1:
        yield Fact("radio.mode_restricted", len(words) < 2)
        yield Fact("radio.mode", " and ".join(words) if len(words) > 1 else _only(words))


def _only(words: list[str]) -> str:
    return f"{words[0] if words else 'GNSS'} only"


_TECHNOLOGIES = {7: "LTE-M", 9: "NB-IoT"}


def monitor(reply: Reply) -> Iterator[Fact]:
    """%XMONITOR: status; where there is a cell: two names, PLMN, area, technology, band, cell.

    Then PCI, EARFCN, RSRP as an index, SNR (0 is -24 dB).
    """
    values = reply.fields()
    status = values.integer(0)
    if status is None or not (0 <= status <= 5 or status == 90):
        return
    yield Fact("registration.eps.status", status)
    if plmn := re.fullmatch(r"\d{5,6}", values.text(3) or ""):
        yield Fact("operator.plmn", plmn[0])
        if name := values.text(1):
            yield Fact("operator.name", name[:60])
    if (technology := values.integer(5)) in _TECHNOLOGIES:
        yield Fact("cell.technology", _TECHNOLOGIES[technology])
        yield from _cell(values)


def _cell(values: Fields) -> Iterator[Fact]:
    if (band := values.integer(6)) is not None and 0 < band <= 88:
        yield Fact("cell.band", f"B{band}")
    if (pci := values.integer(8)) is not None and 0 <= pci <= 503:
        yield Fact("cell.pci", pci)
    if (channel := values.integer(9)) is not None and channel > 0:
        yield Fact("cell.earfcn", channel)
    if (level := rsrp_level(values.integer(10))) is not None:
        yield Fact("signal.rsrp_dbm", level)
    if (snr := values.integer(11)) is not None and 0 <= snr <= 64:
        yield Fact("signal.sinr_db", snr - 24)


def rejected(reply: Reply) -> Iterator[Fact]:
    """+CNEC_EMM, unsolicited: the cause with which the network refused the registration."""
    cause = reply.fields().integer(0)
    if cause is not None and 0 < cause <= 111:
        yield Fact("registration.reject_cause", cause)


def session_refused(reply: Reply) -> Iterator[Fact]:
    """+CNEC_ESM, unsolicited: the cause with which a connection was refused, then its number."""
    cause = reply.fields().integer(0)
    if cause is not None and 0 < cause <= 111:
        yield Fact("data.last_error", cause)


_FORMS = (
    "%XMONITOR: {state}[,{name*2},{plmn},{tac},{state},{band},{cell},{pci},{earfcn},"
    "{small*2},{bits*3}[,{bits}]]",
    "%CONEVAL: {state}[,{state*2},{small*3},{cell},{plmn},{pci},{earfcn},{band},{small*6}]",
    "%NCELLMEAS: {state}[,{cell},{plmn},{tac},{frequency},{earfcn},{neighbour},{small*2},"
    "{time}[,{earfcn},{neighbour},{small*3}]*3]",
    "%CESQ: {small},{state},{small},{state}",
)
"""nRF91 AT commands reference."""

DRIVER = ModemDriver(
    family="nordic-nrf91",
    vendor="Nordic Semiconductor",
    identify=r"nRF91[\dx]\d|Nordic Semiconductor",
    dialect=Dialect(
        urc_prefixes=(
            "+CNEC_EMM:", "+CNEC_ESM:", "+CSCON:", "%MDMEV:", "%XMODEMSLEEP:", "%XTIME:",
            "%CESQ:",
        )
    ),
    probes=(
        Probe("AT%XVBAT", Layer.DEVICE),
        Probe("AT%XTEMP?", Layer.DEVICE),
        Probe("AT%XSIM?", Layer.SIM),
        Probe('AT+CPINR="SIM PIN"', Layer.SIM, unless="sim.pin_retries", reads_by_set=True),
        Probe("AT%XICCID", Layer.SIM, unless="sim.iccid"),
        Probe("AT%XSYSTEMMODE?", Layer.REGISTRATION),
        Probe("AT%XMONITOR", Layer.RADIO),
    ),
    readers={
        "%XVBAT:": voltage,
        "%XTEMP:": temperature,
        "%XSIM:": card,
        "%XICCID:": card_number,
        "%XSYSTEMMODE:": system_mode,
        "%XMONITOR:": monitor,
        "+CNEC_EMM:": rejected,
        "+CNEC_ESM:": session_refused,
    },
    forms=_FORMS,
)  # fmt: skip
