"""The leak test: identifiers in every disguise and place, an auditor of its own, no survivor.

``benchmarks/leaks.py`` runs ten thousand of them, beside a well-known redactor.
"""

import re
import time
from dataclasses import replace

import pytest

from leak_lab.auditor import sees
from leak_lab.benign import damage
from leak_lab.people import person
from leak_lab.plants import sent
from leak_lab.runs import Plant, names_of, plants, run, said
from simdiag.bundle.shapes import of_known_shape
from simdiag.bundle.talk import redact_talk
from simdiag.bundle.words import answer_templates
from simdiag.evidence import Evidence, Observation, Source
from simdiag.identity import telling_parts
from simdiag.pseudonym import Pseudonyms
from simdiag.transcript.recorded import Recording

KEY = b"a key of thirty-two bytes, yes!!"


@pytest.mark.parametrize("seed", range(4))
def test_no_identifier_survives_in_any_disguise(seed):
    outcome = run(plants(80, seed))
    assert outcome.leaked == []
    assert outcome.refused == []
    assert len(outcome.unseen) <= 0.03 * outcome.planted  # the auditor's own blind spots


def test_the_auditor_sees_what_is_not_redacted():
    outcome = run(plants(120, 9), redact=lambda text: text)
    assert len(outcome.leaked) >= 0.97 * outcome.planted


@pytest.mark.parametrize("plant", list(plants(40, 77)), ids=lambda p: f"{p.kind}-{p.disguise}")
def test_what_is_sent_is_redacted_too(plant):
    events = [Recording(0.1 * i, "ttyUSB2", d, b) for i, (d, b) in enumerate(sent(plant.text))]
    shown = b"\n".join(e.data for e in redact_talk(events, *names_of(plant))).decode()
    assert not sees(shown, plant.person.core(plant.kind))


def test_a_reading_that_is_lost_keeps_nothing_behind_it():
    """Digits that spell a number go, with them the reading: the rest is needed for none then."""
    said = b'\r\n+CGAUTH: 1,1,"0_0_1_e_1_0_f_1_a_0_3_d","0_0_1_e_1_0_f_1_a_0_3_d"\r\nOK\r\n'
    events = [Recording(0, "p", "tx", b"AT+CGAUTH?\r"), Recording(1, "p", "rx", said)]
    shown = redact_talk(events, Pseudonyms(KEY), Evidence())[1].data
    assert not set(shown.partition(b":")[2].decode()) & set("adef")


def test_a_command_right_behind_a_message_is_a_command():
    """Ctrl-Z ends a message (TS 27.005 clause 3.5.1), no line end follows it."""
    events = [
        Recording(0, "p", "tx", b'AT+CMGS="+14165550137"\r'),
        Recording(1, "p", "tx", b"behind the boathouse\x1a"),
        Recording(2, "p", "tx", b"AT+CREG?\r"),
    ]
    shown = [e.data for e in redact_talk(events, Pseudonyms(KEY), Evidence())]
    assert shown[1:] == [b"*" * 20 + b"\x1a", b"AT+CREG?\r"]


@pytest.mark.parametrize(
    ("command", "line"),
    [("AT+CGMR", "SWI9X30C_02.33.03.00 r8209 CARMD-EV-FRMWR2 2019/08/28 20:59:30"),
     ("AT+CGMR", "22.333.01.00.00"), ("AT+CGMM", "SARA-R510S-01B-00")],
)  # fmt: skip
def test_what_firmware_it_is_stays(command, line):
    wire = f"\r\n{line}\r\n\r\nOK\r\n".encode()
    events = [Recording(0, "p", "tx", f"{command}\r".encode()), Recording(1, "p", "rx", wire)]
    assert redact_talk(events, Pseudonyms(KEY), Evidence())[1].data == wire


def test_an_address_in_the_form_of_a_version_is_no_part_of_a_model():
    events = [Recording(0, "p", "tx", b"AT+CGMM\r"),
              Recording(1, "p", "rx", b"\r\nEC25 10.15.22.27.15.3\r\nOK\r\n")]  # fmt: skip
    shown = redact_talk(events, Pseudonyms(KEY), Evidence())[1].data
    assert shown == b"\r\nEC25 ****************\r\nOK\r\n"


def test_a_cell_written_backwards_is_replaced():
    known = Evidence([Observation("registration.eps.cell_id", "4534770", Source(0, "", ""))])
    events = [Recording(0, "p", "tx", b"AT+QGDCNT?\r"),
              Recording(1, "p", "rx", b"\r\n+QGDCNT: 0774354,5\r\nOK\r\n")]  # fmt: skip
    assert b"0774354" not in redact_talk(events, Pseudonyms(KEY), known)[1].data


@pytest.mark.parametrize(
    ("kind", "disguise", "place"),
    [("cell", "commas", "a cell line"), ("imsi", "days", "behind the level"), ("eid", "days", "an access point"),
     ("msisdn", "levels of readings", "a message"), ("eid", "answers of two digits", "a login"),
     ("imsi", "as firmware", "the revision")],
)  # fmt: skip
def test_nobody_has_read_it_and_it_is_spelled_in_legal_values(kind, disguise, place):
    """No gate can look for it: only that few numbers may stay in a line, and in one place, helps."""
    for seed in range(6):
        plant = Plant(seed, kind, disguise, place, known=False)
        events = redact_talk(plant.events, *names_of(plant))
        assert not sees(said(events), plant.person.core(kind)), said(events)


def test_numbers_that_ascend_are_a_list_only_if_they_are_listed():
    coded = "+CME ERROR: " + "".join(f"&#{ord(digit)};" for digit in "2567894")
    wire = f"\r\n{coded}\r\n".encode()
    events = [Recording(0, "p", "tx", b"AT+CPIN?\r"), Recording(1, "p", "rx", wire)]
    assert not sees(said(redact_talk(events, Pseudonyms(KEY), Evidence())), "2567894")


def test_an_answer_quoted_in_a_line_counts_among_its_equals():
    first, *others = ("+CSQ: 10,99", "+CSQ: 12,99", "+CSQ: 22,99", "+CSQ: 15,99", "+CSQ: 1,99")
    wire = "\r\n".join(("", f'AT+CGDCONT=1,"IP","{first}', *others, "OK", "")).encode()
    events = [Recording(0, "p", "tx", b"AT\r"), Recording(1, "p", "rx", wire)]
    shown = redact_talk(events, Pseudonyms(KEY), Evidence())[1].data.decode()
    assert len(set(re.findall(r"\+CSQ: (\d+)", shown))) == 3


def test_one_number_spelled_somewhere_does_not_cost_all_numbers():
    """What tells something is redacted again more strictly, and nothing else."""
    imsi = "460017390264815"
    known = Evidence([Observation("sim.imsi", imsi, Source(0, "", ""))])
    events = [
        e
        for n in range(12)
        for e in talk(f"+CESQ: 99,99,255,255,{n + 9},{n + 40}", command="AT+CESQ")
    ]
    spelling = talk(*(f"+CIEV: 2,{c}" for c in imsi))
    shown = redact_talk(events + spelling, Pseudonyms(KEY), known)
    assert shown[: len(events)] == events
    assert not sees(said(shown), imsi[5:])


@pytest.mark.parametrize(
    "template", ["{}!", "{}" + " " * 200 + "!", "{}" + "1" * 300, "{}" + "1," * 150]
)
@pytest.mark.timeout(120)
def test_a_line_that_hardly_fits_a_known_form_takes_no_time(template):
    """Runs of blanks in a table's row once took minutes to be found unfit."""
    for line in answer_templates():
        of_known_shape(template.format(re.sub(r"\{\w+\}", "1", line)))


def test_a_long_talk_takes_seconds():
    lines = [
        f'+QCSQ: "LTE",{50 + n % 31},{60 + n % 29},{100 + n % 97},{10 + n % 7}' for n in range(4000)
    ]
    events = [e for line in lines for e in talk(line, command="AT+QCSQ")]
    assert sum(len(e.data) for e in events) > 150_000
    start = time.process_time()
    redact_talk(events, Pseudonyms(KEY), Evidence())
    assert time.process_time() - start < 12  # 3 on a desk computer; other tests run beside


def test_lengths_and_times_and_directions_stay():
    for plant in plants(60, 5):
        before, after = plant.events, redact_talk(plant.events, *names_of(plant))
        assert [(e.t, e.port, e.dir, len(e.data)) for e in before] == [
            (e.t, e.port, e.dir, len(e.data)) for e in after
        ]


@pytest.mark.parametrize(
    "port", ["/dev/serial/by-id/usb-Quectel_EC25_A1B2C3D4-if02", "annas-stick"]
)
def test_a_port_whose_name_may_tell_is_renamed(port):
    events = [Recording(0, port, "tx", b"AT\r"), Recording(0, "/dev/ttyUSB2", "tx", b"AT\r")]
    assert [e.port for e in redact_talk(events, Pseudonyms(KEY), Evidence())] == [
        "port0",
        "/dev/ttyUSB2",
    ]


@pytest.mark.parametrize(
    "part", ["264815", "7390264815", "518462", "628451", "9862"[::-1] + "84"],
)  # fmt: skip
def test_a_part_of_a_known_number_is_masked_where_it_stands_alone(part):
    """Its last six digits, without the network, backwards, with exchanged nibbles."""
    known = Evidence([Observation("sim.imsi", "460017390264815", Source(0, "", ""))])
    events = talk(f"+QGDCNT: {part},42103", command="AT+QGDCNT?")
    shown = redact_talk(events, Pseudonyms(KEY), known)[1].data.decode()
    assert (part in shown) == (part not in telling_parts("imsi", "460017390264815"))
    assert "42103" in shown


@pytest.mark.parametrize(
    "file", ["264815", "64001137", "100,0,17,-119,8,65", "0.460 0.017", "6400113709628451FFFFFFFF"]
)
def test_a_list_of_networks_holds_networks_alone(file):
    line = f'+CRSM: 144,0,"{file}"'
    shown = redact_talk(talk(line, command="AT+CRSM=176,28539,0,0,12"), Pseudonyms(KEY), Evidence())
    kept = re.sub("[^0-9]", "", shown[1].data.decode().partition('"')[2])
    assert len(kept) < 6


def test_many_answers_that_nobody_reads_tell_little():
    lines = [
        f"+XV{n}: {p}" for n, p in zip("ABCDE", ("460", "014", "556", "318", "105"), strict=True)
    ]
    shown = redact_talk(talk(*lines), Pseudonyms(KEY), Evidence())[1].data.decode()
    assert len(re.findall("[0-9]", shown)) <= 6


@pytest.mark.parametrize("line", ['+CEREG: 2,1,"2C3D","8Z76Q",7', '+CGPADDR: 1,"300.1.2.3"'])
def test_what_has_the_place_of_an_identifier_and_not_its_form_is_no_crash(line):
    """A modem may say anything."""
    names = Pseudonyms(KEY)
    names.knows("cell", "8Z7602C9112Q600501")
    names.knows("ip", "300.1.2.3")
    redact_talk(talk(line, command="AT+CEREG?"), names, Evidence())


def talk(*lines: str, command: str = "AT") -> list[Recording]:
    said = "\r\n" + "\r\n".join(lines) + "\r\nOK\r\n"
    return [
        Recording(0, "ttyUSB2", "tx", f"{command}\r".encode()),
        Recording(0.1, "ttyUSB2", "rx", said.encode()),
    ]


BENIGN = [
    ("AT+CSQ", "+CSQ: 20,99"), ("AT+CREG?", "+CREG: 0,1"), ("AT+CBC", "+CBC: 0,80,3850"), ("AT+COPS?", '+COPS: 0,2,"46001",7'),
    ("AT+QNWINFO", '+QNWINFO: "FDD LTE","46001","LTE BAND 3",1650'), ("AT+CPIN?", "+CPIN: SIM PIN"), ("AT+QTEMP", "+QTEMP: 38,36,35"),
    ("AT+QGDCNT?", "+QGDCNT: 4210233,6188210021"), ("AT+CGMR", "EC25EFAR06A03M4G"), ("AT+CGMM", "EC25"),
    ("AT+CEER", '+CEER: "ESM reject",27,"Missing or unknown APN"'), ("AT+CESQ", "+CESQ: 99,99,255,255,20,50"),
    ("AT+CGDCONT?", '+CGDCONT: 1,"IPV4V6","cmnet","0.0.0.0",0,0'), ("AT+CEREG?", "+CEREG: 3,3,,,,0,15"),
    ("AT+QPINC?", '+QPINC: "SC",3,10'), ("AT+CPSI?", "+CPSI: NO SERVICE,Online"), ("AT", "+CIEV: 2,1"), ("AT", '+QIND: "csq",24,99'),
    ("AT", "+CGEV: EPS PDN ACT 1"), ("AT+CFUN?", "+CFUN: 1"), ("AT+CGPADDR", '+CGPADDR: 1,"0.0.0.0"'),
    ("AT+CRSM=176,28539,0,0,12", '+CRSM: 144,0,"64F010FFFFFFFFFFFFFFFFFF"'),
]  # fmt: skip


@pytest.mark.parametrize(("command", "line"), BENIGN)
def test_benign_numbers_stay(command, line):
    events = talk(line, command=command)
    assert redact_talk(events, Pseudonyms(KEY), Evidence()) == events


@pytest.mark.parametrize(("source", "most"), [("emulated modems", 0.01), ("field cases", 0.01)])
def test_of_benign_numbers_few_are_damaged(source, most):
    """Levels, channels, counters, versions: what simdiag reads or knows the form of stays."""
    found = damage(source, lambda events: redact_talk(events, Pseudonyms(KEY), Evidence()))
    assert found.kept > 1000
    assert found.share <= most, found.lost.most_common(20)


def test_the_count_of_damage_can_fail():
    masks = lambda events: [replace(e, data=re.sub(rb"[0-9]", b"*", e.data)) for e in events]  # noqa: E731
    assert damage("emulated modems", masks).share == 1


def test_pin_message_and_phone_book_are_masked_for_good():
    events = talk('+CMGR: "REC READ","+8613812345678",,"24/01/01,12:00:00+32"', "Your code is 4711, OK", "",
                  '+CPBR: 1,"13812345678",129,"Annika"', command="AT+CMGR=1")  # fmt: skip
    events += [
        Recording(1, "ttyUSB2", "tx", b"AT+CPIN=4711\r"),
        Recording(2, "ttyUSB2", "tx", b'AT+CLCK="SC",1,"4711"\r'),
    ]
    shown = b"".join(e.data for e in redact_talk(events, Pseudonyms(KEY), Evidence())).decode()
    assert not re.search(r"4711|code|Annika|138123|\d{5}", shown)


def test_one_identity_keeps_one_pseudonym_in_every_encoding():
    imsi, names = "460011234567890", Pseudonyms(KEY)
    token = names.token("imsi", imsi)
    coded = "084906102143658709"
    lines = [imsi, f'+XID: "{imsi}"', f"+XID: {imsi.encode().hex()}", f'+CRSM: 144,0,"{coded}"',
             f"+XID: {imsi.encode('utf-16-be').hex().upper()}"]  # fmt: skip
    evidence = Evidence([Observation("sim.imsi", imsi, Source(0, "", ""))])
    shown = redact_talk(talk(*lines, command="AT+CIMI"), names, evidence)[1].data.decode()
    for form in (token, token.encode().hex(), token.encode("utf-16-be").hex().upper()):
        assert form in shown
    swapped = re.search(r'144,0,"08(\d+)"', shown)
    assert swapped is not None
    assert "".join(swapped[1][i + 1] + swapped[1][i] for i in range(0, 16, 2))[1:] == token


def test_a_revealed_kind_passes_and_nothing_else_does():
    someone = person(1)
    names = Pseudonyms(KEY, reveal={"iccid"})
    evidence = Evidence([Observation("sim.iccid", someone.values["iccid"], Source(0, "", "")),
                         Observation("sim.imsi", someone.values["imsi"], Source(0, "", ""))])  # fmt: skip
    events = talk(f"+QCCID: {someone.values['iccid']}", someone.values["imsi"], command="AT+QCCID")
    shown = redact_talk(events, names, evidence)[1].data.decode()
    assert someone.values["iccid"] in shown
    assert someone.values["imsi"] not in shown
    assert names.counts()["iccid"]["revealed"]
