"""Sierra Wireless before the MC74xx: MC87xx/MC88xx, MC77xx, MC73xx, EM73xx, EM77xx, AirCard 3xxU.

Their ``!GSTATUS`` and ``!PCINFO`` say the same in other words; the readers of ``sierra_mc74xx``
read both. Facts from the AT command reference for UMTS modems (2012) and from public threads.
"""

from simdiag.driver import Dialect, Layer, ModemDriver, PortRole, Probe, usb

DRIVER = ModemDriver(
    family="sierra-mc7xxx",
    vendor="Sierra Wireless",
    match=usb(0x1199, 0x68A2, 0x68A3, 0x68AA, 0x68C0, 0x901C, 0x901F, 0x9041, 0x9063),
    identify=r"\b(?:MC[78][378]\d\d|EM7[37]\d\d|(?:AC|AirCard )?3[0-4]\dU)\b",
    ports={0: PortRole.DIAG, 2: PortRole.GNSS, 3: PortRole.AT_PRIMARY},
    dialect=Dialect(urc_prefixes=("!NOTIFY:",)),
    probes=(
        Probe("AT!PCINFO?", Layer.DEVICE),
        Probe("AT!PCTEMP?", Layer.DEVICE),
        Probe("AT!PCVOLT?", Layer.DEVICE),
        Probe("AT+CPINC?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT!ICCID?", Layer.SIM, unless="sim.iccid"),
        Probe("AT!SELRAT?", Layer.REGISTRATION),
        Probe("AT!BAND?", Layer.REGISTRATION),
        Probe("AT!GSTATUS?", Layer.RADIO),
    ),
)
