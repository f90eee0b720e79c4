"""Pseudonyms: FF1 by the published vectors, and what every kind keeps."""

import ipaddress
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leak_lab.people import luhn
from simdiag.identity import written
from simdiag.pseudonym import KINDS, SECRET, Pseudonyms, new_key
from simdiag.pseudonym.ff1 import FF1
from simdiag.pseudonym.permutation import Permutation

KEY = b"a key of thirty-two bytes, yes!!"
NAMES = Pseudonyms(KEY)
DIGITS = string.digits + string.ascii_lowercase
AES = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
TWEAK, TWEAK_36 = bytes.fromhex("39383736353433323130"), bytes.fromhex("3737373770717273373737")
NIST = [
    (16, 10, b"", "0123456789", "2433477484"),
    (16, 10, TWEAK, "0123456789", "6124200773"),
    (16, 36, TWEAK_36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (24, 10, b"", "0123456789", "2830668132"),
    (24, 10, TWEAK, "0123456789", "2496655549"),
    (24, 36, TWEAK_36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (32, 10, b"", "0123456789", "6657667009"),
    (32, 10, TWEAK, "0123456789", "1001623463"),
    (32, 36, TWEAK_36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "expected"), NIST)
def test_the_nine_sample_vectors_of_nist(key, radix, tweak, plain, expected):
    ff1 = FF1(AES[:key], radix)
    numerals = [DIGITS.index(c) for c in plain]
    found = ff1.encrypt(numerals, tweak)
    assert "".join(DIGITS[n] for n in found) == expected
    assert ff1.decrypt(found, tweak) == numerals


def test_a_set_too_small_for_ff1_is_refused():
    with pytest.raises(ValueError, match="too few"):
        FF1(AES[:16], 10).encrypt([1, 2, 3, 4, 5])


@pytest.mark.parametrize("size", [1, 9, 10, 1000, 20_000])
def test_a_permutation_of_any_size_maps_one_to_one(size):
    permutation = Permutation(KEY)
    sample = range(0, size, max(1, size // 60))
    there = [permutation.forth(n, size, b"x") for n in sample]
    assert len(set(there)) == len(there)
    assert all(0 <= n < size for n in there)
    assert [permutation.back(n, size, b"x") for n in there] == list(sample)


numbers = st.text(string.digits, min_size=14, max_size=14)
VALUES = {
    "iccid": st.builds(lambda d, c: "898601" + d[:13] + c, numbers, st.sampled_from(string.digits)),
    "imsi": st.builds(lambda d: "46001" + d[:10], numbers),
    "imei": st.builds(lambda d: "86732204" + d[:7], numbers),
    "eid": st.builds(lambda d: "89049032" + d + d[:10], numbers),
    "msisdn": st.builds(lambda d: "+8613" + d[:9], numbers),
    "cell": st.integers(0x10000, 0xFFFFFFF).map("{:07X}".format),
    "area": st.integers(1, 0xFFFD).map("{:04X}".format),
    "mac": st.integers(0, 0xFFFFFF).map(lambda n: f"00:1e:10:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"),
    "ip": st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str),
    "host": st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=30),
    "user": st.text("abcdefgé王李", min_size=1, max_size=12),
    "ssid": st.text(min_size=1, max_size=20).map(lambda t: re.sub(r"[^\w ]", "_", t)),
    "serial": st.text(string.ascii_uppercase + string.digits, min_size=4, max_size=20),
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_pseudonym_has_the_same_length_and_can_be_turned_back(kind, data):
    value = data.draw(VALUES[kind])
    token = NAMES.token(kind, value)
    assert len(token) == len(value)
    assert NAMES.original(kind, token) == value
    assert NAMES.token(kind, value) == token
    forms, others = list(written(kind, value)), list(written(kind, token))
    assert [len(f) for f in forms] == [len(f) for f in others]


def test_every_area_can_be_turned_back():
    """The small ones too, one of which is written like a filler."""
    areas = [f"{number:04X}" for number in range(1, 0x1000)]
    assert [NAMES.original("area", NAMES.token("area", area)) for area in areas] == areas


@settings(max_examples=100, deadline=None)
@given(VALUES["iccid"], VALUES["imei"], VALUES["imsi"], VALUES["cell"])
def test_what_diagnosis_needs_is_kept(iccid, imei, imsi, cell):
    for kind, value, head in (("iccid", iccid, 6), ("imei", imei, 8)):
        token = NAMES.token(kind, value)
        assert token[:head] == value[:head]
        assert (luhn(token[:-1]) == token[-1]) == (luhn(value[:-1]) == value[-1])
    assert NAMES.token("imsi", imsi)[:5] == imsi[:5]
    assert NAMES.token("imsi", "310410" + imsi[6:])[:6] == "310410"
    assert NAMES.token("cell", cell)[-2:] == cell[-2:]  # the sector
    assert len(str(int(NAMES.token("cell", cell), 16))) == len(str(int(cell, 16)))


def test_an_imei_and_its_imeisv_stay_one_device():
    imei, imeisv = NAMES.token("imei", "867322040123452"), NAMES.token("imei", "8673220401234501")
    assert imei[:14] == imeisv[:14]
    assert imeisv[14:] == "01"


@pytest.mark.parametrize(
    "address", ["100.72.3.250", "192.168.1.7", "172.20.1.5", "10.9.8.7", "36.112.9.14"]
)
def test_the_class_of_an_address_is_kept(address):
    token = NAMES.token("ip", address)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"):
        of = ipaddress.ip_network(network)
        assert (ipaddress.ip_address(token) in of) == (ipaddress.ip_address(address) in of)
    assert token.split(".")[0] == address.split(".")[0]
    assert token != address


@pytest.mark.parametrize(
    "kept", ["255.255.255.0", "0.0.0.0", "127.0.0.1", "8.8.8.8", "::", "::1", "223.5.5.5"]
)
def test_what_names_nobody_stays(kept):
    assert NAMES.token("ip", kept) == kept
    assert NAMES.original("ip", kept) == kept


def test_the_makers_half_of_a_mac_stays_and_of_a_local_one_nothing_does():
    assert NAMES.token("mac", "00:1e:10:1f:00:01").startswith("00:1e:10:")
    token = NAMES.token("mac", "02:50:f3:00:11:22")
    assert token.startswith("02:")
    assert token[3:8] != "50:f3"


def test_another_key_gives_another_pseudonym():
    other = Pseudonyms(new_key())
    assert other.token("imsi", "460011234567890") != NAMES.token("imsi", "460011234567890")
    assert len(new_key()) == 32


def test_revealed_kinds_stay_and_all_is_counted():
    names = Pseudonyms(KEY, reveal={"iccid"})
    assert names.token("iccid", "89860112345678901237") == "89860112345678901237"
    names.token("imsi", "460011234567890")
    names.token("imsi", "460011234567890")
    names.counted(SECRET, 3, masked=True)
    assert names.counts() == {
        "iccid": {"replaced": 0, "masked": 0, "revealed": 1},
        "imsi": {"replaced": 2, "masked": 0, "revealed": 0},
        SECRET: {"replaced": 0, "masked": 3, "revealed": 0},
    }
    assert set(names.real()) == {("imsi", "460011234567890")}
    assert SECRET not in KINDS
