"""nftables without its tools: a table that counts, for as long as it is held (nf_tables, netlink).

What is built here is what ``nft`` would make of::

    table inet NAME { flags owner; set SET { type ipv4_addr . inet_proto; flags dynamic; counter; }
        chain CHAIN { type filter hook forward priority 300;
            meta nfproto ipv4 oifname "wwan0" update @SET { ip saddr . meta l4proto } accept } }
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from simdiag.usage.netlink import NETFILTER, Netlink, attribute, attributes, listed, nested

Request = tuple[int, bytes]
FORWARD = 2  # linux/netfilter.h: NF_INET_FORWARD
PROTOCOL = 12  # nft's number for the type inet_proto

_NFTABLES, _INET = 10, 1  # NFNL_SUBSYS_NFTABLES, NFPROTO_INET
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _NEW_SET, _GET_ELEMENTS = 0, 3, 6, 9, 13
_OWNER = 0x2  # NFT_TABLE_F_OWNER
_TIMEOUT, _EVAL = 0x10, 0x20  # NFT_SET_TIMEOUT, NFT_SET_EVAL
_ELEMENT = 1  # NFTA_LIST_ELEM
_FIRST_REGISTER = 8  # NFT_REG32_00; each has four bytes
_LENGTH, _IN_NAME, _OUT_NAME, _FAMILY, _PROTOCOL = 0, 6, 7, 15, 16  # enum nft_meta_keys
_EQUAL, _GREATER = 0, 4  # enum nft_cmp_ops
_UPDATE = 1  # NFT_DYNSET_OP_UPDATE
_ACCEPT = 1  # NF_ACCEPT
_NAME_SIZE = 16


class Table:
    """A table that lasts as long as the socket that made it. Raises ``OSError``."""

    def __init__(self, name: str) -> None:
        self._name = attribute(1, name.encode() + b"\0")  # NFTA_*_TABLE, and NFTA_TABLE_NAME
        self._netlink = Netlink(NETFILTER)

    def make(self, parts: Sequence[Request]) -> None:
        """Make the table with all that is in it, or nothing."""
        table = _request(_NEW_TABLE, self._name, _number(2, _OWNER))
        around = struct.pack(">BBH", 0, 0, _NFTABLES)
        self._netlink.commit(around, [table, *parts], around)

    def new_chain(self, name: str, *, hook: int, priority: int) -> Request:
        """Return the request for a chain that lets everything pass."""
        at = nested(4, _number(1, hook), attribute(2, struct.pack(">i", priority)))
        return _request(
            _NEW_CHAIN, self._name, _text(3, name), at, _number(5, _ACCEPT), _text(7, "filter")
        )

    def new_set(self, name: str, kind: int, key_size: int, size: int, idle_ms: int) -> Request:
        """Return the request for a set whose elements have a counter each."""
        return _request(
            _NEW_SET, self._name, _text(2, name), _number(3, _EVAL | _TIMEOUT), _number(4, kind),
            _number(5, key_size), nested(9, _number(1, size)), _number(10, 1),
            attribute(11, struct.pack(">Q", idle_ms)),
        )  # fmt: skip

    def new_rule(self, chain: str, *expressions: bytes) -> Request:
        """Return the request for a rule."""
        return _request(_NEW_RULE, self._name, _text(2, chain), nested(4, *expressions))

    def elements(self, name: str) -> Iterator[tuple[bytes, int, int]]:
        """Yield key, bytes and packets of each element of a set."""
        kind, body = _request(_GET_ELEMENTS, self._name, _text(2, name))
        for answer in self._netlink.dump(kind, body):
            for _, element in listed(attributes(answer[4:]).get(3, b"")):
                parts = attributes(element)
                expression = attributes(parts.get(7, b""))
                counter = attributes(expression.get(2, b""))
                if 1 in counter and 2 in counter:
                    octets, packets = (int.from_bytes(counter[n], "big") for n in (1, 2))
                    yield attributes(parts[1])[1], octets, packets

    def close(self) -> None:
        """Let go of it: the kernel removes it."""
        self._netlink.close()


# ---- expressions: what a rule consists of ------------------------------------------------
def family_is(number: int) -> tuple[bytes, bytes]:
    """Match a protocol family."""
    return _meta(_FAMILY), _compare(_EQUAL, bytes([number]))


def interface_is(name: str, *, outgoing: bool) -> tuple[bytes, bytes]:
    """Match the interface by which a packet leaves or came."""
    padded = name.encode()[: _NAME_SIZE - 1].ljust(_NAME_SIZE, b"\0")
    return _meta(_OUT_NAME if outgoing else _IN_NAME), _compare(_EQUAL, padded)


def longer_than(octets: int) -> tuple[bytes, bytes, bytes]:
    """Match what has more bytes, IP header included."""
    to_network = _expression(
        "byteorder", _number(1, _FIRST_REGISTER), _number(2, _FIRST_REGISTER), _number(3, 1),
        _number(4, 4), _number(5, 4),
    )  # fmt: skip
    return _meta(_LENGTH), to_network, _compare(_GREATER, struct.pack(">I", octets))


def load_address(offset: int, length: int) -> bytes:
    """Make an address of the IP header the first part of the key."""
    return _expression(
        "payload", _number(1, _FIRST_REGISTER), _number(2, 1), _number(3, offset),
        _number(4, length),
    )  # fmt: skip


def load_protocol(after: int) -> bytes:
    """Make the layer 4 protocol the part of the key behind ``after`` bytes."""
    return _meta(_PROTOCOL, _FIRST_REGISTER + after // 4)


def count_in(name: str) -> bytes:
    """Count the packet for its key; if there is no room for one, the rule ends here."""
    counter = nested(7, _text(1, "counter"))
    return _expression(
        "dynset", _text(1, name), _number(3, _UPDATE), _number(4, _FIRST_REGISTER), counter
    )


def done() -> bytes:
    """Let the packet go on, past the rules that follow."""
    verdict = nested(2, nested(2, _number(1, _ACCEPT)))
    return _expression("immediate", _number(1, 0), verdict)


def _meta(key: int, register: int = _FIRST_REGISTER) -> bytes:
    return _expression("meta", _number(2, key), _number(1, register))


def _compare(how: int, value: bytes) -> bytes:
    data = nested(3, attribute(1, value))
    return _expression("cmp", _number(1, _FIRST_REGISTER), _number(2, how), data)


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(_ELEMENT, _text(1, name), nested(2, *parts))


def _request(kind: int, *parts: bytes) -> Request:
    header = struct.pack(">BBH", _INET, 0, 0)
    return _NFTABLES << 8 | kind, header + b"".join(parts)


def _text(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode() + b"\0")


def _number(kind: int, number: int) -> bytes:
    return attribute(kind, struct.pack(">I", number))
