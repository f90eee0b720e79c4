"""How an identifier may be dressed up. Each takes the value and gives the text to plant."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import json
import quopri
import zlib
from collections.abc import Callable

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
CHINESE = "零一二三四五六七八九"
LEET = str.maketrans("0134579", "OlEASTg"[:7])
MORSE = dict(zip(
    "0123456789abcdefghijklmnopqrstuvwxyz",
    ["-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----.", ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--", "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--.."], strict=True,
))  # fmt: skip


def swap(v: str) -> str:
    v += "F" * (len(v) % 2)
    return "".join(v[i + 1] + v[i] for i in range(0, len(v), 2))


def gsm7(v: str) -> str:
    bits = 0
    for i, c in enumerate(v):
        bits |= ord(c) << 7 * i
    return bits.to_bytes((7 * len(v) + 7) // 8, "little").hex().upper()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def alnum(v: str) -> str:
    return "".join(c for c in v if c.isalnum())


def every(v: str, n: int, between: str) -> str:
    return between.join(v[i : i + n] for i in range(0, len(v), n))


def pairs(v: str) -> list[str]:
    return every(alnum(v), 2, " ").split()


def hexdump(data: bytes) -> str:
    """As ``hexdump -C`` prints it: offsets, bytes, and the characters beside them."""
    rows = [data[i : i + 16] for i in range(0, len(data), 16)]
    return "\r\n".join(
        f"{16 * i:08x}  {row.hex(' '):47}  |{''.join(chr(b) if 31 < b < 127 else '.' for b in row)}|"
        for i, row in enumerate(rows)
    )


def bcd(v: str) -> bytes:
    """Digits as a card's file holds them."""
    return bytes.fromhex(swap(v))


def based(number: int, digits: str) -> str:
    text = ""
    while number:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text


ANY: dict[str, Callable[[str], str]] = {
    "plain": lambda v: v,
    "quoted": lambda v: f'"{v}"',
    "upper": str.upper,
    "in a sentence": lambda v: f"device of {v} is not registered",
    "glued to words": lambda v: f"x{v}y",
    "key and value": lambda v: f"id={v};ok=1",
    "in pairs": lambda v: every(alnum(v), 2, " "),
    "in fours": lambda v: every(alnum(v), 4, "-"),
    "dotted": lambda v: every(alnum(v), 2, "."),
    "commas": lambda v: ",".join(alnum(v)),
    "blanks": lambda v: " ".join(alnum(v)),
    "underscores": lambda v: "_".join(alnum(v)),
    "one a line": lambda v: "\r\n".join(alnum(v)),
    "one a line with a prefix": lambda v: "\r\n".join(f"+DBG: {c}" for c in alnum(v)),
    "one a line with a known prefix": lambda v: "\r\n".join(f"+CIEV: 2,{c}" for c in alnum(v)),
    "numbered lines": lambda v: "\r\n".join(f"+DBG: {i},{c}" for i, c in enumerate(alnum(v))),
    "two lines": lambda v: v[: len(v) // 2] + "\r\n" + v[len(v) // 2 :],
    "around a URC": lambda v: v[: len(v) // 2] + "\r\n+CREG: 1\r\n" + v[len(v) // 2 :],
    "reversed": lambda v: v[::-1],
    "hex": lambda v: v.encode().hex(),
    "hex upper": lambda v: v.encode().hex().upper(),
    "hex spaced": lambda v: v.encode().hex(" "),
    "hex colons": lambda v: v.encode().hex(":"),
    "C array": lambda v: "{" + ", ".join(f"0x{b:02x}" for b in v.encode()) + "}",
    "decimal bytes": lambda v: "[" + ", ".join(str(b) for b in v.encode()) + "]",
    "octal bytes": lambda v: " ".join(f"{b:03o}" for b in v.encode()),
    "bits": lambda v: " ".join(f"{b:08b}" for b in v.encode()),
    "\\xNN": lambda v: "".join(f"\\x{b:02x}" for b in v.encode()),
    "\\NNN": lambda v: "".join(f"\\{b:03o}" for b in v.encode()),
    "\\uNNNN": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "%NN": lambda v: "".join(f"%{b:02X}" for b in v.encode()),
    "HTML decimal": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "HTML hex": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "quoted-printable": lambda v: "".join(f"={b:02X}" for b in v.encode()),
    "JSON in JSON": lambda v: json.dumps(json.dumps({"id": v})),
    "base64": lambda v: b64(v.encode()),
    "base64 without end": lambda v: b64(v.encode()).rstrip("="),
    "base64 in lines": lambda v: every(b64(b"imsi or so: " + v.encode()), 12, "\r\n"),
    "base64 twice": lambda v: b64(b64(v.encode()).encode()),
    "base32": lambda v: base64.b32encode(v.encode()).decode(),
    "base85": lambda v: base64.b85encode(v.encode()).decode(),
    "ascii85": lambda v: base64.a85encode(v.encode()).decode(),
    "gzip, base64": lambda v: b64(gzip.compress(v.encode(), mtime=0)),
    "zlib, hex": lambda v: zlib.compress(v.encode()).hex(),
    "UCS-2": lambda v: v.encode("utf-16-be").hex().upper(),
    "UTF-16 LE": lambda v: v.encode("utf-16-le").hex(),
    "UTF-32, base64": lambda v: b64(v.encode("utf-32-le")),
    "GSM 7-bit": lambda v: gsm7(v),
    "zero-width": lambda v: "\u200b".join(v),
    "bidi marks": lambda v: "\u202e" + v + "\u202c",
    "full width": lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v),
    "escaped base64": lambda v: "".join(f"\\x{b:02x}" for b in b64(v.encode()).encode()),
    "Morse": lambda v: " ".join(MORSE[c] for c in alnum(v).lower()),
    "URI": lambda v: f"sip:{alnum(v)}@ims.mnc001.mcc460.3gppnetwork.org",
    "path": lambda v: f"/home/{v}/.config/modem",
    "counted": lambda v: ",".join(f"{i}={c}" for i, c in enumerate(alnum(v), 1)),
    "letters between": lambda v: "q".join(alnum(v)),
    "colours between": lambda v: "".join(f"\x1b[3{i % 8}m{c}" for i, c in enumerate(alnum(v))),
    "tags between": lambda v: "".join(f"<td>{c}</td>" for c in alnum(v)),
    "every other line": lambda v: "\r\n+CREG: 1\r\n".join(alnum(v)),
    "fields between words": lambda v: every(alnum(v), 2, ',"IP",'),
    "answers of two digits": lambda v: "\r\n".join(f"+CSQ: {p},99" for p in pairs(v)),
    "in two answers": lambda v: (
        v[: len(v) // 2] + "\r\nOK\r\n\r\n+CSQ: 20,99\r\n" + v[len(v) // 2 :]
    ),
    "%25NN": lambda v: "".join(f"%25{b:02X}" for b in v.encode()),
    "HTML in a URL": lambda v: "".join(f"%26%23{ord(c)}%3B" for c in v),
    "uuencoded": lambda v: binascii.b2a_uu(v.encode()).decode().strip(),
    "base64 of hex": lambda v: b64(v.encode().hex().encode()),
    "hex of base64": lambda v: b64(v.encode()).encode().hex(),
    "base64 backwards": lambda v: b64(v.encode())[::-1],
    "gzip, base85": lambda v: base64.b85encode(gzip.compress(v.encode(), mtime=0)).decode(),
    "ROT47": lambda v: "".join(chr(33 + (ord(c) + 14) % 94) if "!" <= c <= "~" else c for c in v),
    "bytes backwards": lambda v: v.encode()[::-1].hex(),
    "combining marks": lambda v: "".join(c + "\u0336" for c in v),
    "soft hyphens": lambda v: "\u00ad".join(v),
    "hex in pairs": lambda v: v.encode().hex(" "),
    "UCS-2 in words": lambda v: v.encode("utf-16-be").hex(" ", 2).upper(),
    "characters of C": lambda v: "{" + ", ".join(f"'{c}'" for c in v) + "}",
    "JSON list": lambda v: json.dumps(list(v)),
    "quoted pairs": lambda v: ",".join(f'"{p}"' for p in pairs(v)),
    "slashes": lambda v: "/".join(alnum(v)),
    "pipes in threes": lambda v: every(alnum(v), 3, "|"),
    "tabs": lambda v: "\t".join(alnum(v)),
    "brackets": lambda v: "".join(f"[{c}]" for c in alnum(v)),
    "no-break spaces": lambda v: "\u00a0".join(alnum(v)),
    "thin spaces": lambda v: every(alnum(v), 3, "\u2009"),
    "NUL between": lambda v: "\0".join(v),
    "cursor moves": lambda v: "\x1b[1C".join(v),
    "\\u{NN}": lambda v: "".join(f"\\u{{{ord(c):x}}}" for c in v),
    "\\x{NN}": lambda v: "".join(f"\\x{{{ord(c):x}}}" for c in v),
    "CSS escapes": lambda v: "".join(f"\\{ord(c):06x}" for c in v),
    "%uNNNN": lambda v: "".join(f"%u{ord(c):04X}" for c in v),
    "code points": lambda v: " ".join(f"U+{ord(c):04X}" for c in v),
    "file name": lambda v: f"/sdcard/dump_{v}.bin",
    "domain": lambda v: f"{alnum(v)}.lan",
    "query": lambda v: f"http://198.51.100.1/?id={v}&v=1",
    "vCard": lambda v: f"BEGIN:VCARD\r\nN:{v};X\r\nTEL:{v}\r\nEND:VCARD",
    "WiFi code": lambda v: f"WIFI:T:WPA;S:{v};P:{v};;",
    "settings": lambda v: f"[gsm]\r\npin={v}\r\nusername={v}",
    "XML": lambda v: f"<id type='x'>{v}</id>",
    "behind a model": lambda v: f"EC25EFAR06A03M4G_{v}",
    "answers of many names": lambda v: "\r\n".join(
        f"+XV{'ABCDEFGHIJKLMNOP'[i % 16]}: {p}"
        for i, p in enumerate(every(alnum(v), 3, " ").split())
    ),
    "on lines of its own": lambda v: every(alnum(v), 3, "\r\n"),
}
DIGITS: dict[str, Callable[[str], str]] = {
    "nibbles exchanged": swap,
    "nibbles exchanged in a file": lambda v: "08" + swap("9" + v) + "FFFF",
    "as a number in hex": lambda v: f"{int(v):X}",
    "with a plus": lambda v: "+" + v,
    "record of a card": lambda v: f'+CRSM: 144,0,"{swap(v)}"',
    "answer of a card": lambda v: f'+CSIM: {len(swap(v)) + 4},"{swap(v)}9000"',
    "records of a card": lambda v: "\r\n".join(
        f'+CRSM: 144,0,"{p}"' for p in every(swap(v), 4, " ").split()
    ),
    "file between fillers": lambda v: f'+CRSM: 144,0,"{every(swap(v), 2, "FFFF")}"',
    "TLV": lambda v: f"5A{len(bcd(v)):02X}{swap(v)}",
    "file in C": lambda v: ", ".join(f"0x{b:02X}" for b in bcd(v)),
    "file as hexdump": lambda v: hexdump(bcd(v)),
    "nibbles in bits": lambda v: " ".join(f"{int(c):04b}" for c in v),
    "identity of a private user": lambda v: f"0{v}@nai.epc.mnc001.mcc460.3gppnetwork.org",
    "concealed": lambda v: f"suci-0-{v[:3]}-{v[3:5]}-0-0-0-{v[5:]}",
    "telephone link": lambda v: f"tel:+{v};ext=1",
    "brackets and dashes": lambda v: f"+{v[:2]} ({v[2:5]}) {v[5:9]}-{v[9:]}",
    "as on a label": lambda v: f"{v[:6]}-{v[6:8]}-{v[8:14]}-{v[14:]}",
    "thousands": lambda v: f"{int(v):,}",
    "Persian digits": lambda v: "".join(chr(0x6F0 + int(c)) for c in v),
    "Devanagari digits": lambda v: "".join(chr(0x966 + int(c)) for c in v),
    "superscripts": lambda v: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for c in v),
    "in names of firmware": lambda v: "\r\n".join(f"EC25A{p}" for p in pairs(v)),
    "padded": lambda v: v.zfill(24),
    "in a filler": lambda v: f"FFFF{v}FFFF",
    "fractions": lambda v: " ".join(f"0.{p}" for p in every(v, 3, " ").split()),
    "loopback": lambda v: ",".join(f"127.0.0.{p}" for p in every(v, 3, " ").split()),
    "Arabic digits": lambda v: "".join(chr(0x660 + int(c)) for c in v),
    "Chinese digits": lambda v: "".join(CHINESE[int(c)] for c in v),
    "in words": lambda v: " ".join(WORDS[int(c)] for c in v),
    "leetspeak": lambda v: v.translate(str.maketrans("01358", "OlESB")),
    "ROT5": lambda v: "".join(str((int(c) + 5) % 10) for c in v),
    "as version": lambda v: every(v, 3, "."),
    "as bands": lambda v: every(v, 2, ":"),
    "as levels": lambda v: ",".join("-" + v[i : i + 2] for i in range(0, len(v), 2)),
    "as hex numbers": lambda v: " ".join(f"0x{c}" for c in v),
    "in threes": lambda v: every(v, 3, ","),
    "zeros between": lambda v: " ".join(f"0{c}" for c in v),
    "tens": lambda v: ",".join(f"1{c}" for c in v),
    "decimal places": lambda v: ",".join(f"{c}.0" for c in v),
    "days": lambda v: "\r\n".join(f"24/01/1{c}" for c in v),
    "levels of readings": lambda v: "\r\n".join(f"+QTEMP: 3{c},3{c},30" for c in v),
    "as firmware": lambda v: f"41.{every(v, 2, '.')}",
    "as an IPv6 address": lambda v: every(v, 4, ":"),
    "mathematical digits": lambda v: "".join(chr(0x1D7CE + int(c)) for c in v),
    "circled digits": lambda v: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] for c in v),
    "keycaps": lambda v: "".join(f"{c}\ufe0f\u20e3" for c in v),
    "banker's Chinese digits": lambda v: "".join("零壹贰叁肆伍陆柒捌玖"[int(c)] for c in v),
    "base 36": lambda v: based(int(v), "0123456789abcdefghijklmnopqrstuvwxyz"),
    "base 58": lambda v: based(
        int(v), "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    ),
    "octal number": lambda v: f"0o{int(v):o}",
    "bits of the number": lambda v: f"{int(v):b}",
    "a reading and a cell": lambda v: f"{v[:3]},{v[3:7]},{v[7:9]},{v[9:10]},{v[10:]}",
}
NAMES: dict[str, Callable[[str], str]] = {
    "ROT13": lambda v: codecs.encode(v, "rot13"),
    "leetspeak": lambda v: v.translate(str.maketrans("aeios", "43105")),
    "mixed case": lambda v: "".join(c.upper() if i % 2 else c for i, c in enumerate(v)),
    "e-mail": lambda v: f"{v.replace(' ', '.')}@example.org",
    "soft breaks": lambda v: quopri.encodestring(v.encode()).decode().replace("a", "a=\r\n"),
}
_NUMBERS = ("imsi", "iccid", "imei", "msisdn", "eid")
_PEOPLE = ("host", "user", "ssid", "password")


def disguises(kind: str) -> dict[str, Callable[[str], str]]:
    """All that fit a kind."""
    more = DIGITS if kind in _NUMBERS else NAMES if kind in _PEOPLE else {}
    return ANY | more
