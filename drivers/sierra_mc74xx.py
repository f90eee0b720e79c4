"""Sierra Wireless MC74xx/EM74xx, EM75xx/EM76xx, EM919x and the kindred WP76xx, WP77xx, RC76xx.

Facts from the AT command references of EM74xx/MC74xx and WP75xx-WP77xx and from replies in public
threads. Most answers are label tables, often without a prefix. Labels are searched one by one:
some logs have lost the tabs between the columns. These readers serve the older Sierra cards too.
"""

import re
from collections.abc import Iterator

from simdiag.driver import (
    Dialect,
    Fact,
    Layer,
    ModemDriver,
    PortRole,
    Probe,
    Reply,
    decode_iccid,
    usb,
)

_POWER_STATES = (
    (re.compile(r"low ?power|\(?LPM\)?", re.IGNORECASE), "low power"),
    (re.compile(r"factory", re.IGNORECASE), "factory test"),
    (re.compile(r"offline", re.IGNORECASE), "offline"),
    (re.compile(r"online", re.IGNORECASE), "online"),
)


def _power_state(text: str) -> Iterator[Fact]:
    """``ONLINE``, ``Low Power Mode``, ``LowPowerMode``, ``0 (LPM)``; transitions are left out."""
    if re.search(r"progress|entering", text, re.IGNORECASE):
        return
    for pattern, mode in _POWER_STATES:
        if pattern.search(text):
            yield Fact("device.mode", mode)
            return


# ---- device ------------------------------------------------------------------------------
def power_control(reply: Reply) -> Iterator[Fact]:
    """!PCINFO?: state of the radio, and who keeps it off (``LPM voters``, ``LPM force flags``).

    Voters: W_DISABLE is the card's pin (switch of the laptop), User a command of the host,
    IMSWITCH a mismatch of firmware and carrier image.
    """
    for line in reply.lines:
        label, _, rest = line.partition(":")
        if label.strip() == "State":
            yield from _power_state(rest)
        elif re.match(r"\s*LPM (?:voters|force flags)", line):
            voters = re.findall(r"(\w+)\s*:\s*([01])", line)
            against = [name for name, vote in voters if vote == "1"]
            if against:
                yield Fact("radio.off_reason", ", ".join(against))


def image_preference(reply: Reply) -> Iterator[Fact]:
    """!IMPREF?, !GOBIIMPREF?: preferred and current image; the last lines name a mismatch.

    With a mismatch the module stays in low power mode until the image is right (thread 21083 of
    the maker's forum; the QMI description of the power control flags).
    """
    ends = [line.strip() for line in reply.lines]
    wrong = [end.removesuffix(" mismatch") for end in ends if end.endswith(" mismatch")]
    if wrong:
        yield Fact("device.image_mismatch", ", ".join(wrong)[:100])


def temperature(reply: Reply) -> Iterator[Fact]:
    """!PCTEMP?: ``Temp state`` and ``Temperature: 33.00 C``."""
    yield from _degrees("\n".join(reply.lines))


def _degrees(text: str) -> Iterator[Fact]:
    """Read degrees Celsius; a number with a letter behind it was garbled (``3t 5`` was seen)."""
    found = re.search(r"\bTemperature:\s*(-?\d{1,3}(?:\.\d+)?)(?=\s|$)", text)
    if found and -40 <= (degrees := _number(found[1])) <= 150:
        yield Fact("device.temperature_c", degrees)


def _number(text: str) -> float | int:
    """Read ``-92`` and ``-14.0`` as whole numbers, ``-12.8`` as it is."""
    value = float(text)
    return int(value) if value.is_integer() else value


def voltage(reply: Reply) -> Iterator[Fact]:
    """!PCVOLT?: ``Volt state`` and ``Power supply voltage: 3363 mV``.

    A card in a slot of 3.3 V is well from 3.2 V on, so the module's own state decides: a low
    number that it calls normal is left out.
    """
    text = "\n".join(reply.lines)
    state = re.search(r"\bVolt state:\s*([A-Za-z ]+)", text)
    level = re.search(r"\bPower supply voltage:\s*(\d{4,5}) mV", text)
    if not level:
        return
    millivolts = int(level[1])
    if millivolts >= 3300 or (state and "normal" not in state[1].lower()):
        yield Fact("device.voltage_mv", millivolts)


_NETWORKS = (("mbim", "MBIM"), ("rmnet", "QMI"), ("ecm", "ECM"), ("rndis", "RNDIS"))


def composition(reply: Reply) -> Iterator[Fact]:
    """!USBCOMP?: ``Interface bitmask: 0000100D (diag,nmea,modem,mbim)``."""
    found = re.search(r"bitmask:\s*[0-9A-Fa-f]+\s*\(([^)]*)\)", "\n".join(reply.lines))
    for word, mode in _NETWORKS:
        if found and word in found[1].lower():
            yield Fact("usb.network_mode", mode)
            return


# ---- SIM ---------------------------------------------------------------------------------
def card_number(reply: Reply) -> Iterator[Fact]:
    """!ICCID?: the number of the card."""
    if number := decode_iccid(reply.text):
        yield Fact("sim.iccid", number)


def pin_counter(reply: Reply) -> Iterator[Fact]:
    """+CPINC?: tries left of PIN, PIN2, PUK, PUK2 (as ModemManager reads it)."""
    values = reply.fields()
    for name, index, most in (("sim.pin_retries", 0, 3), ("sim.puk_retries", 2, 10)):
        if (left := values.integer(index)) is not None and 0 <= left <= most:
            yield Fact(name, left)


def slot(reply: Reply) -> Iterator[Fact]:
    """!UIMS?: the slot in use, counted from 0 (given here from 1, as it is printed on boards)."""
    number = reply.fields().integer(0)
    if number is not None and 0 <= number <= 3:
        yield Fact("sim.slot", number + 1)


# ---- registration ------------------------------------------------------------------------
def technology(reply: Reply) -> Iterator[Fact]:
    """!SELRAT?: index and name, ``00, Automatic``, ``06, LTE Only``, ``11, UMTS and LTE Only``.

    ``GSM and UMTS Only`` is all that a 3G card can do, so it is called no restriction.
    """
    index, _, name = reply.text.partition(",")
    name = name.strip()[:40]
    if "=?" in reply.command or not re.fullmatch(r"\d\d?", index.strip()) or not name:
        return
    words = name.lower()
    wide = "umts" in words and ("lte" in words or "gsm" in words)
    yield Fact("radio.mode_restricted", "only" in words and not wide)
    yield Fact("radio.mode", "automatic" if int(index) == 0 else name.removesuffix(" Only"))


def bands(reply: Reply) -> Iterator[Fact]:
    """!BAND?: ``00, All bands`` is free; any other index narrows the bands.

    Only a narrowing is reported, so that it does not undo what !SELRAT said.
    """
    if "=?" in reply.command:
        return
    for line in reply.lines:
        index, _, rest = (part.strip() for part in line.removeprefix("!BAND:").partition(","))
        name = re.split(r",|\s\s", rest, maxsplit=1)[0]
        if name and index != "00" and re.fullmatch(r"[0-9A-Fa-f]{2}", index):
            yield Fact("radio.mode_restricted", True)
            yield Fact("radio.mode", f"bands {name[:40]}")
            return


# ---- radio -------------------------------------------------------------------------------
_TECHNOLOGIES = {"LTE": "LTE", "WCDMA": "WCDMA", "UMTS": "WCDMA", "GSM": "GSM", "NR5G": "NR"}


def status(reply: Reply) -> Iterator[Fact]:
    """!GSTATUS?: table of labels: temperature, power mode, system, band, states, levels.

    The lines of LTE, NR and WCDMA differ, and so do those of the generations of modules.
    """
    text = "\n".join(reply.lines)
    yield from _degrees(text)
    if mode := re.search(r"\bMode:\s*([A-Z][A-Z ]+)", text):
        yield from _power_state(mode[1])
    if (system := re.search(r"System mode:\s*(\w+)", text)) and system[1] in _TECHNOLOGIES:
        yield Fact("cell.technology", _TECHNOLOGIES[system[1]])
    if attached := re.search(r"PS state:\s*(Not a|A)ttached\b", text):
        yield Fact("data.attached", attached[1] == "A")
    yield from _service(text)
    yield from _place(text)
    yield from _levels(text)


def _service(text: str) -> Iterator[Fact]:
    """``EMM state: Registered  Normal Service``; before LTE ``GMM (PS) state`` and ``MM (CS)``."""
    found = re.search(
        r"(?:EMM state|MM5G state|GMM \(PS\) state|MM \(CS\) state):\s*([^\n]+)", text
    )
    words = found[1].lower() if found else ""
    if "limited" in words:
        yield Fact("cell.state", "limited")
    elif re.match(r"registered\b.*normal service", words):
        connected = re.search(r"RRC state:\s*(?:RRC )?Connected", text, re.IGNORECASE)
        yield Fact("cell.state", "connected" if connected else "camped")
    elif re.search(r"no service|no cell", words):
        yield Fact("cell.state", "no service")
    elif words.startswith("deregistered"):
        yield Fact("cell.state", "searching")


def _place(text: str) -> Iterator[Fact]:
    """``LTE band: B8``, ``LTE Rx chan: 3700``, for NR the same with ``NR5G``; 0 is no channel."""
    for prefix in ("LTE", "NR5G"):
        band = re.search(rf"\b{prefix} band:\s*([Bn]\d{{1,3}})\b", text)
        channel = re.search(rf"\b{prefix} Rx chan:\s*(\d{{1,7}})\b", text)
        if band:
            yield Fact("cell.band", band[1])
            if channel and int(channel[1]):
                yield Fact("cell.earfcn", int(channel[1]))
            return


_LEVELS = (
    ("signal.rsrp_dbm", r"(?<!NR5G )RSRP(?: \(dBm\))?:\s*(-?\d+(?:\.\d)?)", -140, -30),
    ("signal.rsrq_db", r"(?<!NR5G )RSRQ \(dB\):\s*(-?\d+(?:\.\d)?)", -43, 20),
    ("signal.sinr_db", r"(?<!NR5G )SINR \(dB\):\s*(-?\d+(?:\.\d)?)", -23, 40),
    ("signal.rssi_dbm", r"(?:PCC Rx[MD] RSSI|^RSSI \(dBm\)):\s*(-?\d+(?:\.\d)?)", -113, -20),
    ("signal.rssi_dbm", r"RX level (?:C0|Carrier 0 \(dBm\)|\(dBm\)):\s*(-\d+)", -113, -20),
    ("signal.rssi_dbm", r"Rx[MD] RSSI C0:\s*(-\d+)", -113, -20),
    ("signal.ss_rsrp_dbm", r"NR5G RSRP \(dBm\):\s*(-?\d+(?:\.\d)?)", -156, -31),
    ("signal.ss_rsrq_db", r"NR5G RSRQ \(dB\):\s*(-?\d+(?:\.\d)?)", -43, 20),
    ("signal.ss_sinr_db", r"NR5G SINR \(dB\):\s*(-?\d+(?:\.\d)?)", -23, 40),
)
"""Name, label and what the level can be; the ends of the range are what a dead antenna shows."""


def _levels(text: str) -> Iterator[Fact]:
    """Take the best of the antennas; the lines of the second carrier (``SCC``) do not count."""
    own = "\n".join(line for line in text.split("\n") if not re.match(r"\s*SCC", line))
    for name, pattern, lowest, highest in _LEVELS:
        found = [_number(v) for v in re.findall(pattern, own, re.MULTILINE)]
        possible = [v for v in found if lowest < v < highest]
        if possible:
            yield Fact(name, max(possible))


_FORMS = (
    "Current Time: {seconds} Temperature: {temperature}",
    "Reset Counter: {count} Mode: {name}",
    "Thermal Mitigation Level: {state}",
    "Power supply voltage: {voltage} mV ({voltage} cal)",
    "LTE Rx chan: {earfcn} LTE Tx chan: {earfcn}",
    "LTE Scell bw: {bandwidth} MHz LTE Scell chan: {earfcn}",
    "LTE SCC{state} state:{name} LTE SCC{state} band: B{band}",
    "LTE SCC{state} bw : {bandwidth} MHz LTE SCC{state} [Rx ]chan: {earfcn}",
    "LTE SCC{state} UL Configured: {name} LTE SCC{state} Tx chan: {earfcn}",
    "PCC RxM[{state}] RSSI: {rssi} PCC RxM[{state}] RSRP: {rsrp}",
    "PCC RxM[{state}] RSSI: {rssi}[ RSRP (dBm): {rsrp}]",
    "PCC RxD[{state}] RSSI: {rssi} PCC RxD[{state}] RSRP: {rsrp}",
    "PCC RxD[{state}] RSSI: {rssi}[ RSRP (dBm): {rsrp}]",
    "SCC{state} RxM[{state}] RSSI: {rssi} SCC{state} RxM[{state}] RSRP: {rsrp}",
    "SCC{state} RxM[{state}] RSSI: {rssi}[ RSRP (dBm): {rsrp}]",
    "SCC{state} RxD[{state}] RSSI: {rssi} SCC{state} RxD[{state}] RSRP: {rsrp}",
    "SCC{state} RxD[{state}] RSSI: {rssi}[ RSRP (dBm): {rsrp}]",
    "{small}, {name}, {mask16} {mask16} {mask16}",
    "+WIND: {count}[,{name},{state}]",
    "{place} fw version: {version}",
    "{place} config name: {place}_{version}_{small}",
    "{place} subpri index: {small}",
    "Interface bitmask: {mask} ({rest})",
)
"""EM74xx/MC74xx and EM919x AT command references: two columns a line; ``+WIND`` of the older
AirPrime modems.
"""

DRIVER = ModemDriver(
    family="sierra-mc74xx",
    vendor="Sierra Wireless",
    attempts=("AT!SCACT=1",),
    match=(
        *usb(0x1199, 0x9071, 0x9079, 0x907B, 0x9091, 0x90D3, 0xC081),
        *usb(0x413C, 0x81B6),
    ),
    identify=r"\b(?:MC7[45]\d\d|EM7[4-6]\d\d|EM9[12]\d\d|WP7[67]\d\d|RC76\d\d)",
    ports={0: PortRole.DIAG, 2: PortRole.GNSS, 3: PortRole.AT_PRIMARY},
    dialect=Dialect(urc_prefixes=("!NOTIFY:",)),
    probes=(
        Probe("AT!IMPREF?", Layer.DEVICE),
        Probe("AT!PCINFO?", Layer.DEVICE),
        Probe("AT!PCTEMP?", Layer.DEVICE),
        Probe("AT!PCVOLT?", Layer.DEVICE),
        Probe("AT!USBCOMP?", Layer.DEVICE),
        Probe("AT!UIMS?", Layer.SIM),
        Probe("AT+CPINC?", Layer.SIM, unless="sim.pin_retries"),
        Probe("AT!ICCID?", Layer.SIM, unless="sim.iccid"),
        Probe("AT!SELRAT?", Layer.REGISTRATION),
        Probe("AT!BAND?", Layer.REGISTRATION),
        Probe("AT!GSTATUS?", Layer.RADIO),
    ),
    readers={
        "AT!PCINFO?": power_control,
        "!PCINFO:": power_control,
        "!IMPREF:": image_preference,
        "!GOBIIMPREF:": image_preference,
        "AT!PCTEMP?": temperature,
        "AT!PCVOLT?": voltage,
        "AT!USBCOMP?": composition,
        "!ICCID:": card_number,
        "+CPINC:": pin_counter,
        "!UIMS:": slot,
        "!SELRAT:": technology,
        "AT!BAND?": bands,
        "!BAND:": bands,
        "!GSTATUS:": status,
    },
    forms=_FORMS,
)
