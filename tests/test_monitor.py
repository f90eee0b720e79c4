"""What the curve of the signal means, the swap test, and the APN report."""

import pytest

from simdiag.agent import Options, Target, examine
from simdiag.diagnose import diagnose
from simdiag.evidence import Evidence, Observation, Source
from simdiag.monitor import Sample, summarise, watch
from simdiag.swap import Seat, compare


def advice(*samples: Sample) -> str:
    return " ".join(a.render() for a in summarise(samples).advice)


@pytest.mark.parametrize(
    ("rsrp", "sinr", "words"),
    [(-85, 18, "is good"), (-105, 10, "is fair"), (-115, 8, "Weak but clean"), (-118, -2, "Weak and noisy"),
     (-80, -3, "Strong but noisy"), (None, None, "No cell")],
)  # fmt: skip
def test_place_antenna_and_interference_are_told_apart(rsrp, sinr, words):
    assert words in advice(*[Sample(float(t), rsrp, sinr, status=1) for t in range(5)])


def test_a_device_that_tells_nothing_is_not_said_to_hear_nothing():
    said = advice(*[Sample(float(t)) for t in range(3)])
    assert "told neither" in said
    assert "No cell" not in said


def test_a_swinging_level_and_changing_cells_are_named():
    samples = [Sample(float(t), -80.0 - 20 * (t % 2), 12.0, cell=str(t)) for t in range(8)]
    assert "swings by 20 dB" in advice(*samples)
    assert "8 cells took turns" in advice(*samples)


def test_watching_gives_a_sample_each_time(emulated):
    samples = []
    with emulated("quectel-ec2x/weak_signal") as port:
        examine(
            Target(port=port), Options(wait_s=0), then=lambda e: watch(e, 0.2, 1.0, samples.append)
        )
    assert len(samples) >= 3
    assert {(s.rsrp, s.sinr, s.status) for s in samples} == {(-140.0, -4.0, 1)}


def seen(cause: str, iccid: str):
    states = {"sim_failure": "failure", "sim_not_detected": "not inserted"}
    values = {"sim.iccid": iccid, "sim.state": states.get(cause, "READY")}
    if cause == "healthy":
        values["registration.eps.status"] = 1
    evidence = Evidence(Observation(n, v, Source(0, "", "")) for n, v in values.items())
    return diagnose(evidence), evidence


CARD_A, CARD_B = "89860000000000000003", "89860100000000000009"


@pytest.mark.parametrize(
    ("first", "second", "seat"),
    [
        (("sim_failure", CARD_A), ("healthy", CARD_B), Seat.CARD),
        (("sim_failure", CARD_A), ("sim_failure", CARD_B), Seat.DEVICE),
        (("sim_failure", CARD_A), ("sim_failure", CARD_A), Seat.UNCLEAR),
        (("healthy", CARD_A), ("healthy", CARD_B), Seat.UNCLEAR),
        (("sim_failure", CARD_A), ("sim_not_detected", CARD_B), Seat.UNCLEAR),
    ],
)
def test_the_swap_says_whether_the_fault_moved(first, second, seat):
    (d1, e1), (d2, e2) = seen(*first), seen(*second)
    assert (d1.cause, d2.cause) == (first[0], second[0])
    assert compare(d1, d2, (e1, e2)).seat is seat
