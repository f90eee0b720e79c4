"""A message is sent after its prompt, read back whatever the pieces, and no prompt stays open."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simdiag.at import AtProtocol, FinalResult, InformationText, Prompt, command
from simdiag.at.alphabet import GSM_DEFAULT, decode_default, pack, unpack
from simdiag.at.pdu import delivered, submit
from simdiag.emulator.messages import deliver
from simdiag.errors import UnsafeCommand
from simdiag.evidence import Exchange
from simdiag.safety import is_confirmable, is_message_number, is_read_only, is_session_setting
from simdiag.session import AtSession
from sms_modem import Direct, modem_with


# ---- octets ------------------------------------------------------------------------------
@settings(deadline=None)
@given(st.binary(max_size=160).map(lambda data: bytes(b & 0x7F for b in data)))
def test_what_is_packed_is_unpacked(septets: bytes) -> None:
    assert unpack(pack(septets), len(septets)) == septets


def test_a_message_to_send_is_as_the_standard_says() -> None:
    assert submit("+8613800138000", "hello") == (19, "0001000D91683108108300F0000005E8329BFD06")
    assert submit("10086", "CXLL") == (14, "00010005810180F6000004432C9309")
    assert submit("10086", "流量") == (14, "00010005810180F60008046D4191CF")


@settings(deadline=None)
@given(st.text(max_size=90), st.integers(3, 15).map(lambda n: "123456789012345"[:n]))
def test_one_message_holds_it_or_it_is_refused(text: str, number: str) -> None:
    assume("\x1b" not in text and not any(0xD800 <= ord(c) < 0xE000 for c in text))
    try:
        length, digits = submit(number, text)
    except ValueError:
        assert len(text.encode("utf-16-be")) > 140
        return
    octets = bytes.fromhex(digits)
    assert len(octets) == length + 1
    header = 7 + (len(number) + 1) // 2
    coding, size, data = octets[header - 1], octets[header], octets[header + 1 :]
    if coding == 0:
        assert "".join(GSM_DEFAULT[v] for v in unpack(data, size)) == text
    else:
        assert data[:size].decode("utf-16-be") == text


@pytest.mark.parametrize(
    ("digits", "sender", "text"),
    [
        ("07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
         "+31641600986", "How are you?"),
        ("000005810180F6" "00F5" "62112211447100" "03" "616263", "10086", "abc"),
        ("004005810180F6" "0000" "62112211447100" "0C" "050003070101" "D0B47BDC0E", "10086", None),
        ("000005810180F6" "0000" "62112211447100" "04" "9BB2A60C", "10086", None),
    ],
)  # fmt: skip
def test_messages_that_came(digits: str, sender: str | None, text: str | None) -> None:
    found = delivered(digits)
    assert found.sender == sender
    assert text is None or found.text == text


@pytest.mark.parametrize("words", ["CMCC", "10086-", "Operator 12"])
def test_a_sender_may_be_words(words: str) -> None:
    digits = -(-7 * len(words) // 4)
    packed = pack(bytes(map(GSM_DEFAULT.index, words))).hex()
    found = delivered(f"0004{digits:02X}D0{packed}0000621122114471000131")
    assert (found.sender, found.text) == (words, "1")


def test_a_header_is_no_text_and_an_escape_makes_one_character() -> None:
    header, words = bytes.fromhex("050003070201"), bytes([0x1B, 0x65, *b"12GB"])
    shifted = int.from_bytes(header, "little") | int.from_bytes(pack(words), "little") << 49
    data = shifted.to_bytes((7 * (7 + len(words)) + 7) // 8, "little").hex()
    found = delivered(f"004005810180F6000062112211447100{7 + len(words):02X}{data}")
    assert (found.text, found.part.total, found.part.number) == ("€12GB", 2, 1)
    assert decode_default(b"\x1b") == ""


def test_the_time_of_a_message_knows_its_zone() -> None:
    told = delivered("000005810180F60000621122114471230161")
    assert told.time == calendar.timegm((2026, 11, 22, 11, 44, 17)) - 8 * 3600
    west = delivered("000005810180F600006211221144710A0161")
    assert west.time == calendar.timegm((2026, 11, 22, 11, 44, 17)) + 5 * 3600


@settings(deadline=None)
@given(
    st.text(
        st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=400
    )
)
def test_long_messages_come_in_parts_that_make_the_whole(text: str) -> None:
    when = datetime(2026, 11, 22, 11, 44, tzinfo=UTC)
    parts = [delivered(pdu) for pdu in deliver("10086", text, when)]
    assert "".join(part.text for part in parts) == text
    assert [part.part.number for part in parts] == list(range(1, len(parts) + 1))
    assert {(p.sender, p.time, p.part.total) for p in parts} == {
        ("10086", when.timestamp(), len(parts))
    }


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.sampled_from(deliver("10086", "x" * 100)).map(bytes.fromhex),
    st.data(),
)
def test_any_octets_are_a_message_or_refused(octets: bytes, data: st.DataObject) -> None:
    changed = bytearray(octets)
    for place in data.draw(st.lists(st.integers(0, max(0, len(octets) - 1)), max_size=3)):
        if changed:
            changed[place] = data.draw(st.integers(0, 255))
    try:
        found = delivered(changed[: data.draw(st.integers(0, len(changed)))].hex())
    except ValueError:
        return
    assert len(found.text) <= 300
    assert 1 <= found.part.number <= found.part.total


# ---- the prompt --------------------------------------------------------------------------
NOISE = st.sampled_from(
    [b"", b'\r\n+CMTI: "ME",3\r\n', b"\r\n+CREG: 1\r\n", b"\r\nRDY\r\n", b'\r\n+CUSD: 0,"> 5",15\r\n',
     b"\r\n+CMT: ,24\r\n07911326040000F0\r\n\r\n+CREG: 2\r\n", b"\x00\xff~\x7d~\r\n"]
)  # fmt: skip
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=6)


def talk(direct: Direct) -> tuple[AtSession, list[Exchange]]:
    seen: list[Exchange] = []
    declared = frozenset({"AT+CSQ"})
    return AtSession(direct, seen.append, declared=declared, clock=direct.clock), seen


@settings(max_examples=120, deadline=None)
@given(SIZES, st.tuples(NOISE, NOISE, NOISE), st.booleans(), st.sampled_from(["> ", ">"]))
def test_whatever_the_pieces_a_message_is_sent_once_and_nothing_is_mistaken(
    sizes: list[int], between: tuple[bytes, bytes, bytes], echo: bool, prompt: str
) -> None:
    assume(prompt == "> " or not between[2].startswith(b"\0"))  # then it is no prompt for sure
    modem = modem_with(message_prompt=prompt, echo=echo)
    direct = Direct(modem, sizes, between)
    session, seen = talk(direct)
    exchange = session.send_message("10086", "CXLL")
    assert (exchange.lines, exchange.error) == (("+CMGS: 1",), None)
    assert modem.messages.sent == [submit("10086", "CXLL")[1]]
    assert session.execute("AT+CSQ").lines == ("+CSQ: 23,99",)
    told = [line for e in seen if e.unsolicited for line in e.lines]
    for urc in re.findall(rb"\+(?:CMTI|CREG|CUSD|CMT): [^\r]*|RDY", b"".join(between)):
        assert urc.decode() in told
    assert b"\x1b" not in direct.written


@settings(max_examples=80, deadline=None)
@given(SIZES, NOISE, st.booleans(), st.sampled_from([330, 500, 38]))
def test_whatever_the_pieces_a_refusal_is_the_messages_own(
    sizes: list[int], urc: bytes, echo: bool, code: int
) -> None:
    direct = Direct(modem_with(message_error=code, echo=echo), sizes, (urc, urc, b""))
    session, _ = talk(direct)
    exchange = session.send_message("10086", "CXLL")
    assert str(exchange.error) == f"+CMS ERROR: {code}"
    assert session.execute("AT+CSQ").lines == ("+CSQ: 23,99",)


def fed(protocol: AtProtocol, data: bytes) -> list[object]:
    protocol.receive_data(data)
    events = []
    while (event := protocol.next_event()) is not None:
        events.append(event)
    return events


def test_a_refusal_right_behind_the_prompt_ends_the_command() -> None:
    protocol = AtProtocol()
    protocol.send(command("AT+CMGS=14"))
    events = fed(protocol, b"AT+CMGS=14\r\r\n> \r\n+CMS ERROR: 500\r\n")
    assert [type(e) for e in events[1:]] == [Prompt, FinalResult]
    assert not events[-1].late  # type: ignore[attr-defined]


@pytest.mark.parametrize("echo", [b"0011\x1a\r\n", b"0011\r\n", b" 0011\x1a\r\n", b"0011 \r\n"])
def test_an_echo_of_the_message_is_no_answer(echo: bytes) -> None:
    protocol = AtProtocol()
    protocol.send(command("AT+CMGS=1"))
    fed(protocol, b"\r\n> ")
    protocol.send_payload(b"0011")
    events = fed(protocol, echo + b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert [e.text for e in events if isinstance(e, InformationText)] == ["+CMGS: 5"]


def test_a_lone_bracket_is_a_prompt_only_where_one_was_asked_for() -> None:
    for text, prompts in (("AT+CMGS=1", 1), ("AT+CSQ", 0)):
        protocol = AtProtocol()
        protocol.send(command(text))
        assert fed(protocol, b"\r\n>") == []
        protocol.quiet()
        event = protocol.next_event()
        assert isinstance(event, Prompt) == bool(prompts)


# ---- nothing stays open ------------------------------------------------------------------
def test_a_prompt_that_never_shows_is_left_and_the_modem_answers_again() -> None:
    direct = Direct(modem_with(message_prompt=""))
    session, _ = talk(direct)
    exchange = session.send_message("10086", "CXLL")
    assert exchange.error is not None
    assert exchange.error.silent
    assert not session.message_given
    assert direct.now < 13
    assert (direct.modem.messages.cancelled, direct.prompted) == (1, False)
    assert session.execute("AT+CSQ").lines == ("+CSQ: 23,99",)
    before = direct.written
    session.restore_settings()
    assert direct.written == before


@pytest.mark.parametrize("sizes", [[1], [3], [10_000]])
def test_wherever_ctrl_c_comes_no_prompt_stays_open(sizes: list[int]) -> None:
    finished = False
    for number in range(1, 200):
        direct = Direct(modem_with(message_prompt="> "), sizes, interrupt_at=number)
        session, _ = talk(direct)
        try:
            session.send_message("10086", "CXLL")
            finished = True
        except KeyboardInterrupt:
            session.restore_settings()
        assert not direct.prompted
        assert len(direct.modem.messages.sent) == int(session.message_given)
        assert direct.modem.execute("AT+CSQ").final == "OK"
        if finished:
            break
    assert finished


def test_a_second_ctrl_c_does_not_leave_the_prompt_open() -> None:
    direct = Direct(modem_with(message_prompt=""), interrupt_at=3)
    session, _ = talk(direct)
    with pytest.raises(KeyboardInterrupt):
        session.send_message("10086", "CXLL")
    assert direct.prompted
    direct._interrupt_at = direct.reads + 1
    with pytest.raises(KeyboardInterrupt):
        session.restore_settings()
    assert not direct.prompted


# ---- what may be sent --------------------------------------------------------------------
@pytest.mark.parametrize(
    "number",
    ["112", "911", "999", "110", "000", "12110", "1", "", "+", "10086;", "１００８６", "1" * 16],
)
def test_no_message_goes_to_an_emergency_service_or_to_what_is_no_number(number: str) -> None:
    direct = Direct(modem_with())
    session, _ = talk(direct)
    with pytest.raises(UnsafeCommand):
        session.send_message(number, "CXLL")
    assert not is_message_number(number)
    assert direct.written == b""


def test_a_session_sends_one_message() -> None:
    direct = Direct(modem_with())
    session, _ = talk(direct)
    session.send_message("10086", "CXLL")
    with pytest.raises(UnsafeCommand):
        session.send_message("10086", "CXLL")
    assert len(direct.modem.messages.sent) == 1


@pytest.mark.parametrize(
    "text",
    ['AT+CMGS="10086"', "AT+CMGS=14", "AT+CMGW=14", "AT+CMSS=1", "AT+CMGD=1", "AT+CMGD=1,4", "AT+CMGL=4", "AT+CMGC=1",
     "AT+CSQ;+CMGS=14"],
)  # fmt: skip
def test_no_other_way_sends_or_deletes(text: str) -> None:
    declared = frozenset({text.upper()})
    assert not is_read_only(text, declared)
    assert not is_confirmable(text)
    assert not is_session_setting(text)


@pytest.mark.parametrize("text", ["AT+CMGR=3", "AT+CMGR=3,1", "AT+CMGL=0"])
def test_reading_messages_needs_a_yes_for_it_marks_them(text: str) -> None:
    assert is_confirmable(text)
    assert not is_read_only(text, frozenset({text}))
