"""What the counters tell: of the modem, of this computer's programs, of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simdiag.evidence import Evidence
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.rules.base import Alternative, Finding, Severity, fault, fine, note, rule
from simdiag.rules.view import data_up
from simdiag.sizes import size

_ENOUGH_BYTES = 20_000
_MUCH_PERCENT = 50
_MUCH_BYTES = 100_000_000
_NOTHING = 1_000_000
_GAPLESS_PERCENT = 95
_SHARP = 1.3
"""A range whose end is further from its begin than this tells nothing."""
_OTHERS = N_(
    "Was anything else connected to the device, or the card in another one? If not: --alone."
)
_AWAY = N_(
    "Was the card used while nothing was recorded here: the recorder ended, the computer off?"
)


@rule
def one_way_traffic(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Much sent and nothing received: barred, captive portal or no name server."""
    sent = [evidence.last(f"counter.{radio}tx_bytes") for radio in ("", "nr_")]
    received = [evidence.last(f"counter.{radio}rx_bytes") for radio in ("", "nr_")]
    if received[0] is None or any(o is not None and o.value for o in received):
        return
    if any(o is not None and o.value > _ENOUGH_BYTES for o in sent):
        text = N_("Data was sent, but nothing ever came back.")
        yield note(Severity.WARNING, "no_downlink", message(text), *sent, *received)


# ---- sides compared ----------------------------------------------------------------------
@rule
def reconciliation(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The modem's counter and the operator's claim, each against all that can explain it.

    ``usage.device_bytes`` and ``usage.claim_bytes`` are ranges, and so is what honest counting may
    come to (``usage.device_expected_bytes``, ``usage.claim_expected_bytes``).
    """
    device, claim = _Side(evidence, "device"), _Side(evidence, "claim")
    if device.exceeds or claim.exceeds:
        yield from _mismatch(evidence, device, claim)
    elif not claim.known and (claim.said or not device.known):
        yield from _questions(evidence)
    elif not any(side.known and side.is_sharp for side in (device, claim)):
        text = N_(
            "So little data passed that rounding may explain anything: compare a longer period."
        )
        yield note(Severity.INFO, "usage_question", message(text), *claim.cites, *device.cites)
    elif device.falls_short and not claim.known:
        text = N_(
            "The device's counter shows less than passed: it began anew unseen, or counts its own "
            "way. Read it at the beginning and at the end of a session."
        )
        yield note(Severity.INFO, "usage_question", message(text), *device.cites)
    else:
        text = N_(
            "Nobody counted more than passed through this computer and accounting can explain."
        )
        yield fine("usage_consistent", message(text), *claim.cites, *device.cites)


class _Side:
    """One that counted: what it says, and the most and least that can be explained."""

    def __init__(self, evidence: Evidence, name: str) -> None:
        self._said = evidence.last(f"usage.{name}_bytes")
        self._expected = evidence.last(f"usage.{name}_expected_bytes")
        self.cites = (self._said, self._expected)
        self.said = self._said is not None
        self.known = self._said is not None and self._expected is not None

    def __getitem__(self, end: str) -> tuple[int, int]:
        assert self._said is not None and self._expected is not None  # noqa: S101, PT018 - known
        return self._said.value[end], self._expected.value[end]

    @property
    def exceeds(self) -> bool:
        """Whether even the least that was meant is more than can be explained."""
        return self.known and self["low"][0] > self["high"][1]

    @property
    def falls_short(self) -> bool:
        return self.known and self["high"][0] < self["low"][1]

    @property
    def is_sharp(self) -> bool:
        """Whether the range is narrow enough for an agreement to mean something."""
        return self["high"][1] <= _SHARP * self["low"][1]

    @property
    def values(self) -> dict[str, Any]:
        return {"said": size(self["low"][0]), "most": size(self["high"][1])}


_DEVICE = N_(
    "The device's own counter shows {said}; what passed explains {most} at most: the device "
    "counts more than it carries."
)
_CLAIM = N_(
    "The operator claims {said} or more; what passed explains {most} at most: more was charged "
    "than was used."
)
_BOTH = N_(
    "The device's counter and the claim agree with each other, but not with what passed through "
    "this computer."
)


def _mismatch(evidence: Evidence, device: _Side, claim: _Side) -> Iterator[Finding]:
    """Name who counts too much, as sure as it is that nothing else used the card."""
    alone = evidence.value("usage.alone")
    if alone is False:
        text = N_(
            "Other devices used the card too: their traffic has to be known before anybody is blamed."
        )
        yield note(Severity.INFO, "usage_question", message(text), *device.cites, *claim.cites)
        return
    if device.exceeds and claim.exceeds and alone is None:
        yield note(Severity.INFO, "usage_question", Message(_BOTH), *device.cites, *claim.cites)
        yield note(Severity.INFO, "usage_question", Message(_OTHERS))
        return
    # The other side's agreement rules others out: it would have counted them too.
    sure = 0.9 if alone or (device.known and claim.known) else 0.6
    open_ = () if sure > 0.6 else (Alternative("inconclusive", Message(_OTHERS)),)
    recorded = evidence.last("usage.recorded_percent")
    for side, text in ((device, _DEVICE), (claim, _CLAIM)):
        if not side.exceeds:
            continue
        words = message(text, **side.values)
        if side is claim and recorded is not None and recorded.value < _GAPLESS_PERCENT:
            away = Message(_AWAY)
            open_, sure = (*open_, Alternative("inconclusive", away)), min(sure, 0.6)
        yield fault("usage_mismatch", sure, words, *side.cites, alternatives=open_)


def _questions(evidence: Evidence) -> Iterator[Finding]:
    """What is missing where neither the modem's counter nor a claim can be compared."""
    if "usage.period" not in evidence:
        return
    period = evidence.last("usage.period")
    gap = evidence.last("usage.unrecorded")
    if gap is not None:
        text = N_(
            "Not all of the period was recorded here ({what}): compare one that was, from "
            "`simdiag usage record` on."
        )
        yield note(Severity.INFO, "usage_question", message(text, what=gap.value), gap, period)
        return
    text = N_(
        "There is nothing to compare with: give the operator's number with --claim, or read the "
        "modem's counter now and again later."
    )
    yield note(Severity.INFO, "usage_question", message(text), period)


# ---- where it went -----------------------------------------------------------------------
@rule
def quota(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """The plan is used up: by the operator's own answer, or by the budget that the user stored."""
    left, budget = evidence.last("usage.claim_left_bytes"), evidence.last("usage.budget")
    if left is not None and left.value["high"] < _NOTHING:
        text = N_("The operator says that nothing of the plan is left.")
        yield fault("quota_exhausted", 0.85, message(text), left)
    elif budget is not None and budget.value["percent"] >= 100:
        text = N_("{percent} % of the plan's data is used: {used} of {limit}.")
        values = {name: size(budget.value[f"{name}_bytes"]) for name in ("used", "limit")}
        words = message(text, percent=budget.value["percent"], **values)
        if "usage.period" in evidence:
            yield fault("quota_exhausted", 0.8, words, budget)
        elif _data_fails(evidence):
            yield fault("quota_exhausted", 0.75, words, budget)
        else:
            yield note(Severity.WARNING, "plan_used_up", words, budget)


def _data_fails(evidence: Evidence) -> bool:
    """Whether the modem was asked for its data connection, and there is none."""
    return bool(evidence.under("data.")) and data_up(evidence) is None


@rule
def background(evidence: Evidence, _: CarrierProfile | None) -> Iterator[Finding]:
    """Most of it was used by programs that nobody was looking at."""
    share, used = evidence.last("usage.background_percent"), evidence.last("usage.month_bytes")
    if share is None or share.value < _MUCH_PERCENT:
        return
    names = ", ".join(entry["program"] for entry in evidence.value("usage.top_programs", [])[:3])
    text = N_(
        "{percent} % of what programs used was in the background, by estimate; most: {names}."
    )
    words = message(text, percent=share.value, names=names)
    top = evidence.last("usage.top_programs")
    if "usage.period" in evidence:
        yield fault("background_usage", 0.7, words, share, top)
    elif used is not None and used.value >= _MUCH_BYTES:
        yield note(Severity.INFO, "much_in_background", words, share, top)
