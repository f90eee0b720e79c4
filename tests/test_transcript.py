"""Transcripts: written, read back, and diagnosed as the live modem was."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.agent import Options, Target, examine
from simdiag.conversation import Conversation
from simdiag.emulator import scenario_names
from simdiag.errors import TranscriptError
from simdiag.log import examine_log
from simdiag.redact import Redactor
from simdiag.transcript.reader import read_log
from simdiag.transcript.recorded import Recording, escape, replay, unescape, write_transcript

QUECTEL = [n for n in scenario_names() if n.startswith("quectel-ec2x") and "respond" not in n]


@given(st.binary(max_size=200))
def test_the_bytes_come_back_exactly(data):
    text = escape(data)
    assert text.isascii()
    assert text.isprintable() or not text
    assert unescape(text) == data
    event = Recording(1.5, "ttyUSB2", "rx", data)
    assert Recording.from_json(event.to_json()) == event


@pytest.mark.parametrize("name", QUECTEL)
@pytest.mark.parametrize("reveal", [frozenset(), frozenset({"all"})], ids=["redacted", "revealed"])
def test_a_recording_gives_the_same_verdict_as_the_live_modem(name, reveal, emulated, tmp_path):
    with emulated(name) as port:
        live = examine(Target(port=port), Options(wait_s=0.5))
    path = tmp_path / "record.jsonl"
    write_transcript(path, live.events, Redactor(live.evidence, reveal).data)
    if live.diagnosis.cause != "device_removed":  # the port's end is no event of the wire
        assert examine_log(path).diagnosis.cause == live.diagnosis.cause


def exchanges_of(*events: Recording) -> list:
    found = []
    replay([e.to_json() for e in events], lambda port: Conversation(found.append, port))
    return found


def test_what_was_not_recorded_was_not_asked():
    (exchange,) = exchanges_of(Recording(0, "p", "tx", b"AT+CPIN?\r"))
    assert exchange.error is None
    assert not exchange.ended


def test_a_noted_silence_is_one():
    (exchange,) = exchanges_of(
        Recording(0, "p", "tx", b"AT+CPIN?\r"), Recording(3, "p", "note", b"no answer")
    )
    assert exchange.error.silent


def test_ports_do_not_mix():
    first, second = exchanges_of(
        Recording(0, "a", "tx", b"AT+CPIN?\r"),
        Recording(0, "b", "tx", b"AT+CSQ\r"),
        Recording(1, "b", "rx", b"\r\n+CSQ: 1,99\r\n\r\nOK\r\n"),
        Recording(2, "a", "rx", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
    )
    assert (first.command, first.lines) == ("AT+CSQ", ("+CSQ: 1,99",))
    assert (second.command, second.lines) == ("AT+CPIN?", ("+CPIN: READY",))


def test_ports_beyond_a_limit_share_one_conversation():
    events = []
    for number in range(100):
        events += [
            Recording(number, f"p{number}", "tx", b"AT+CPIN?\r"),
            Recording(number, f"p{number}", "rx", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
        ]
    found = exchanges_of(*events)
    assert [e.lines for e in found] == [("+CPIN: READY",)] * 100
    assert len({e.port for e in found}) == 65


@pytest.mark.parametrize("time", ["1" + "0" * 400, "NaN", "Infinity", "-Infinity", "-5", "1e999"])
def test_a_time_that_is_none_counts_as_the_start(time):
    lines = [
        Recording(0, "p", way, data).to_json().replace('"t": 0', f'"t": {time}') + "\n"
        for way, data in (("tx", b"AT+CPIN?\r"), ("rx", b"\r\n+CME ERROR: 10\r\n"))
    ]
    assert time in lines[0]
    examined = examine_log(io.BytesIO("".join(lines).encode()))
    assert examined.diagnosis.cause == "sim_not_detected"
    assert {o.time for o in examined.evidence} == {0.0}


class Endless(io.RawIOBase):
    """Bytes without an end: first some, then the others for ever."""

    def __init__(self, first: bytes, rest: bytes) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data, self._first = self._first or self._rest, b""
        data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("rest", [b"\0" * 8192, b"y\n" * 4096], ids=["no line", "lines"])
def test_a_stream_that_never_ends_is_read_as_far_as_it_says_anything(rest, monkeypatch):
    monkeypatch.setattr("simdiag.transcript.reader.MAX_SKIPPED", 1_000_000)
    stream = io.BufferedReader(Endless(b"AT+CPIN?\n+CME ERROR: 10\n", rest))
    assert examine_log(stream).diagnosis.cause == "sim_not_detected"
    with pytest.raises(TranscriptError, match="holds no AT commands"):
        examine_log(io.BufferedReader(Endless(b"", rest)))


@pytest.mark.parametrize("rest", [b"a\0" * 4096, b"y\0\n\0" * 2048], ids=["no line", "lines"])
def test_so_is_one_in_utf_16(rest, monkeypatch):
    monkeypatch.setattr("simdiag.transcript.reader.MAX_SKIPPED", 1_000_000)
    first = "AT+CPIN?\r\n+CME ERROR: 10\r\n".encode("utf-16")
    assert (
        examine_log(io.BufferedReader(Endless(first, rest))).diagnosis.cause == "sim_not_detected"
    )


def test_a_transcript_cut_off_in_the_middle_is_still_read():
    whole = Recording(0, "p", "tx", b"AT+CPIN?\r").to_json() + "\n"
    answer = Recording(0, "p", "rx", b"\r\n+CME ERROR: 10\r\n").to_json() + "\n"
    cut = (whole + answer + whole[:20]).encode()
    assert examine_log(io.BytesIO(cut)).diagnosis.cause == "sim_not_detected"


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 5000, b"x" * 3_000_000, b"Dear support, it says ERROR.\n", b'{"dir": 1}\n'],
)
def test_what_is_no_log_is_refused_with_a_sentence(content):
    with pytest.raises(TranscriptError, match="holds no AT commands"):
        examine_log(io.BytesIO(content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_logs_in_the_encodings_that_tools_write(encoding):
    text = "查询SIM卡\r\nAT+CPIN?\r\n+CME ERROR: 10\r\n"
    assert examine_log(io.BytesIO(text.encode(encoding))).diagnosis.cause == "sim_not_detected"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_exception(data):
    seen = []
    read_log(io.BytesIO(data), seen.append)


def test_an_unreadable_file_is_named():
    with pytest.raises(TranscriptError, match="/nonexistent cannot be read"):
        examine_log(Path("/nonexistent"))
