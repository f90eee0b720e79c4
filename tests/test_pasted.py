"""Pasted logs: every form that people paste gives the exchanges that took place, and no more."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.conversation import MAX_LINES, Conversation
from simdiag.evidence import Exchange
from simdiag.transcript.pasted import read_pasted
from simdiag.transcript.reader import read_log

Told = tuple[str, tuple[str, ...], str | None]


def read(text: str) -> list[Exchange]:
    exchanges: list[Exchange] = []
    read_pasted(text.split("\n"), Conversation(exchanges.append))
    return exchanges


def told(text: str) -> list[Told]:
    return [(e.command, e.lines, str(e.error) if e.error else None) for e in read(text)]


def urc(text: str) -> Told:
    return ("", (text,), None)


CPIN: Told = ("AT+CPIN?", ("+CPIN: READY",), None)
CSQ: Told = ("AT+CSQ", ("+CSQ: 18,99",), None)
AT: Told = ("AT", (), None)
CPIN_10: Told = ("AT+CPIN?", (), "+CME ERROR: 10")
CPIN_ERROR: Told = ("AT+CPIN?", (), "ERROR")

FORMS: list[tuple[str, str, list[Told]]] = [
    # ---- terminals
    ("plain", "AT+CPIN?\n+CPIN: READY\n\nOK\nAT+CSQ\n+CSQ: 18,99\n\nOK\n", [CPIN, CSQ]),
    ("CR CR LF", "AT+CPIN?\r\r\n+CPIN: READY\r\n\r\nOK\r\n", [CPIN]),
    ("CR alone", "AT+CPIN?\r\r+CPIN: READY\r\rOK\r", [CPIN]),
    ("double echo", "AT+CPIN?\nAT+CPIN?\n\n+CPIN: READY\n\nOK", [CPIN]),
    ("no final results", "AT+CPIN?\n+CPIN: READY\nAT+CSQ\n+CSQ: 18,99\n", [CPIN, CSQ]),
    ("no echo", "+CPIN: READY\nOK\n+CSQ: 18,99\n\nOK", [urc("+CPIN: READY"), urc("+CSQ: 18,99")]),
    (
        "minicom timestamps",
        "[2026-01-01 12:00:00.123] AT+CPIN?\n[2026-01-01 12:00:00.131] +CPIN: READY\n"
        "[2026-01-01 12:00:00.132] \n[2026-01-01 12:00:00.140] OK",
        [CPIN],
    ),
    (
        "picocom",
        "picocom v3.1\n\nport is        : /dev/ttyUSB2\n\nType [C-a] [C-h] to see available "
        "commands\nTerminal ready\nAT\nOK\n\nTerminating...\nThanks for using picocom\n",
        [AT],
    ),
    ("screen", "AT\r\nOK\r\n[screen is terminating]", [AT]),
    ("colours", "\x1b[32mAT+CPIN?\x1b[0m\n\x1b[1;31m+CME ERROR: 10\x1b[0m\n", [CPIN_10]),
    ("small letters", "at+cpin?\n+CPIN: READY\nok", [("at+cpin?", ("+CPIN: READY",), None)]),
    ("spaces", "AT+CMGS = 81\n+CMS ERROR: 500", [("AT+CMGS = 81", (), "+CMS ERROR: 500")]),
    (
        "joined",
        'AT+CREG=2;+CREG?\n+CREG: 2,6,"7D08","04E23C04",7\nOK',
        [("AT+CREG=2;+CREG?", ('+CREG: 2,6,"7D08","04E23C04",7',), None)],
    ),
    (
        "basic",
        "ATI\nManufacturer: EXAMPLE\nModel: X1\n\nOK\nATE0\nOK\nAT&F\nOK\nATZ\nOK\nAT&FZ\nOK\n"
        "ATE0V1&C1 S0=0\nOK\nATE0&C0 +CMEE=1\nOK\nATD*99#\nCONNECT 100000000\n",
        [
            ("ATI", ("Manufacturer: EXAMPLE", "Model: X1"), None),
            ("ATE0", (), None),
            ("AT&F", (), None),
            ("ATZ", (), None),
            ("AT&FZ", (), None),
            ("ATE0V1&C1 S0=0", (), None),
            ("ATE0&C0 +CMEE=1", (), None),
            ("ATD*99#", (), None),
        ],
    ),
    ("dial", "ATD+49********;\nNO CARRIER\n", [("ATD+49********;", (), "NO CARRIER")]),
    (
        "vendor signs",
        "AT!SCACT?1\n!SCACT: 1\nOK\nAT%XSIM?\n%XSIM: 1\nOK\nAT^SYSINFO\nOK\nAT$QCPDPP?\nOK\n"
        "AT*PSALS?\nOK\nAT_OBLS\nOK\nAT#BND?\n#BND: 0\nOK",
        [
            ("AT!SCACT?1", ("!SCACT: 1",), None),
            ("AT%XSIM?", ("%XSIM: 1",), None),
            ("AT^SYSINFO", (), None),
            ("AT$QCPDPP?", (), None),
            ("AT*PSALS?", (), None),
            ("AT_OBLS", (), None),
            ("AT#BND?", ("#BND: 0",), None),
        ],
    ),
    (
        "unsolicited",
        "*ATREADY: 1\n*CNTI: 0,LTE\nAT+CREG?\n+CGREG: 1\n+CREG: 0,1\n+CREG: 1\nOK\nRDY\n"
        "SMS Ready\nUNDER-VOLTAGE WARNNING POWER DOWN\n^MODE: 5,4\n",
        [
            urc("*ATREADY: 1"),
            urc("*CNTI: 0,LTE"),
            urc("+CGREG: 1"),
            ("AT+CREG?", ("+CREG: 0,1",), None),
            urc("+CREG: 1"),
            urc("RDY"),
            urc("SMS Ready"),
            urc("UNDER-VOLTAGE WARNNING POWER DOWN"),
            urc("^MODE: 5,4"),
        ],
    ),
    (
        "message body",
        'AT+CSQ\n+CMT: "+49*****",,"26/01/01"\nYour code is 12345\n+CSQ: 18,99\nOK',
        [urc('+CMT: "+49*****",,"26/01/01"'), CSQ],
    ),
    ("error nobody asked for", "+CME ERROR: 524\n", [urc("+CME ERROR: 524")]),
    (
        "late result",
        "AT+CFUN=1,1\nOK\n+CGEV: ME DETACH\nOK\n",
        [("AT+CFUN=1,1", (), None), urc("+CGEV: ME DETACH")],
    ),
    # ---- one line
    ("colon", "AT+CSQ: +CSQ: 18,99", [CSQ]),
    (
        "arrow",
        "AT+CPIN? -> +CPIN: READY\nAT+CPIN? => ERROR\nAT+CSQ --> +CSQ: 18,99 OK",
        [CPIN, CPIN_ERROR, CSQ],
    ),
    ("blank between", "AT+CPIN?   +CPIN: READY\nAT OK\n", [CPIN, AT]),
    ("table", "| AT+CPIN? | +CPIN: READY |\n|---|---|\n| `AT+CSQ` | `+CSQ: 18,99` |", [CPIN, CSQ]),
    (
        "value",
        "AT+CGMR: EXAMPLE_V1.2\nAT+CFUN=1: OK",
        [("AT+CGMR", ("EXAMPLE_V1.2",), None), ("AT+CFUN=1", (), None)],
    ),
    ("heading", "AT+CPIN?:\n+CPIN: READY\nOK\n", [CPIN]),
    ("list", "AT+CGMI: ['EXAMPLE', 'OK']\n", [("AT+CGMI", ("EXAMPLE",), None)]),
    # ---- programs
    (
        "ModemManager",
        "ModemManager[123]: <debug> [1600000000.123456] [modem0/ttyUSB2/at] --> 'AT+CPIN?<CR>'\n"
        "ModemManager[123]: <debug> [1600000000.223456] [modem0/ttyUSB2/at] device open count is 2\n"
        "ModemManager[123]: <debug> [1600000000.323456] [modem0/ttyUSB2/at] <-- '<CR><LF>+CPIN: "
        "READY<CR><LF><CR><LF>OK<CR><LF>'\n",
        [CPIN],
    ),
    (
        "ModemManager through logread",
        "Sat Apr  3 16:13:16 2021 daemon.debug [6358]: <debug> [1617466396.398498] "
        "[modem0/ttyUSB0/at] --> 'AT+CPIN?<CR>'\n"
        "Sat Apr  3 16:13:16 2021 daemon.debug [6358]: <debug> [1617466396.595586] "
        "[modem0/ttyUSB0/at] <-- '<CR><LF>+CME ERROR: 10<CR><LF>'\n"
        "Sat Apr  3 16:13:16 2021 daemon.warn [6358]: <warn>  [1617466396.596291] [modem0/sim0] "
        "couldn't load list of emergency numbers: OK\n",
        [CPIN_10],
    ),
    (
        "ModemManager 1.6",
        "<debug> (ttyUSB2): --> 'AT<CR>'\n<debug> (ttyUSB2): <-- '<CR><LF>OK<CR><LF>'\n"
        "<debug> (ttyUSB2) device open count is 1 (close)\n",
        [AT],
    ),
    (
        "ModemManager in parts",
        "<debug> (ttyUSB2): --> 'AT+CPIN?<CR>'\n<debug> (ttyUSB2): <-- 'AT+CPIN?<CR><CR><LF>+CPI'\n"
        "<debug> (ttyUSB2): <-- 'N: READY<CR><LF>'\n<debug> (ttyUSB2): <-- '<CR><LF>O'\n"
        "<debug> (ttyUSB2): <-- 'K<CR><LF>'\n",
        [CPIN],
    ),
    (
        "two ports at once",
        "<debug> (ttyUSB2): --> 'AT+CPIN?<CR>'\n<debug> (ttyUSB3): --> 'AT+CSQ<CR>'\n"
        "<debug> (ttyUSB3): <-- '<CR><LF>+CSQ: 18,99<CR><LF><CR><LF>OK<CR><LF>'\n"
        "<debug> (ttyUSB2): <-- '<CR><LF>+CPIN: READY<CR><LF><CR><LF>OK<CR><LF>'\n",
        [CSQ, CPIN],
    ),
    (
        "oFono",
        "ofonod[550]: Modem: > AT+CPIN?\\r\nofonod[550]: Modem: < \\r\\n+CPIN: READY\\r\\n\n"
        "ofonod[550]: Modem: < \\r\\nOK\\r\\n\nofonod[550]: src/modem.c:ofono_modem_register() 0xf6e38\n",
        [CPIN],
    ),
    (
        "TinyGSM dump",
        "AT+CPIN?\r\r\n+CPIN: READY\r\n\r\nOK\r\n[12345] ### Unhandled: +CREG: 2\n"
        "[12346] ### Unhandled: OK\nWaiting for network...AT+CSQ\r\n\r\n+CSQ: 18,99\r\n\r\nOK\r\n",
        [CPIN, urc("+CREG: 2"), CSQ],
    ),
    (
        "Arduino",
        "12:00:00.123 -> AT+CPIN?\n12:00:00.130 -> \n12:00:00.133 -> +CPIN: READY\n12:00:00.140 -> OK\n",
        [CPIN],
    ),
    (
        "Wio LTE",
        "<- AT+CPIN?\n-> \n-> +CPIN: READY\n-> \n-> OK\n<- AT+CSQ\n-> +CSQ: 18,99\n-> OK\n### ERROR! ###\n",
        [CPIN, CSQ],
    ),
    ("AT TX", "AT TX ( 8): AT+CPIN?\nAT RX (12): +CPIN: READY\nAT RX ( 2): OK\n", [CPIN]),
    (
        "Mbed OS",
        "[00000149ms][DBG ][CELL]: AT flush\n[00000153ms][INFO][CELL]: AT TX ( 6): AT+CSQ\n"
        "[00000159ms][INFO][CELL]: AT TX ( 1): <cr>\n"
        "[00000164ms][INFO][CELL]: AT RX (14): <cr><ln>+CSQ: 18,\n"
        "[00000165ms][INFO][CELL]: AT RX ( 6): 99<cr><ln><cr><ln>OK<cr><ln>\n"
        "[00000172ms][DBG ][CELL]: SIM read: READY\n"
        "[00000173ms][INFO][CELL]: AT TX ( 8): AT+CPIN?\n[00000174ms][INFO][CELL]: AT TX ( 1): <cr>\n"
        "[00000180ms][INFO][CELL]: AT RX (22): <cr><ln>+CPIN: READY<cr><ln><cr><ln>OK<cr><ln>\n",
        [CSQ, CPIN],
    ),
    ("Mbed parser", "AT> AT+CPIN?\nAT< +CPIN: READY\nAT< OK\n", [CPIN]),
    (
        "ubxlib",
        "U_CELL: powering on.\n2024/04/12 07:33:34.206: AT\n2024/04/12 07:33:34.247:\n"
        "2024/04/12 07:33:34.247: OK\n20:12:49 AT+CPIN?\n20:12:49 +CPIN: READY\n20:12:49 OK\n",
        [AT, CPIN],
    ),
    (
        "Zephyr",
        "[00:00:12.532,000] <dbg> modem_chat: modem_chat_script_next: init_script: step: 6\n"
        "[00:00:12.633,000] <dbg> modem_chat: modem_chat_script_next: sending: AT+CREG?\n"
        "[00:00:12.661,000] <dbg> modem_chat: modem_chat_log_received_command: +CREG:  1 0\n"
        "[00:00:12.661,000] <dbg> modem_chat: modem_chat_log_received_command: OK\n",
        [("AT+CREG?", ("+CREG: 1,0",), None)],
    ),
    (
        "Zephyr without an answer",
        "[00:00:01.828,887] <dbg> modem_chat: modem_chat_script_next: sending: AT\n"
        "[00:00:11.829,040] <wrn> modem_chat: init_chat_script: timed out\n",
        [("AT", (), "no answer")],
    ),
    (
        "ESP-IDF",
        "I (1234) esp-modem: AT+CPIN?\nI (1240) esp-modem: +CPIN: READY\nI (1250) app: sim is fine\n"
        "D (1300) esp-modem: OK\n",
        [CPIN],
    ),
    (
        "esp_modem",
        "D (14137) esp-modem: Sending command:AT+CPIN?\nD (14197) esp-modem: Handling line: >>+CPIN: READY\n"
        "D (14199) esp-modem: Handling line: >>OK\nV (4054) command_lib: Token: {AT+CSQ}\n"
        "V (4054) command_lib: Token: {+CSQ: 18,99}\nV (4055) command_lib: Token: {OK}\n",
        [CPIN, CSQ],
    ),
    (
        "python-gsmmodem",
        "DEBUG: write: AT+CPIN?\nDEBUG: response: ['AT+CPIN?\\r', '+CPIN: READY', 'OK']\n",
        [CPIN],
    ),
    (
        "python-gsmmodem without an answer",
        "INFO: Connecting to modem on port COM3 at 115200bps\nDEBUG: write: ATZ\nDEBUG: response: ['OK']\n"
        'DEBUG: write: AT+CPIN?\nTraceback (most recent call last):\n  File "demo.py", line 40, in <module>\n'
        "    main()\n    modem.connect(PIN)\n    raise TimeoutException()\ngsmmodem.exceptions.TimeoutException\n",
        [("ATZ", (), None), ("AT+CPIN?", (), "no answer")],
    ),
    (
        "Gammu",
        "Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: SENDING frametype 0x00/length 0x09/9\n"
        "Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: 41A|54T|2B+|43C|50P|49I|4EN|3F?|0D   AT+CPIN?.\n"
        'Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: 1 "AT+CPIN?"\n'
        'Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: 2 "+CPIN: READY"\n'
        'Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: 3 "OK"\n'
        "Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: Checking line: OK\n"
        "Mon 2015/08/17 18:14:41 gammu-smsd[1902]: gammu: Parsing +CPIN: READY with +CPIN: @r\n"
        'Wed 2016/05/25 17:00:28: 1 "AT+CPMS="SM","SM""\nWed 2016/05/25 17:00:28: 2 "OK"\n',
        [CPIN, ('AT+CPMS="SM","SM"', (), None)],
    ),
    (
        "chat of pppd",
        "Sep 26 23:43:59 host chat[6514]: abort on (ERROR)\nSep 26 23:43:59 host chat[6514]: send (AT^M)\n"
        "Sep 26 23:43:59 host chat[6514]: expect (OK)\nSep 26 23:43:59 host chat[6514]: ^M\n"
        "Sep 26 23:43:59 host chat[6514]: AT^M^M\nSep 26 23:43:59 host chat[6514]: OK\n"
        "Sep 26 23:43:59 host chat[6514]:  -- got it\n",
        [AT],
    ),
    (
        "chat without an answer",
        "Sep 26 23:43:59 host chat[6514]: send (ATZ^M)\nSep 26 23:43:59 host chat[6514]: expect (OK)\n"
        "Sep 26 23:44:44 host chat[6514]: alarm\nSep 26 23:44:44 host chat[6514]: Failed\n",
        [("ATZ", (), "no answer")],
    ),
    (
        "wvdial",
        "--> Initializing modem.\n--> Sending: ATZ\nATZ\nOK\n--> Sending: ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\n"
        "ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\nERROR\n--> Bad init string.\n",
        [("ATZ", (), None), ("ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0", (), "ERROR")],
    ),
    (
        "wvdial without an answer",
        "--> Sending: ATZ\n--> Sending: ATQ0\n--> Re-Sending: ATZ\n--> Modem not responding.\n",
        [("ATZ", (), None), ("ATQ0", (), None), ("ATZ", (), "no answer")],
    ),
    (
        "SMS Server Tools",
        "2020-01-02 10:00:01,7, GSM1: -> AT+CPIN?\n"
        "2020-01-02 10:00:01,7, GSM1: Command is sent, waiting for the answer. (5)\n"
        "2020-01-02 10:00:01,7, GSM1: <- +CPIN: READY OK\n",
        [CPIN],
    ),
    (
        "logcat",
        "D/AT      (  62): AT> AT+CPIN?\nD/AT      (  62): AT< +CPIN: READY\nD/AT      (  62): AT< OK\n"
        "I/PHONE   (  99): card is READY\n",
        [CPIN],
    ),
    (
        "logcat with threads",
        "11-22 10:00:00.123  1234  1250 D RIL_AT : ATSend: AT+CPIN?\n"
        "11-22 10:00:00.223  1234  1250 D RIL_AT : ATRecv: +CPIN: READY\n"
        "11-22 10:00:00.323  1234  1250 D RIL_AT : ATRecv: OK\n"
        "11-22 10:00:01.123  1234  1250 I AT      : [0] AT> AT+CSQ (RIL_CMD_READER_1, tid:123)\n"
        "11-22 10:00:01.223  1234  1250 I AT      : [0] AT< +CSQ: 18,99 (RIL_CMD_READER_1, tid:123)\n",
        [CPIN, CSQ],
    ),
    (
        "Hologram",
        "DEBUG: Write Modem Serial = AT+CPIN?\nDEBUG: Read Modem Serial = +CPIN: READY\n"
        "DEBUG: Read Modem Serial = OK\n",
        [CPIN],
    ),
    (
        "Zephyr application",
        '[00:00:12.345,000] <inf> dt_modem: Notif: +CEREG: 2,"AB12","01234567",7,0,11\n',
        [urc('+CEREG: 2,"AB12","01234567",7,0,11')],
    ),
    ("Zephyr shell", "uart:~$ at AT+CPIN?\n+CPIN: READY\nOK\nuart:~$ at AT\nOK\n", [CPIN, AT]),
    (
        "table of values",
        '"AT+CPIN?","+CME ERROR: 10"\n"AT+CSQ","+CSQ: 18,99 OK"\n10:00:00,AT+CPIN?,+CME ERROR: 10\n',
        [CPIN_10, CSQ, CPIN_10],
    ),
    ("JSON by line", '{"cmd": "AT+CPIN?", "response": "+CME ERROR: 10"}\n', [CPIN_10]),
    (
        "Kannel",
        "2020-01-02 10:00:00 [123] [6] DEBUG: AT2[modem1]: --> AT+CPIN?^M\n"
        "2020-01-02 10:00:00 [123] [6] DEBUG: AT2[modem1]: <-- +CME ERROR: 10\n",
        [CPIN_10],
    ),
    (
        "Home Assistant",
        "2020-01-02 10:00:00.123 DEBUG (MainThread) [custom_components.sms] Sending AT+CPIN?\n"
        "2020-01-02 10:00:00.223 DEBUG (MainThread) [custom_components.sms] Received +CME ERROR: 10\n",
        [CPIN_10],
    ),
    (
        "Tera Term",
        "[Thu Jan 02 10:00:00.123 2020] AT+CPIN?\n[Thu Jan 02 10:00:00.223 2020] +CPIN: READY\n"
        "[Thu Jan 02 10:00:00.224 2020] OK\n",
        [CPIN],
    ),
    (
        "Docklight",
        "2020-01-02 10:00:00.123 [TX] - AT+CPIN?<CR>\n"
        "2020-01-02 10:00:00.223 [RX] - <CR><LF>+CME ERROR: 10<CR><LF>\n",
        [CPIN_10],
    ),
    (
        "names of ports",
        "2020-01-02 10:00:00.123 [COM5] SEND: AT+CPIN?\n2020-01-02 10:00:00.223 [COM5] RECV: ERROR\n",
        [CPIN_ERROR],
    ),
    (
        "names of modules",
        "[2020-01-02T10:00:00Z DEBUG modem] > AT+CSQ\n[2020-01-02T10:00:00Z DEBUG modem] < +CSQ: 18,99\n",
        [CSQ],
    ),
    (
        "what is guessed is not silence",
        "modem.write -> AT+CPIN?\nmodem.write -> AT+CSQ\n",
        [("AT+CPIN?", (), None), ("AT+CSQ", (), None)],
    ),
    (
        "examples and tales are not guessed",
        "Expected: +CPIN: READY\nExample: AT+CFUN=0\nWhen I type: AT+CFUN=0\nmy modem says: +CPIN: READY\n",
        [],
    ),
    (
        "marks leave nothing to guess",
        "[modem0/ttyUSB2/at] --> 'AT+CPIN?<CR>'\n"
        "[modem0/ttyUSB2/at] <-- '<CR><LF>+CME ERROR: 10<CR><LF>'\n"
        "[modem0] could not unlock: +CPIN: SIM PUK\n",
        [CPIN_10],
    ),
    ("shifts", ">>> AT\n<<< OK\n>> AT+CPIN?\n<< +CPIN: READY\n<< OK\n", [AT, CPIN]),
    (
        "send and recv",
        "send: AT+CPIN?\nrecv: +CPIN: READY\nrecv: OK\nSent: AT\nReceived: OK\n",
        [CPIN, AT],
    ),
    (
        "TX and RX",
        "TX: AT+CPIN?\nRX: +CPIN: READY\nRX: OK\n[TX] AT\n[RX] OK\n2026-01-01 12:00:00,123 TX -> AT\nRX <- OK\n",
        [CPIN, AT, AT],
    ),
    ("angles", "> AT+CSQ\n< +CSQ: 18,99\n< OK\n", [CSQ]),
    (
        "Particle",
        '20.858 AT send 10 "AT+CPIN?\\r\\n"\n20.865 AT read  +   16 "\\r\\n+CPIN: READY\\r\\n"\n'
        '20.867 AT read OK    6 "\\r\\nOK\\r\\n"\n',
        [CPIN],
    ),
    (
        "atat",
        '  111607 DEBUG Sending command: "b"AT+CPIN?\\r\\n""\n',
        [("AT+CPIN?", (), "no answer")],
    ),
    (
        "NetworkManager 0.7",
        "NetworkManager: <debug> [1224572376.169089] nm_serial_debug(): Sending: 'AT+CPIN?\n'\n"
        "NetworkManager: <debug> [1224572376.196931] nm_serial_debug(): Got: 'AT+CPIN?\n\n+CPIN: READY\n\nOK\n'\n",
        [CPIN],
    ),
    (
        "Particle 2",
        "0000012345 [ncp.at] TRACE: > AT+CPIN?\n0000012355 [ncp.at] TRACE: < +CPIN: READY\n"
        "0000012356 [ncp.at] TRACE: < OK\n0000012357 [system] INFO: ready\n",
        [CPIN],
    ),
    (
        "Python bytes",
        "b'AT+CPIN?\\r\\r\\n'\nb'+CPIN: READY\\r\\n'\nb'\\r\\n'\nb'OK\\r\\n'\n",
        [CPIN],
    ),
    (
        "TinyGSM, the answer of another boot",
        "AT+CPIN?\nAT+CPIN?\n\nERROR\nAT+CPIN?\n\nRDY\n\n+CFUN: 1\n\n+CPIN: READY\nModem: X1 fail\n",
        [
            CPIN_ERROR,
            urc("RDY"),
            urc("+CFUN: 1"),
            ("AT+CPIN?", ("+CPIN: READY", "Modem: X1 fail"), None),
        ],
    ),
    (
        "a port that is silent",
        "<debug> (ttyUSB2): --> 'AT<CR>'\n<info> (ttyUSB2): probe timed out\n",
        [("AT", (), "no answer")],
    ),
    (
        "a port that is silent, but which",
        "<debug> (ttyUSB2): --> 'AT<CR>'\n<debug> (ttyUSB3): --> 'AT<CR>'\n<info> probe timed out\n"
        "<debug> (ttyUSB3): <-- '<CR><LF>OK<CR><LF>'\n",
        [AT, AT],
    ),
    (
        "chan_dongle",
        "[2020-08-23 15:04:28] DEBUG[8346]: at_queue.c:246 at_queue_run: [dongle0] write command 'AT+CSQ' "
        "expected response 'OK' length 7\n[2020-08-23 15:04:28] DEBUG[8346]: at_queue.c:191 at_write: "
        "[dongle0] [AT+CSQ\n]\n[2020-08-23 15:04:28] DEBUG[8346]: at_read.c:95 at_read: [dongle0] [\n"
        "+CSQ: 18,99\n\nOK\n]\n",
        [CSQ],
    ),
    (
        "Qtopia",
        'AtChat :  T : "AT+CPIN?"\nAtChat :  F : "+CPIN: READY"\nAtChat :  F : "OK"\n',
        [CPIN],
    ),
    # ---- Chinese tools
    ("SSCOM", "[12:00:00.123]发→◇AT+CPIN?\n□\n[12:00:00.145]收←◆\n+CPIN: READY\n\nOK\n\n", [CPIN]),
    (
        "SSCOM on a line",
        "[12:00:00.123]发→◇AT+CPIN?□\n[12:00:00.145]收←◆+CPIN: READY\n[12:00:00.146]收←◆OK\n",
        [CPIN],
    ),
    (
        "QCOM",
        "[2026-01-01_12:00:00:123]AT+CPIN?\n[2026-01-01_12:00:00:133]+CPIN: READY\n[2026-01-01_12:00:00:134]OK\n",
        [CPIN],
    ),
    (
        "Chinese words",
        "发送：AT+CPIN?\n接收：+CPIN: READY\n接收：OK\n发:AT+CSQ\n收:+CSQ: 18,99\n收:OK\n",
        [CPIN, CSQ],
    ),
    (
        "Chinese comments",
        "AT+CPIN?   //查询SIM卡状态\n+CPIN: READY   //卡正常\nOK\nAT+CSQ（信号强度）\n"
        "+CSQ: 18,99  信号不错\nOK\nAT # test\nOK // good\n",
        [CPIN, CSQ, AT],
    ),
    (
        "full width",
        "ＡＴ＋ＣＰＩＮ？\n＋ＣＰＩＮ：ＲＥＡＤＹ\nOK\nAT+CSQ\n+CSQ： 18，99\nOK",
        [("AT+CPIN?", ("+CPIN:READY",), None), CSQ],
    ),
    ("comment with arrow", "AT+CPIN?\n+CPIN: READY <-- SIM ok\nOK <-- fine", [CPIN]),
    (
        "address is no comment",
        'AT+QHTTPURL="http://example.com//x"\nOK',
        [('AT+QHTTPURL="http://example.com//x"', (), None)],
    ),
    # ---- shells
    (
        "sms_tool",
        'root@OpenWrt:~# sms_tool -d /dev/ttyUSB2 at "AT+CPIN?"\n+CPIN: READY\nroot@OpenWrt:~# '
        'sms_tool -d /dev/ttyUSB2 at \'at+qeng="servingcell"\'\n+QENG: "SEARCH"\nroot@OpenWrt:~# ',
        [CPIN, ('at+qeng="servingcell"', ('+QENG: "SEARCH"',), None)],
    ),
    (
        "mmcli",
        "$ sudo mmcli -m 0 --command=\"AT+CPIN?\"\nresponse: '+CPIN: READY'\n$ mmcli -m any --command='+CSQ'\n"
        "response: '+CSQ: 18,99'\n",
        [CPIN, CSQ],
    ),
    (
        "mmcli on lines",
        '$ mmcli -m 0 --command=\'+CGDCONT?\'\nresponse: \'+CGDCONT: 1,"IP","a"\n+CGDCONT: 2,"IP","ims"\'\n',
        [("AT+CGDCONT?", ('+CGDCONT: 1,"IP","a"', '+CGDCONT: 2,"IP","ims"'), None)],
    ),
    (
        "mmcli error",
        "$ mmcli -m 0 --command=AT+CPIN?\nerror: command failed: 'GDBus.Error:org.freedesktop.ModemManager1."
        "Error.MobileEquipment.SimNotInserted: SIM not inserted'\n",
        [("AT+CPIN?", (), "+CME ERROR: SIM not inserted")],
    ),
    (
        "mmcli timeout",
        "$ mmcli -m 0 --command=AT+CPIN?\nerror: command failed: 'GDBus.Error:org.freedesktop.ModemManager1."
        "Error.Serial.ResponseTimeout: Serial command timed out'\n",
        [("AT+CPIN?", (), "no answer")],
    ),
    (
        "echo",
        'root@OpenWrt:~# echo -e "AT+CPIN?\\r" > /dev/ttyUSB2\n+CPIN: READY\nOK\n# echo AT | atinout - /dev/ttyUSB2 -\nOK\n'
        "pi@raspberrypi:~ $ printf 'AT\\r' | socat - /dev/ttyUSB2,crnl\nOK\n",
        [CPIN, AT, AT],
    ),
    (
        "gcom",
        "# COMMAND='AT+CPIN?' gcom -d /dev/ttyUSB2 -s /etc/gcom/run.gcom\n+CPIN: READY\nOK\n",
        [CPIN],
    ),
    (
        "replies alone",
        "+CPIN: READY\n!GSTATUS:\nCurrent Time:  434              Temperature: 29\n"
        "Reset Counter: 3                Mode:        LOW POWER MODE\n",
        [
            urc("+CPIN: READY"),
            (
                "AT!GSTATUS?",
                (
                    "!GSTATUS:",
                    "Current Time:  434              Temperature: 29",
                    "Reset Counter: 3                Mode:        LOW POWER MODE",
                ),
                None,
            ),
        ],
    ),
    # ---- forums and mail
    ("quoted", "> > AT+CPIN?\n> > +CPIN: READY\n> > OK\n", [CPIN]),
    (
        "bullets",
        "- AT+CPIN?\n- +CPIN: READY\n- OK\n* AT\n* OK\n1. AT+CSQ\n+CSQ: 18,99\n",
        [CPIN, AT, CSQ],
    ),
    (
        "fences",
        "Here is what I see:\n```\nAT+CPIN?\n+CPIN: READY\n\nOK\n```\n`AT`\n`OK`\n**AT+CSQ**\n+CSQ: 18,99\n",
        [CPIN, AT, CSQ],
    ),
    (
        "entities",
        "&gt; AT+COPS?\n&gt; +COPS: 0,0,&quot;A&amp;B&quot;,7\n&gt; OK",
        [("AT+COPS?", ('+COPS: 0,0,"A&B",7',), None)],
    ),
    (
        "smart quotes",
        "AT+CGDCONT=1,“IP”,“internet”\nOK",
        [('AT+CGDCONT=1,"IP","internet"', (), None)],
    ),
    ("hard spaces", "\u00a0AT+CPIN?\u00a0\n+CPIN:\u00a0READY\u200b\nOK", [CPIN]),
    # ---- silence
    ("nothing came", "ATZ\n\n", [("ATZ", (), "no answer")]),
    ("nothing came, thrice", "AT\n\nAT\n\nAT\n", [("AT", (), "no answer")]),
    (
        "only the last was silent for sure",
        "AT\nATZ\nAT+CSQ\n",
        [("AT", (), None), ("ATZ", (), None), ("AT+CSQ", (), "no answer")],
    ),
    ("interrupted", "ATZ\n^C\n", [("ATZ", (), "no answer")]),
    ("left out", "AT\nOK\nAT+CSQ\n", [AT, ("AT+CSQ", (), None)]),
    (
        "a tool says so",
        "AT\nOK\nAT+CSQ\nTimed out\nAT+CPIN?\nERROR\n",
        [AT, ("AT+CSQ", (), "no answer"), CPIN_ERROR],
    ),
    (
        "no response",
        "AT+CSQ\n(no response)\nAT+CPIN?\n+CPIN: READY\nOK",
        [("AT+CSQ", (), "no answer"), CPIN],
    ),
    ("superfluous", "AT+CSQ\n+CSQ: 18,99\ntimeout\n", [CSQ]),
    (
        "a person's words are no silence",
        "Please send me the result of\nAT+CSQ\nand we will look at it.\n",
        [("AT+CSQ", (), None)],
    ),
]

PROSE = [
    "At this point I got OK",
    "AT commands do not work",
    "the modem says ERROR",
    "At first it worked.",
    "AT+CSQ gives me +CSQ: 99,99",
    "AT+CPIN? returns ERROR and nothing else",
    "AY+CSQ",
    "AT&T",
    "ATTENTION",
    "At home I use another SIM",
    "OK",
    "ERROR",
    "OK\nERROR\nNO CARRIER was all I saw",
    "AT+CSQ - signal quality",
    "AT+CSQ: signal quality",
    "+CPIN: READY means that the SIM works",
    "Ring the operator and ask them",
    "*Note: this is a test",
    "#Edit: solved",
    "I tried AT+CPIN?\nand AT+CSQ too",
    "attach\nat all\natom\nAT first",
    "^C\n^Z",
    "",
    "---\n===\n",
    "[screen is terminating]",
    "expect (OK)",
    "error: OK",
    "Call ready people",
    "set timeout 30\nno response",
    "AT+CPIN?=> what does it mean",
    "RX: hello\nResponse: fine",
    "信号正常 OK",
    "A fresh install. AT works",
    "echo AT\nmmcli -m 0",
    "<debug> (ttyUSB2): device open count is 1",
    "AT command set for X1",
    "at a loss here",
    "AT+ is the prefix",
    "AT+CREG=? shows nothing",
]


@pytest.mark.parametrize(("text", "expected"), [pytest.param(t, e, id=n) for n, t, e in FORMS])
def test_form(text: str, expected: list[Told]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_no_evidence(text: str) -> None:
    assert told(text) == []


def test_prose_between_exchanges_changes_nothing() -> None:
    prose = [text for text in PROSE if text not in ("OK", "ERROR") and not text.startswith("OK\n")]
    log = "".join(
        f"{text}\nAT+CPIN?\n+CPIN: READY\nOK\n" for text in prose if "timeout" not in text
    )
    assert told(log) == [CPIN] * log.count("AT+CPIN?\n+CPIN: READY\nOK")


def test_an_end_that_is_not_shown_is_not_invented() -> None:
    (exchange,) = read("AT+CPIN?\n+CPIN: READY\n")
    assert not exchange.ended
    assert exchange.error is None


@pytest.mark.parametrize(
    ("log", "times"),
    [
        ("12:00:00.5 -> AT\n12:00:02 -> OK", [(43200.5, 1.5)]),
        (
            "[23:59:59.000] AT\n[00:00:01.500] OK\n[00:00:02.000] AT\n[00:00:02.100] OK",
            [(86399, 2.5), (86402, 0.1)],
        ),
        ("I (1500) app: AT\nI (1750) app: OK", [(1.5, 0.25)]),
        (
            "[1600000000.25] [ttyUSB2/at] --> 'AT<CR>'\n[1600000000.5] [ttyUSB2/at] <-- 'OK<CR><LF>'",
            [(1600000000.25, 0.25)],
        ),
        ("[2026-01-01_12:00:00:250]AT\n[2026-01-01_12:00:00:500]OK", [(43200.25, 0.25)]),
        ("AT\nOK", [(0.0, 0.0)]),
    ],
)
def test_time(log: str, times: list[tuple[float, float]]) -> None:
    assert [(e.time, pytest.approx(e.elapsed)) for e in read(log)] == times


def test_unsolicited_lines_keep_their_place_behind_an_answer_without_an_end() -> None:
    log = "AT+CREG?\n+CREG: 0,2\n+CREG: 1\n+CREG: 5\nAT+CSQ\n+CSQ: 18,99\n"
    assert told(log) == [("AT+CREG?", ("+CREG: 0,2",), None), urc("+CREG: 1"), urc("+CREG: 5"), CSQ]


def test_a_flood_does_not_fill_the_memory() -> None:
    log = "AT+CLAC\n" + "X1\n" * (MAX_LINES + 500) + "+CREG: 1\n" * (MAX_LINES + 500)
    exchanges = read(log)
    assert len(exchanges) == 1 + MAX_LINES
    assert len(exchanges[0].lines) == MAX_LINES
    ports = read("".join(f"(tty{n}): --> 'AT<CR>'\n(tty{n}): <-- 'OK<CR>'\n" for n in range(99)))
    assert len(ports) == 99


@pytest.mark.parametrize(
    "log",
    [
        "AT\n" * 5 + "OK",
        "AT+CPIN?" * 3000,
        '"' * 50_000,
        "(" * 50_000,
        "AT" + "+A;" * 20_000,
        " " * 50_000 + "//",
        "AT+C=" + '"a",' * 20_000,
        "（" * 9_000 + "中" * 9_000,
        "[" * 50_000,
        "AT" + " E0" * 20_000,
        "<CR>" * 20_000,
        "\\r" * 30_000,
        "['a', " * 9_000,
        "a " * 30_000,
        "AT+CSQ: " * 9_000,
        "ﷺ" * 20_000,
        "1:1" * 20_000,
        "&gt;" * 20_000,
        "> " * 30_000,
        "AT" + "\\" * 40_000,
        "AT+CREG=" + "," * 40_000 + " x",
        '"' + '\\"' * 20_000,
        "00:00:00 " * 9_000,
        "AT" + "S1=1" * 9_000 + "!",
    ],
)
def test_hostile_lines_take_no_time(log: str) -> None:
    start = time.process_time()
    for way in ("", "RX: ", "(ttyUSB2): <-- '", "$ echo "):
        read(f"{way}{log}")
    assert time.process_time() - start < 5  # not a measure of speed: backtracking takes for ever


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_any_text_is_read(text: str) -> None:
    for exchange in read(text):
        assert exchange.command or exchange.lines


_PIECES = st.sampled_from(
    [
        "AT",
        "+CPIN: READY",
        "OK",
        "ERROR",
        "'",
        '"',
        "\n",
        "\r",
        " ",
        "-->",
        "<--",
        "<CR>",
        "<LF>",
        "\\r",
        "RX: ",
        "TX: ",
        "[1.5] ",
        "(tty0): ",
        "12:00:00 ",
        "> ",
        "AT+CSQ",
        "=?",
        ";",
        "timeout",
        "中",
        "//",
        "[",
        "]",
        "🙂",
        "\x00",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
@settings(max_examples=500)
def test_any_log_is_read(text: str) -> None:
    exchanges = read(text)
    assert [e.number for e in exchanges] == list(range(len(exchanges)))
    assert all(e.command.upper().startswith("AT") for e in exchanges if e.command)


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data.lstrip()[:1] == b"{":
        return
    read_log(io.BytesIO(data), lambda exchange: None)
