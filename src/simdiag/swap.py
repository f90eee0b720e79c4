"""The card-swap test: whether the fault moves with the card or stays with the device."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from simdiag.causes import CAUSES, CauseLayer
from simdiag.diagnose import Diagnosis
from simdiag.evidence import Evidence
from simdiag.message import N_, Message

_OF_THE_CARD = (CauseLayer.SIM, CauseLayer.SUBSCRIPTION, CauseLayer.DATA)


class Seat(enum.StrEnum):
    """Where the fault sits."""

    CARD = "card"
    DEVICE = "device"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class SwapVerdict:
    """What two runs with different cards in one device tell."""

    seat: Seat
    text: Message


_SAME_CARD = N_("Both runs read the same card: put another card in and repeat the test.")
_NO_FAULT = N_("The first run found no fault, so there is nothing to compare.")
_CARD = N_("The other card works in this device: the fault is in the first card or its contract.")
_DEVICE = N_(
    "The other card shows the same fault in this device: the fault is in the device or the place, "
    "not in the first card."
)
_OTHER = N_("The two cards show different faults: test the first card in another device.")


def compare(first: Diagnosis, second: Diagnosis, cards: tuple[Evidence, Evidence]) -> SwapVerdict:
    """Compare the run with the suspect card and the run with a card that works elsewhere."""
    numbers = [c.value("sim.iccid") or c.value("sim.imsi") for c in cards]
    if numbers[0] and numbers[0] == numbers[1]:
        return SwapVerdict(Seat.UNCLEAR, Message(_SAME_CARD))
    if first.cause in ("healthy", "inconclusive"):
        return SwapVerdict(Seat.UNCLEAR, Message(_NO_FAULT))
    if second.cause == "healthy" and CAUSES[first.cause].layer in _OF_THE_CARD:
        return SwapVerdict(Seat.CARD, Message(_CARD))
    if second.cause == first.cause:
        return SwapVerdict(Seat.DEVICE, Message(_DEVICE))
    return SwapVerdict(Seat.UNCLEAR, Message(_OTHER))
