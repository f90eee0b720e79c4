"""SIMCom A7600/A7608/A7670/A7672 and SIM7670/SIM7672: LTE Cat 1 and Cat 4 modules (ASR, Qualcomm).

Their answers are read by ``simcom_sim7600.py``. They differ in what they say: ``+CPSI`` holds
indices, errors come in words, and the network's reason may stand in them
(``+CME ERROR: PLMN not allowed (#11)``, LilyGo-Modem-Series#231).

The id 1e0e:9011 is shared with the RNDIS mode of the SIM7600, whose ports lie the same
(interface 4 is AT, 5 the modem: espressif/esp-usb#76 for the A7672).
"""

from simdiag.driver import Dialect, Layer, ModemDriver, PortRole, Probe, usb

DRIVER = ModemDriver(
    family="simcom-a76xx",
    vendor="SIMCom",
    match=usb(0x1E0E, 0x9011),
    identify=r"(?<![A-Z0-9])(A76\d\d|SIM767[\dX])",
    ports={
        2: PortRole.DIAG,
        3: PortRole.GNSS,
        4: PortRole.AT_PRIMARY,
        5: PortRole.PPP,
    },
    dialect=Dialect(urc_prefixes=("+NETOPEN:", "+CIPEVENT", "PB DONE", "SMS DONE")),
    probes=(
        Probe("AT+CPMUTEMP", Layer.DEVICE),
        Probe("AT+SPIC", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT+CICCID", Layer.SIM, prefixes=("+ICCID:",), unless="sim.iccid"),
        Probe("AT+CNMP?", Layer.REGISTRATION),
        Probe("AT+CPSI?", Layer.RADIO),
    ),
)
