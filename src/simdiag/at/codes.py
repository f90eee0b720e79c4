"""Error and cause numbers with the names that the standards give them.

``PROTOCOLS`` are the causes that a network gives: mobility (TS 24.301 clause 9.9.3.9 for ``EMM``,
TS 24.008 clauses 10.5.5.14 for ``GMM`` and 10.5.3.6 for ``MM``, TS 24.501 clause 9.11.3.2 for
``5GMM``) and session (TS 24.301 clause 9.9.4.4 for ``ESM``, TS 24.008 clause 10.5.6.6 for ``SM``,
TS 24.501 clause 9.11.4.2 for ``5GSM``). ``MM`` and ``SM`` are the same where the protocol is not
known: newer names win. ``CME`` is TS 27.007 clause 9.2, ``CMS`` TS 27.005 clause 3.2.5.
"""

from __future__ import annotations

import re

_Rows = tuple[tuple[int, str, str], ...]
"""Number, the protocols that define it, and what these call it."""

_MESSAGE_ERRORS = (
    (95, "semantically incorrect message"),
    (96, "invalid mandatory information"),
    (97, "message type non-existent or not implemented"),
    (98, "message type not compatible with the protocol state"),
    (99, "information element non-existent or not implemented"),
    (100, "conditional IE error"),
    (101, "message not compatible with the protocol state"),
    (111, "protocol error, unspecified"),
)
"""The same in every protocol."""

_MOBILITY: _Rows = (
    (2, "EMM", "IMSI unknown in HSS"),
    (2, "GMM MM", "IMSI unknown in HLR"),
    (3, "EMM 5GMM", "illegal UE"),
    (3, "GMM MM", "illegal MS"),
    (4, "MM", "IMSI unknown in VLR"),
    (5, "EMM GMM MM", "IMEI not accepted"),
    (5, "5GMM", "PEI not accepted"),
    (6, "EMM 5GMM GMM MM", "illegal ME"),
    (7, "EMM", "EPS services not allowed"),
    (7, "5GMM", "5GS services not allowed"),
    (7, "GMM", "GPRS services not allowed"),
    (8, "EMM", "EPS services and non-EPS services not allowed"),
    (8, "GMM", "GPRS services and non-GPRS services not allowed"),
    (9, "EMM 5GMM", "UE identity cannot be derived by the network"),
    (9, "GMM", "MS identity cannot be derived by the network"),
    (10, "EMM GMM", "implicitly detached"),
    (10, "5GMM", "implicitly de-registered"),
    (11, "EMM 5GMM GMM MM", "PLMN not allowed"),
    (12, "EMM 5GMM", "tracking area not allowed"),
    (12, "GMM MM", "location area not allowed"),
    (13, "EMM 5GMM", "roaming not allowed in this tracking area"),
    (13, "GMM MM", "roaming not allowed in this location area"),
    (14, "EMM", "EPS services not allowed in this PLMN"),
    (14, "GMM", "GPRS services not allowed in this PLMN"),
    (15, "EMM 5GMM", "no suitable cells in tracking area"),
    (15, "GMM MM", "no suitable cells in location area"),
    (16, "EMM GMM", "MSC temporarily not reachable"),
    (17, "EMM GMM MM", "network failure"),
    (18, "EMM", "CS domain not available"),
    (19, "EMM", "ESM failure"),
    (20, "EMM 5GMM GMM MM", "MAC failure"),
    (21, "EMM 5GMM GMM MM", "synch failure"),
    (22, "EMM 5GMM GMM MM", "congestion"),
    (23, "EMM 5GMM", "UE security capabilities mismatch"),
    (23, "GMM MM", "GSM authentication unacceptable"),
    (24, "EMM 5GMM", "security mode rejected, unspecified"),
    (25, "EMM GMM MM", "not authorized for this CSG"),
    (26, "EMM", "non-EPS authentication unacceptable"),
    (26, "5GMM", "non-5G authentication unacceptable"),
    (27, "5GMM", "N1 mode not allowed"),
    (28, "5GMM", "restricted service area"),
    (28, "GMM", "SMS provided via GPRS in this routing area"),
    (31, "EMM", "redirection to 5GCN required"),
    (31, "5GMM", "redirection to EPC required"),
    (32, "MM", "service option not supported"),
    (33, "MM", "requested service option not subscribed"),
    (34, "MM", "service option temporarily out of order"),
    (35, "EMM", "requested service option not authorized in this PLMN"),
    (36, "EMM 5GMM", "IAB-node operation not authorized"),
    (38, "MM", "call cannot be identified"),
    (39, "EMM", "CS service temporarily not available"),
    (40, "EMM", "no EPS bearer context activated"),
    (40, "GMM", "no PDP context activated"),
    (42, "EMM", "severe network failure"),
    (43, "5GMM", "LADN not available"),
    *((number, "GMM MM", "retry upon entry into a new cell") for number in range(48, 64)),
    (62, "5GMM", "no network slices available"),
    (65, "5GMM", "maximum number of PDU sessions reached"),
    (67, "5GMM", "insufficient resources for specific slice and DNN"),
    (69, "5GMM", "insufficient resources for specific slice"),
    (71, "5GMM", "ngKSI already in use"),
    (72, "5GMM", "non-3GPP access to 5GCN not allowed"),
    (73, "5GMM", "serving network not authorized"),
    (74, "5GMM", "temporarily not authorized for this SNPN"),
    (75, "5GMM", "permanently not authorized for this SNPN"),
    (76, "5GMM", "not authorized for this CAG or authorized for CAG cells only"),
    (77, "5GMM", "wireline access area not allowed"),
    (78, "EMM 5GMM", "PLMN not allowed to operate at the present UE location"),
    (79, "5GMM", "UAS services not allowed"),
    (80, "EMM 5GMM",
     "disaster roaming for the determined PLMN with disaster condition not allowed"),
    (81, "5GMM", "selected N3IWF is not compatible with the allowed NSSAI"),
    (82, "5GMM", "selected TNGF is not compatible with the allowed NSSAI"),
    (83, "EMM", "procedure cannot be completed due to unavailable feeder link while MME is "
                "operating in S&F mode"),
    (90, "5GMM", "payload was not forwarded"),
    (91, "5GMM", "DNN not supported or not subscribed in the slice"),
    (92, "5GMM", "insufficient user-plane resources for the PDU session"),
    (93, "5GMM", "onboarding services terminated"),
    (94, "5GMM", "user plane positioning not authorized"),
    *((number, "EMM 5GMM GMM MM", name) for number, name in _MESSAGE_ERRORS),
)  # fmt: skip

_SESSION: _Rows = (
    (8, "ESM 5GSM SM", "operator determined barring"),
    (24, "SM", "MBMS bearer capabilities insufficient for the service"),
    (25, "SM", "LLC or SNDCP failure"),
    (26, "ESM 5GSM SM", "insufficient resources"),
    (27, "ESM SM", "missing or unknown APN"),
    (27, "5GSM", "missing or unknown DNN"),
    (28, "ESM", "unknown PDN type"),
    (28, "5GSM", "unknown PDU session type"),
    (28, "SM", "unknown PDP address or PDP type"),
    (29, "ESM 5GSM", "user authentication or authorization failed"),
    (29, "SM", "user authentication failed"),
    (30, "ESM", "request rejected by Serving GW or PDN GW"),
    (30, "SM", "activation rejected by GGSN, Serving GW or PDN GW"),
    (31, "ESM 5GSM", "request rejected, unspecified"),
    (31, "SM", "activation rejected, unspecified"),
    (32, "ESM 5GSM SM", "service option not supported"),
    (33, "ESM 5GSM SM", "requested service option not subscribed"),
    (34, "ESM 5GSM SM", "service option temporarily out of order"),
    (35, "ESM 5GSM", "PTI already in use"),
    (35, "SM", "NSAPI already used"),
    (36, "ESM 5GSM SM", "regular deactivation"),
    (37, "ESM", "EPS QoS not accepted"),
    (37, "5GSM", "5GS QoS not accepted"),
    (37, "SM", "QoS not accepted"),
    (38, "ESM 5GSM SM", "network failure"),
    (39, "ESM 5GSM SM", "reactivation requested"),
    (40, "SM", "feature not supported"),
    (41, "ESM 5GSM SM", "semantic error in the TFT operation"),
    (42, "ESM 5GSM SM", "syntactical error in the TFT operation"),
    (43, "ESM", "invalid EPS bearer identity"),
    (43, "5GSM", "invalid PDU session identity"),
    (43, "SM", "unknown PDP context"),
    (44, "ESM 5GSM SM", "semantic errors in packet filters"),
    (45, "ESM 5GSM SM", "syntactical errors in packet filters"),
    (46, "5GSM", "out of LADN service area"),
    (46, "SM", "PDP context without TFT already activated"),
    (47, "ESM 5GSM", "PTI mismatch"),
    (47, "SM", "multicast group membership time-out"),
    (48, "SM", "request rejected, bearer control mode violation"),
    (49, "ESM", "last PDN disconnection not allowed"),
    (50, "ESM", "PDN type IPv4 only allowed"),
    (50, "5GSM", "PDU session type IPv4 only allowed"),
    (50, "SM", "PDP type IPv4 only allowed"),
    (51, "ESM", "PDN type IPv6 only allowed"),
    (51, "5GSM", "PDU session type IPv6 only allowed"),
    (51, "SM", "PDP type IPv6 only allowed"),
    (52, "ESM SM", "single address bearers only allowed"),
    (53, "ESM", "ESM information not received"),
    (54, "ESM", "PDN connection does not exist"),
    (54, "5GSM", "PDU session does not exist"),
    (55, "ESM", "multiple PDN connections for a given APN not allowed"),
    (56, "ESM SM", "collision with network initiated request"),
    (57, "ESM", "PDN type IPv4v6 only allowed"),
    (57, "5GSM", "PDU session type IPv4v6 only allowed"),
    (57, "SM", "PDP type IPv4v6 only allowed"),
    (58, "ESM", "PDN type non IP only allowed"),
    (58, "5GSM", "PDU session type Unstructured only allowed"),
    (58, "SM", "PDP type non IP only allowed"),
    (59, "ESM", "unsupported QCI value"),
    (59, "5GSM", "unsupported 5QI value"),
    (60, "ESM SM", "bearer handling not supported"),
    (61, "ESM", "PDN type Ethernet only allowed"),
    (61, "5GSM", "PDU session type Ethernet only allowed"),
    (65, "ESM", "maximum number of EPS bearers reached"),
    (65, "SM", "maximum number of PDP contexts reached"),
    (66, "ESM SM", "requested APN not supported in current RAT and PLMN combination"),
    (67, "5GSM", "insufficient resources for specific slice and DNN"),
    (68, "5GSM", "not supported SSC mode"),
    (69, "5GSM", "insufficient resources for specific slice"),
    (70, "5GSM", "missing or unknown DNN in a slice"),
    (81, "ESM 5GSM", "invalid PTI value"),
    (81, "SM", "invalid transaction identifier value"),
    (82, "5GSM",
     "maximum data rate per UE for user-plane integrity protection is too low"),
    (83, "5GSM", "semantic error in the QoS operation"),
    (84, "5GSM", "syntactical error in the QoS operation"),
    (85, "5GSM", "invalid mapped EPS bearer identity"),
    (86, "5GSM", "UAS services not allowed"),
    *((number, "ESM 5GSM SM", name) for number, name in _MESSAGE_ERRORS),
    (112, "ESM", "APN restriction value incompatible with active EPS bearer context"),
    (112, "SM", "APN restriction value incompatible with active PDP context"),
    (113, "ESM SM", "multiple accesses to a PDN connection not allowed"),
)  # fmt: skip

MOBILITY_PROTOCOLS = ("EMM", "5GMM", "GMM", "MM")
SESSION_PROTOCOLS = ("ESM", "5GSM", "SM")


def _names(rows: _Rows, protocol: str) -> dict[int, str]:
    return {number: name for number, users, name in rows if protocol in users.split()}


PROTOCOLS = {protocol: _names(_MOBILITY, protocol) for protocol in MOBILITY_PROTOCOLS} | {
    protocol: _names(_SESSION, protocol) for protocol in SESSION_PROTOCOLS
}


def _any_protocol(protocols: tuple[str, ...]) -> dict[int, str]:
    names: dict[int, str] = {}
    for protocol in reversed(protocols):
        names |= PROTOCOLS[protocol]
    return dict(sorted(names.items()))


MM = _any_protocol(MOBILITY_PROTOCOLS)
SM = _any_protocol(SESSION_PROTOCOLS)

TREATED_AS = dict.fromkeys(("EMM", "5GMM", "GMM"), 111) | dict.fromkeys(
    ("MM", *SESSION_PROTOCOLS), 34
)
"""As which cause a device takes "any other value received", by protocol (the clauses above)."""

_CME_CAUSES = {
    "GMM": {
        102: 2, 103: 3, 105: 5, 106: 6, 107: 7, 108: 8, 109: 9, 110: 10, 111: 11, 112: 12, 113: 13,
        114: 14, 115: 15, 116: 16, 117: 17, 122: 22, 125: 25, 185: 40,
    },
    "MM": {104: 4, 138: 38},
    "EMM": {118: 18, 119: 19, 139: 39, 189: 35, 204: 42, 226: 31},
    "5GMM": {
        210: 27, 211: 28, 212: 43, 214: 71, 215: 90, 216: 72, 217: 73, 218: 91, 219: 92, 227: 31,
        228: 74, 229: 75, 231: 76, 232: 62, 233: 77,
    },
    "SM": {
        124: 24, 126: 26, 127: 27, 128: 28, 129: 29, 130: 30, 131: 31, 132: 32, 133: 33, 134: 34,
        135: 35, 136: 36, 137: 37, 140: 40, 141: 41, 142: 42, 143: 43, 144: 44, 145: 45, 149: 29,
        177: 8, 178: 65, 179: 66, 180: 48, 188: 81, 190: 38, 191: 39, 192: 50, 193: 51, 194: 52,
        195: 56, 196: 57, 197: 58, 198: 60, 199: 112, 200: 113,
    },
    "ESM": {171: 49, 181: 59, 184: 81, 201: 53, 202: 54, 203: 55, 230: 61},
    "5GSM": {
        205: 67, 206: 68, 207: 69, 213: 70, 220: 46, 221: 47, 222: 82, 223: 83, 224: 84, 225: 85,
    },
}  # fmt: skip
"""``+CME ERROR`` numbers that are a cause of the network; where protocols share it, the oldest."""
_CME_MESSAGE_ERRORS = {
    172: 95, 173: 96, 174: 97, 175: 100, 176: 111, 186: 101, 208: 98, 209: 99,
}  # fmt: skip

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
    100: "unknown",
    **{
        code: PROTOCOLS[protocol][cause]
        for protocol, causes in _CME_CAUSES.items() for code, cause in causes.items()
    },
    **{code: dict(_MESSAGE_ERRORS)[cause] for code, cause in _CME_MESSAGE_ERRORS.items()},
    146: PROTOCOLS["SM"][46], 147: PROTOCOLS["SM"][47], 148: "unspecified GPRS error",
    149: "PDP authentication failure", 150: "invalid mobile class",
    182: "user data transmission via control plane is congested", 183: PROTOCOLS["GMM"][28],
    187: "recovery on timer expiry",
}  # fmt: skip
"""Clause 9.2.2; those above 100 are mostly what the network answered."""

CMS: dict[int, str] = {
    1: "unassigned (unallocated) number", 8: "operator determined barring", 10: "call barred",
    21: "short message transfer rejected", 22: "memory capacity exceeded",
    27: "destination out of order", 28: "unidentified subscriber", 29: "facility rejected",
    30: "unknown subscriber", 38: "network out of order", 41: "temporary failure",
    42: "congestion", 47: "resources unavailable, unspecified",
    50: "requested facility not subscribed", 69: "requested facility not implemented",
    81: "invalid short message transfer reference value",
    **{number: name for number, name in _MESSAGE_ERRORS if number in (95, 96, 97, 99, 111)},
    98: "message not compatible with short message protocol state",
    127: "interworking, unspecified", 128: "telematic interworking not supported",
    129: "short message type 0 not supported", 130: "cannot replace short message",
    143: "unspecified TP-PID error", 144: "data coding scheme (alphabet) not supported",
    145: "message class not supported", 159: "unspecified TP-DCS error",
    160: "command cannot be actioned", 161: "command unsupported",
    175: "unspecified TP-Command error", 176: "TPDU not supported", 192: "SC busy",
    193: "no SC subscription", 194: "SC system failure", 195: "invalid SME address",
    196: "destination SME barred", 197: "SM rejected-duplicate SM", 198: "TP-VPF not supported",
    199: "TP-VP not supported", 208: "SIM SMS storage full",
    209: "no SMS storage capability in SIM", 210: "error in MS",
    211: "memory capacity exceeded", 212: "SIM application toolkit busy",
    213: "SIM data download error", 255: "unspecified error cause", 300: "ME failure",
    301: "SMS service of ME reserved", 302: "operation not allowed",
    303: "operation not supported", 304: "invalid PDU mode parameter",
    305: "invalid text mode parameter", 310: "SIM not inserted", 311: "SIM PIN required",
    312: "PH-SIM PIN required", 313: "SIM failure", 314: "SIM busy",
    315: "SIM wrong", 316: "SIM PUK required", 317: "SIM PIN2 required",
    318: "SIM PUK2 required", 320: "memory failure", 321: "invalid memory index",
    322: "memory full", 330: "SMSC address unknown", 331: "no network service",
    332: "network timeout", 340: "no +CNMA acknowledgement expected", 500: "unknown error",
}  # fmt: skip
"""Below 128 TS 24.011 clause E.2, below 256 TS 23.040 clause 9.2.3.22."""

_CME_OF_CMS = {
    300: 0, 302: 3, 303: 4, 304: 50, 305: 50, 310: 10, 311: 11, 312: 5, 313: 13, 314: 14,
    315: 15, 316: 12, 317: 17, 318: 18, 331: 30, 332: 31, 500: 100,
}  # fmt: skip


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_MM_BY_TEXT = {_key(name): number for number, _, name in _MOBILITY} | {
    "epsandnonepsservicesnotallowed": 8, "requestedserviceoptionnotauthorized": 35,
    "notauthorizedforthiscag": 76,
}  # fmt: skip
_SM_BY_TEXT = {_key(name): number for number, _, name in _SESSION} | {
    "mbmsbearercapabilitiesinsufficient": 24, "unknownapn": 27, "pdpauthenticationfailure": 29,
    "activationrejectedbyggsn": 30, "servicenotsubscribed": 33, "requestrejectedbcmviolation": 48,
}  # fmt: skip
"""Every protocol's names, and others that modems use."""


def _cme_by_text() -> dict[str, int]:
    """The codes by every name that their cause has in any protocol; their own names win."""
    found: dict[str, int] = {}
    for texts, protocols in ((_SM_BY_TEXT, SESSION_PROTOCOLS), (_MM_BY_TEXT, MOBILITY_PROTOCOLS)):
        codes = {cause: code for p in protocols for code, cause in reversed(_CME_CAUSES[p].items())}
        found |= {text: codes[cause] for text, cause in texts.items() if cause in codes}
    return found | {_key(name): code for code, name in reversed(CME.items())}


_CME_BY_TEXT = _cme_by_text() | {
    "simmissing": 10, "nosim": 10, "simnotpresent": 10, "simfail": 13, "simerror": 13,
    "simnotready": 14, "simisbusy": 14, "simpinnecessary": 11, "pinrequired": 11,
    "simpuknecessary": 12, "unknownerror": 100, "networknotallowedemergencycallonly": 32,
    "emergencycallsonly": 32, "nonetwork": 30, "invalidparameters": 50, "invalidparameter": 50,
}  # fmt: skip
_CMS_BY_TEXT = {_key(name): code for code, name in reversed(CMS.items())}


def cme_code(text: str) -> int | None:
    """Return the number of a verbose ``+CME ERROR`` text, compared by letters and digits only."""
    return _CME_BY_TEXT.get(_key(text))


def cms_code(text: str) -> int | None:
    """Return the number of a verbose ``+CMS ERROR`` text, compared by letters and digits only."""
    return _CMS_BY_TEXT.get(_key(text.replace("(U)", "")))


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
    for protocol, causes in _CME_CAUSES.items():
        if code in causes:
            return "mm" if protocol in MOBILITY_PROTOCOLS else "sm", causes[code]
    return None


def cme_of_cms(code: int) -> int | None:
    """Return the ``+CME ERROR`` that says the same as a ``+CMS ERROR``.

    ``None`` for what only concerns text messages, such as the answers of a service centre.
    """
    return _CME_OF_CMS.get(code)
