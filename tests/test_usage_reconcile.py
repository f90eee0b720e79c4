"""Usage reconciled: who counts too much is named, and nobody whom accounting can explain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simdiag.emulator import EmulatedModem, scenario
from simdiag.emulator.modem import Response
from simdiag.emulator.pty import running
from simdiag.errors import SimdiagError
from simdiag.profile import CarrierProfile, UsageQuery
from simdiag.reconcile import claim, ussd
from simdiag.reconcile.claim import Claim
from simdiag.reconcile.compare import Result, Sides, reconcile
from simdiag.safety import is_confirmable, is_read_only
from simdiag.sizes import Range, meant, read_size, size
from simdiag.usage import places, readings
from simdiag.usage.budget import Budget, Standing
from simdiag.usage.ledger import Report, Row
from simdiag.usage.readings import CounterReading, Growth
from simdiag.usage.records import Amount, By, Link, Method, Reading
from simdiag.usage.store import Store
from simdiag.usage.totals import Totals, totals
from usage_command import october, simdiag

BEGIN = datetime(2026, 10, 1).astimezone().timestamp()
END = BEGIN + 30 * 86400
GB = 10**9


# ---- synthetic truths --------------------------------------------------------------------
def host(octets: int, packet: int = 800, recorded: int = 100, edge: float = 0.0) -> Totals:
    """What passed here: so many bytes, a share of them at the edges of the period."""
    sums = {"interface": Range.of(octets * (1 - edge), octets * (1 + edge))}
    packets = octets // packet
    return Totals(sums, packets=packets, recorded_percent=recorded, first=BEGIN)


def sides(passed: Totals, **known: object) -> Sides:
    report = Report(By.PROCESS, BEGIN, END, ("wwan0",))
    return Sides(BEGIN, END, passed, report, **known)  # type: ignore[arg-type]


def grown(octets: float) -> Growth:
    return Growth(BEGIN, END, round(octets), 0)


def written(octets: float) -> Claim:
    return claim.typed(f"{octets / GB:.3f}GB")


amounts = st.integers(200_000_000, 5_000 * GB)
packets = st.integers(150, 1400)
losses = st.floats(0, 0.05)


@settings(deadline=None)
@given(amounts, packets, st.floats(1.2, 20), losses)
def test_a_device_that_adds_a_fifth_is_always_named(
    octets: int, packet: int, factor: float, loss: float
) -> None:
    passed = host(octets, packet)
    found = reconcile(sides(passed, device=grown(octets * (1 + loss) * factor), device_host=passed))
    assert (found.verdict, found.inflated_by) == ("usage_mismatch", "device")


@settings(deadline=None)
@given(amounts, packets, st.floats(-0.05, 0.05), st.booleans(), st.floats(0, 0.04))
def test_five_per_cent_are_never_named(
    octets: int, packet: int, more: float, framed: bool, edge: float
) -> None:
    """Losses, headers of the link, and what lies over the edges of the period."""
    passed = host(octets, packet, edge=edge)
    shown = octets * (1 + more) + (14 * (octets // packet) if framed else 0)
    found = reconcile(sides(passed, device=grown(shown), device_host=passed))
    assert found.verdict in ("consistent", "inconclusive")
    assert found.inflated_by is None


@settings(deadline=None)
@given(amounts, st.floats(1.2, 20), st.booleans())
def test_an_operator_that_adds_a_fifth_is_always_named(
    octets: int, factor: float, binary: bool
) -> None:
    """Also where it writes GB and means GiB, which makes the number smaller."""
    charged = octets * factor / (1.073741824 if binary else 1)
    found = reconcile(sides(host(octets), claim=written(charged)))
    assert (found.verdict, found.inflated_by) == ("usage_mismatch", "operator")


@settings(deadline=None)
@given(amounts, losses, st.booleans(), st.integers(0, 1_000_000))
def test_an_honest_operator_is_never_named(
    octets: int, loss: float, binary: bool, rounding: int
) -> None:
    charged = (octets * (1 + loss) + rounding) / (1.073741824 if binary else 1)
    found = reconcile(sides(host(octets), claim=written(charged), alone=True))
    assert found.inflated_by is None
    assert found.verdict in ("consistent", "inconclusive")


@settings(deadline=None)
@given(st.floats(0.5, 20), st.none() | st.booleans())
def test_nobody_is_blamed_where_others_used_the_card(factor: float, alone: bool | None) -> None:
    passed = host(10 * GB)
    known = {"device": grown(10 * GB * factor), "device_host": passed}
    found = reconcile(sides(passed, claim=written(10 * GB * factor), alone=alone, **known))
    if alone is not True:
        assert found.verdict != "usage_mismatch"  # both agree: it may be true
    elif factor >= 1.2:
        assert (found.verdict, found.inflated_by) == ("usage_mismatch", "both")
    shared = reconcile(sides(passed, claim=written(10 * GB * factor), alone=False))
    assert shared.verdict in ("consistent", "inconclusive")


# ---- who it is, and how sure that is -----------------------------------------------------
def device_and_claim(device: float, charged: float, **more: object) -> Result:
    passed = host(10 * GB)
    return reconcile(
        sides(passed, device=grown(device), device_host=passed, claim=written(charged), **more)
    )


@pytest.mark.parametrize(
    ("device", "charged", "who", "sure"),
    [(12 * GB, 10.2 * GB, "device", 0.9), (10.2 * GB, 12 * GB, "operator", 0.9)],
)
def test_the_third_side_tells_which_of_two_it_is(
    device: float, charged: float, who: str, sure: float
) -> None:
    found = device_and_claim(device, charged)
    assert (found.verdict, found.inflated_by, found.confidence) == ("usage_mismatch", who, sure)


def test_alone_a_side_is_less_sure_and_the_question_is_asked() -> None:
    found = reconcile(sides(host(10 * GB), claim=written(13 * GB)))
    assert found.confidence == 0.6
    assert "--alone" in found.next_steps[0].render()
    sure = reconcile(sides(host(10 * GB), claim=written(13 * GB), alone=True))
    assert sure.confidence == 0.9
    assert "--alone" not in " ".join(step.render() for step in sure.next_steps)


def test_gaps_in_the_recording_take_from_the_certainty() -> None:
    found = reconcile(sides(host(10 * GB, recorded=60), claim=written(13 * GB), alone=True))
    assert (found.verdict, found.confidence) == ("usage_mismatch", 0.6)
    assert any("nothing was recorded" in step.render() for step in found.next_steps)


def test_agreement_of_all_is_consistent() -> None:
    found = device_and_claim(10.3 * GB, 10.4 * GB)
    assert (found.verdict, found.next_steps) == ("consistent", ())


@pytest.mark.parametrize(
    ("known", "question"),
    [
        ({}, "nothing to compare with"),
        ({"claim": written(90 * GB), "host": Totals(recorded_percent=0)}, "Not all of the period"),
        (
            {"claim": written(90 * GB), "host": replace(host(GB), first=BEGIN + 9 * 86400)},
            "Not all of the period",
        ),
        ({"claim": claim.typed("3MB"), "host": host(3_000_000)}, "So little data"),
        ({"device": grown(GB), "device_host": host(10 * GB)}, "shows less than passed"),
        ({"device": grown(GB), "device_host": Totals()}, "nothing to compare with"),
    ],
)
def test_without_a_side_to_compare_there_is_a_question_and_no_verdict(
    known: dict[str, object], question: str
) -> None:
    passed = known.pop("host", host(10 * GB))
    found = reconcile(sides(passed, **known))  # type: ignore[arg-type]
    assert (found.verdict, found.inflated_by) == ("inconclusive", None)
    assert question in found.next_steps[0].render()


# ---- where it went -----------------------------------------------------------------------
def test_a_plan_used_up_is_said() -> None:
    standing = Standing(Budget(10 * GB), BEGIN, END, 11 * GB, None)
    found = reconcile(sides(host(11 * GB), claim=written(11.1 * GB), standing=standing))
    assert (found.verdict, found.inflated_by) == ("quota_exhausted", None)
    assert "110 % of the plan" in found.findings[-1].text.render()


def test_nothing_left_by_the_operators_own_word() -> None:
    answer = claim.read("Used: 10.1GB. 0.00MB left")
    assert reconcile(sides(host(10 * GB), claim=answer)).verdict == "quota_exhausted"


def row(program: str, octets: int, back: int) -> Row:
    key = {"program": program, "user": "ann", "unit": "", "container": ""}
    return Row(key, Method.KERNEL, Amount(octets), 0, back, 0)


@pytest.mark.parametrize(("back", "verdict"), [(6, "background_usage"), (4, "consistent")])
def test_much_in_the_background_is_said(back: int, verdict: str) -> None:
    rows = (row("restic", back * GB, back * GB), row("firefox", (10 - back) * GB, 0))
    found = sides(host(10 * GB), claim=written(10.1 * GB))
    found = replace(found, programs=replace(found.programs, rows=rows))
    assert reconcile(found).verdict == verdict


def test_who_counts_too_much_goes_before_what_was_used() -> None:
    standing = Standing(Budget(10 * GB), BEGIN, END, 11 * GB, None)
    found = reconcile(sides(host(11 * GB), claim=written(15 * GB), standing=standing))
    assert found.verdict == "usage_mismatch"


# ---- amounts as people write them --------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "octets"),
    [("30GB", 30 * GB), ("1.5 GiB", 1_610_612_736), ("500mb", 500_000_000), ("2T", 2 * 10**12),
     ("12G", 12 * GB), ("7 B", 7), ("1024 KiB", 1 << 20)],
)  # fmt: skip
def test_amounts(text: str, octets: int) -> None:
    assert read_size(text) == octets
    found = meant(text)
    assert found.low <= octets <= found.high


@pytest.mark.parametrize(
    "text", ["", "GB", "-3GB", "3 XB", "1e9", "3.4.5GB", "3iB", "30", "12.5", "9" * 40, "\x1b[2J"]
)
def test_no_amounts(text: str) -> None:
    with pytest.raises(SimdiagError, match="is no amount of data") as raised:
        read_size(text)
    assert "\x1b" not in str(raised.value)


@settings(deadline=None)
@given(st.integers(1, 999_999), st.sampled_from(["MB", "GB"]))
def test_a_rounded_number_may_mean_what_it_was_rounded_from(number: int, unit: str) -> None:
    power = {"MB": 2, "GB": 3}[unit]
    for base in (1000, 1024):
        exact = number * base**power // 997
        assert meant(f"{exact / base**power:.2f}{unit}").low <= exact + 1
        assert meant(f"{exact / base**power:.2f}{unit}").high >= exact - 1


@settings(deadline=None)
@given(st.integers(-(10**18), 10**18))
def test_sizes_are_short(octets: int) -> None:
    assert len(size(octets)) <= 14


# ---- what operators answer ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "used", "left"),
    [
        ("您好，您本月套餐内流量共有30GB，已使用12.34GB，剩余17.66GB。", 12.34, 17.66),
        ("Data used: 12.3 GB of 30GB. 17.7GB left", 12.3, 17.7),
        ("You have 500MB remaining", None, 0.5),
        ("Total 30GB\nremaining 10GB", 20, 10),
        ("截至11月20日24时，您共使用流量1024.00MB", 1.024, None),
        ("【用量提醒】您好！您本月套餐内流量共有30GB，已使用12.34GB，剩余17.66GB。", 12.34, 17.66),
        ("套餐共30GB已用12GB剩余18GB", 12, 18),
        ("本月总流量10.00GB，剩余流量3.20GB", 6.8, 3.2),
        ("12GB used, 5GB left", 12, 5),
        ("12GB used 5GB left", 12, 5),
        ("30GB package: 12GB of data used, 18GB remaining", 12, 18),
        ("Usage alert: you have 5GB left of your 30GB package", None, 5),
    ],
)
def test_answers_in_the_usual_words(text: str, used: float | None, left: float | None) -> None:
    found = claim.read(text)
    for told, expected in ((found.used, used), (found.left, left)):
        assert (told is None) == (expected is None)
        if told is not None and expected is not None:
            assert told.low <= expected * GB <= told.high


def test_the_profiles_pattern_goes_first() -> None:
    text = "Bonus left 9GB; main 1.5GB of 4GB"
    found = claim.read(text, (r"main (?P<used>[\d.]+GB) of (?P<total>[\d.]+GB)",))
    assert found.used is not None
    assert found.used.low <= 1.5 * GB <= found.used.high


@pytest.mark.parametrize("text", ["", "Thank you", "余额 23.50 元", "9" * 5000])
def test_words_without_an_amount(text: str) -> None:
    with pytest.raises(SimdiagError, match="no amount of used data"):
        claim.read(text)


@settings(deadline=None)
@given(st.text())
def test_any_words_are_read_or_refused(text: str) -> None:
    try:
        found = claim.read(text)
    except SimdiagError:
        return
    assert found.used or found.left


# ---- the modem's own counter over time ---------------------------------------------------
counts = st.tuples(st.integers(0, 10**12), st.integers(0, 10**12))


@settings(deadline=None)
@given(st.lists(counts, min_size=1, max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_growth_is_what_was_counted_over_resets(
    steps: list[tuple[int, int]], resets: list[bool]
) -> None:
    """A reset shows where less stands than before; what came after it counts."""
    tx = rx = truth = 0
    made = [CounterReading(0.0, "a", 5 * 10**13, 5 * 10**13)]
    tx, rx = made[0].tx_bytes, made[0].rx_bytes
    for number, ((sent, received), reset) in enumerate(zip(steps, resets, strict=False), 1):
        if reset and (tx > sent or rx > received):
            tx = rx = 0
        tx, rx, truth = tx + sent, rx + received, truth + sent + received
        made.append(CounterReading(float(number), "a", tx, rx))
    found = readings.growth(made)
    assert found is not None
    assert found.bytes == truth


def test_readings_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "counters.jsonl"
    first, second = CounterReading(1.0, "a", 10, 20), CounterReading(2.0, "a", 30, 40)
    assert readings.read(path, "a") == []
    readings.add(path, first)
    with path.open("a") as file:
        file.write('{"time": 1, "devi')  # a power cut
    readings.add(path, second)
    readings.add(path, CounterReading(3.0, "b", 1, 1))
    with path.open("a") as file:
        file.write('[]\n{"time": 1e99, "device": "a", "tx_bytes": -1, "rx_bytes": 0}\n')
    assert readings.read(path, "a") == [first, second]
    assert readings.growth([first]) is None


def test_a_file_that_may_not_be_written_gets_a_sentence() -> None:
    with pytest.raises(SimdiagError, match="cannot be written"):
        readings.add(Path("/proc/nosuch/counters.jsonl"), CounterReading(1.0, "a", 1, 1))


# ---- totals with both bounds -------------------------------------------------------------
def test_a_piece_over_the_edge_is_in_the_outer_sum_only(tmp_path: Path) -> None:
    path, link = tmp_path / "usage.db", Link("usb:1", "wwan0", "cdc_ether")
    with Store(path) as store:
        store.add(BEGIN, link, Reading("a", 4, Amount()), {})
        for number in range(1, 5):
            store.add(BEGIN + 300 * number, link, Reading("a", 4, Amount(number * 1000)), {})
    found = totals(path, BEGIN + 450, BEGIN + 1350)
    assert found.sums["interface"] == Range(2000, 4000)
    assert found.recorded_percent == 83
    assert totals(path, BEGIN - 600, BEGIN - 300).recorded_percent == 0
    assert totals(path, BEGIN, BEGIN + 3000, "usb:2").sums == {}


# ---- the question to the operator --------------------------------------------------------
@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ('AT+CUSD=1,"*101#",15', True), ('AT+CUSD=1,"##107#",15', True), ("AT+CUSD=2", True),
        ('AT+CUSD=1,"*21*12345678#",15', False), ('AT+CUSD=1,"##002#",15', False),
        ('AT+CUSD=1,"*#21#",15', False), ('AT+CUSD=1,"**04*1111*2222*2222#",15', False),
        ('AT+CUSD=1,"*33*0000#",15', False), ('AT+CUSD=1,"*101#",15;+CFUN=0', False),
        ('AT+CUSD=1,"*101#"\r,15', False), ('AT+CMGS="10086"', False),
    ],
)  # fmt: skip
def test_only_a_question_may_be_sent_and_never_by_an_examination(
    command: str, allowed: bool
) -> None:
    assert is_confirmable(command) is allowed
    assert not is_read_only(command)


@pytest.mark.parametrize(
    ("text", "coding", "words"),
    [
        ("You have 5GB left", 15, "You have 5GB left"),
        ("剩余1GB".encode("utf-16-be").hex().upper(), 72, "剩余1GB"),
        ("1GB left".encode("ascii").hex(), 15, "1GB left"),
        ("", 15, ""),
    ],
)
def test_answers_are_decoded(text: str, coding: int, words: str) -> None:
    assert ussd.decoded(text, coding) == words


class Operator(EmulatedModem):
    """A modem whose network answers USSD."""

    reply = '+CUSD: 0,"Used 12.5GB, 17.5GB left",15'

    def execute(self, line: str) -> Response:
        self.asked = [*getattr(self, "asked", []), line]
        if line.startswith("AT+CUSD=1"):
            return Response(after=[self.reply] if self.reply else [])
        return Response() if line == "AT+CUSD=2" else super().execute(line)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return october(tmp_path, "ussd", "*101#")


PERIOD = ("--since", "2026-10-01", "--until", "2026-10-31T00:30")


def test_the_operator_is_asked_only_with_a_yes(recorded: Path) -> None:
    modem = Operator(scenario("quectel-ec2x/healthy"))
    words = ("reconcile", "--db", recorded, *PERIOD, "--fetch", "--profile", "mine", "--port")
    with running(modem) as port:
        refused = simdiag(*words, port, home=recorded.parent)
        assert refused.returncode == 4
        assert "the operator was not asked" in refused.stderr
        assert not [line for line in modem.asked if "CUSD" in line]
        asked = simdiag(*words, port, "--yes", "--json", home=recorded.parent)
    assert asked.returncode == 0, asked.stderr
    assert [line for line in modem.asked if "CUSD" in line] == ['AT+CUSD=1,"*101#",15']
    found = json.loads(asked.stdout)
    operator = next(side for side in found["sides"] if side["name"] == "operator")
    assert operator["low_bytes"] <= 12.5 * GB <= operator["high_bytes"]
    assert found["verdict"] == "consistent"


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("+CUSD: 4", "does not know this code"),
        ('+CUSD: 0,"Thank you",15', "no amount of used data"),
        ('+CUSD: 1,"1 for data, 2 for voice",15', "no amount of used data"),
    ],
)
def test_an_answer_that_tells_nothing_gets_a_sentence(
    recorded: Path, reply: str, problem: str
) -> None:
    modem = Operator(scenario("quectel-ec2x/healthy"))
    modem.reply = reply
    words = ("reconcile", "--db", recorded, "--fetch", "--yes", "--profile", "mine", "--port")
    with running(modem) as port:
        done = simdiag(*words, port, home=recorded.parent)
    assert done.returncode == 4
    assert problem in done.stderr
    assert ("AT+CUSD=2" in modem.asked) is reply.startswith("+CUSD: 1")  # no talk stays open


def test_ctrl_c_leaves_no_talk_with_the_network_open(recorded: Path) -> None:
    modem = Operator(scenario("quectel-ec2x/healthy"))
    modem.reply, modem.asked = "", []
    words = ["usage", "reconcile", "--db", str(recorded), "--fetch", "--yes", "--profile", "mine"]
    surroundings = {"LANGUAGE": "en", "XDG_CONFIG_HOME": str(recorded.parent)}
    with running(modem) as port:
        process = subprocess.Popen(
            [sys.executable, "-m", "simdiag", *words, "--port", port], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | surroundings,
        )  # fmt: skip
        while 'AT+CUSD=1,"*101#",15' not in modem.asked and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    assert "AT+CUSD=2" in modem.asked
    assert modem.asked[-1] == "AT+CMEE=0"


def test_an_operator_with_an_app_is_asked_by_hand(recorded: Path) -> None:
    words = ("reconcile", "--db", recorded, "--fetch", "--yes", "--profile", "china_broadnet")
    with running(EmulatedModem(scenario("quectel-ec2x/healthy"))) as port:
        done = simdiag(*words, "--port", port, home=recorded.parent)
    assert done.returncode == 4
    assert "this operator tells it in 中国广电 App" in done.stderr


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"channel": "ussd", "address": "*21*12345678#"}, "no address for ussd"),
        ({"channel": "sms", "address": "10086"}, "has a text"),
        ({"channel": "ussd", "address": "*101#", "senders": ["10086"]}, "has a text"),
        ({"channel": "sms", "address": "10086", "text": "CX\x1bLL"}, "one line"),
        ({"channel": "sms", "address": "10086", "text": "😀" * 36}, "one message"),
        ({"channel": "ussd", "address": "*101#", "reply": "("}, "no regular expression"),
        ({"channel": "ussd", "address": "*101#", "reply": "(?P<x>1)"}, "'used' or 'left'"),
    ],
)
def test_a_profile_with_a_bad_question_is_refused(table: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        UsageQuery(**table, source="a test")  # type: ignore[arg-type]
    assert CarrierProfile.model_fields["usage_queries"].default == ()


# ---- the command -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--claim", "16GB"), 1, "Who counts too much: the operator."),
        (("--claim", "12.6GB"), 0, "The sides agree"),
        ((), 3, "nothing to compare with"),
    ],
)
def test_the_screen(recorded: Path, options: tuple[str, ...], status: int, words: str) -> None:
    done = simdiag("reconcile", "--db", recorded, *PERIOD, *options, home=recorded.parent)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert words in done.stdout
    assert "this computer's interface" in done.stdout


@pytest.mark.parametrize(
    ("factor", "status", "verdict"), [(1.2, 1, "usage_mismatch"), (1.05, 0, "consistent")]
)
def test_two_readings_of_the_modems_counter_make_a_period(
    recorded: Path, factor: float, status: int, verdict: str
) -> None:
    words = ("reconcile", "--db", recorded, "--json", *PERIOD, "--port")
    modem = EmulatedModem(scenario("huawei-stick/healthy"))
    file = places.counters_for_writing(recorded)
    with running(modem) as port:
        first = simdiag(*words, port, home=recorded.parent)
        assert first.returncode == 3, first.stderr
        kept = file.read_text()
        entry = json.loads(kept)
        assert entry["device"].startswith("imei:")
        assert modem.state.imei not in kept
        begun = {"time": BEGIN + 60, "device": entry["device"], "tx_bytes": 7, "rx_bytes": 11}
        ended = begun | {"time": END + 600, "rx_bytes": 11 + round(factor * 12 * GB)}
        file.write_text("".join(json.dumps(line) + "\n" for line in (begun, ended)))
        done = simdiag(*words, port, home=recorded.parent)
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"]) == (status, verdict)
    device = next(side for side in found["sides"] if side["name"] == "device")
    assert device["low_bytes"] == device["high_bytes"] == round(factor * 12 * GB)
    assert found["inflated_by"] == ("device" if status else None)


def test_the_operators_words_from_a_file(recorded: Path, tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    file.write_text("您已使用流量 15.9GB，剩余 0.1GB。")
    done = simdiag(
        "reconcile", "--db", recorded, *PERIOD, "--claim-file", file, "--json", home=recorded.parent
    )
    assert json.loads(done.stdout)["verdict"] == "usage_mismatch"


def test_the_json_keeps_to_its_schema(recorded: Path) -> None:
    from simdiag.report.reconcile_contract import ReconcileJson

    done = simdiag("reconcile", "--db", recorded, "--claim", "16GB", "--json", home=recorded.parent)
    ReconcileJson.model_validate_json(done.stdout)
    schema = subprocess.run(
        [sys.executable, "-m", "simdiag", "schema", "reconcile"], capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert set(json.loads(done.stdout)) == set(json.loads(schema.stdout)["properties"])


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (("--claim", "lots"), 4, "is no amount of data"),
        (("--claim", "1GB", "--fetch"), 2, "exclude one another"),
        (("--since", "2026-10-05", "--until", "2026-10-01"), 4, "ends before it begins"),
        (("--claim-file", "/nosuch"), 2, "/nosuch"),
        (("--fetch", "--port", "/dev/nosuch"), 4, "cannot be asked"),
        (("--db", "/nosuch.db"), 4, "cannot be read"),
    ],
)
def test_bad_input_gets_a_sentence(
    recorded: Path, options: tuple[str, ...], status: int, sentence: str
) -> None:
    done = simdiag("reconcile", "--db", recorded, *options, home=recorded.parent)
    assert done.returncode == status
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
