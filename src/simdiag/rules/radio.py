"""Faults of coverage and of the choice of network, band and technology."""

from __future__ import annotations

from collections.abc import Iterator

from simdiag.evidence import Evidence, Observation
from simdiag.message import N_, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.view import (
    hears_nothing,
    in_service,
    level,
    limited,
    radio_is_off,
    refused,
    serving_cell,
    statuses,
)

_WEAK_DBM = {"rsrp": -115, "ss_rsrp": -115, "rscp": -108, "rssi": -105}
_HOPELESS_DBM = {"rsrp": -120, "ss_rsrp": -120, "rscp": -113, "rssi": -109}
"""Limits by kind of level. Below the first a modem may fail to register, below the second even a
registered one has no use of it; a working link at -110 dBm RSRP is no fault."""
_WALK = message(N_("Examine again at a window or outdoors."))
_PHONE = message(N_("Put this card into a phone at the same place: is it served there?"))
_AUTOMATIC = message(N_("Set network mode and selection to automatic: does it register?"))


_EXTRA_REACH_DB = 15
"""LTE-M and NB-IoT repeat what they send and reach as much deeper (TS 36.300 clause 23.7a)."""


def _is_iot_radio(evidence: Evidence) -> bool:
    words = str(evidence.value("cell.technology", "")).upper()
    codes = [o.value for o in evidence.under("registration.") if "access_technology" in o.name]
    named = any(w in words for w in ("NB", "CAT-M", "EMTC", "CAT M"))
    return named or bool({8, 9} & {*codes, evidence.value("operator.access_technology")})


def _kind(observation: Observation) -> str:
    return observation.name.removeprefix("signal.").removesuffix("_dbm")


@rule
def coverage(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Nothing heard, too weak, or good."""
    if radio_is_off(evidence):
        return
    if (nothing := hears_nothing(evidence)) is not None:
        yield fault(
            "no_signal",
            0.8,
            message(N_("No cell is heard.")),
            nothing,
            *statuses(evidence),
            alternatives=(
                Alternative("modem_fault", _PHONE),
                Alternative("band_or_mode_restricted", _AUTOMATIC),
            ),
        )
        return
    strongest = level(evidence)
    if strongest is None:
        return
    kind, dbm = _kind(strongest), strongest.value
    dbm += _EXTRA_REACH_DB if _is_iot_radio(evidence) else 0
    limit = _HOPELESS_DBM if in_service(evidence) else _WEAK_DBM
    if dbm <= limit[kind] and not refused(evidence):
        yield fault(
            "weak_signal",
            0.7,
            message(N_("The signal is very weak: {dbm} dBm."), dbm=strongest.value),
            strongest,
            evidence.last("signal.sinr_db"),
            alternatives=(Alternative("modem_fault", _WALK),),
        )
    elif dbm <= _WEAK_DBM[kind]:
        yield note(
            Severity.WARNING,
            "signal_weak",
            message(N_("The signal is weak: {dbm} dBm."), dbm=strongest.value),
            strongest,
        )
    else:
        yield fine(
            "signal_good",
            message(N_("The signal is strong enough: {dbm} dBm."), dbm=strongest.value),
            strongest,
        )


@rule
def selection(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """+COPS mode 2 keeps off the network, 1 and 4 hold on to one (TS 27.007 clause 7.3)."""
    mode = evidence.last("operator.mode")
    if mode is None or in_service(evidence) or radio_is_off(evidence):
        return
    if mode.value == 2:
        yield fault(
            "operator_selection_wrong",
            0.85,
            message(N_("The modem was told to leave the network and to stay off it.")),
            mode,
        )
    elif mode.value in (1, 4) and not refused(evidence):
        yield fault(
            "operator_selection_wrong",
            0.72,
            message(N_("The network was chosen by hand, and it does not serve here.")),
            mode,
            alternatives=(Alternative("network_refused", _AUTOMATIC),),
        )


@rule
def restriction(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Mode, band or cell settings that keep the modem from what is on air."""
    if in_service(evidence) or refused(evidence) or radio_is_off(evidence):
        return
    locked, restricted = evidence.last("radio.cell_locked"), evidence.last("radio.mode_restricted")
    mode = evidence.last("radio.mode")
    if locked is not None and locked.value:
        yield fault(
            "band_or_mode_restricted",
            0.8,
            message(N_("The modem is locked to one cell or frequency.")),
            locked,
        )
    elif (
        restricted is not None
        and restricted.value
        and any(o.value in (0, 2) for o in statuses(evidence))
    ):
        yield fault(
            "band_or_mode_restricted",
            0.75,
            message(N_("The modem may use only: {mode}."), mode=mode.value if mode else "?"),
            restricted,
            alternatives=(Alternative("searching", _AUTOMATIC),),
        )


def _no_service(evidence: Evidence) -> Observation | None:
    """Return the modem's word that nothing serves it, where no registration status is known."""
    service, cell = evidence.last("registration.service"), evidence.last("cell.state")
    if service is not None and service.value == "none":
        return service
    if cell is not None and cell.value in ("no service", "searching"):
        return cell
    selected = evidence.last("operator.selected")
    return selected if selected is not None and not selected.value else None


@rule
def searching(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Not registered anywhere, not refused, and the reason does not show."""
    known = list(statuses(evidence))
    if in_service(evidence) or refused(evidence) or radio_is_off(evidence):
        return
    if hears_nothing(evidence) or serving_cell(evidence) or limited(evidence):
        return
    seeking = [o for o in known if o.value == 2]
    idle = [o for o in known if o.value in (0, 4)]
    others = (
        Alternative("sim_not_activated", _PHONE),
        Alternative("no_signal", _WALK),
        Alternative("band_or_mode_restricted", _AUTOMATIC),
    )
    strongest = level(evidence)
    if seeking:
        yield fault(
            "searching",
            0.62,
            message(N_("The modem searches and is registered nowhere.")),
            *seeking,
            strongest,
            alternatives=others,
        )
        return
    service = _no_service(evidence)
    if not known and service is not None:
        yield fault(
            "searching",
            0.45,
            message(N_("The modem says that no network serves it.")),
            service,
            alternatives=others,
        )
    elif idle:
        # A voice domain alone says little: many cards and networks are for data only.
        only_voice = all(o.name == "registration.cs.status" for o in known)
        yield fault(
            "searching",
            0.38 if only_voice and strongest is None else 0.5,
            message(N_("The modem is registered nowhere and has stopped searching.")),
            *idle,
            strongest,
            alternatives=others,
        )
