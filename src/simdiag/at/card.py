"""The card's elementary files as ``+CRSM`` reads them (TS 31.102 clause 4.2, TS 51.011 clause 10).

A decoder takes the file's bytes and yields names and values of observations; of a file that is
shorter than its specification says it yields what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simdiag.at.alphabet import decode_alpha
from simdiag.at.values import decode_ef_imsi, decode_iccid, decode_plmn

Values = Iterator[tuple[str, Any]]
_ACCESS_CLASSES = tuple(n for n in range(16) if n != 10)  # 10 is for emergency calls, not a card's


def _iccid(data: bytes) -> Values:
    number = decode_iccid(data.hex()) if data[:1] == b"\x98" else None
    if number:
        yield "sim.iccid", number


def _imsi(data: bytes) -> Values:
    if number := decode_ef_imsi(data.hex()):
        yield "sim.imsi", number


def _service_provider(data: bytes) -> Values:
    name = "".join(c for c in decode_alpha(data[1:]) if c.isprintable()).strip()
    if name:
        yield "sim.service_provider", name[:40]


def _services(data: bytes) -> Values:
    """Yield the numbers of the services that the card offers (85: LTE, 122: 5G location files)."""
    bits = (8 * i + bit + 1 for i, byte in enumerate(data) for bit in range(8) if byte >> bit & 1)
    yield "sim.services", list(bits)


def _access_classes(data: bytes) -> Values:
    if len(data) >= 2:
        mask = int.from_bytes(data[:2], "big")
        yield "sim.access_classes", [n for n in _ACCESS_CLASSES if mask >> n & 1]


_OPERATION = {
    0x00: "normal", 0x01: "normal", 0x02: "maintenance", 0x04: "cell test", 0x80: "type approval",
    0x81: "type approval",
}  # fmt: skip


def _administrative_data(data: bytes) -> Values:
    if data[:1] and (mode := _OPERATION.get(data[0])):
        yield "sim.operation_mode", mode
    if len(data) >= 4 and data[3] & 0x0F in (2, 3):
        yield "sim.mnc_length", data[3] & 0x0F


def _forbidden_networks(data: bytes) -> Values:
    networks = (decode_plmn(data[i : i + 3].hex()) for i in range(0, len(data) - 2, 3))
    yield "sim.forbidden_plmns", [network for network in networks if network]


_UPDATED, _NOT_UPDATED = "updated", "not updated"


def _location(name: str, plmn: int, status: int, *refusals: str) -> Callable[[bytes], Values]:
    """Where the last network and the update status stand in a location file."""
    meanings = (_UPDATED, _NOT_UPDATED, *refusals)

    def decode(data: bytes) -> Values:
        if last := decode_plmn(data[plmn : plmn + 3].hex()):
            yield "sim.last_plmn", last
        value = data[status] & 0x07 if len(data) > status else len(meanings)
        if value < len(meanings):
            yield f"sim.{name}_update_status", meanings[value]

    return decode


FILES: dict[int, Callable[[bytes], Values]] = {
    0x2FE2: _iccid,
    0x6F07: _imsi,
    0x6F38: _services,
    0x6F46: _service_provider,
    0x6F78: _access_classes,
    0x6F7B: _forbidden_networks,
    0x6FAD: _administrative_data,
    0x6F7E: _location("lai", 4, 10, "network not allowed", "area not allowed"),
    0x6F73: _location("rai", 7, 13, "network not allowed", "area not allowed"),
    0x6FE3: _location("eps", 12, 17, "roaming not allowed"),
}
"""Decoders by file identifier."""


def decode_file(identifier: int, payload: str) -> Values:
    """Decode the hex ``payload`` of a file; nothing for files that are not known.

    Masked digits (``*``) of a redacted log count as unused: the update status stands at the end.
    """
    decode = FILES.get(identifier)
    if decode is not None:
        yield from decode(bytes.fromhex(payload.replace("*", "F")))
