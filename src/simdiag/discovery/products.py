"""What is known of makers, products and kernel drivers: facts, none of them of one family."""

from __future__ import annotations

from simdiag.message import N_

# USB vendor ids of makers of modems and portable WiFi devices, a fact each. A driver file
# claims products; this table only says that an unclaimed product may well be a modem.
MAKERS = {
    0x05C6: "Qualcomm", 0x0AF0: "Option", 0x0BDB: "Ericsson", 0x0F3D: "AirPrime",
    0x1199: "Sierra Wireless", 0x12D1: "Huawei", 0x1410: "Novatel", 0x1508: "Fibocom",
    0x1546: "u-blox", 0x1782: "Unisoc", 0x19D2: "ZTE", 0x1BBB: "Alcatel", 0x1BC7: "Telit",
    0x1C9E: "Longcheer", 0x1E0E: "SIMCom", 0x1E2D: "Cinterion", 0x2949: "Neoway",
    0x2C7C: "Quectel", 0x2CB7: "Fibocom", 0x2DEE: "MeiG", 0x2ECC: "ASR", 0x305A: "GosuncnWelink",
    0x33F8: "Rolling Wireless", 0x3566: "Huawei (Brovi)",
    0x0E8D: "MediaTek", 0x1004: "LG", 0x07D1: "D-Link", 0x2001: "D-Link", 0x2357: "TP-Link",
}  # fmt: skip

# Of these, makers whose ids mostly stand for phones, WiFi and Ethernet adapters or drives: only
# a kernel driver that serves nothing but modems shows that a product of theirs is one.
MIXED_MAKERS = {0x0E8D, 0x1004, 0x07D1, 0x2001, 0x2357}

# u-blox satellite receivers: CDC-ACM, and the id of a modem maker, but no modem.
NOT_MODEMS = {(0x1546, pid) for pid in range(0x01A4, 0x01AA)}

WEB_UI = N_(
    "router mode: the device offers a network link with its own web page and no AT port; "
    "open the web page, or switch the device to modem mode"
)
STORAGE = N_(
    "storage mode: the device still shows its drive with Windows drivers and has not switched to "
    "modem mode (usb_modeswitch does that)"
)
ANDROID = N_(
    "Android stick in USB tethering mode: a network link with its own web page and no AT port"
)
DOWNLOAD = N_(
    "emergency download mode: the firmware did not start, so the device waits for a flashing tool "
    "and answers no AT command"
)

UNBOUND = N_(
    "the kernel has no serial driver for this product: its serial interfaces are there, but "
    "unused (write its vendor and product id to /sys/bus/usb-serial/drivers/option1/new_id)"
)
CONTROL_ONLY = N_("QMI or MBIM only: a control channel and a network link, but no AT port")
NO_AT = N_("only diagnostic or GNSS ports")
NOTHING = N_("no serial port and no network link")

# Products without an AT port in the mode that this id stands for. A driver file's own
# ``compositions`` go first; this is for what no driver file covers.
COMPOSITIONS = {
    (0x19D2, 0x1403): WEB_UI,
    (0x19D2, 0x1405): WEB_UI,
    (0x19D2, 0x1225): STORAGE,
    (0x19D2, 0x2000): STORAGE,
    (0x1BBB, 0xF000): STORAGE,
    (0x2ECC, 0x3012): WEB_UI,
    (0x05C6, 0x9024): ANDROID,
    (0x05C6, 0x9025): ANDROID,
    (0x05C6, 0xF000): STORAGE,
}

# Boot loaders: they may have a serial port (qcserial binds 05c6:9008), but not for AT commands.
DOWNLOAD_MODES = {(0x05C6, 0x9008), (0x19D2, 0x0076), (0x1782, 0x4D00)}
COMPOSITIONS |= dict.fromkeys(DOWNLOAD_MODES, DOWNLOAD)

# Kernel drivers, as an interface's ``driver`` link names them. The first serve nothing but modems.
MODEM_DRIVERS = {
    "option", "qcserial", "sierra", "hso", "sierra_net",
    "qmi_wwan", "cdc_mbim", "huawei_cdc_ncm",
}  # fmt: skip
CLASS_DRIVERS = {"cdc_acm", "cdc_wdm", "cdc_ether", "cdc_ncm", "rndis_host"}  # any maker's device
UART_MAKERS = {0x0403, 0x067B, 0x10C4, 0x1A86, 0x04E2}  # FTDI, Prolific, SiLabs, WCH, MaxLinear
