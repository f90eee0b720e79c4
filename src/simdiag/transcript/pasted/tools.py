"""Tables of what tools put around a line; the comments name the tools.

``HEADS`` are taken off one after another; then at most one of ``MARKS`` says which way the line
went. A row has the possible first characters, the way, and the pattern that the text begins with.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Literal

Way = Literal["sent", "received", "either", "talk", "guessed"]
"""Which way a line went, as far as the log says: ``either`` for a terminal capture, where what the
line says decides; ``talk`` for a program's own log line, where only what is clearly AT counts;
``guessed`` for AT behind the words of a tool that is not listed here."""
Table = dict[str, list[tuple[Way, re.Pattern[str]]]]
"""Rows by the first character of the text, so that most need not be tried."""


def _table(*rows: tuple[str, Way, str], flags: int = 0) -> Table:
    table: Table = defaultdict(list)
    for first, way, pattern in rows:
        row = (way, re.compile(pattern, flags))
        for character in {*first, *first.lower()}:
            table[character].append(row)
    return dict(table)


_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK = r"(?P<time>\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?)(?:,\d{3})?"
_LEVEL = "(?i:debug|dbg|info?|inf|notice|msg|message|warn(?:ing)?|wrn|trace|verbose|err)"
_SHELL_TOOLS = (
    "sms_tool|at-cmd|gl_modem|sendat|mmcli|gcom|comgt|atinout|gsmctl|socat|qmicli|COMMAND=|echo"
    "|printf"
)

# The group ``time`` is a clock, seconds with a point, or milliseconds.
HEADS = _table(
    (">-*•|", "either", r"[>\-*•|]\s+"),  # markdown and mail: quotes, bullets, table cells
    # markdown, Pastebin: numbers
    (_DIGITS, "either", rf"\d{{1,4}}[.)]\s+(?=[+^]|(?i:AT|{_MONTH}[ /])|(?:OK|ERROR)$|-->)"),
    ("`*", "either", r"`+|\*\*(?!\*)"),  # markdown: code, bold
    ("[", "either", r"\[\s*(?P<time>\d{1,12}\.\d{1,9})\]\s*"),  # ModemManager, kernel: [16.123456]
    ("[", "either", r"\[(?P<time>\d{1,15})(?:\s?ms)?\]\s*"),  # TinyGSM: [12345]; Mbed OS: [00030ms]
    # minicom, SSCOM, QCOM, Arduino, ubxlib: a clock, with or without date and brackets
    (_DIGITS + '[("<', "either",
     r'[\[("<]?(?:\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?[ T_-]{1,2})?' + _CLOCK
     + r'(?:Z|\s?[+-]\d\d:?\d\d\b)?(?:\s?[AP]M\b)?[\])">]?[:,]?\s*'),
    # logcat: D/AT (  62):, or behind the clock process, thread and D AT :
    ("VDIWEF", "talk", r"[VDIWEF]/[\w.-]{1,40}\s*\(\s*\d{1,7}\):\s"),
    (_DIGITS, "talk", r"\d{1,7}\s+\d{1,7}\s[VDIWEF]\s[\w./-]{1,40}\s*:\s"),
    ("[", "either", rf"\[{_DAY}\s+{_MONTH}\s+\d{{1,2}}\s+{_CLOCK}\s+\d{{4}}\]\s*"),  # Tera Term
    # Gammu, OpenWrt logread, syslog: day of the week; month, day and clock
    ("MTWFS", "either", rf"{_DAY}\s+(?={_MONTH}|\d{{4}}[-/])"),
    ("JFMASOND", "either", rf"{_MONTH}\s+\d{{1,2}}\s+{_CLOCK}(?:\s+\d{{4}}\b)?\s+"),
    # RouterOS: its date; topics
    ("JFMASOND", "either", rf"(?i:{_MONTH})/\d\d(?:/\d{{4}})?\s+{_CLOCK}\s+"),
    (_LETTERS, "talk", r"[a-z]{2,12}(?:,[a-z]{2,12})+\s+(?=[\w-]{1,32}: (?:sent|rcvd)\s)"),
    # ModemManager, Zephyr and others: whatever stands before <debug>
    (_LETTERS, "talk", rf"(?:[^\s<]{{1,40}}\s{{1,3}}){{0,8}}?<{_LEVEL}>\s+"),
    ("DUKLA", "talk", rf"(?:daemon|user|kern|local\d|auth)\.{_LEVEL}\w*\s+"),  # OpenWrt logread
    (_LETTERS, "either", r"(?:[\w.-]{1,64} )?chat\[\d+\]:\s?"),  # pppd: the modem's own lines
    (_LETTERS + "[", "talk", r"(?:[\w.-]{1,64} )?[\w./-]{0,64}\[\d+\]:\s"),  # syslog: host, process
    ("G", "talk", r"gammu:\s"),  # Gammu, behind its process
    ("<", "talk", rf"<{_LEVEL}>\s+"),  # ModemManager, Zephyr
    ("[", "talk", rf"\[(?:{_LEVEL}|[A-Z])\s*\](?:\[[^\]]{{1,60}}\])*:?\s*"),  # Mbed OS: [DBG ]
    ("DIMNWTVE", "talk", rf"(?:{_LEVEL}|ERROR(?=:\S))(?::[\w.]{{1,64}})?\s*[:|-]\s*"),  # Python
    ("-", "talk", rf"-\s*[\w.]{{1,64}}\s*-\s*{_LEVEL}\s*-\s*"),  # Python: - name - DEBUG -
    (_DIGITS, "talk", rf"(?P<time>\d{{6,15}}) \[[\w.]{{1,64}}\] {_LEVEL}:\s"),  # Particle: [ncp.at]
    (_DIGITS, "either", r"\d{1,12}\s+(?=(?:DEBUG|INFO|TRACE)\s)"),  # atat and defmt: a number
    ("DIT", "talk", r"(?:DEBUG|INFO|TRACE)\s+"),  # atat and defmt, behind the number
    ("VDIWE", "talk", r"[VDIWE] \((?P<time>\d{1,15})\) [\w.-]{1,64}:\s?"),  # ESP-IDF: I (1234) tag:
    (_DIGITS, "either", r"(?P<time>\d{1,9}\.\d{1,9})\s+(?=AT\b)"),  # Particle: 20.853 AT send
    (_LETTERS, "either", r"[A-Z][\w ]{3,40}\.\.\.\s*(?=AT(?:[+&]|$))"),  # TinyGSM: before the dump
    # shell prompts: what is typed there is no answer of a modem
    (_LETTERS + "[", "talk", r"\[?[\w.-]{1,64}@[\w.-]{1,64}[^#$%>]{0,60}[#$%>](?:\s+|$)"),
    ("UM", "either", r"(?:uart|mosh):~\$ (?:at )?"),  # Zephyr's and Nordic's shells
    ("~/", "talk", r"[~/][\w/.-]{0,60} [#$](?:\s+|$)"),
    ("$#%", "talk", rf"[$#%]\s+(?=(?i:AT)\b|sudo\b|{_SHELL_TOOLS})"),
)  # fmt: skip

_ARROW = r"(?:[:=\-]{0,2}[>→⇒]+|:|=|-(?=\s))"
_BACK_ARROW = r"(?:[<←⇐]+[:=\-]{0,2}|[:=\-]{0,2}[>→⇒]+|:|=|-(?=\s))"
_COUNT = r"\s*(?:[(\[]\s*\d{1,6}\s*[)\]])?\s*"

# The line is the group ``body``, or ``parts`` if its commas are lost, or else what follows.
MARKS = _table(
    ("-", "sent", r"--> (?:re-)?sending:\s*"),  # wvdial
    ("A", "sent", r"AT TX \(\s*\d+\):\s?"),  # Mbed OS cellular
    ("A", "received", r"AT RX \(\s*\d+\):\s?"),
    ("A", "sent", r"AT>\s*"),  # Mbed OS ATCmdParser
    ("A", "received", r"AT<\s*"),
    ("A", "sent", r"AT ?send\s*:\s*"),  # logcat
    ("A", "received", r"AT ?(?:recv|read)\s*:\s*"),
    ("A", "sent", r"AT send\s+\d+\s+"),  # Particle
    ("A", "received", r"AT read\s+\S{1,8}\s+\d+\s+"),
    # oFono, SMS Server Tools: the channel, and which way
    (_LETTERS, "sent", r"(?P<port>[a-z]\w{1,20}):\s?-?>\s+"),
    (_LETTERS, "received", r"(?P<port>[a-z]\w{1,20}):\s?<-?\s+"),
    (_LETTERS, "sent", r"(?P<port>[\w-]{1,32}): sent\s+"),  # RouterOS
    (_LETTERS, "received", r"(?P<port>[\w-]{1,32}): rcvd\s+"),
    ("S", "sent", r"send \((?P<body>.*)\)$"),  # chat of pppd
    ("MS", "sent", r"(?:modem_chat\w*: )*sending(?: command)?:\s*"),  # Zephyr
    ("M", "received", r"(?:modem_chat: )?modem_chat_log_received_command:\s(?P<parts>.*)"),
    (_LETTERS, "sent", r"[\w-]{1,40}\(\d+\):\s*sending command:\s*"),  # esp_modem
    ("H", "received", r"handling line:\s*>*"),
    ("T", "either", r"token:\s*\{(?P<body>.*)\}$"),
    ("N", "received", r"nm_serial_debug\(\): got:\s*"),  # NetworkManager 0.7
    ("N", "sent", r"nm_serial_debug\(\): sending:\s*"),
    ("A", "sent", r"at_queue\.c:\d+ at_write: \[[^\]]{1,60}\] \[(?P<body>.*?)\]?$"),  # chan_dongle
    (_DIGITS, "either", r'\d{1,3} "(?P<body>.*)"$'),  # Gammu
    ("A", "either", r'AtChat\s*:\s+\w :\s+"(?P<body>.*)"\s*$'),  # Qtopia
    ("#", "either", r"### Unhandled:\s*(?=[+^*#%!$])"),  # TinyGSM: lines that none waited for
    # python-gsmmodem, SSCOM, QCOM, and whatever says TX/RX, send/recv, sent/received
    ("[TSWORC发请", "sent",
     r"\[?(?:TX|send|sent|write|writing|out|cmd|command|request|发送|发)"
     rf"(?:\]{_COUNT}{_ARROW}?|{_COUNT}{_ARROW})\s*◇?\s*"),
    ("[RIAG接收响回返", "received",
     r"\[?(?:RX|recv|receive|recieved?|(?:received )?resp(?:onse)?|rsp|received|read|in|reply"
     rf"|answer|got|接收|收到|收|响应|回复|返回)(?:\]{_COUNT}{_BACK_ARROW}?|{_COUNT}{_BACK_ARROW})\s*◆?\s*"),
    # arrows: which way they point differs from tool to tool
    ("<>-=→←⇒⇐", "either", r"(?:>{2,3}|<[-=]{1,2}|<{1,3}|[-=]{1,2}>|[→←⇒⇐])(?![<>])\s*"),
    flags=re.IGNORECASE,
)  # fmt: skip

# Most lines have none of these and need no further look
GUESS_HINTS = ("AT", "+", "^", "#", "!", "$", "OK", "ERROR")
# Whatever else a tool writes before AT. What may be AT: a command, a prefixed line or a list of
# them, and a bare result at the end. What must part it from the words before: a sign or a word; a
# bare result only words that say that it was received
GUESS = re.compile(
    r"(?<=[\s\"',;])(?:[Aa][Tt](?:[+^$#%!*&]|[A-Z]?\d?$)"
    r"|[+^#$!][A-Z]{3,20}[A-Z0-9_]*(?: ERROR)?:|\['(?:AT|[+^])|(?P<result>OK|ERROR)$)"
)
GUESS_AFTER = re.compile(
    r"(?:(?:[]:=)}>|<-]|\b(?:sen[dt]|sending|writ(?:e|ing)|recv|received|read))[\s\"']+|[,;]\"?)$",
    re.IGNORECASE,
)
RESULT_AFTER = re.compile(
    r"\b(?:recv|received|read|rx|resp|response|reply|answer)\b[\w ]{0,30}[:=>\]]+\s+$",
    re.IGNORECASE,
)
CLOCK = re.compile(_CLOCK)
# ModemManager, old and new: time, port, way, and the line in quotes
DEBUG_LOG = re.compile(
    r"(?:\[(?P<time>\d{1,12}\.\d{1,9})\] +)?"
    r"[\[(](?P<port>[^\[\]()\s]{1,64})[\])]:? (?P<way>-->|<--) '"
)
# mmcli: an error of the modem
MMCLI_ERROR = re.compile(r"error: command failed: '[\w.:]*MobileEquipment\.\w+: (?P<text>[^']*)'?")
# How a line end is written: ModemManager, Mbed OS; oFono, Python; chat of pppd
LINE_END = re.compile(
    r"(?:<(?:CR|LF|LN|cr|lf|ln)>|\\r|\\n|\\x0[daDA]|\[(?:CR|LF)\]|\^[MJ](?=\^[MJ]|$)|[␍␊])+"
)
# python-gsmmodem: one of ['AT+CPIN?', 'OK']
LISTED = re.compile(r"""(?<!\\)(?:'((?:[^'\\]|\\.){0,400})'|"((?:[^"\\]|\\.){0,400})")""")

# A shell command line, the port it names, and the command in it
SHELL = re.compile(rf"(?:sudo\s+)?(?P<tool>{_SHELL_TOOLS})")
SHELL_PORT = re.compile(r"/dev/|atinout|socat|microcom|picocom|COM\d")
SHELL_AT = re.compile(
    r"""'(?P<single>(?:at|[+^$#%!*])[^']*)'|"(?P<double>(?:at|[+^$#%!*])(?:[^"\\]|\\.){0,300})"|"""
    r"""(?<![^\s=])(?P<bare>(?-i:AT(?!\sAT)(?:[A-Z]\d?)?(?=[\s;]|$))|at[+^$#%!*&]\S*)""",
    re.IGNORECASE,
)
