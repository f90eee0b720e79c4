"""Examines a modem over its AT port: the first source of observations.

The order is that of :class:`simdiag.driver.Layer`; within a layer the standard's questions come
first, then the family's own, then fall-backs for what is still unknown.
"""

from __future__ import annotations

from collections.abc import Callable

from simdiag.collect.interpret import Interpreter, interpreter
from simdiag.driver import Layer, ModemDriver, Probe
from simdiag.errors import ModemMute, PortGone
from simdiag.evidence import Evidence, Exchange, Observation, Source
from simdiag.registry import Drivers
from simdiag.session import RESULTS_OFF, AtSession
from simdiag.transport import Transport

Progress = Callable[[Layer, Evidence], None]
"""Called when a layer is begun."""

_IDENTITY = ("ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")
_DOMAINS = {"eps": "CEREG", "5gs": "C5GREG", "ps": "CGREG", "cs": "CREG"}
"""The command of each domain; voice comes last, for it matters only where data tells nothing."""
_REGISTERED = (1, 5, 6, 7, 9, 10)
_ALWAYS = tuple(layer for layer in Layer if layer is not Layer.REASONS)
_SIM_TRANSIENT = ("busy", "failure", "not inserted", "error")
_LIMIT_S = 75.0
"""After so long an examination asks no more: a verdict from what there is helps more."""
_PATIENT_FOR = 3
"""A modem that kept silent so often keeps silent at what it does not know: wait less."""
_HURRIED_FROM = 6
"""Still more silences: whatever answers at all, then, does so about as fast as it has so far."""
_HURRIED_S, _ORDINARY_S = 0.3, 3.0
_BOOT_S = 30.0
"""How long after its start a module may still misreport the card (boot transients)."""


def no_progress(layer: Layer, evidence: Evidence) -> None:
    """Report nothing."""


def declared_commands(drivers: Drivers) -> frozenset[str]:
    """Return the commands that the drivers' probes declare to be read-only."""
    return frozenset(probe.command.upper() for driver in drivers for probe in driver.probes)


class AtExamination:
    """One examination over one port. ``evidence`` is filled as it goes on."""

    def __init__(
        self,
        transport: Transport,
        drivers: Drivers,
        *,
        driver: ModemDriver | None = None,
        progress: Progress = no_progress,
        wait_s: float = 10.0,
        just_plugged_in: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.evidence = Evidence()
        self.driver = driver
        self._drivers = drivers
        self._progress = progress
        self._wait_s = wait_s
        self._just_plugged_in = just_plugged_in
        self._interpret: Interpreter = interpreter(drivers.readers(driver), drivers.attempts)
        self.session = AtSession(
            transport, self._observe, declared=declared_commands(drivers), cancelled=cancelled
        )
        if driver is not None:
            self.session.use(driver.dialect)

    def run(self, then: Callable[[AtExamination], None] | None = None) -> Evidence:
        """Ask everything; settings are restored and the port is given back in any case.

        ``then`` may use the open session for more, before that.
        """
        try:
            self._examine()
            if then is not None:
                then(self)
        except PortGone as gone:
            self._note("host.port_lost", str(gone))
        except ModemMute as mute:
            self._note("device.went_mute", str(mute))
        finally:
            self.session.restore_settings()
            self.session.close()
        return self.evidence

    def _observe(self, exchange: Exchange) -> None:
        self.evidence.take(exchange, self._interpret(exchange))

    def _note(self, name: str, value: object) -> None:
        self.evidence.add(Observation(name, value, Source(-1, "", str(value)), self.session.now))

    # ---- the steps -----------------------------------------------------------------------
    def _examine(self) -> None:
        self._progress(Layer.DEVICE, self.evidence)
        if not self._handshake():
            return
        self._report_errors_in_numbers()
        self._identify()
        for layer in _ALWAYS:
            if layer is not Layer.DEVICE:
                self._progress(layer, self.evidence)
            self.read(layer)
        if self._restarted():
            self._report_errors_in_numbers()
            for layer in (Layer.SIM, Layer.REGISTRATION, Layer.RADIO, Layer.DATA):
                self.read(layer)
        self._await_registration()
        if not self._registered():
            self._ask_of_card_again()
            self._progress(Layer.REASONS, self.evidence)
            self.read(Layer.REASONS)

    def _restarted(self) -> bool:
        """Whether the module began anew after its card was asked for."""
        boot, card = self.evidence.last("device.boot_event"), self.evidence.last("sim.state")
        return boot is not None and card is not None and boot.time > card.time

    def read(self, layer: Layer, *, detail: bool = True) -> None:
        """Ask all that belongs to a layer; may be repeated to see what has changed.

        Without ``detail`` no setting is changed for it and nothing is waited for.
        """
        for probe in self._probes(layer):
            self._probe(probe)
        if not detail:
            return
        if layer is Layer.SIM:
            self._await_sim()
        elif layer is Layer.REGISTRATION:
            self._registration_in_detail()
            self._operator_in_digits()

    def _handshake(self) -> bool:
        """Find out whether a modem answers at all; the first AT may meet it half asleep.

        Last of all, AT alone may not be known, or results be switched off (V.250 clause 6.2.5).
        """
        for text, timeout_s in (("AT", 1.0), ("AT", 1.0), ("AT", 2.0), ("ATQ0", 1.0)):
            exchange = self.session.execute(text, timeout_s=timeout_s)
            if "0" in exchange.lines and exchange.error is not None:
                exchange = self.session.change("ATV1", "ATV0")
            if not _is_silent(exchange):
                if text == "ATQ0" and not _is_silent(self.session.execute("AT")):
                    self.session.change("ATQ0", RESULTS_OFF)  # they had been off, and will be
                self._note("device.answers", True)
                return True
        self._note("device.answers", False)
        self._note("device.noise_bytes", self.session.received_bytes)
        return False

    def _report_errors_in_numbers(self) -> None:
        """+CMEE (TS 27.007 clause 9.1): without it a missing card is a bare ERROR."""
        exchange = self.session.execute("AT+CMEE?")
        before = exchange.lines[0].rpartition(":")[2].strip() if exchange.lines else "0"
        if before != "1":
            self.session.change("AT+CMEE=1", f"AT+CMEE={before if before in ('0', '2') else '0'}")

    def _identify(self) -> None:
        for text in _IDENTITY:
            self.session.execute(text, timeout_s=self._patience(_ORDINARY_S))
        words = (self.evidence.value(f"device.{n}") for n in ("manufacturer", "model", "revision"))
        description = " ".join(str(w) for w in words if w)
        if self.driver is None or not self.driver.identifies(description):
            by_words = self._drivers.for_description(description)
            self.driver = by_words or self.driver or self._drivers.generic
        self._interpret = interpreter(self._drivers.readers(self.driver), self._drivers.attempts)
        self.session.use(self.driver.dialect)
        self._note("device.family", self.driver.family)

    def _probes(self, layer: Layer) -> list[Probe]:
        driver = self.driver or self._drivers.generic
        generic = () if driver is self._drivers.generic else self._drivers.generic.probes
        known = {p.command for p in driver.probes} | set(driver.without)
        standard = [p for p in generic if p.layer is layer and p.command not in known]
        own = [p for p in driver.probes if p.layer is layer]
        return [
            *(p for p in standard if not p.unless),
            *own,
            *(p for p in standard if p.unless),
        ]

    def _probe(self, probe: Probe) -> None:
        if probe.unless and self.evidence.last(probe.unless) is not None:
            return
        if self.session.now > _LIMIT_S:
            return
        timeout_s = self._patience(probe.timeout_s)
        for _attempt in range(2):
            exchange = self.session.execute(
                probe.command, *probe.prefixes, timeout_s=timeout_s, linger_s=probe.linger_s
            )
            garbled = self.evidence.last("at.garbled")
            if garbled is None or garbled.source.exchange != exchange.number:
                return

    def _patience(self, timeout_s: float) -> float:
        """How long to wait for an answer: less, the more often the modem has kept silent.

        What may take long (a search, a card that is slow) is always given its second.
        """
        silences = self.session.silences
        if silences < _PATIENT_FOR:
            return timeout_s
        if timeout_s <= _ORDINARY_S and silences >= _HURRIED_FROM:
            timeout_s = max(_HURRIED_S, 4 * self.session.slowest_s)
        return min(1.0, timeout_s)

    # ---- registration, with area, cell and reject cause ----------------------------------
    def _registration_in_detail(self) -> None:
        """Have the area, the cell and the reject cause reported (``<n>`` 3, else 2), then restore.

        With ``<n>`` 0 or 1 the modem keeps them to itself; 4 and 5 (power saving) hold what 3
        and 2 hold and stay as they are.
        """
        for domain, name in _DOMAINS.items():
            status = self.evidence.value(f"registration.{domain}.status")
            mode = self.evidence.value(f"registration.{domain}.mode")
            refused = status is not None and status not in _REGISTERED
            if domain == "cs" and (not refused or "registration.reject_cause" in self.evidence):
                continue
            if mode is None or mode >= (3 if refused else 2):
                continue
            wanted = 3 if refused else 2
            if self.session.change(f"AT+{name}={wanted}", f"AT+{name}={mode}").error is not None:
                if wanted == 2 or mode >= 2:
                    continue
                self.session.change(f"AT+{name}=2", f"AT+{name}={mode}")
            self.session.execute(f"AT+{name}?")

    def _operator_in_digits(self) -> None:
        if self.evidence.last("operator.plmn") or not self.evidence.last("operator.name"):
            return
        name_format = self.evidence.value("operator.format", 0)
        if self.session.change("AT+COPS=3,2", f"AT+COPS=3,{name_format}").error is None:
            self.session.execute("AT+COPS?", timeout_s=10)

    # ---- what may only need time ---------------------------------------------------------
    def _await_sim(self) -> None:
        """Give a card that is being read its time: longer if the module has just started."""
        booting = self._just_plugged_in or "device.boot_event" in self.evidence
        state = self.evidence.value("sim.state")
        limit = _BOOT_S if booting else self._wait_s if state == "busy" else 0.0
        deadline = self.session.now + min(limit, 3 * self._wait_s)
        waited = False
        while self.evidence.value("sim.state") in _SIM_TRANSIENT and self.session.now < deadline:
            waited = True
            self.session.listen(min(1.0, self._wait_s / 4))
            self.session.execute("AT+CPIN?", timeout_s=5)
        if waited and self.evidence.value("sim.state") == "READY":
            for probe in self._probes(Layer.SIM):
                self._probe(probe)

    def _ask_of_card_again(self) -> None:
        """Ask whether it has passed that a card which could be read was said to be unusable."""
        read = "sim.imsi" in self.evidence or "sim.iccid" in self.evidence
        if read and self.evidence.value("sim.state") in _SIM_TRANSIENT:
            self.session.execute("AT+CPIN?", timeout_s=5)

    def _await_registration(self) -> None:
        """A modem that searches is watched for a while before that becomes a finding."""
        deadline = self.session.now + self._wait_s
        while self._searching() and (left := deadline - self.session.now) > 0:
            self.session.listen(min(2.0, left), until=lambda: not self._searching())
            for name in ("CEREG", "CREG"):
                if self._searching():
                    self.session.execute(f"AT+{name}?")

    @property
    def wait_s(self) -> float:
        """How long to watch what may only need time."""
        return self._wait_s

    def _searching(self) -> bool:
        usable = self.evidence.value("sim.state", "READY") == "READY"
        radio_on = self.evidence.value("device.functionality", 1) == 1
        return usable and radio_on and 2 in self._statuses() and not self._registered()

    def _registered(self) -> bool:
        return any(status in _REGISTERED for status in self._statuses())

    def _statuses(self) -> list[int | None]:
        return [self.evidence.value(f"registration.{d}.status") for d in _DOMAINS]


def _is_silent(exchange: Exchange) -> bool:
    return exchange.error is not None and exchange.error.silent
