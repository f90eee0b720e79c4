"""The file itself: a ZIP of one exact form, written and read back (PKWARE APPNOTE 6.3).

A ZIP tells its contents twice, in headers before the members and in a directory at the end, and
most attacks on readers live where the two differ: overlapping members, sizes that lie, entries
that only one of them lists. Here nothing is looked up. The members are read one after the other
from the start, within limits, and a file is faithful only if it is, byte for byte, what
:func:`assemble` makes of what was read. Any other ZIP is read as far as its members can be named,
so that somebody can be told what was changed.

Compressed bytes differ between versions of zlib. They are taken as they are found, and no digest
is ever made of them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from simdiag.bundle.problems import BundleError
from simdiag.message import N_, Message, message

MAX_FILE = 32 * 1024 * 1024
"""Bytes of an archive; a usual one has less than a hundredth."""
MAX_MEMBER = 32 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024
"""Bytes of one member and of all, unpacked."""
MAX_MEMBERS = 64
MAX_NAME = 100
MAX_RATIO = 300
"""How far a member may unpack: text repeats itself, but not more often than this."""
_SMALL = 64 * 1024
"""Below this no ratio is looked at: a hundred equal lines are no bomb."""

_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _ENTRY_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _BY = 20, 3 << 8 | 20  # needs 2.0 (deflate); made under Unix
_TIME, _DATE = 0, 1 << 5 | 1  # midnight of 1980-01-01, the first that the format knows
_PLAIN, _DEFLATED = 0, 8
_FILE_MODE = 0o100644 << 16
_ZIP64 = 0xFFFFFFFF


class Packed(NamedTuple):
    """A member as it stands in the file."""

    name: bytes
    method: int
    checksum: int
    size: int
    """Bytes unpacked."""
    data: bytes


class Contents(NamedTuple):
    """What a file holds: raw members by name, and whether it is of the exact form."""

    members: dict[str, bytes]
    faithful: bool


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the file of these members, in their order; names are ASCII."""
    return assemble([_packed(name.encode("ascii"), data) for name, data in members.items()])


def _packed(name: bytes, data: bytes) -> Packed:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(data) + deflate.flush()
    checksum = zlib.crc32(data)
    is_trap = len(data) > max(_SMALL, MAX_RATIO * len(deflated))  # as readers would think
    if len(deflated) < len(data) and not is_trap:
        return Packed(name, _DEFLATED, checksum, len(data), deflated)
    return Packed(name, _PLAIN, checksum, len(data), data)


def assemble(entries: Iterable[Packed]) -> bytes:
    """Return the file of these packed members: no comment, no extra field, fixed times."""
    body, directory, count = bytearray(), bytearray(), 0
    for entry in entries:
        facts = (entry.method, _TIME, _DATE, entry.checksum, len(entry.data), entry.size)
        sizes = (len(entry.name), 0)
        directory += _ENTRY.pack(
            _ENTRY_MARK, _BY, _VERSION, 0, *facts, *sizes, 0, 0, 0, _FILE_MODE, len(body)
        )
        directory += entry.name
        body += _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, *facts, *sizes) + entry.name + entry.data
        count += 1
    end = _END.pack(_END_MARK, 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def unpack(data: bytes) -> Contents:
    """Read a file within the limits; raises ``BundleError`` for what must not be unpacked."""
    if len(data) > MAX_FILE:
        raise BundleError(_too_large(Message(N_("the file")), MAX_FILE))
    if not data.startswith(_LOCAL_MARK):
        raise BundleError(N_("it is no bundle: bundles are ZIP files that begin with a member"))
    entries = list(_entries(data))
    members: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = _name(entry.name)
        if name.lower() in map(str.lower, members):  # one file, on many a computer
            raise BundleError(message(N_("it holds {name} twice"), name=name))
        members[name] = _unpacked(entry, name, MAX_TOTAL - total)
        total += len(members[name])
    return Contents(members, assemble(entries) == data)


def _entries(data: bytes) -> Iterator[Packed]:
    place = count = 0
    while data[place : place + 4] == _LOCAL_MARK:
        count += 1
        if count > MAX_MEMBERS:
            text = N_("it holds more than {count} members")
            raise BundleError(message(text, count=MAX_MEMBERS))
        if place + _LOCAL.size > len(data):
            raise BundleError(_CUT)
        _, _, flags, method, _, _, checksum, packed, size, name, extra = _LOCAL.unpack_from(
            data, place
        )
        start = place + _LOCAL.size + name + extra
        if flags & 1:
            raise BundleError(N_("a member is encrypted with a password: bundles never are"))
        if flags & ~0x0806 or method not in (_PLAIN, _DEFLATED) or _ZIP64 in (packed, size):
            text = N_("it is packed in a way that bundles never are (ZIP64, streamed, or a method)")
            raise BundleError(text)
        if name > MAX_NAME or start + packed > len(data):
            raise BundleError(_CUT)
        named = data[place + _LOCAL.size : place + _LOCAL.size + name]
        yield Packed(named, method, checksum, size, data[start : start + packed])
        place = start + packed


_CUT = N_("it is cut off or its sizes lie: ask for it once more")


def _name(raw: bytes) -> str:
    """Return a member's name: lower-case words, one folder at most, so no path leads anywhere."""
    parts = raw.split(b"/")
    if len(parts) > 2 or not all(_is_word(part) for part in parts):
        text = N_("it holds a member of no allowed name: {name}")
        raise BundleError(message(text, name=repr(raw)[2:-1]))
    return raw.decode("ascii")


_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


def _is_word(part: bytes) -> bool:
    return bool(part) and part[:1].isalnum() and _LETTERS.issuperset(part)


def _unpacked(entry: Packed, name: str, room: int) -> bytes:
    """Return a member's bytes; what unpacks to more than it says, or than there is room, ends."""
    limit = min(MAX_MEMBER, room)
    if entry.size > limit:
        raise BundleError(_too_large(name, limit))
    if entry.size > max(_SMALL, MAX_RATIO * len(entry.data)):
        text = N_("{name} unpacks to more than {ratio} times its size: that is a trap, no bundle")
        raise BundleError(message(text, name=name, ratio=MAX_RATIO))
    data = entry.data if entry.method == _PLAIN else _inflated(entry, name)
    if len(data) != entry.size or zlib.crc32(data) != entry.checksum:
        raise BundleError(_damaged(name))
    return data


def _inflated(entry: Packed, name: str) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflate.decompress(entry.data, entry.size + 1)
    except zlib.error as problem:
        raise BundleError(_damaged(name)) from problem
    if not inflate.eof or inflate.unused_data or inflate.unconsumed_tail:
        raise BundleError(_damaged(name))
    return data


def _too_large(name: str | Message, limit: int) -> Message:
    text = N_("{name} is larger than a bundle's may be ({limit} bytes)")
    return message(text, name=name, limit=limit)


def _damaged(name: str) -> Message:
    return message(N_("{name} is damaged: its contents do not match its checksum"), name=name)
