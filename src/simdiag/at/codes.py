"""Error and cause numbers with the names that the standards give them.

``CME`` is TS 27.007 clause 9.2, ``MM`` the mobility causes that TS 24.008 (10.5.3.6, 10.5.5.14),
TS 24.301 (9.9.3.9) and TS 24.501 (9.11.3.2) share, ``SM`` the session causes of TS 24.008
(10.5.6.6), TS 24.301 (9.9.4.4) and TS 24.501 (9.11.4.2).
"""

from __future__ import annotations

import re

CME: dict[int, str] = {
    0: "phone failure", 1: "no connection to phone", 2: "phone-adaptor link reserved",
    3: "operation not allowed", 4: "operation not supported", 5: "PH-SIM PIN required",
    6: "PH-FSIM PIN required", 7: "PH-FSIM PUK required", 10: "SIM not inserted",
    11: "SIM PIN required", 12: "SIM PUK required", 13: "SIM failure", 14: "SIM busy",
    15: "SIM wrong", 16: "incorrect password", 17: "SIM PIN2 required", 18: "SIM PUK2 required",
    20: "memory full", 21: "invalid index", 22: "not found", 23: "memory failure",
    24: "text string too long", 25: "invalid characters in text string",
    26: "dial string too long", 27: "invalid characters in dial string", 30: "no network service",
    31: "network timeout", 32: "network not allowed - emergency calls only",
    40: "network personalization PIN required", 41: "network personalization PUK required",
    42: "network subset personalization PIN required",
    43: "network subset personalization PUK required",
    44: "service provider personalization PIN required",
    45: "service provider personalization PUK required",
    46: "corporate personalization PIN required", 47: "corporate personalization PUK required",
    48: "hidden key required", 49: "EAP method not supported", 50: "incorrect parameters",
    51: "command implemented but currently disabled", 52: "command aborted by user",
    53: "not attached to network due to MT functionality restrictions",
    54: "modem not allowed - MT restricted to emergency calls only",
    55: "operation not allowed because of MT functionality restrictions",
    56: "fixed dial number only allowed", 57: "temporarily out of service due to other MT usage",
    58: "language/alphabet not supported", 59: "unexpected data value", 60: "system failure",
    61: "data missing", 62: "call barred", 63: "message waiting indication subscription failure",
    100: "unknown", 102: "IMSI unknown in HLR", 103: "illegal MS", 105: "IMEI not accepted",
    106: "illegal ME", 107: "GPRS services not allowed",
    108: "GPRS services and non-GPRS services not allowed", 109: "MS identity cannot be derived",
    110: "implicitly detached", 111: "PLMN not allowed", 112: "location area not allowed",
    113: "roaming not allowed in this location area", 114: "GPRS services not allowed in this PLMN",
    115: "no suitable cells in location area", 117: "network failure", 122: "congestion",
    125: "not authorized for this CSG", 126: "insufficient resources",
    127: "missing or unknown APN", 128: "unknown PDP address or PDP type",
    129: "user authentication failed", 130: "request rejected by Serving GW or PDN GW",
    131: "request rejected, unspecified", 132: "service option not supported",
    133: "requested service option not subscribed", 134: "service option temporarily out of order",
    148: "unspecified GPRS error", 149: "PDP authentication failure", 150: "invalid mobile class",
    171: "last PDN disconnection not allowed", 177: "operator determined barring",
    178: "maximum number of PDP contexts reached",
    179: "requested APN not supported in current RAT and PLMN combination",
}  # fmt: skip

MM: dict[int, str] = {
    2: "IMSI unknown in HSS", 3: "illegal UE", 4: "IMSI unknown in VLR", 5: "IMEI not accepted",
    6: "illegal ME", 7: "EPS services not allowed",
    8: "EPS services and non-EPS services not allowed",
    9: "UE identity cannot be derived by the network", 10: "implicitly detached",
    11: "PLMN not allowed", 12: "tracking area not allowed",
    13: "roaming not allowed in this tracking area", 14: "EPS services not allowed in this PLMN",
    15: "no suitable cells in tracking area", 16: "MSC temporarily not reachable",
    17: "network failure", 18: "CS domain not available", 19: "ESM failure", 20: "MAC failure",
    21: "synch failure", 22: "congestion", 23: "UE security capabilities mismatch",
    24: "security mode rejected, unspecified", 25: "not authorized for this CSG",
    26: "non-EPS authentication unacceptable", 27: "N1 mode not allowed",
    28: "restricted service area", 31: "redirection to 5GCN required",
    32: "service option not supported", 33: "requested service option not subscribed",
    34: "service option temporarily out of order", 35: "requested service option not authorized",
    38: "call cannot be identified", 39: "CS service temporarily not available",
    40: "no EPS bearer context activated", 42: "severe network failure",
    43: "LADN not available", 62: "no network slices available",
    65: "maximum number of PDU sessions reached",
    67: "insufficient resources for specific slice and DNN",
    69: "insufficient resources for specific slice", 71: "ngKSI already in use",
    72: "non-3GPP access to 5GCN not allowed", 73: "serving network not authorized",
    74: "temporarily not authorized for this SNPN", 75: "permanently not authorized for this SNPN",
    76: "not authorized for this CAG", 77: "wireline access area not allowed",
    78: "PLMN not allowed at the present UE location", 79: "UAS services not allowed",
    90: "payload was not forwarded", 91: "DNN not supported or not subscribed in the slice",
    92: "insufficient user-plane resources for the PDU session",
    95: "semantically incorrect message", 96: "invalid mandatory information",
    97: "message type non-existent or not implemented",
    98: "message type not compatible with the protocol state",
    99: "information element non-existent or not implemented", 100: "conditional IE error",
    101: "message not compatible with the protocol state", 111: "protocol error, unspecified",
}  # fmt: skip

SM: dict[int, str] = {
    8: "operator determined barring", 24: "MBMS bearer capabilities insufficient",
    25: "LLC or SNDCP failure", 26: "insufficient resources", 27: "missing or unknown APN",
    28: "unknown PDN type", 29: "user authentication or authorization failed",
    30: "request rejected by Serving GW or PDN GW", 31: "request rejected, unspecified",
    32: "service option not supported", 33: "requested service option not subscribed",
    34: "service option temporarily out of order", 35: "PTI already in use",
    36: "regular deactivation", 37: "EPS QoS not accepted", 38: "network failure",
    39: "reactivation requested", 40: "feature not supported",
    41: "semantic error in the TFT operation", 42: "syntactical error in the TFT operation",
    43: "invalid EPS bearer identity", 44: "semantic errors in packet filters",
    45: "syntactical errors in packet filters", 46: "out of LADN service area",
    47: "PTI mismatch", 49: "last PDN disconnection not allowed",
    50: "PDN type IPv4 only allowed", 51: "PDN type IPv6 only allowed",
    52: "single address bearers only allowed", 53: "ESM information not received",
    54: "PDN connection does not exist", 55: "multiple PDN connections for a given APN not allowed",
    56: "collision with network initiated request", 57: "PDN type IPv4v6 only allowed",
    58: "PDN type non IP only allowed", 59: "unsupported QCI value",
    60: "bearer handling not supported", 61: "PDN type Ethernet only allowed",
    65: "maximum number of EPS bearers reached",
    66: "requested APN not supported in current RAT and PLMN combination",
    67: "insufficient resources for specific slice and DNN", 68: "not supported SSC mode",
    69: "insufficient resources for specific slice",
    70: "missing or unknown DNN in a slice", 81: "invalid PTI value",
    82: "maximum data rate per UE for user-plane integrity protection is too low",
    95: "semantically incorrect message", 96: "invalid mandatory information",
    97: "message type non-existent or not implemented",
    98: "message type not compatible with the protocol state",
    99: "information element non-existent or not implemented", 100: "conditional IE error",
    101: "message not compatible with the protocol state", 111: "protocol error, unspecified",
    112: "APN restriction value incompatible with active EPS bearer context",
    113: "multiple accesses to a PDN connection not allowed",
}  # fmt: skip


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_CME_BY_TEXT = {_key(name): code for code, name in CME.items()} | {
    "simmissing": 10, "nosim": 10, "simnotpresent": 10, "simfail": 13, "simerror": 13,
    "simnotready": 14,
    "simisbusy": 14, "simpinnecessary": 11, "pinrequired": 11, "simpuknecessary": 12,
    "unknownerror": 100, "networknotallowedemergencycallonly": 32,
    "emergencycallsonly": 32, "nonetwork": 30, "invalidparameters": 50, "invalidparameter": 50,
    "operationnotallowed": 3, "imsiunknowninhss": 102, "illegalue": 103,
    "epsservicesnotallowed": 107, "epsservicesandnonepsservicesnotallowed": 108,
    "userauthenticationorauthorizationfailed": 129,
}  # fmt: skip
_MM_BY_TEXT = {_key(name): code for code, name in MM.items()} | {
    "imsiunknowninhlr": 2, "illegalms": 3, "gprsservicesnotallowed": 7,
    "gprsservicesandnongprsservicesnotallowed": 8, "epsandnonepsservicesnotallowed": 8,
    "locationareanotallowed": 12, "roamingnotallowedinthislocationarea": 13,
    "gprsservicesnotallowedinthisplmn": 14, "nosuitablecellsinlocationarea": 15,
}  # fmt: skip
_SM_BY_TEXT = {_key(name): code for code, name in SM.items()} | {
    "userauthenticationfailed": 29, "activationrejectedbyggsn": 30, "missingorunknownapn": 27,
    "unknownapn": 27, "unknownpdpaddressorpdptype": 28, "pdpauthenticationfailure": 29,
    "activationrejectedunspecified": 31, "servicenotsubscribed": 33,
}  # fmt: skip


def cme_code(text: str) -> int | None:
    """Return the number of a verbose ``+CME ERROR`` text, compared by letters and digits only."""
    return _CME_BY_TEXT.get(_key(text))


def mm_cause(text: str) -> int | None:
    """Return the number of a mobility cause given in words (longest name found in the text)."""
    return _longest(_MM_BY_TEXT, _key(text))


def sm_cause(text: str) -> int | None:
    """Return the number of a session cause given in words (longest name found in the text)."""
    return _longest(_SM_BY_TEXT, _key(text))


def _longest(table: dict[str, int], key: str) -> int | None:
    found = max((name for name in table if len(name) > 8 and name in key), key=len, default=None)
    return None if found is None else table[found]


def cause_of_cme(code: int) -> tuple[str, int] | None:
    """Return ("mm" or "sm", cause) of a ``+CME ERROR`` above 100 (TS 27.007 clause 9.2.2)."""
    if (
        code in {103, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 117, 122}
        or code == 102
    ):
        return "mm", code - 100
    if 126 <= code <= 134:
        return "sm", code - 100
    return {149: ("sm", 29), 177: ("sm", 8), 179: ("sm", 66)}.get(code)
