"""No identifier leaves by accident, whatever form the wire gave it."""

import re

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.at.values import swap_nibbles
from simdiag.evidence import Evidence, Observation, Source
from simdiag.redact import Redactor
from simdiag.rules import all_rules

ICCID, IMSI, IMEI = "89860112345678901237", "460011234567890", "867322040123456"
CELL, ADDRESS = "0A1B2C3D", "10.64.12.201"


def evidence() -> Evidence:
    values = {
        "sim.iccid": ICCID,
        "sim.imsi": IMSI,
        "device.imei": IMEI,
        "registration.eps.cell_id": CELL,
        "registration.eps.tac": "7C5B",
        "data.addresses": {1: [ADDRESS]},
        "counter.rx_bytes": 61882100,
    }
    return Evidence(Observation(n, v, Source(0, "", str(v))) for n, v in values.items())


SECRETS = [
    f"+QCCID: {ICCID}", f'+ICCID: "{ICCID}F"', f'+CRSM: 144,0,"{swap_nibbles(ICCID)}"',
    IMSI, f'+CRSM: 144,0,"08{swap_nibbles("9" + IMSI)}"', f"+CCED:LTE current cell:460,11,{IMSI},0",
    f"IMEI: {IMEI}", f'+CGSN: "{IMEI}"', f'+CEREG: 2,1,"7C5B","{CELL}",7',
    f"+CPSI: LTE,Online,460-01,0x7C5B,{int(CELL, 16)},203", f'+CGPADDR: 1,"{ADDRESS}"',
    f'+CGCONTRDP: 1,5,"a","{ADDRESS}.255.255.255.0"', f"{IMSI}{IMEI}", "+CUSD: 0,\"你的号码是13800138000\",15",
    '+CMGL: 1,"REC READ","+8613800138000",,"24/01/01"', '+CNUM: "","13800138000",129', 'AT+CPIN="4711"',
    'AT+CLCK="SC",0,"4711"', '+CLIP: "13800138000",161', '+CGAUTH: 1,1,"user","geheim"',
]  # fmt: skip


@pytest.mark.parametrize("line", SECRETS)
def test_identifiers_are_hidden_in_every_form_and_lengths_stay(line):
    shown = Redactor(evidence()).text(line)
    assert len(shown) == len(line)
    for secret in (ICCID[6:16], swap_nibbles(ICCID)[6:16], IMSI[5:], IMEI[8:], CELL[:6], "64.12.201",
                   str(int(CELL, 16))[:6], "13800138000", "4711", "geheim", swap_nibbles("9" + IMSI)[4:]):  # fmt: skip
        assert secret not in shown


@pytest.mark.parametrize(
    "line",
    ["+CSQ: 20,99", "+QGDCNT: 4210233,61882100", "+CREG: 0,1", '+COPS: 0,0,"CHINA MOBILE",7', "OK",
     "+CME ERROR: 10", "EC25EFAR06A03M4G", '+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFF"', "AT+CPIN?",
     '+CGPADDR: 1,"0.0.0.0"', "+CPIN: READY"],
)  # fmt: skip
def test_what_is_no_identifier_stays(line):
    known = evidence()
    known.add(Observation("counter.tx_bytes", 4210233, Source(0, "", "")))
    assert Redactor(known).text(line) == line


def test_what_is_revealed_is_shown_and_the_rest_hidden():
    redactor = Redactor(evidence(), {"iccid"})
    assert ICCID in redactor.text(f"+QCCID: {ICCID}")
    assert IMSI not in redactor.text(IMSI)
    assert Redactor(evidence(), {"all"}).text(IMSI) == IMSI


def test_values_of_observations_are_hidden_too():
    known = evidence()
    redactor = Redactor(known)
    assert redactor.value(known.last("sim.iccid")) == "898601**********1237"
    assert redactor.value(known.last("sim.imsi")) == "46001**********"
    assert redactor.value(known.last("device.imei")) == "86732204*******"
    assert redactor.value(known.last("data.addresses")) == {1: ["10.**.**.***"]}


def test_an_identifier_that_no_parser_knows_is_hidden_all_the_same():
    assert not re.search(r"\d{9}", Redactor(Evidence()).text("$NEWVENDOR: id=867322040123456;x"))


def test_the_whole_transcript_of_an_examination_holds_no_identifier(emulated):
    with emulated(
        "quectel-ec2x/healthy", None, imsi=IMSI, imei=IMEI, iccid=ICCID, cell=CELL
    ) as port:
        result = examine(Target(port=port), Options())
    redactor = Redactor(result.evidence)
    wire = b"".join(redactor.data(e.data) for e in result.events).decode("latin-1")
    for secret in (ICCID, IMSI, IMEI, CELL, swap_nibbles(ICCID), swap_nibbles("9" + IMSI)):
        assert secret not in wire
    assert all_rules()
