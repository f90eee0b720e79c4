"""The emulated modem itself, without I/O: a command line in, the answer's bytes out."""

from __future__ import annotations

import re
from collections.abc import Callable

from simdiag.at.codes import CME, MM
from simdiag.at.values import swap_nibbles
from simdiag.emulator.messages import MessageBox
from simdiag.emulator.response import CommandError, MessageError, Response
from simdiag.emulator.scenario import Answer, Scenario
from simdiag.emulator.state import ModemState

_SPLIT = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_SIM_ERROR = {
    "absent": 10, "failure": 13, "busy": 14, "pin": 11, "puk": 12, "wrong": 15, "network_lock": 5,
}  # fmt: skip
_NEEDS_SIM = ("+CIMI", "+CRSM", "+CCID", "+QCCID", "+ICCID", "+CICCID", "^ICCID", "+CNUM", "+CPINR",
              "+QPINC", "+SPIC")  # fmt: skip
_CARD_NUMBERS = ("+CCID", "+QCCID", "+ICCID", "+CICCID", "^ICCID", "+CRSM")
_DOMAINS = {"+CREG": "cs", "+CGREG": "ps", "+CEREG": "eps", "+C5GREG": "nr"}


class EmulatedModem:
    """A modem in a given state. It follows the session settings that the standard defines."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.family = scenario.family
        self.state: ModemState = scenario.initial_state()
        self.messages = MessageBox(self.state)
        self.echo = self.state.echo
        self._error_mode = 0
        self._reports = dict.fromkeys(_DOMAINS.values(), 0)
        self._operator_format = 0
        self._sim_polls = self.state.sim_transient_polls
        self._standard: dict[str, Callable[[str], list[str]]] = {
            "+CFUN?": self._functionality, "+CPIN?": self._pin, "+CIMI": self._imsi,
            "+CSQ": self._csq, "+CESQ": self._cesq, "+COPS?": self._operator,
            "+CGATT?": lambda _: [f"+CGATT: {int(self.state.attached and self.state.registered)}"],
            "+CGDCONT?": lambda _: [f'+CGDCONT: 1,"IP","{self.state.apn}","0.0.0.0",0,0'],
            "+CGACT?": lambda _: [f"+CGACT: 1,{int(self.state.online)}"],
            "+CGPADDR": self._addresses, "+CGCONTRDP": self._granted,
            "+CGAUTH?": lambda _: [f"+CGAUTH: 1,{self.state.auth}"] if self.state.auth else [],
            "+CPINR": self._pin_retries, "+CRSM": self._card_file, "+CEER": self._extended_error,
            "+CBC": lambda _: [f"+CBC: 0,80,{self.state.voltage}"],
        }  # fmt: skip

    # ---- a command line ------------------------------------------------------------------
    def execute(self, line: str) -> Response:
        """Carry out one command line (several commands may be joined with ``;``)."""
        response = Response()
        body = re.sub(r"^\s*AT", "", line.strip(), flags=re.IGNORECASE)
        for part in _SPLIT.split(body):
            try:
                answer = self._execute(part.strip())
            except CommandError as error:
                response.final = self._error(error)
                if self.state.ok_after_error:
                    response.after.append("OK")
                break
            response.lines += answer.lines
            response.after += answer.after
            response.prompt = answer.prompt
        return response

    def take_message(self, body: bytes, end: bytes) -> Response:
        """Carry on with the command that gave a prompt: ``end`` is Ctrl-Z or an escape."""
        try:
            return self.messages.finish(body, end)
        except CommandError as error:
            return Response(final=self._error(error))

    def _execute(self, text: str) -> Response:
        name = text.upper()
        if self._basic(name):
            return Response()
        if (
            name.startswith(tuple(u.upper() for u in self.state.unsupported))
            and self.state.unsupported
        ):
            raise CommandError(4)
        if (identity := self._identity(name)) is not None:
            return Response(identity)
        self._require_sim(name)
        for answer in self.family.answers:
            if answer.command.upper() == name and self._fits(answer):
                return self._vendor(answer)
        if self.family.without and name.startswith(self.family.without):
            raise CommandError(4)
        if (setting := self._setting(name)) is not None:
            return Response(setting)
        if (answered := self.messages.execute(name)) is not None:
            return answered
        for key, handler in self._standard.items():
            if name == key or (
                not key.endswith("?") and re.match(re.escape(key) + r"(?:=|\?|$)", name)
            ):
                return Response(handler(text))
        raise CommandError(4)

    def _basic(self, name: str) -> bool:
        if name in ("", "E0", "E1", "V1", "Q0", "Z"):
            if name in ("E0", "E1"):
                self.echo = name == "E1"
            return True
        return False

    def _identity(self, name: str) -> list[str] | None:
        family = self.family
        if name == "I":
            return [self.fill(line) for line in family.ati] or [
                family.manufacturer, family.model, f"Revision: {family.revision}"
            ]  # fmt: skip
        words = {"MI": family.manufacturer, "MM": family.model, "MR": family.revision,
                 "SN": self.state.imei}  # fmt: skip
        match = re.fullmatch(r"\+C?G(MI|MM|MR|SN)", name)
        return [words[match[1]]] if match else None

    def _fits(self, answer: Answer) -> bool:
        wanted = answer.when.removeprefix("!")
        return not wanted or bool(getattr(self.state, wanted)) != answer.when.startswith("!")

    def _vendor(self, answer: Answer) -> Response:
        if answer.error is not None:
            raise CommandError(answer.error)
        return Response(
            [self.fill(line) for line in answer.lines],
            after=[self.fill(a) for a in answer.after_ok],
        )

    def fill(self, line: str) -> str:
        """Put the state's values in; an unknown level prints as the family's template says."""
        return line.format_map(_Values(self.state, self))

    def _error(self, error: CommandError) -> str:
        code = error.code
        if isinstance(error, MessageError):
            return f"+CMS ERROR: {code}"
        if code is None or (self._error_mode == 0 and not self.family.verbose_only):
            return "ERROR"
        if self._error_mode == 1 and not self.family.verbose_only:
            return f"+CME ERROR: {code}"
        return f"+CME ERROR: {CME.get(code, 'unknown')}"

    # ---- settings of the session -----------------------------------------------------------
    def _setting(self, name: str) -> list[str] | None:
        if name.startswith("+CMEE"):
            return self._error_reports(name)
        match = re.fullmatch(r"(\+C(?:5G|E|G)?REG)(\?|=(\d))", name)
        if match is not None:
            return self._registration(match[1], match[3])
        if match := re.fullmatch(r"\+CFUN=([0-7])", name):
            self.state.functionality = int(match[1])
            if match[1] == "1" and self.state.reject_cause_after_cycle:
                self.state.reject_cause = self.state.reject_cause_after_cycle
            return []
        if match := re.fullmatch(r'\+CGDCONT=1,"[A-Z0-9]+","(.*)"', name):
            self.state.apn = match[1].lower()
            return []
        if match := re.fullmatch(r"\+COPS=3,([012])", name):
            self._operator_format = int(match[1])
            return []
        return None

    def _error_reports(self, name: str) -> list[str]:
        if self.state.errors == "bare":
            raise CommandError(None)
        if match := re.fullmatch(r"\+CMEE=([012])", name):
            self._error_mode = int(match[1])
            return []
        return [f"+CMEE: {self._error_mode}"]

    def _registration(self, name: str, wanted: str | None) -> list[str]:
        domain = _DOMAINS[name]
        status = getattr(self.state, domain)
        if status is None or (wanted and int(wanted) > (3 if domain == "cs" else 5)):
            raise CommandError(4 if status is None else 50)
        if wanted is not None:
            self._reports[domain] = int(wanted)
            return []
        mode = self._reports[domain]
        status = self.current_status(domain)
        parts = [f"{name}: {mode}", str(status)]
        if mode >= 2 and status in (1, 5):
            parts += [
                f'"{self.state.tac}"',
                f'"{self.state.cell}"',
                str(self.state.access_technology),
            ]
        elif mode in (3, 5) and self.state.reject_cause:
            unknown = [""] * {"cs": 3, "eps": 3, "ps": 4, "nr": 5}[domain]
            parts += [*unknown, "0", str(self.state.reject_cause)]
        return [",".join(parts)]

    def current_status(self, domain: str) -> int:
        """The registration status: none without radio or card."""
        if not self.state.radio_on or not self.state.sim_ready:
            return 0
        return int(getattr(self.state, domain))

    # ---- the card --------------------------------------------------------------------------
    def _require_sim(self, name: str) -> None:
        if not name.startswith(_NEEDS_SIM):
            return
        if self.state.functionality == 0:
            raise CommandError(13)
        if self._sim_polls:
            raise CommandError(14)
        readable = self.state.sim_ready
        readable |= self.state.sim in ("pin", "puk", "network_lock") and name.startswith(
            _CARD_NUMBERS[:-1]
        )
        readable |= self.state.sim in ("pin", "puk", "network_lock") and name.startswith(
            ("+CPINR", "+QPINC", "+SPIC")
        )
        if not readable:
            raise CommandError(_SIM_ERROR[self.state.sim])

    def _pin(self, _: str) -> list[str]:
        if self.state.functionality == 0:
            raise CommandError(13)
        if self._sim_polls:
            self._sim_polls -= 1
            raise CommandError(14)
        if self.state.pin_state:
            return [f"+CPIN: {self.state.pin_state}"]
        raise CommandError(_SIM_ERROR[self.state.sim])

    def _imsi(self, _: str) -> list[str]:
        if not self.state.imsi:
            raise CommandError(13)
        return [self.state.imsi]

    def _pin_retries(self, _: str) -> list[str]:
        return [
            f"+CPINR: SIM PIN,{self.state.pin_retries},3",
            f"+CPINR: SIM PUK,{self.state.puk_retries},10",
        ]

    def _card_file(self, text: str) -> list[str]:
        match = re.match(r"\+CRSM\s*=\s*176\s*,\s*(\d+)", text, re.IGNORECASE)
        state, plmn = self.state, swap_nibbles(self.state.imsi[:3] + "F" + self.state.imsi[3:5])
        status = f"{state.eps_update_status:02X}"
        files = {
            12258: swap_nibbles(state.iccid.ljust(20, "F")),
            28423: "08" + swap_nibbles("9" + state.imsi.ljust(15, "F")),
            28472: "9EFF1F9CFF3E0000000010",
            28486: ("01" + state.service_provider.encode("ascii").hex()).ljust(34, "F"),
            28536: f"{state.access_classes:04X}",
            28539: state.forbidden_plmns,
            28542: f"{'F' * 8}{plmn}FFFEFF{status}",
            28531: f"{'F' * 14}{plmn}FFFEFF{status}",
            28589: f"{state.operation_mode:02X}000002",
            28643: f"0B{'F' * 22}{plmn}FFFE{status}",
        }
        data = files.get(int(match[1])) if match else None
        return [f'+CRSM: 144,0,"{data}"'] if data else ['+CRSM: 106,130,""']

    # ---- network ---------------------------------------------------------------------------
    def _functionality(self, _: str) -> list[str]:
        second = self.state.functionality_second
        return [f"+CFUN: {self.state.functionality}" + (f",{second}" if second is not None else "")]

    def _csq(self, _: str) -> list[str]:
        level = max(0, min(31, (self.state.rssi + 113) // 2)) if self.state.signal else 99
        return [f"+CSQ: {level},99"]

    def _cesq(self, _: str) -> list[str]:
        if not self.state.signal:
            return ["+CESQ: 99,99,255,255,255,255"]
        rsrq = (self.state.rsrq + 20) * 2
        return [f"+CESQ: 99,99,255,255,{rsrq},{self.state.rsrp + 141}"]

    def _operator(self, _: str) -> list[str]:
        if not self.state.registered or not self.state.sim_ready:
            return [f"+COPS: {self.state.operator_mode}"]
        name = self.state.plmn if self._operator_format == 2 else self.state.operator
        return [f'+COPS: {self.state.operator_mode},{self._operator_format},"{name}",'
                f"{self.state.access_technology}"]  # fmt: skip

    def _addresses(self, _: str) -> list[str]:
        return [f'+CGPADDR: 1,"{self.state.address if self.state.online else "0.0.0.0"}"']  # noqa: S104

    def _granted(self, _: str) -> list[str]:
        if not self.state.online:
            return []
        address = f'"{self.state.address}.255.255.255.252","10.37.12.202"'
        servers = '"211.136.17.107","211.136.20.203"'
        return [f'+CGCONTRDP: 1,5,"{self.state.granted_apn}",{address},{servers}']

    def _extended_error(self, _: str) -> list[str]:
        if self.state.extended_error:
            return [f"+CEER: {self.state.extended_error}"]
        if self.state.reject_cause:
            return [
                f'+CEER: "EMM reject",{self.state.reject_cause},"{MM.get(self.state.reject_cause)}"'
            ]
        return ["+CEER: No cause information available"]


class _Values(dict[str, object]):
    """The names that a template line may use: the state's fields and a few derived ones."""

    def __init__(self, state: ModemState, modem: EmulatedModem) -> None:
        super().__init__(state.model_dump())
        family = modem.family
        self.update(
            manufacturer=family.manufacturer,
            model=family.model,
            revision=family.revision,
            mcc=state.plmn[:3],
            mnc=state.plmn[3:],
            eps_status=modem.current_status("eps"),
            cs_status=modem.current_status("cs"),
            ps_status=modem.current_status("ps"),
            cell_decimal=int(state.cell, 16),
            tac_decimal=int(state.tac, 16),
            iccid_swapped=swap_nibbles(state.iccid.ljust(20, "F")),
            rsrp_index=state.rsrp + 141 if state.signal else 255,
            rsrq_index=(state.rsrq + 20) * 2 if state.signal else 255,
            rssi_index=state.rssi + 121 if state.signal else 255,
            rsrp_tenths=state.rsrp * 10,
            rsrq_tenths=state.rsrq * 10,
            rssi_tenths=state.rssi * 10,
            sinr_raw=(state.sinr + 20) * 5,
            sinr_fifths=round((state.sinr + 20.2) * 5),
            tx_hex=f"{state.tx_bytes:016X}",
            rx_hex=f"{state.rx_bytes:016X}",
            restricted=int(state.mode_restricted),
            pin_state=state.pin_state,
        )
