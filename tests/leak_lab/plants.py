"""Where a disguised identifier is planted: every kind of line that a modem may print."""

from __future__ import annotations

import re

PLACES: dict[str, tuple[str, str]] = {
    "a bare line": ("AT+CSQ", "{x}"),
    "an unknown answer": ("AT+XVEND?", "+XVEND: {x}"),
    "an unknown answer, quoted": ("AT+XVEND?", '+XVEND: 1,"{x}",0'),
    "the own number": ("AT+CNUM", '+CNUM: ,"{x}",145'),
    "a message": ("AT+CMGL=4", "+CMGL: 1,1,,24\r\n{x}"),
    "a message that comes in": ("AT", '+CMT: "{x}",,"24/01/01,12:34:56+32"\r\nhello {x}'),
    "a text of the network": ("AT", '+CUSD: 0,"{x}",15'),
    "the operator's name": ("AT+COPS?", '+COPS: 0,0,"{x}",7'),
    "an access point": ("AT+CGDCONT?", '+CGDCONT: 1,"IP","{x}","0.0.0.0",0,0'),
    "a login": ("AT+CGAUTH?", '+CGAUTH: 1,1,"{x}","{x}"'),
    "the model": ("AT+CGMM", "EC25 {x}"),
    "the revision": ("ATI", "Quectel\r\nEC25\r\nRevision: {x}"),
    "an error": ("AT+CPIN?", "+CME ERROR: {x}"),
    "the last error": ("AT+CEER", "+CEER: {x}"),
    "behind the level": ("AT+CSQ", "+CSQ: 20,99,{x}"),
    "a cell line": (
        'AT+QENG="servingcell"',
        '+QENG: "servingcell","NOCONN","LTE","FDD",460,01,{x}',
    ),
    "a counter": ("AT+QGDCNT?", "+QGDCNT: {x},5"),
    "a file of the card": ("AT+CRSM=176,28486,0,0,17", '+CRSM: 144,0,"{x}"'),
    "a kernel-like line": ("AT", "[  12.3] usb 1-1: SerialNumber: {x}"),
    "a command of another program": ("AT", 'AT+CGDCONT=1,"IP","{x}"'),
}


def talk(place: str, text: str) -> list[tuple[str, bytes]]:
    """The bytes of an exchange with the text in this place: direction and data."""
    command, line = PLACES[place]
    final = "" if "ERROR" in line else "\r\nOK"
    said = f"\r\n{line.replace('{x}', text)}{final}\r\n"
    return [("tx", f"{command}\r".encode()), ("rx", said.encode())]


def sent(text: str) -> list[tuple[str, bytes]]:
    """The same in what is sent: commands, and the payload of a message."""
    one_line = re.sub(r"[\r\n]+", " ", text)
    return [("tx", f'AT+CPIN="{one_line}"\r'.encode()), ("rx", b"\r\nOK\r\n"),
            ("tx", b'AT+CMGS="' + one_line.encode() + b'"\r'), ("tx", one_line.encode() + b"\x1a")]  # fmt: skip
