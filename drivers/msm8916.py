"""UFI sticks: WiFi routers with MSM8916 whose firmware can show a modem mode on USB.

Facts from Qualcomm's $QCRSRP and $QCRSRQ as modems with the same baseband print them, and from
reports of owners. The firmware calls itself by its baseband; few brands print a model.
"""

from collections.abc import Iterator

from simdiag.driver import (
    N_,
    Fact,
    Layer,
    ModemDriver,
    PortRole,
    Probe,
    Reply,
    usb,
)


def reference_power(reply: Reply) -> Iterator[Fact]:
    """$QCRSRP?: PCI, EARFCN, RSRP in dBm for each cell; the first is the serving one."""
    values = reply.fields()
    pci, channel, level = values.integer(0), values.integer(1), values.number(2)
    if pci is None or channel is None or level is None or not -157 <= level <= -31:
        return
    if 0 <= pci <= 503 and 0 < channel < 0x40000:
        yield Fact("cell.pci", pci)
        yield Fact("cell.earfcn", channel)
    yield Fact("signal.rsrp_dbm", level)


def reference_quality(reply: Reply) -> Iterator[Fact]:
    """$QCRSRQ?: PCI, EARFCN, RSRQ in dB for each cell; the first is the serving one."""
    level = reply.fields().number(2)
    if level is not None and -43 <= level < 0:
        yield Fact("signal.rsrq_db", level)


DRIVER = ModemDriver(
    family="msm8916",
    vendor="Qualcomm",
    match=usb(0x05C6, 0x9091),
    identify=r"MPSS\.DPM|M8936FAAAANUZM|\bUFI\d{3}|HIMI_U01|\bUZ801|\bUF896",
    ports={0: PortRole.DIAG, 1: PortRole.AT_PRIMARY},
    probes=(
        Probe("AT+WS46?", Layer.REGISTRATION),
        Probe("AT$QCRSRP?", Layer.RADIO),
        Probe("AT$QCRSRQ?", Layer.RADIO),
    ),
    readers={
        "$QCRSRP:": reference_power,
        "$QCRSRQ:": reference_quality,
    },
    compositions={
        (0x05C6, 0x90B4): N_(
            "Android stick in USB tethering mode: a network link with its own web page and no AT "
            "port"
        ),
    },
)
