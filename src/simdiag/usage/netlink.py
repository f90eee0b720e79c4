"""Netlink without a library: the few requests that usage accounting needs (netlink(7))."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

ROUTE, SOCK_DIAG = 0, 4  # linux/netlink.h: NETLINK_ROUTE, NETLINK_SOCK_DIAG
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr
_TYPE = 0x3FFF  # the rest of an attribute's type are flags
_LIMIT_S = 5.0


class Netlink:
    """A netlink socket of one family; the kernel answers at once or with an error."""

    def __init__(self, family: int) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family
        )
        self._socket.settimeout(_LIMIT_S)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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

    def _send(self, kind: int, body: bytes, flags: int) -> None:
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0)
        self._socket.send(header + body)

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
    found, offset = {}, 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _TYPE] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute as it is sent."""
    packed = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value
    return packed.ljust(_aligned(len(packed)), b"\0")


def _aligned(length: int) -> int:
    return (length + 3) & ~3
