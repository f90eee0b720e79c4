"""Huawei modules ME909s/ME909u, ME906s/ME906e, MU709s and MU609.

The dialect is that of the sticks, whose readers in ``huawei_stick.py`` serve here too. The ports
lie otherwise: both the modem port and PCUI answer AT, and which of interfaces 0 and 2 is which
differs by module (2 on the ME909s: ssinyagin/wwan_udev_rules; 0 on the ME906e: DISTORTEC's log).
"""

from simdiag.driver import Dialect, Layer, ModemDriver, PortRole, Probe, usb

DRIVER = ModemDriver(
    family="huawei-me909",
    vendor="Huawei",
    match=usb(0x12D1, 0x1573, 0x15C1, 0x1C25),
    identify=r"(?<![A-Z0-9])(ME90[69]|MU[67]09)",
    ports={0: PortRole.AT_SECONDARY, 2: PortRole.AT_PRIMARY},
    dialect=Dialect(urc_prefixes=("^REJINFO:", "^STIN:", "^CSNR:")),
    probes=(
        Probe("AT^RFSWITCH?", Layer.DEVICE),
        Probe("AT^CHIPTEMP?", Layer.DEVICE),
        Probe("AT^CPIN?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT^ICCID?", Layer.SIM, unless="sim.iccid"),
        Probe("AT^SYSINFOEX", Layer.REGISTRATION),
        Probe("AT^SYSCFGEX?", Layer.REGISTRATION),
        Probe("AT^HCSQ?", Layer.RADIO),
        Probe("AT^HFREQINFO?", Layer.RADIO),
        Probe("AT^NDISSTATQRY?", Layer.DATA),
        Probe("AT^DHCP?", Layer.DATA),
        Probe("AT^DSFLOWQRY", Layer.COUNTERS),
    ),
)
