"""Short talks in which one thing is to be told from another; ``/`` stands between the lines."""

import io

import pytest

from simdiag.log import examine_log

HEALTHY = {
    "voice is refused where data serves": "AT+CEREG?/+CEREG: 0,1/OK/AT+CREG?/+CREG: 3,3,,,,0,2/OK",
    "2G is refused where LTE serves": "AT+CEREG?/+CEREG: 0,1/OK/AT+CGREG?/+CGREG: 3,3,,,,,0,7/OK",
    "LTE is refused where 3G serves": "AT+CGREG?/+CGREG: 0,1/OK/AT+CEREG?/+CEREG: 3,3,,,,0,15/OK/AT+CGATT?/+CGATT: 1/OK",
    "voice is refused, there is an address": "AT+CREG?/+CREG: 0,3/OK/AT+CGPADDR/+CGPADDR: 1,10.1.2.3/OK",
    "voice is refused, an operator serves on LTE": 'AT+CREG?/+CREG: 0,3/OK/AT+COPS?/+COPS: 0,0,"Operator",7/OK',
    "voice is refused, the link is up": 'AT+CREG?/+CREG: 0,3/OK/AT^NDISSTATQRY?/^NDISSTATQRY: 1,,,"IPV4"/OK',
    "the answer comes after OK": "AT+CEREG?/+CEREG: 0,1/OK/AT+CPIN?/OK/+CPIN: READY",
    "the log leaves answers out": "AT+CPIN?/AT+CSQ/AT+CEREG?/+CEREG: 0,1/OK",
    "no answer but OK": "AT+CEREG?/+CEREG: 0,1/OK/AT+CGATT?/OK/AT+CSQ/OK",
    "empty lists": "AT+CEREG?/+CEREG: 0,1/OK/AT+CGACT?/+CGACT:/OK/AT+CGPADDR/+CGPADDR: /OK",
    "an answer of its own to an order": "AT+CEREG?/+CEREG: 0,1/OK/AT+CGATT=1/ATTACHED/OK",
    "answers without prefix": "AT+CPIN?/READY/OK/AT+CSQ/20,99/OK/AT+CEREG?/0,1/OK/AT+CGATT?/1/OK",
    "to open what is open fails": 'AT+CEREG?/+CEREG: 0,1/OK/AT+QIACT?/+QIACT: 1,1,1,"10.1.2.3"/OK/AT+QIACT=1/ERROR',
    "5G alone, for which +CSQ and +CREG have no words": 'AT+CSQ/+CSQ: 99,99/OK/AT+COPS?/+COPS: 0,0,"Operator",11/OK/AT+CREG?/+CREG: 2,0/OK',
    "the network is open already": "AT+CREG?/+CREG: 0,1/OK/AT+NETOPEN/+IP ERROR: Network is already opened/ERROR",
    "opened, and the question for it": "AT+CREG?/+CREG: 0,1/OK/AT+NETOPEN/OK/+NETOPEN: 0/AT+NETOPEN?/+NETOPEN: 1/OK",
    "closed on purpose": "AT+CREG?/+CREG: 0,1/OK/AT+CNACT=0,1/OK/+APP PDP: 0,ACTIVE/AT+CNACT=0,0/OK/+APP PDP: 0,DEACTIVE",
    "the second attempt is accepted": "AT+CEREG?/+CEREG: 0,1/OK/AT+NETOPEN/ERROR/AT+NETOPEN/OK",
}  # fmt: skip

FAULTS = {
    "SIM PIN, then errors": ("sim_pin_required", "AT+CPIN?/+CPIN: SIM PIN/OK/AT+CIMI/ERROR/AT+CNUM/+CME ERROR: 14"),
    "SIM PUK, then failures": ("sim_puk_required", "AT+CPIN?/+CPIN: SIM PUK/OK/AT+CIMI/+CME ERROR: 13"),
    "a lock, then failures": ("device_network_locked", "AT+CPIN?/+CPIN: PH-NET PIN/OK/AT+CCID/+CME ERROR: 13"),
    "any other lock": ("device_network_locked", "AT+CPIN?/+CPIN: PH-SERVPROV PIN/OK"),
    "no card, then failures": ("sim_not_detected", "AT+CPIN?/+CME ERROR: 10/AT+CCID/+CME ERROR: 13"),
    "no card, said to another question": ("sim_not_detected", "AT+COPS?/+CME ERROR: 10"),
    "no card, said to a message": ("sim_not_detected", "AT+CMGF=1/+CMS ERROR: 310"),
    "the PUK, said to a PIN": ("sim_puk_required", 'AT+CPIN="1234"/+CME ERROR: 12'),
    "a crashed card": ("sim_failure", "AT+CPIN?/+CPIN: SIM CRASH/OK"),
    "no service": ("searching", "AT+CPIN?/+CPIN: READY/OK/AT+CPSI?/+CPSI: NO SERVICE,Online/OK"),
    "limited service": (
        "network_refused",
        'AT+CEREG?/+CEREG: 0,0/OK/AT+QENG="servingcell"/+QENG: "servingcell","LIMSRV","LTE","FDD",310,260,1A2B3C4,203,1300,3,5,5,1A2B,-88,-9,-60,15,35/OK',
    ),
    "emergency calls only": ("network_refused", "AT+CPIN?/+CPIN: READY/OK/AT+CEREG?/+CEREG: 0,11/OK"),
    "a context that does not open": ("data_not_connected", "AT+CEREG?/+CEREG: 0,1/OK/AT+QIACT=1/ERROR"),
    "a log with misspelt words": (
        "radio_off",
        "Send:at!pcinfo?/Recieve: State: Low Power Mode/Recieve: LPM voters - Temp:0, Volt:0, User:0, W_DISABLE:1/Recieve: OK",
    ),
    "a network that does not open, said later": ("data_not_connected", "AT+CREG?/+CREG: 0,1/OK/AT+NETOPEN/OK/+NETOPEN: 1"),
    "a link that goes down by itself": (
        "data_not_connected",
        "AT+CREG?/+CREG: 0,1/OK/AT+CNACT=0,1/OK/+APP PDP: 0,ACTIVE/+APP PDP: 0,DEACTIVE/AT+CGATT?/+CGATT: 1/OK",
    ),
    "a card that was read in time": (
        "data_not_connected",
        "+CPIN: NOT READY/AT+CREG?/+CREG: 0,1/OK/AT+SAPBR=1,1/ERROR",
    ),
    "a call that does not come about": ("data_not_connected", "AT+CEREG?/+CEREG: 0,1/OK/ATD*99#/NO CARRIER"),
    "words of both tables after an attempt": (
        "data_not_subscribed",
        "AT+CEREG?/+CEREG: 0,1/OK/AT+QIACT=1/ERROR/AT+CEER/+CEER: Requested service option not subscribed/OK",
    ),
    "the reason of a link that went down": ("data_not_subscribed", 'AT+CEREG?/+CEREG: 0,1/OK/^NDISSTAT: 0,33,,"IPV4"'),
    "refused, noted by the card, at home": (
        "network_refused",
        'AT+CIMI/404451234567890/OK/AT+CEREG?/+CEREG: 0,3/OK/AT+CRSM=176,28643,0,0,18/+CRSM: 144,0,"0BFFFFFFFFFFFFFFFFFFFFFF04F454000102"/OK',
    ),
    "refused, noted by the card, abroad": (
        "roaming_not_allowed",
        'AT+CIMI/404451234567890/OK/AT+CEREG?/+CEREG: 0,3/OK/AT+CRSM=176,28643,0,0,18/+CRSM: 144,0,"0BFFFFFFFFFFFFFFFFFFFFFF62F220000102"/OK',
    ),
}  # fmt: skip

UNKNOWN = {
    "ready, but mute about its numbers": "AT+CPIN?/+CPIN: READY/OK/AT+CIMI/ERROR",
    "ready, but not attached": "AT+CPIN?/+CPIN: READY/OK/AT+CGATT?/+CGATT: 0/OK",
    "ready, and an answer that makes no sense": "AT+CPIN?/+CPIN: READY/OK/AT+CEREG?/+CEREG: ?%/OK",
}


def cause(talk: str) -> str:
    return examine_log(io.BytesIO(talk.replace("/", "\n").encode() + b"\n")).diagnosis.cause


@pytest.mark.parametrize("talk", HEALTHY.values(), ids=HEALTHY)
def test_healthy(talk):
    assert cause(talk) == "healthy"


@pytest.mark.parametrize(("wanted", "talk"), FAULTS.values(), ids=FAULTS)
def test_fault(wanted, talk):
    assert cause(talk) == wanted


@pytest.mark.parametrize("talk", UNKNOWN.values(), ids=UNKNOWN)
def test_too_little_for_a_verdict(talk):
    assert cause(talk) == "inconclusive"
