"""No identifier leaves by accident, whatever form the wire gave it."""

import re
import time
from base64 import b64encode

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.at.values import swap_nibbles
from simdiag.diagnose import diagnose
from simdiag.emulator import scenario_names
from simdiag.evidence import Evidence, Observation, Source
from simdiag.log import examine_log
from simdiag.message import message
from simdiag.redact import Redactor
from simdiag.report.contract import to_json
from simdiag.rules import all_rules
from simdiag.transcript.recorded import Recording, write_transcript

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


def ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex()


def spaced(text: str, separator: str, size: int) -> str:
    return separator.join(text[i : i + size] for i in range(0, len(text), size))


DISGUISES = [
    lambda v: f"SN{v}", lambda v: f"imsi_{v}", lambda v: f"M_{v}x", lambda v: v + "F", lambda v: f"*{v}",
    lambda v: spaced(v, " ", 4), lambda v: spaced(v, "-", 4), lambda v: spaced(v, ".", 2),
    lambda v: spaced(v, "  ", 5), lambda v: spaced(v, ":", 2), lambda v: spaced(v, " ", 1),
    lambda v: f"{v[:3]},{v[3:5]},{v[5:]}", lambda v: f"{v[:8]}-{v[8:14]}-{v[14:]}",
    swap_nibbles, lambda v: swap_nibbles(v.ljust(20, "F")).lower(), lambda v: spaced(swap_nibbles(v), " ", 2),
    lambda v: "0x" + " 0x".join(spaced(swap_nibbles(v.ljust(20, "F")), " ", 2).split()), lambda v: ucs2(v), lambda v: ucs2(v).upper(),
    lambda v: "x" + ucs2(v), lambda v: v.encode("utf-16-le").hex(), lambda v: v.encode().hex(),
    lambda v: spaced(v.encode().hex(), " ", 2), lambda v: f"AT+CSIM=14,{swap_nibbles('9' + v)}",
]  # fmt: skip


def bare(text: str) -> str:
    return re.sub(r"0x|[^0-9A-Za-z*]", "", text).lower()


@pytest.mark.parametrize("value", [ICCID, IMSI, IMEI], ids=["iccid", "imsi", "imei"])
@pytest.mark.parametrize("number", range(len(DISGUISES)))
@pytest.mark.parametrize("known", [True, False])
def test_no_disguise_helps(number, value, known):
    line = DISGUISES[number](value)
    if not known and re.search(r"[.:,]|  |^\d( \d)+$|^..( ..)+$", line):
        pytest.skip("a number that nobody knows and that looks like a list of levels")
    shown = Redactor(evidence() if known else Evidence()).text(f'+X: "{line}"')
    assert len(shown) == len(line) + 6
    disguised, left = bare(line), bare(shown)
    assert max(map(len, re.findall(r"\d+", re.sub(r"[g-z_]", "", left))), default=0) <= 8
    assert disguised not in left
    assert left.count("*") >= min(6, len(disguised) // 2)


HIDDEN = [
    ("+CPSI: LTE,Online,460-01,0x7496,251941991,203,EUTRAN-BAND8,3740,3,3,-92,-672,-418,14",
     "+CPSI: LTE,Online,460-01,0x****,*********,203,EUTRAN-BAND8,3740,3,3,-92,-672,-418,14"),
    ('+QENG: "servingcell","NOCONN","LTE","FDD",262,03,1A2B3C4,277,250,1,3,3,4AA3,-97,-10,-69,16,9,160,-',
     '+QENG: "servingcell","NOCONN","LTE","FDD",262,03,*******,277,250,1,3,3,****,-97,-10,-69,16,9,160,-'),
    ('+QENG: "servingcell","NOCONN","NR5G-SA","FDD",310,260,939204254,24,60AA00,126490,71,1,-104,-13,11,0,-',
     '+QENG: "servingcell","NOCONN","NR5G-SA","FDD",310,260,*********,24,******,126490,71,1,-104,-13,11,0,-'),
    ('+QENG:"servingcell","NOCONN","GSM",460,01,5504,2B55,52,123,0,-111,5',
     '+QENG:"servingcell","NOCONN","GSM",460,01,****,****,52,123,0,-111,5'),
    ('+CEREG: 2,"09C5","020C7B16",7,0,11', '+CEREG: 2,"****","********",7,0,11'),
    ("+CREG: 2,1, 550014, 676", "+CREG: 2,1, ******, ***"),
    ("^SMONI: 4G,2850,7,20,20,FDD,262,02,1C2D,1A2B3C4,275,-,-113,-8,CONN",
     "^SMONI: 4G,2850,7,20,20,FDD,262,02,****,*******,275,-,-113,-8,CONN"),
    ("+GTCCINFO: 1,4,460,01,5A1E,0B4D2C1,672,1E4,103,100,44,63,63,24",
     "+GTCCINFO: 1,4,460,01,****,*******,672,1E4,103,100,44,63,63,24"),
    ("Tx Power:      15\t\tTAC:         8C65 (35941)", "Tx Power:      15\t\tTAC:         **** (*****)"),
    ('#RFSTS: "310 260",66786,-101,-68,-13,8C65,255,,640,1,0,1A2B3C4,"310260123456789","T-Mobile",3,66',
     '#RFSTS: "310 260",66786,-101,-68,-13,****,255,,640,1,0,*******,"31026**********","T-Mobile",3,66'),
    ('%XMONITOR: 5,"","","45006","8C65",7,5,"01A2B3C4",27,2600,61,24,"","00001010","00110100"',
     '%XMONITOR: 5,"","","45006","****",7,5,"********",27,2600,61,24,"","00001010","00110100"'),
    ('+CGPADDR: 1,"10.1.2.3","36.14.8.160.1.2.3.4.5.6.7.8.9.10.11.12"',
     '+CGPADDR: 1,"10.*.*.*","36.**.*.***.*.*.*.*.*.*.*.*.*.**.**.**"'),
    ("address:2409:8900::1f, fe80::1", "address:****:****::**, fe80::*"),
    ("IP=0x0A400CC9 IP0A400CC9 C90C400A", "IP=0x0A****** IP0A****** ******0A"),
    ("+IPADDR: 10,64,12,201", "+IPADDR: 10,**,**,***"),
    ("AT+CFUN=1;+CPIN=6543", "AT+CFUN=1;+CPIN=****"),
    ('at + cpin = "12;34","5678";+CSQ', 'at + cpin = "*****","****";+CSQ'),
    ("AT+CPIN=1234 → +CME ERROR: 16", "AT+CPIN=**** → +CME ERROR: 16"),
    ('AT+CLCK="SC",0,"4711"', 'AT+CLCK="SC",0,"****"'),
    ('AT+CPWD="P2","4711","0815"', 'AT+CPWD="P2","****","****"'),
    ('AT+QICSGP=1,1,"internet","user","geheim",1', 'AT+QICSGP=1,1,"internet","****","******",*'),
    ('+CGAUTH: 1,1,"user","geheim"', '+CGAUTH: 1,1,"****","******"'),
    ("SIM PIN: 4711", "SIM PIN: ****"), ("ATD13800138000;", "ATD***********;"),
    ('[10:01] +CLIP: "+8613800138000",145', '[10:01] +CLIP: "**************",***'),
    ("+QGPSLOC: 061951.0,3150.7223N,11711.9293E,0.7,62.2", "+QGPSLOC: ******.*,****.*****,*****.*****,*.*,**.*"),
    ("$GPGGA,061951.0,3150.7223,N,11711.9293,E", "$GPGGA,******.*,****.****,*,*****.****,*"),
    ("NEW 31.845371 117.198821", "NEW **.****** ***.******"),
    ("Lat: 49 Deg 10 Min", "Lat: ** *** ** ***"),
    ("460 00 1234567890", "460 00 **********"), ("call +86 138 0013 8000", "call +** *** **** ****"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), HIDDEN, ids=[h[0][:30] for h in HIDDEN])
def test_shapes_of_lines_are_known(line, expected):
    assert Redactor(evidence()).text(line) == expected


@pytest.mark.parametrize(
    "line",
    ['+QENG:"NR5G-NSA",515,03,832,-76,21,-11,528030,41,8,1', '+QNWINFO: "FDD LTE","46001","LTE BAND 3",1650',
     "21.200.07.00.00", "SWI9X30C_02.33.03.00 r8209 CARMD-EV-FRMWR2 2019/08/28 20:59:30", "LE20B03SIM7600M22_V2.0.2",
     '+QNWPREFCFG: "lte_band",1:3:5:7:8:20:28:38:40:41', '+CCLK: "24/01/01,12:34:56+32"', "A7670E-FASE EC25 RM520N-GL",
     '+MUESTATS: "scell",6,460,00,3684,,498,-920,-108,-812,235', '+CEREG: 5,4,"FFFE","FFFFFFFF",7,0,0,"00000000"',
     '+CRSM: 144,0,"64F010FFFFFFFFFFFFFFFFFF"', '+CRSM: 144,0,"00000002"', '+CLCK: 0', 'AT+CLCK="PN",2', "ATD*99***1#",
     '^SYSCFGEX: "00",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF', "+CARDLOCK: 2,10,0", "AT+CPIN=?", '+CPINR: "SIM PIN",3',
     "0000003A,0000000000403E59,0000000003B03F34", "LTE Tx chan: 4294967295", "+CPSI: NR5G,257,629952,-11,-92,153",
     '+CGDCONT: 1,"IPV4V6","fast.t-mobile.com","0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",0,0', "+CESQ: 99,99,255,255,20,50"],
)  # fmt: skip
def test_what_a_diagnosis_needs_stays(line):
    known = evidence()
    for name, value in (("counter.tx_bytes", 0x403E59), ("counter.rx_bytes", 0x3B03F34)):
        known.add(Observation(name, value, Source(0, "", "")))
    assert Redactor(known).text(line) == line


def test_levels_that_equal_a_known_area_stay():
    known = Evidence([Observation("registration.eps.tac", "0672", Source(0, "", ""))])  # 1650
    line = "+CPSI: LTE,Online,460-01,0x0672,251941991,203,EUTRAN-BAND3,1650,3,3,-92,-672,-418,14"
    assert Redactor(known).text(line).endswith(",203,EUTRAN-BAND3,1650,3,3,-92,-672,-418,14")
    assert Redactor(known).text('"0672" 0x672 (1650)') == '"****" 0x*** (****)'


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r\r\n"])
def test_messages_are_hidden_to_their_end_and_the_rest_is_not(line_end):
    lines = ["AT+CSQ", "+CSQ: 20,99", "OK", '+CMT: "+8613800138000",,"24/01/01"', "at noon, your code is 4711", "",
             "OK see you", "", "+CREG: 1", '+CUSD: 0,"Guthaben', '5 EUR",15', "AT+CMGR=1", '+CMGR: "x"',
             ucs2("Code 4711"), "OK", "+CPIN: READY"]  # fmt: skip
    wire = ("\r\n" + line_end.join(lines) + line_end).encode()
    shown = Redactor(evidence()).data(wire)
    assert len(shown) == len(wire)
    for secret in (b"4711", b"138", b"noon", b"see", b"EUR", b"Guthaben", b"0043", b"3700"):
        assert secret not in shown
    for kept in (b"+CSQ: 20,99", b"+CREG: 1", b"AT+CMGR=1", b"+CPIN: READY"):
        assert kept in shown


def test_a_message_that_is_sent_is_hidden():
    wire = b'AT+CMGS="+8613800138000"\rHello 4711\nat five\x1aAT+CSQ\r'
    shown = Redactor(evidence()).data(wire)
    assert shown.endswith(b"\x1aAT+CSQ\r")
    assert not re.search(rb"\d|Hello|five", shown.replace(b"CMGS", b""))


def observed(name, value, error=None):
    return Observation(name, value, Source(0, "", ""), 0.0, error)


@pytest.mark.parametrize(
    "value",
    [f"AT+CPIN=4711 {IMSI}", {1: [f"x{ICCID}"]}, [{"apn": f"imsi{IMSI}"}], int(IMSI), (IMEI,), ucs2(IMSI),
     f"EC25 {spaced(IMEI, ' ', 4)}"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["at.error", "operator.name", "device.model", "device.revision"])
def test_untyped_values_are_hidden_too(name, value):
    known = evidence()
    known.add(observed(name, value))
    shown = str(Redactor(known).value(known.last(name)))
    for secret in (IMSI[5:], ICCID[6:16], IMEI[8:], "4711", ucs2(IMSI)[20:], "0401 2345"):
        assert secret not in shown
    assert Redactor(known).value(observed("signal.rsrp_dbm", -92)) == -92
    assert Redactor(known).value(observed("counter.rx_bytes", 10**12)) == 10**12


def test_the_json_hides_values_and_errors():
    known = evidence()
    known.add(observed("sim.state", None, f"+CME ERROR: SIM {ICCID} failed"))
    known.add(observed("at.error", message("refused: {what}", what=IMSI)))
    text = to_json(diagnose(known), known, Redactor(known), str, error=f"no answer of {IMEI}")
    for secret in (ICCID, IMSI, IMEI, CELL, ADDRESS):
        assert secret not in text


def test_naming_every_kind_reveals_no_secret():
    redactor = Redactor(evidence(), {"iccid", "imsi", "imei", "ip", "cell"})
    line = f'{ICCID} {IMSI} {IMEI} {ADDRESS} +CEREG: 2,1,"7C5B","{CELL}",7'
    assert redactor.text(line) == line
    assert "4711" not in redactor.text("AT+CPIN=4711")


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_a_line_that_is_split_over_events_is_hidden(size, tmp_path):
    wires = {
        "rx": f'\r\n+CCID: {ICCID}\r\nOK\r\n\r\n+CMT: "+8613800138000"\r\nCode 4711\r\n+CSQ: 20,99\r\n'.encode(),
        "tx": b"AT+CCID\rAT+CFUN=1;+CPIN=6543\r",
    }
    events = [
        Recording(0, port, way, wire[i : i + size])
        for i in range(0, 120, size)
        for port in "ab"
        for way, wire in wires.items()
    ]
    path = tmp_path / "record.jsonl"
    write_transcript(path, events, Redactor(evidence()).data)
    written = [Recording.from_json(line) for line in path.read_text().splitlines()]
    assert [len(e.data) for e in written] == [len(e.data) for e in events]
    for port in "ab":
        heard, said = (
            b"".join(e.data for e in written if (e.port, e.dir) == (port, way))
            for way in ("rx", "tx")
        )
        assert ICCID[6:16].encode() not in heard
        assert b"4711" not in heard
        assert b"+CSQ: 20,99" in heard
        assert said.endswith(b"+CPIN=****\r")


@pytest.mark.parametrize(
    "text",
    ["1" * 100_000, "F" * 100_000 + "1", "+CPIN=" * 20_000, "id:" * 30_000, "+CLCK=" * 20_000, "12 " * 35_000,
     "+CMT:" * 20_000, "1." * 100_000, "a:" * 100_000, "+GPS:" * 20_000, '+QENG:"' * 15_000, "\r" * 100_000,
     '+CPIN="' * 15_000, "#RFSTS:" * 15_000, "0x" * 100_000, "+CPSI:" * 15_000, IMSI * 5_000, "1-" * 100_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_the_time_grows_with_the_length_only(text):
    redactor = Redactor(evidence())
    start = time.process_time()
    assert len(redactor.text(text)) == len(text)
    assert time.process_time() - start < 10


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


@pytest.mark.parametrize("name", [n for n in scenario_names() if n.endswith("/healthy")])
def test_every_family_is_hidden_and_still_replays(name, emulated, tmp_path):
    known = {
        "imsi": IMSI,
        "imei": IMEI,
        "iccid": ICCID,
        "cell": CELL,
        "tac": "9AF3",
        "plmn": "46001",
    }
    with emulated(name, None, **known) as port:
        live = examine(Target(port=port), Options())
    path = tmp_path / "record.jsonl"
    write_transcript(path, live.events, Redactor(live.evidence).data)
    wire = path.read_text()
    for secret in (
        *known.values(),
        str(int(CELL, 16)),
        str(0x9AF3),
        CELL[1:],
        swap_nibbles(ICCID),
        swap_nibbles("9" + IMSI),
    ):
        assert secret == "46001" or not re.search(rf"(?<![0-9]){secret}", wire, re.IGNORECASE)
    again = examine_log(path)
    assert again.diagnosis.cause == live.diagnosis.cause
    for observation in live.evidence.under("signal."):
        assert again.evidence.value(observation.name) is not None


@pytest.mark.parametrize(
    "disguised",
    ["".join(chr(0x660 + int(c)) for c in IMSI), "".join("〇一二三四五六七八九"[int(c)] for c in IMSI),
     "\u200b".join(IMSI), "\u2009".join(re.findall("...", IMSI)), "".join(f"\\u{{{ord(c):x}}}" for c in IMSI),
     "".join(f"&#{ord(c)};" for c in IMSI), "".join(f"%{ord(c):02X}" for c in IMSI), "/".join(IMSI), "|".join(IMSI),
     "[" + ", ".join(str(ord(c)) for c in IMSI) + "]", b64encode(f"imsi={IMSI}".encode()).decode()],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_digits_of_other_scripts_and_escapes_are_digits(disguised, known):
    redactor = Redactor(evidence() if known else Evidence())
    shown = redactor.text(f'+X: "{disguised}"')
    assert shown.count("*") >= 10
    assert len(shown) == len(disguised) + 6
    data = f'+X: "{disguised}"'.encode()
    assert len(redactor.data(data)) == len(data)
    assert disguised.encode() not in redactor.data(data)


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("127.0.0.1", False),
        ("255.255.248.0", False),
        ("127.45.13.99", True),
        ("255.45.13.99", True),
    ],
)
def test_what_only_looks_like_everybodys_address_is_hidden(address: str, hidden: bool) -> None:
    assert (address not in Redactor([]).text(f'+CGPADDR: 1,"{address}"')) is hidden
