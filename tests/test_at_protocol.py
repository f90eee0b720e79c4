"""The AT core on what modems print, whole and in pieces."""

import pytest

from simdiag.at import (
    MAX_LINE,
    AtProtocol,
    Data,
    FinalResult,
    LocalProtocolError,
    Noise,
    PortClosed,
    State,
    Unsolicited,
    command,
)

CSQ, CREG, CGMI, ATI = (command(c) for c in ("AT+CSQ", "AT+CREG?", "AT+CGMI", "ATI"))
CMGS, DIAL = command('AT+CMGS="1"'), command("ATD*99#")


def feed(protocol: AtProtocol, data: bytes, chunk: int = 10_000) -> list:
    events = []
    for start in range(0, len(data), chunk):
        protocol.receive_data(data[start : start + chunk])
        while (event := protocol.next_event()) is not None:
            events.append(event)
    return events


CASES = [
    ("echo off", CSQ, b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n", "InformationText FinalResult"),
    ("echo on", CSQ, b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n", "Echo InformationText FinalResult"),
    ("CR only", CSQ, b"AT+CSQ\r+CSQ: 20,99\rOK\r", "Echo InformationText FinalResult"),
    ("LF only", CSQ, b"+CSQ: 20,99\nOK\n", "InformationText FinalResult"),
    ("CRCRLF", CSQ, b"\r\r\n+CSQ: 20,99\r\r\n\r\r\nOK\r\r\n", "InformationText FinalResult"),
    ("URC in the middle", CSQ, b'\r\n+CMTI: "SM",3\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n',
     "Unsolicited InformationText FinalResult"),
    ("boot banner before the echo", CSQ, b"\r\nRDY\r\nAT+CSQ\r\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
     "Unsolicited Echo InformationText FinalResult"),
    ("junk glued to the echo", CSQ, b"\xff\xfe\x00AT+CSQ\r\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
     "Noise Echo InformationText FinalResult"),
    ("CREG URC and answer", CREG, b"\r\n+CREG: 2\r\n\r\n+CREG: 0,1\r\n\r\n+CREG: 1\r\n\r\nOK\r\n",
     "Unsolicited InformationText Unsolicited FinalResult"),
    ("CREG URC with an area", CREG, b'\r\n+CREG: 1,"00C3","0013"\r\n\r\n+CREG: 2,1,"00C3","0013",7\r\n\r\nOK\r\n',
     "Unsolicited InformationText FinalResult"),
    ("free text and a boot banner", CGMI, b"\r\n+QIND: SMS DONE\r\n\r\nQuectel\r\n\r\nOK\r\n",
     "Unsolicited InformationText FinalResult"),
    ("ATI with labelled lines", ATI, b"\r\nManufacturer: x\r\nRevision: 1\r\n+GCAP: +CGSM\r\n\r\nOK\r\n",
     "InformationText InformationText InformationText FinalResult"),
    ("CME numeric", CSQ, b"\r\n+CME ERROR: 10\r\n", "FinalResult"),
    ("CME verbose", CSQ, b"\r\n+CME ERROR: SIM not inserted\r\n", "FinalResult"),
    ("CME empty", CSQ, b"\r\n+CME ERROR:\r\n", "FinalResult"),
    ("CMS", CMGS, b"\r\n+CMS ERROR: 500\r\n", "FinalResult"),
    ("vendor error", CSQ, b"\r\nCOMMAND NOT SUPPORT\r\n", "FinalResult"),
    ("OK after an error", CSQ, b"\r\n+CME ERROR: 10\r\n\r\nOK\r\n", "FinalResult FinalResult"),
    ("prompt", CMGS, b'AT+CMGS="1"\r\r\n> ', "Echo Prompt"),
    ("NO CARRIER is no result here", CSQ, b"\r\nNO CARRIER\r\n\r\n+CSQ: 1,1\r\n\r\nOK\r\n",
     "Unsolicited InformationText FinalResult"),
    ("NO CARRIER ends a dial", DIAL, b"\r\nNO CARRIER\r\n", "FinalResult"),
    ("words that begin like results", CSQ, b"\r\nOKAY\r\nERRORLOG: none\r\nOK\r\n",
     "InformationText InformationText FinalResult"),
    ("CMT whose body says OK", CSQ, b'\r\n+CMT: "+1",,"d"\r\nOK\r\n\r\n+CSQ: 1,1\r\n\r\nOK\r\n',
     "Unsolicited InformationText FinalResult"),
    ("CUSD over lines", command("AT+CUSD?"), b'\r\nOK\r\n\r\n+CUSD: 0,"Balance\r\nOK\r\n5",15\r\n',
     "FinalResult Unsolicited"),
    ("another program's command", CSQ, b"AT+QNWINFO\r\r\n+CSQ: 1,1\r\n\r\nOK\r\n",
     "ForeignEcho InformationText FinalResult"),
    ("another program's answer", CSQ, b'AT+QNWINFO\r\r\n+QNWINFO: "x"\r\n\r\nOK\r\n+CSQ: 1,1\r\n\r\nOK\r\n',
     "ForeignEcho Unsolicited FinalResult InformationText FinalResult"),
    ("NUL glued to a line", CSQ, b"\0\0+CSQ: 1,1\r\nOK\r\n", "InformationText FinalResult"),
    ("bytes that are no text, in a free answer", CGMI, b"\x00\xff~\x7d\x5d~\r\n\r\nQuectel\r\n\r\nOK\r\n",
     "Noise InformationText FinalResult"),
    ("an operator in another encoding", command("AT+COPS?"), b'\r\n+COPS: 0,0,"\xd6\xd0\xb9\xfa",7\r\n\r\nOK\r\n',
     "InformationText FinalResult"),
    ("diagnostic frames", CSQ, b"~\x7d\x5d\x00\x01~\r\n+CSQ: 1,1\r\nOK\r\n", "Noise InformationText FinalResult"),
    ("result after OK", command("AT+EEMGINFO?"), b"\r\n+EEMGINFO: 3, 2\r\n\r\nOK\r\n\r\n+EEMLTESVC: 1\r\n",
     "InformationText FinalResult Unsolicited"),
    ("label table", command("AT!GSTATUS?"), b"\r\n!GSTATUS: \r\nCurrent Time:  1\tTemperature: 40\r\n\r\nOK\r\n",
     "InformationText InformationText FinalResult"),
]  # fmt: skip


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize(("cmd", "wire", "want"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_events_of_what_modems_print(cmd, wire, want, chunk):
    protocol = AtProtocol()
    protocol.send(cmd)
    events = feed(protocol, wire, chunk)
    assert [type(e).__name__ for e in events] == want.split()
    assert b"".join(e.raw for e in events) + protocol.held == wire


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [(b"+CME ERROR: 13", 13, None), (b"+CME ERROR: SIM failure", None, "SIM failure"),
     (b"+cme error:13", 13, None), (b"ERROR", None, None)],
)  # fmt: skip
def test_an_error_carries_its_number_or_words(line, code, text):
    protocol = AtProtocol()
    protocol.send(CSQ)
    (event,) = feed(protocol, line + b"\r\n")
    assert (event.ok, event.error_code, event.error_text) == (False, code, text)


def test_a_late_answer_is_not_the_next_commands():
    """Where the modem echoes, what comes before our echo belongs to the command before."""
    protocol = AtProtocol()
    protocol.send(command("AT"))
    feed(protocol, b"AT\r\r\nOK\r\n")
    protocol.send(CREG)
    feed(protocol, b"AT+CREG?\r")
    protocol.give_up()
    protocol.send(command("AT"))
    feed(protocol, b"\r\n+CREG: 0,1\r\n\r\nOK\r\nAT\r\r\nOK\r\n")
    protocol.send(CSQ)
    events = feed(protocol, b"\r\nOK\r\nAT+CSQ\r\r\n+CSQ: 3,99\r\n\r\nOK\r\n")
    assert [e.late for e in events if isinstance(e, FinalResult)] == [True, False]
    assert protocol.state is State.IDLE


def test_the_rules_of_the_caller():
    protocol = AtProtocol()
    protocol.send(CSQ)
    with pytest.raises(LocalProtocolError):
        protocol.send(CSQ)
    with pytest.raises(LocalProtocolError):
        protocol.send_payload(b"x")
    with pytest.raises(LocalProtocolError):
        AtProtocol().send(command("AT\rATZ"))
    protocol.receive_data(b"")
    assert protocol.next_event() == PortClosed(b"", CSQ)
    with pytest.raises(LocalProtocolError):
        protocol.receive_data(b"x")


def test_a_message_is_sent_after_its_prompt():
    protocol = AtProtocol()
    protocol.send(CMGS)
    feed(protocol, b'AT+CMGS="1"\r\r\n> ')
    assert protocol.send_payload(b"hi") == b"hi\x1a"
    events = feed(protocol, b"hi\x1a\r\n+CMGS: 5\r\n\r\nOK\r\n", 1)
    assert [type(e).__name__ for e in events] == ["Echo", "InformationText", "FinalResult"]


def test_after_connect_the_bytes_are_opaque():
    protocol = AtProtocol()
    protocol.send(DIAL)
    events = feed(protocol, b"\r\nCONNECT 150000000\r\n~\x7f\x01")
    assert isinstance(events[0], FinalResult)
    assert isinstance(events[-1], Data)


def test_a_line_without_end_is_noise_and_what_follows_it_is_read():
    protocol = AtProtocol()
    protocol.send(CSQ)
    events = feed(protocol, b"x" * (3 * MAX_LINE + 5) + b"OK\r\n+CSQ: 1,1\r\n\r\nOK\r\n", 1000)
    assert all(isinstance(e, Noise) for e in events[:-2])
    assert [type(e).__name__ for e in events[-2:]] == ["InformationText", "FinalResult"]


def test_a_message_body_travels_with_its_header():
    (event,) = feed(AtProtocol(), b"\r\n+CMT: ,24\r\n07911326040000F0\r\n")
    assert event == Unsolicited(event.raw, "+CMT: ,24", "07911326040000F0")
