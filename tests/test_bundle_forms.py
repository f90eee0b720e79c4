"""Answers whose grammar is known: forms that drivers state, offers, versions; and what they never let through."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.bundle.denial import moment, number_of
from simdiag.bundle.offers import of_operators, of_ranges
from simdiag.bundle.shapes import RANGES, of_known_shape, written_out
from simdiag.bundle.talk import redact_talk
from simdiag.bundle.versions import is_modest, is_version, parts_of_model
from simdiag.evidence import Evidence
from simdiag.pseudonym import Pseudonyms
from simdiag.registry import drivers
from simdiag.transcript.recorded import Recording

FORMS = [(driver.family, form) for driver in drivers() for form in driver.forms]
FIELD = re.compile(r"\{(\w+)\}")
TYPED = {*RANGES, "mask", "mask16", "bits", "version", "plmn"}
SAMPLES = {
    "mask": "1A0080800C5",
    "mask16": "00000000000808C5",
    "bits": "00100001",
    "version": "02.33",
    "plmn": "46001",
}
OWN = {"tmsi": "D60814D1", "digits15": "001010123456789"}
"""Fields that may identify somebody and have a form of their own."""


def shown(command: str, *lines: str) -> str:
    said = "".join(f"\r\n{line}\r\n" for line in (*lines, "OK")).encode()
    events = [Recording(0, "p", "tx", f"{command}\r".encode()), Recording(0.1, "p", "rx", said)]
    after = redact_talk(events, Pseudonyms(b"a key of thirty-two bytes, yes!!"), Evidence())[1].data
    return "\n".join(after.decode().removesuffix("OK\r\n").split())


def filled(form: str, dice: random.Random, secret: str = "QXZQXZ") -> str:
    """A line of a form, its optional parts there, with a secret in all fields that are not typed."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in RANGES:
            return SAMPLES.get(name) or OWN.get(name) or secret
        low, high = RANGES[name]
        number = dice.randint(int(low), int(high))
        return f"{number:08X}" if name.endswith("hex") else str(number)

    return FIELD.sub(value, re.sub(r"[\[\]]", "", written_out(form)))


@pytest.mark.parametrize(("family", "form"), FORMS, ids=lambda v: v[:40])
def test_a_form_fits_its_lines_and_keeps_the_fields_that_are_typed_alone(family, form):
    for seed in range(5):
        line = filled(form, random.Random(seed))
        kept = {i for places in of_known_shape(line) for i in places}
        assert kept, line
        hidden = "".join(c for i, c in enumerate(line) if i not in kept)
        names = FIELD.findall(written_out(form))
        secrets = sum(name not in TYPED and name not in OWN for name in names)
        assert hidden.count("QXZQXZ") == secrets, line


@pytest.mark.parametrize(("family", "form"), FORMS, ids=lambda v: v[:40])
def test_a_form_begins_with_words_of_its_own(family, form):
    """A line of numbers alone could be anything."""
    literal = FIELD.sub("", written_out(form))
    fixed = re.search("[A-Za-z][A-Za-z0-9]|,,", literal)
    fixed = fixed or any(f"{{{name}}}" in form for name in (*OWN, "mask16"))
    assert fixed, form


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([form for _, form in FORMS]), st.text("0123456789", min_size=9, max_size=20),
       st.sampled_from([1, 2, 3]), st.integers(0, 40))  # fmt: skip
def test_digits_in_the_place_of_one_field_fit_no_form(form, number, size, at):
    """Whoever spells a number within a field changes how many fields there are."""
    line = filled(form, random.Random(1), "X")
    fields = line.split(",")
    spelled = ",".join(number[i : i + size] for i in range(0, len(number), size))
    fields[at % len(fields)] = spelled
    line = ",".join(fields)
    kept = {i for places in of_known_shape(line) for i in places}
    told = "".join(line[i] if i in kept else "*" for i in range(len(line)))
    assert spelled not in told


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ["!", " " * 200 + "!", "1" * 300, "1," * 150, '"' * 300])
def test_a_line_that_hardly_fits_takes_no_time(end):
    lines = [filled(form, random.Random(2)) + end for _, form in FORMS]
    start = time.process_time()
    for line in lines:
        of_known_shape(line)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("command", "line"),
    [("AT+COPS=?", '+COPS: (2,"CHINA MOBILE","CMCC","46000",7),(3,"460 01","460 01","46001",2),,(0-4),(0-2)'),
     ("AT+CFUN=?", "+CFUN: (0,1,4,15),(0-1)"), ("AT+CNMI=?", "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"),
     ("AT+IPR=?", "+IPR: (0,300,600,1200,2400,4800,9600,19200,38400,57600,115200)"),
     ("AT+QNWPREFCFG", '+QNWPREFCFG: "lte_band",1:2:3:4:5:7:8:12:13:14:17:18:19'),
     ("AT+CGMR", "22.318.23.00.158"), ("AT+CGMR", "M0.05.00 [Jul 06 2018 10:01:55]"),
     ("ATI", "SIM7000G R1529"), ("AT+CGMM", "SARA-R412M-02B")],
)  # fmt: skip
def test_what_a_grammar_gives_stays(command, line):
    assert shown(command, line) == "\n".join(line.split())


def test_the_name_of_a_firmware_stays_once_the_modem_has_named_its_model():
    assert "BG96MAR02A07M1G" in shown("ATI", "Quectel", "BG96", "Revision: BG96MAR02A07M1G")
    assert "MAR02A07M1G" not in shown("AT+CGMR", "BG96MAR02A07M1G")


@pytest.mark.parametrize(
    ("command", "line", "secret"),
    [("AT+XVEND=?", "+XVEND: (0-4),(0-6),(0-1),(0-7),(0-3),(0-9),(0-2),(0-6),(0-4),(0-8),(0-5)", "9),(0-2"),
     ("AT+XVEND=?", "+XVEND: (4),(6),(1),(7),(3),(9),(2),(6),(4),(8),(5)", "9),(2"),
     ("AT+XVEND?", "+XVEND: (0,1,4,15),(0-1),(2,3),(3-7)", "4,15"),
     ("AT+COPS=?", '+COPS: (1,"a","b","46001739",7)', "01739"),
     ("AT+COPS=?", '+COPS: (1,"","","31001",7),(1,"","","42001",7),(1,"","","51001",7),(1,"","","62001",7),(1,"","","73001",7)', "62001"),
     ("AT+CGMR", "EC25460017390264", "4600173"), ("AT+CGMR", "EC25A1B2C3D4", "A1B2C3"),
     ("AT+CGMR", "41.46.00.17.39.02.64", "17.39"), ("AT+CGMM", "EC25 k a l o m i d a r", "l\no\nm"),
     ("AT+CBC", "+XVEND: 4dB,6dB,1dB,7dB,3dB,9dB,2dB,6dB", "3dB,9dB")],
)  # fmt: skip
def test_what_only_looks_like_a_grammar_is_hidden(command, line, secret):
    assert secret not in shown(command, line)


@pytest.mark.parametrize(
    ("command", "lines", "secret"),
    [("ATI", ["Quectel", "EC25", "Revision: 10.154.", "228.147"], {"154", "228"}),
     ("ATI", ["Quectel", "EC25", "Revision: D/\"6'BQ\\-;FT"], {"6'BQ"}),
     ("AT+CGMM", ["EC25 A79Lh@<-U$1H@HS"], {"A79Lh", "1H@HS"}),
     ("ATI", ["SIM7000G 4", "6", "0", "1", "7", "3", "9", "2"], {"7\n3\n9\n2"})],
)  # fmt: skip
def test_a_version_tells_little_in_all_its_lines_and_marks(command, lines, secret):
    assert not all(part in shown(command, *lines) for part in secret)


def test_offers_keep_their_numbers_and_no_names():
    line = '+COPS: (2,"Anna","Anna","24405",7),,(0-4),(0-2)'
    assert "".join(line[p.start : p.stop] for p in of_operators(line)) == "22440570402"
    assert list(of_ranges("(0-4)")) == []


def test_dates_are_put_in_order_whatever_their_form():
    said = ["17/12/31,23:59:59", "Jan 02 2018 10:00:00", "2018-01-03", "2018/02/01", "Nov  4 2018"]
    assert [moment(t) for t in said] == sorted(map(moment, said))


def test_a_number_is_told_from_its_unit():
    assert [number_of(t) for t in ("88.3dBm", "640ms", "3.908V", "3FFA")] == [
        "88.3", "640", "3.908", "3FFA",
    ]  # fmt: skip


def test_versions_tell_less_than_an_identifier():
    assert is_modest(["M0", "05", "00"])
    assert not is_modest(["1A", "2B", "3C", "4D"])
    assert not is_modest(["1A", "0B", "0C", "D"])
    assert not is_version("KALOMI4821")
    assert parts_of_model("Model: SARA-R412M-02B") == {"SARA", "R412M", "02B"}
    assert parts_of_model("SARA-R4-123456789") == set()
