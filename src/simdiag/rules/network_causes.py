"""What the causes that a network gives mean for the person in front of the device.

``MOBILITY`` are the EMM, GMM/MM and 5GMM causes (TS 24.301 clause 9.9.3.9, TS 24.008 clauses
10.5.3.6 and 10.5.5.14, TS 24.501 clause 9.11.3.2), ``SESSION`` the ESM, SM and 5GSM causes
(TS 24.301 clause 9.9.4.4, TS 24.008 clause 10.5.6.6, TS 24.501 clause 9.11.4.2). Their names are
in :mod:`simdiag.at.codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simdiag.message import N_, Message, message
from simdiag.rules.base import Alternative

SWAP = message(N_("Put this card into another device at the same place: is it refused there too?"))
ASK_SELLER = message(N_("Ask the seller whether this card (by its ICCID) is activated and paid."))
ELSEWHERE = message(N_("Try at another place or with another network chosen by hand."))
AGAIN = message(N_("Wait ten minutes, start the device again and see whether the refusal stays."))
ASK_PLAN = message(N_("Ask the operator whether data and this APN belong to the card's plan."))
SET_APN = message(N_("Set the APN that the seller gives: does the connection come up?"))


@dataclass(frozen=True, slots=True)
class NetworkCause:
    """The cause code that a network's number points to, how surely, and what else it may be."""

    cause: str
    confidence: float
    meaning: str
    alternatives: tuple[Alternative, ...] = ()


def _table(
    rows: Iterable[tuple[Iterable[int], str, float, str, tuple[tuple[str, Message], ...]]],
) -> dict[int, NetworkCause]:
    return {
        number: NetworkCause(cause, sure, text, tuple(Alternative(c, t) for c, t in others))
        for numbers, cause, sure, text, others in rows
        for number in numbers
    }


_TRANSIENT = (("searching", AGAIN),)
# fmt: off
_KEYS = ("sim_not_activated", 0.5, N_("The card and the network do not accept each other's keys."), (("sim_failure", SWAP), ("network_refused", AGAIN)))
_NEXT_CELL = ("network_refused", 0.5, N_("The network refuses the device in this cell; it may try again in another one."), (("searching", ELSEWHERE),))
_MISUNDERSTOOD = ("network_refused", 0.42, N_("Device and network misunderstand each other; firmware is the usual reason."), (("modem_fault", SET_APN),))
# fmt: on

MOBILITY = _table((
    ((2,), "sim_not_activated", 0.9, N_("The operator's register does not know this subscription: never activated, or cancelled."), (("network_refused", ASK_SELLER),)),
    ((3,), "sim_not_activated", 0.65, N_("The network rejects the card's identity: cancelled, or its keys are not accepted."), (("network_refused", SWAP), ("device_not_allowed", SWAP))),
    ((4,), "network_refused", 0.5, N_("The visited register does not know this subscription."), (("roaming_not_allowed", ELSEWHERE),)),
    ((5,), "device_not_allowed", 0.9, N_("The network does not accept the device's IMEI."), ()),
    ((6,), "device_not_allowed", 0.9, N_("The network refuses the device as blocked or not allowed."), ()),
    ((7,), "data_not_subscribed", 0.8, N_("The subscription may not use packet data on this technology."), (("sim_not_activated", ASK_SELLER),)),
    ((8,), "sim_not_activated", 0.85, N_("The subscription may use nothing: not active yet, or suspended."), (("data_barred", ASK_SELLER), ("network_refused", SWAP))),
    ((9,), "network_refused", 0.45, N_("The network lost track of the card; that passes."), _TRANSIENT),
    ((10,), "network_refused", 0.45, N_("The network detached the card; that passes."), _TRANSIENT),
    ((11,), "roaming_not_allowed", 0.8, N_("This network does not serve this card."), (("network_refused", ELSEWHERE), ("sim_not_activated", ASK_SELLER))),
    ((12,), "network_refused", 0.6, N_("The card is not allowed in this area."), (("roaming_not_allowed", ELSEWHERE),)),
    ((13,), "roaming_not_allowed", 0.85, N_("Roaming is not allowed in this area."), ()),
    ((14,), "roaming_not_allowed", 0.75, N_("Packet data is not allowed for this card in this network."), (("data_not_subscribed", ASK_SELLER),)),
    ((15,), "network_refused", 0.6, N_("No cell in this area may serve this card on this technology."), (("roaming_not_allowed", ELSEWHERE), ("band_or_mode_restricted", SWAP), ("data_not_subscribed", ASK_SELLER))),
    ((16, 39), "network_refused", 0.5, N_("The voice exchange cannot be reached for now; data may still work."), _TRANSIENT),
    ((17, 42), "network_refused", 0.65, N_("The network itself failed."), _TRANSIENT),
    ((18,), "network_refused", 0.4, N_("Voice service is not available here; for data that does not matter."), ()),
    ((19,), "apn_wrong", 0.6, N_("The network refused the first data connection; its APN is the usual reason."), (("data_not_subscribed", ASK_SELLER),)),
    ((20, 21, 26), *_KEYS),
    ((22,), "network_refused", 0.75, N_("The network is congested."), _TRANSIENT),
    ((23, 24), "network_refused", 0.5, N_("Device and network could not agree on encryption."), (("modem_fault", SWAP),)),
    ((25, 73, 74, 75, 76), "network_refused", 0.6, N_("The card may not use this private network or cell."), ()),
    ((27,), "band_or_mode_restricted", 0.6, N_("The subscription may not use 5G standalone."), (("data_not_subscribed", ASK_SELLER),)),
    ((28, 43, 77), "network_refused", 0.6, N_("The card is not allowed in this area."), (("roaming_not_allowed", ELSEWHERE),)),
    ((31,), "searching", 0.4, N_("The network sends the device to its other core network; that passes."), ()),
    ((32, 33), "data_not_subscribed", 0.55, N_("The service is not offered to this subscription."), (("network_refused", AGAIN),)),
    ((34,), "network_refused", 0.6, N_("The service is out of order for now."), _TRANSIENT),
    ((35,), "data_not_subscribed", 0.6, N_("The subscription is not authorised for the service."), ()),
    ((36,), "network_refused", 0.4, N_("The network does not let the device work as a relay station."), ()),
    ((38, 40), "network_refused", 0.4, N_("The network lost a connection; that passes."), _TRANSIENT),
    ((*range(48, 62), 63), *_NEXT_CELL),
    ((62,), "data_not_subscribed", 0.6, N_("No network slice is available to this subscription."), (("network_refused", AGAIN),)),
    ((65, 67, 69, 92), "network_refused", 0.5, N_("The network has no resources left."), _TRANSIENT),
    ((72,), "network_refused", 0.6, N_("Access to the 5G core is not allowed this way."), ()),
    ((78,), "network_refused", 0.6, N_("The network does not serve the place where the device is."), (("roaming_not_allowed", ELSEWHERE),)),
    ((79,), "network_refused", 0.5, N_("The service for drones is not allowed."), ()),
    ((80,), "roaming_not_allowed", 0.7, N_("This network takes guests of a failed network only, and not this card."), ()),
    ((81, 82), "network_refused", 0.5, N_("The gateway for access without a mobile network does not offer what the card may use."), ()),
    ((83,), "network_refused", 0.5, N_("The satellite has no link to the ground for now; that passes."), _TRANSIENT),
    ((90, 91), "apn_wrong", 0.5, N_("The network refused the first data connection; its APN is the usual reason."), (("data_not_subscribed", ASK_SELLER),)),
    ((93,), "network_refused", 0.6, N_("The network served the device only to set it up, and that has ended."), ()),
    ((94,), "network_refused", 0.4, N_("The network may not locate the device this way; for data that does not matter."), ()),
    ((71, 95, 96, 97, 98, 99, 100, 101, 111), "network_refused", 0.45, N_("Device and network misunderstand each other; firmware is the usual reason."), (("modem_fault", SWAP),)),
))  # fmt: skip

SESSION = _table((
    ((8,), "data_barred", 0.88, N_("The operator bars data for this subscription."), ()),
    ((26, 65, 67, 69), "network_refused", 0.6, N_("The network has no resources left."), _TRANSIENT),
    ((27, 70), "apn_wrong", 0.88, N_("The network does not know this APN."), (("data_not_subscribed", ASK_PLAN),)),
    ((28,), "apn_wrong", 0.7, N_("The network does not offer this kind of address (PDN type)."), ()),
    ((29,), "apn_auth_rejected", 0.88, N_("User name or password were rejected."), ()),
    ((30,), "apn_wrong", 0.5, N_("The gateway rejected the connection."), (("data_not_subscribed", ASK_PLAN),)),
    ((31,), "data_not_subscribed", 0.45, N_("The connection was rejected without a reason."), (("apn_wrong", SET_APN),)),
    ((32,), "data_not_subscribed", 0.7, N_("The service is not supported for this card."), (("apn_wrong", SET_APN),)),
    ((33,), "data_not_subscribed", 0.82, N_("The plan does not include this service."), (("apn_wrong", SET_APN),)),
    ((34,), "network_refused", 0.6, N_("The service is out of order for now."), _TRANSIENT),
    ((38,), "network_refused", 0.6, N_("The network itself failed."), _TRANSIENT),
    ((50,), "apn_wrong", 0.7, N_("The network gives IPv4 addresses only."), ()),
    ((51,), "apn_wrong", 0.7, N_("The network gives IPv6 addresses only."), ()),
    ((52, 57, 58, 61), "apn_wrong", 0.6, N_("The network gives another kind of address (PDN type) only."), ()),
    ((55, 112, 113), "apn_wrong", 0.5, N_("The network does not allow a second connection like this one."), ()),
    ((46,), "network_refused", 0.6, N_("The service is not offered in this area."), ()),
    ((66,), "apn_wrong", 0.65, N_("The APN is not supported on this technology in this network."), (("data_not_subscribed", ASK_PLAN),)),
    ((68, 82), "apn_wrong", 0.45, N_("The network does not offer the connection with these settings."), (("modem_fault", SET_APN),)),
    ((24, 25, 35, 37, 40, 41, 42, 43, 44, 45, 47, 48, 49, 53, 54, 56, 59, 60, 81, 83, 84, 85, 95, 96, 97, 98, 99, 100, 101, 111), *_MISUNDERSTOOD),
    ((86,), "network_refused", 0.5, N_("The service for drones is not allowed."), ()),
))  # fmt: skip

HARMLESS_SESSION = frozenset({36, 39})
"""Regular deactivation, and the request to connect again: no fault."""

_OLDER = _table((((23,), *_KEYS), (range(48, 64), *_NEXT_CELL)))
OF_PROTOCOL = {
    "GMM": _OLDER | _table((
        ((28,), "network_refused", 0.4, N_("The network delivers text messages another way here; for data that does not matter."), ()),
    )),
    "MM": _OLDER,
    "SM": _table((((46,), *_MISUNDERSTOOD),)),
}  # fmt: skip
"""Where an older protocol means something else by a number than ``MOBILITY`` and ``SESSION`` say."""
