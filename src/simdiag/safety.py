"""The allow-list: which commands an examination may send.

A command passes if it only reads. V.250 gives most of that away by its form (``?`` reads, ``=?``
tests); actions and ``=`` forms pass only where they are known, by the patterns here or by a
driver's probe, to be queries. The never-list goes before everything.
"""

from __future__ import annotations

import re

_SPLIT = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_AT, _BARE_AT = re.compile(r"^\s*AT", re.IGNORECASE), re.compile("^AT", re.IGNORECASE)
_CONTROL = re.compile(r"[\r\n\x1a\x1b]")

NEVER = re.compile(
    r"""
    (?: \+CPIN\s*=(?!\?) | \+CPWD\s*= | \+CLCK\s*=\s*"[A-Z0-9]+"\s*,\s*[01]   # PINs and locks
      | \+CRSM\s*=\s*(?:214|220|203|204|219|218|32|36|40|44)\b               # writes to the card
      | \+CSIM\s*=(?!\?) | \+CGLA\s*=(?!\?) | \+CCHO | \+QESIM
      | \+EGMR\s*=\s*1 | \+SIMEI\s*= | \+GTSN\s*=\s*1 | \+LCTSN\s*=\s*1 | \+SPIMEI\s*=
      | \^PHYNUM\s*=
      | !ENTERCND | !IMEI | &[FWYZ] | \+NVRAM | \+QFLST | \+QPRTPARA | \+QFASTBOOT | \+QDOWNLOAD
      | \+COPS\s*=\s*\? | \+CFUN\s*=(?!\?) | \+CGDCONT\s*=(?!\?)
      | \+CMG[CDLRSW] | \+CMSS | \+CUSD\s*=\s*1
      | \^RESET | \+CRESET | \+QPOWD | \+CPOF | \+CPOWD | !RESET | \#REBOOT | \+ZRESET )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Never sent by an examination: what writes, locks, pays, resets, or breaks a data session."""

_READ = re.compile(r"^[+^$#%!*&_][A-Z0-9_]+\s*=?\?$", re.IGNORECASE)
_IDENTIFY = re.compile(r"^(?:I\d?|\+?C?GM[IMR]|\+C?GSN|\+GCAP)?$", re.IGNORECASE)
_QUERY_BY_SET = re.compile(
    r"""^(?: \+CRSM=(?:176|178|192),\d+(?:,\d+){0,3} | \+CGSN=[0-3] | \+CLCK="[A-Z]{2}",2
      | \+CGPADDR=\d+(?:,\d+)* | \+CGCONTRDP=\d+ | \+CPINR="[A-Z0-9 ]+" )$""",
    re.IGNORECASE | re.VERBOSE,
)
_SESSION = re.compile(
    r"""^(?: \+CMEE=[012] | \+C(?:5G|E|G)?REG=[0-5] | \+COPS=3,[0-2] | V[01] | Q[01]
      # how messages are written, where they are kept, how the modem tells of them
      | \+CMGF=[01] | \+CPMS="[A-Z]{2}" | \+CNMI=[0-3](?:,[0-3]){1,4} )$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Settings of this session only; whoever changes one restores it (``AtSession.change``)."""


def is_read_only(command: str, declared: frozenset[str] = frozenset()) -> bool:
    """Whether an examination may send this command line.

    ``declared`` are the commands of driver probes; they extend the patterns here, never the
    never-list.
    """
    body = _AT.sub("", command)
    if NEVER.search(body) or _CONTROL.search(command):
        return False
    if command.upper() in declared:
        return True
    return all(
        _READ.match(part) or _IDENTIFY.match(part) or _QUERY_BY_SET.match(part)
        for part in (p.strip() for p in _SPLIT.split(body))
    )


_CONFIRMED = re.compile(
    r"""^(?: \+CFUN=[014] | \+COPS=0
      | \+CGDCONT=\d{1,2},"(?:IP|IPV6|IPV4V6)","[A-Za-z0-9._-]{1,100}"
      # a question to the operator, by a short code that is none of a supplementary service or a
      # PIN (TS 22.030 annex B: forwarding, barring, waiting, passwords); and the end of the talk
      | \+CUSD=1,"(?![*\#]*(?:00[24]|0[345]\d?|21|3[01]|33\d?|35\d?|43|6[127]|7[67])[*\#])
            [*\#]{1,2}\d{2,5}(?:\*\d{1,4}){0,2}\#",15
      | \+CUSD=2
      # a message that came, and those not read yet; with 1 some modems leave them unread
      | \+CMGR=\d{1,5}(?:,1)? | \+CMGL=0(?:,1)? )$""",
    re.IGNORECASE | re.VERBOSE,
)
"""What changes the modem or may cost, and is done after a question: radio, selection, APN, USSD,
reading messages (which marks them as read, TS 27.005 clauses 3.4.2 and 3.4.3)."""

_MESSAGE_NUMBER = re.compile(r"(?!(?:000|11\d|911|99\d|12110)$)\+?\d{3,15}", re.ASCII)
"""Where a question to the operator may go; to no emergency service."""


def is_message_number(number: str) -> bool:
    """Whether a user can be asked to allow a message to this number."""
    return _MESSAGE_NUMBER.fullmatch(number) is not None


def is_confirmable(command: str) -> bool:
    """Whether the command is one of the changes that a user can be asked to allow."""
    return _CONFIRMED.match(_BARE_AT.sub("", command)) is not None


def is_session_setting(command: str) -> bool:
    """Whether the command changes only how the modem talks in this session."""
    return _SESSION.match(_BARE_AT.sub("", command)) is not None
