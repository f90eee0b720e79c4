"""Netlink without a library: the few requests that usage accounting needs (netlink(7))."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator

from simdiag.closing import Closing

ROUTE, SOCK_DIAG, NETFILTER = 0, 4, 12  # linux/netlink.h: NETLINK_ROUTE …
_CREATE, _APPEND = 0x400, 0x800
_REQUEST, _ACKNOWLEDGE, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11  # linux/netfilter/nfnetlink.h
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr
_NESTED = 0x8000
_TYPE = 0x3FFF  # the rest of an attribute's type are flags
_LIMIT_S = 5.0


class Netlink(Closing):
    """A netlink socket of one family; the kernel answers at once or with an error.

    With ``groups`` (a mask) it hears what the kernel says to them, and asks nothing.
    """

    def __init__(self, family: int, *, groups: int = 0) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family
        )
        self._socket.settimeout(0 if groups else _LIMIT_S)
        if groups:
            self._socket.bind((0, groups))
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ask(self, kind: int, body: bytes) -> bytes:
        """Send a request and return the body of its one answer. Raises ``OSError``."""
        self._send(kind, body, _REQUEST)
        for _, answer in self._answers():
            return answer
        raise ConnectionError("no answer")

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Ask for all there are and yield the body of each answer. Raises ``OSError``."""
        self._send(kind, body, _REQUEST | _DUMP)
        for flavour, answer in self._answers():
            if flavour == _DONE:
                return
            yield answer

    def heard(self) -> Iterator[tuple[int, bytes]]:
        """Yield type and body of what was said to the groups since the last time.

        Raises ``OSError``: ``ENOBUFS`` where some of it was dropped.
        """
        while True:
            try:
                data = self._socket.recv(1 << 18)
            except BlockingIOError:
                return
            for kind, _, body in messages(data):
                yield kind, body

    def commit(self, begin: bytes, requests: Iterable[tuple[int, bytes]], end: bytes) -> None:
        """Have all of the requests done, or none (nfnetlink). Raises ``OSError``.

        Each is a type and a body; ``begin`` and ``end`` are the bodies of what is around them.
        """
        flags = _REQUEST | _CREATE | _APPEND | _ACKNOWLEDGE
        inner = [self._message(kind, body, flags) for kind, body in requests]
        waiting = set(range(self._sequence - len(inner) + 1, self._sequence + 1))
        around = [self._message(_BATCH_BEGIN, begin, _REQUEST), *inner]
        self._socket.send(b"".join([*around, self._message(_BATCH_END, end, _REQUEST)]))
        while waiting:
            for kind, sequence, body in messages(self._socket.recv(1 << 18)):
                if kind == _ERROR and (number := struct.unpack_from("=i", body)[0]):
                    raise OSError(-number, os.strerror(-number))
                waiting.discard(sequence)

    def _send(self, kind: int, body: bytes, flags: int) -> None:
        self._socket.send(self._message(kind, body, flags))

    def _message(self, kind: int, body: bytes, flags: int) -> bytes:
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0)
        return (header + body).ljust(_aligned(_HEADER.size + len(body)), b"\0")

    def _answers(self) -> Iterator[tuple[int, bytes]]:
        while True:
            for kind, sequence, body in messages(self._socket.recv(1 << 18)):
                if sequence != self._sequence:  # left over from a request that was given up
                    continue
                if kind == _ERROR:
                    number = -int(struct.unpack_from("=i", body)[0])
                    raise OSError(number, os.strerror(number))
                yield kind, body


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, sequence number and body of each message in a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, sequence, data[offset + _HEADER.size : offset + length]
        offset += _aligned(length)


def attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes in a message's tail by type."""
    return dict(listed(data))


def listed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each attribute; those of a list have one type."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _TYPE, data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute as it is sent."""
    packed = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value
    return packed.ljust(_aligned(len(packed)), b"\0")


def nested(kind: int, *parts: bytes) -> bytes:
    """Return an attribute that holds others."""
    return attribute(kind | _NESTED, b"".join(parts))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
