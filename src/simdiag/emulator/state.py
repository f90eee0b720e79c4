"""The state of an emulated modem: what a scenario sets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

SimState = Literal[
    "ready", "absent", "failure", "busy", "pin", "puk", "wrong", "network_lock", "pin2"
]

_PIN_STATE = {
    "ready": "READY", "pin2": "SIM PIN2", "pin": "SIM PIN", "puk": "SIM PUK",
    "network_lock": "PH-NET PIN",
}  # fmt: skip


class ModemState(BaseModel):
    """Everything a scenario may set; the defaults are a healthy modem at home on LTE.

    The identifiers are the reserved test ones: PLMN 460-00 with a subscriber of zeros, an IMEI of
    the test allocation, an ICCID whose account number is zeros.
    """

    model_config = ConfigDict(extra="forbid")

    # behaviour on the wire
    answers: Literal["normal", "mute", "noise"] = "normal"
    mute_after: int | None = None
    """Stop answering after so many commands."""
    unplug_after: int | None = None
    """Vanish while the answer to this many-th command is on its way."""
    echo: bool = True
    errors: Literal["standard", "bare"] = "standard"
    """``bare``: a modem that knows no ``+CMEE``."""
    ok_after_error: bool = False
    boot_lines: tuple[str, ...] = ()
    urcs: tuple[str, ...] = ()
    """Lines that the modem strews among its answers."""
    late_urcs: tuple[str, ...] = ()
    """Lines that come by themselves half a second after the registration was asked for."""
    unsupported: tuple[str, ...] = ()
    """Commands (beginnings) that are answered with ERROR."""

    # device
    functionality: int = 1
    functionality_second: int | None = None
    imei: str = "004999010640000"
    temperature: int = 38
    voltage: int = 3850
    radio_off_by: str = ""

    # card
    sim: SimState = "ready"
    sim_transient_polls: int = 0
    """So many card reads fail with SIM busy before the state above shows (booting)."""
    pin_retries: int = 3
    puk_retries: int = 10
    iccid: str = "89860000000000000003"
    imsi: str = "460001234567890"
    forbidden_plmns: str = "FFFFFFFFFFFFFFFFFFFFFFFF"
    eps_update_status: int = 0
    service_provider: str = ""
    access_classes: int = 0x0008
    operation_mode: int = 0

    # registration
    cs: int = 1
    ps: int = 1
    eps: int = 1
    nr: int | None = None
    reject_cause: int = 0
    reject_cause_after_cycle: int = 0
    """The reject cause that shows only once the radio was switched off and on."""
    access_technology: int = 7
    plmn: str = "46000"
    operator: str = "CHINA MOBILE"
    operator_mode: int = 0
    mode_restricted: bool = False
    tac: str = "1A2B"
    cell: str = "0A1B2C03"
    extended_error: str = ""

    # radio
    heard: bool = True
    """Whether any cell is heard; the levels below are those of the strongest."""
    rssi: int = -67
    rsrp: int = -92
    rsrq: int = -9
    sinr: int = 14
    band: int = 3
    earfcn: int = 1300
    pci: int = 203

    # data
    attached: bool = True
    active: bool = True
    apn: str = "cmnet"
    granted_apn: str = "cmnet"
    address: str = "10.37.12.201"
    auth: int = 0
    message_format: int = 0
    """``+CMGF``: 0 for PDUs, 1 for text."""
    message_reports: tuple[int, ...] = (2, 1, 0, 0, 0)
    """``+CNMI``."""
    message_memories: tuple[str, str] = ("ME", "ME")
    """Which one is read from, and which one messages come to."""
    messages: tuple[str, ...] = ()
    """PDUs that lie there unread."""
    messages_stay_unread: bool = False
    """Whether the modem can show messages without marking them as read."""
    message_prompt: str = "> "
    """Empty: it waits for the message without a word."""
    message_error: int | None = None
    message_reply: str = ""
    """What the other side answers to every message, in as many parts as it takes."""
    message_reply_after_s: float = 0.5
    message_sender: str = ""
    """Who answers, where that is not the one who was asked."""
    message_order: Literal["first", "last"] = "first"
    """Which of the parts comes first."""
    message_announced: bool = True
    tx_bytes: int = 4_210_233
    rx_bytes: int = 61_882_100

    # ---- what the answers depend on --------------------------------------------------------
    @property
    def pin_state(self) -> str:
        """What +CPIN? says; nothing where it is an error (TS 27.007 clause 8.3)."""
        return _PIN_STATE.get(self.sim, "")

    @property
    def sim_ready(self) -> bool:
        """Whether the card can be read."""
        return self.sim in ("ready", "pin2")

    @property
    def sim_inserted(self) -> bool:
        """Whether the card switch is closed."""
        return self.sim != "absent"

    @property
    def radio_on(self) -> bool:
        """Whether transmitter and receiver work."""
        return self.functionality == 1

    @property
    def signal(self) -> bool:
        """Whether any cell is heard."""
        return self.radio_on and self.heard

    @property
    def registered(self) -> bool:
        """Whether a packet service is registered."""
        served = any(s in (1, 5) for s in (self.ps, self.eps, self.nr))
        return served and self.radio_on and self.sim_ready

    @property
    def lte(self) -> bool:
        """Whether it is registered on LTE."""
        return self.registered and self.access_technology == 7

    @property
    def nr_sa(self) -> bool:
        """Whether it is registered on 5G standalone."""
        return self.registered and self.access_technology == 11

    @property
    def camped(self) -> bool:
        """Whether a cell is heard without being served by it."""
        return self.signal and not self.registered and self.eps == 3

    @property
    def online(self) -> bool:
        """Whether a data connection is up."""
        return self.registered and self.active
