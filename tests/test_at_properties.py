"""The two laws of the AT core, on anything at all."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.at import AtProtocol, Data, command

COMMANDS = [command(c) for c in
            ("AT+CSQ", "AT+CREG?", "AT+CGMI", "ATI", 'AT+CMGS="1"', "AT+COPS=?", "ATD*99#")]  # fmt: skip
PIECES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"OK", b"ERROR", b"+CSQ: 1,1", b"+CREG: 0,1", b"+CREG: 1", b"+CMT: 1",
     b'+CUSD: 0,"', b'"', b"> ", b">", b"AT+CSQ", b"AT+CREG?", b"AT+QNWINFO", b"+QNWINFO: 1", b"AT",
     b"\x00", b"~", b"\xff", b"+CME ERROR: 3", b"RDY", b"\x1a", b"NO CARRIER", b"CONNECT 1",
     b"x" * 5000, "中".encode()]
)  # fmt: skip
STREAM = st.lists(PIECES | st.binary(max_size=6), max_size=16).map(b"".join)


def events_of(data: bytes, sizes: list[int], cmd) -> tuple[list, AtProtocol]:
    """Feed the bytes in pieces of the given sizes; data mode pieces are joined again."""
    protocol = AtProtocol()
    protocol.send(cmd)
    events: list = []
    start, turn = 0, 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        protocol.receive_data(data[start : start + size])
        start, turn = start + size, turn + 1
        while (event := protocol.next_event()) is not None:
            if isinstance(event, Data) and events and isinstance(events[-1], Data):
                event = Data(events.pop().raw + event.raw)
            events.append(event)
    return events, protocol


@settings(max_examples=1500, deadline=None)
@given(STREAM, st.lists(st.integers(1, 9), min_size=1, max_size=5), st.sampled_from(COMMANDS))
def test_any_split_of_the_bytes_gives_the_same_events(data, sizes, cmd):
    whole, _ = events_of(data, [10**9], cmd)
    split, _ = events_of(data, sizes, cmd)
    assert split == whole


@settings(max_examples=1500, deadline=None)
@given(STREAM, st.integers(1, 9), st.sampled_from(COMMANDS), st.booleans())
def test_nothing_is_lost_and_nothing_invented(data, size, cmd, closed):
    events, protocol = events_of(data, [size], cmd)
    if closed:
        protocol.receive_data(b"")
        while (event := protocol.next_event()) is not None:
            events.append(event)
    assert b"".join(e.raw for e in events) + protocol.held == data
