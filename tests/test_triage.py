"""A desk's view of many bundles: a batch of bad cards is found, and chance finds nothing."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import jsonschema
import pytest
from click.testing import CliRunner

from bundle_maker import BundleMaker
from simdiag.bundle import container
from simdiag.bundle.layout import TALK, VERDICT
from simdiag.bundle.opening import open_bundle
from simdiag.bundle.problems import BundleError
from simdiag.cli.group import cli
from simdiag.ticket.draft import BundleRef, Category, Draft, new_key
from simdiag.ticket.export import as_json
from simdiag.ticket.history import Event, Ticket
from simdiag.ticket.states import Kind
from simdiag.triage.case import Case
from simdiag.triage.export import json_schema
from simdiag.triage.table import Key, Table, Trend
from simdiag.triage.unusual import ICCID, unusual

NEWEST = datetime(2026, 11, 20, tzinfo=UTC)
CAUSES = ("healthy", "weak_signal", "sim_not_activated", "apn_wrong", "sim_failure")


def case(number: int, cause: str, days_ago: float = 0.0, **facts: str) -> Case:
    iccid = facts.pop("iccid", f"898600{number:012}0")
    known = dict.fromkeys(("operator", "profile", "cell", "device", "firmware", "family"))
    return Case(
        f"{number}.zip", f"{number:064x}", NEWEST - timedelta(days=days_ago), cause, 0.9,
        card=iccid, issuer=iccid[:6], iccid=iccid, **(known | facts),
    )  # fmt: skip


def by_chance(seed: int, count: int) -> list[Case]:
    """Cases in which nothing has to do with anything."""
    dice = random.Random(seed)
    return [
        case(
            number, dice.choice(CAUSES), dice.uniform(0, 60),
            iccid=f"8986{dice.randrange(10**14):014}0", seller=f"shop {dice.randrange(12)}",
            firmware=f"FW{dice.randrange(8)}",
        )
        for number in range(count)
    ]  # fmt: skip


def test_a_batch_of_bad_cards_is_found_with_its_bounds():
    batch = [
        case(n, "sim_failure" if n % 10 else "healthy", iccid=f"898601234500{n:06}0")
        for n in range(40)
    ]
    found = unusual(Table([*by_chance(1, 2000), *batch]))
    assert (found[0].key, found[0].cause, found[0].cases, found[0].of) == (
        ICCID, "sim_failure", 36, 40,
    )  # fmt: skip
    assert found[0].value == "8986012345000000000…8986012345000000390"
    assert len(found) == 1


def test_a_seller_of_cards_that_are_not_activated_is_found():
    cards = [one.iccid for one in by_chance(3, 12)]
    sold = [case(0, "sim_not_activated", seller="shop X", iccid=str(card)) for card in cards]
    (found,) = unusual(Table([*by_chance(2, 800), *sold]))
    assert (found.key, found.value, found.cases, found.of) == ("seller", "shop X", 12, 12)
    assert 0.1 < found.usual < 0.3


@pytest.mark.parametrize("seed", range(12))
def test_nothing_stands_out_by_chance(seed):
    assert unusual(Table(by_chance(seed, 600))) == []


def test_healthy_devices_are_no_finding():
    cases = [case(n, "healthy", firmware="FW1") for n in range(50)]
    cases += [case(100 + n, "weak_signal", firmware="FW2") for n in range(50)]
    assert {one.cause for one in unusual(Table(cases))} == {"weak_signal"}


def test_groups_count_cards_once_and_tell_the_trend():
    cases = [case(1, "weak_signal", 0.5) for _ in range(9)]
    cases += [case(2, "weak_signal", 10)]
    cases += [case(n, "apn_wrong", 8 + n / 10) for n in range(10, 20)]
    weak, apn = sorted(Table(cases).groups(Key.CAUSE), key=lambda g: g.value, reverse=True)
    assert (weak.value, weak.cases, weak.cards, weak.recent, weak.before) == (
        "weak_signal", 10, 2, 9, 1,
    )  # fmt: skip
    assert (weak.trend, apn.trend, apn.faults) == (Trend.RISING, Trend.FALLING, 10)


# ---- whole bundles -----------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eighty bundles, ten of a bad batch; one file that is none; two tickets that name a seller."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    maker = BundleMaker(tmp_path)
    for n in range(80):
        bad = n < 10
        data = maker.make(
            "sim_failure" if bad else CAUSES[n % 4], f"2026-11-{1 + n % 20:02}T08:00:00Z",
            ("iccid",), sim__iccid=f"89860{1 if bad else n:04}{n * 7919 % 10007:09}{n % 10}",
            device__manufacturer="Quectel", device__model="EC25",
        )  # fmt: skip
        (folder / f"b{n:02}.zip").write_bytes(data)
    (folder / "noise.zip").write_bytes(b"PK\x03\x04 and no more")
    from simdiag.triage.case import read

    first = read(folder / "b00.zip")
    assert isinstance(first, Case)
    ticket = Draft(
        key=new_key(), created=NEWEST, category=Category.CARD_FAULT, summary="s", message="m",
        seller="shop X", bundle=BundleRef(name="b00.zip", sha256=first.sha256, size=1),
    )  # fmt: skip
    (folder / "ticket.json").write_text(ticket.canonical())
    second = read(folder / "b01.zip")
    assert isinstance(second, Case)
    seen = ticket.model_copy(
        update={"bundle": BundleRef(name="b01.zip", sha256=second.sha256, size=1)}
    )
    opened = Event(1, NEWEST, Kind.OPENED)
    shown = as_json(Ticket(1, seen, "d", "seller", events=(opened,)), None, NEWEST, whole=True)
    (folder / "shown.json").write_text(json.dumps(shown))
    return folder


def test_a_folder(folder: Path):
    parquet = folder.parent / "cases.parquet"
    words = ["desk", "triage", str(folder), "--by", "seller", "--by", "device"]
    done = CliRunner().invoke(cli, [*words, "--json", "--parquet", str(parquet)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    jsonschema.validate(told, json_schema())
    assert (told["schema"], told["bundles"]) == ("simdiag/triage/1", 80)
    assert [one["file"] for one in told["refused"]] == ["noise.zip"]
    assert [(g["value"], g["cases"]) for g in told["groups"]["device"]] == [("Quectel EC25", 80)]
    assert [(g["value"], g["cases"], g["leading"]) for g in told["groups"]["seller"]] == [
        ("shop X", 2, "sim_failure")
    ]
    (batch,) = (one for one in told["unusual"] if one["key"] == "iccid")
    assert (batch["cause"], batch["cases"]) == ("sim_failure", 10)
    rows = duckdb.execute(
        "SELECT count(*), count(DISTINCT card) FROM read_parquet(?)", [str(parquet)]
    )
    assert rows.fetchone() == (80, 80)


def test_for_people(folder: Path):
    done = CliRunner().invoke(cli, ["desk", "triage", str(folder)])
    assert done.exit_code == 0
    assert "80 bundles" in done.stdout
    assert "What stands out" in done.stdout
    assert "1 files were refused" in done.stdout


def test_what_is_hidden_is_no_ground_for_grouping(tmp_path: Path):
    """A pseudonym of a cell is another one in each user's bundle."""
    from simdiag.triage.case import read

    path = tmp_path / "b.zip"
    facts = {"sim__iccid": "8986001234567890123", "registration__eps__cell_id": "1A2B3C4"}
    path.write_bytes(BundleMaker(tmp_path).make("healthy", "2026-11-01T00:00:00Z", **facts))
    hidden = read(path)
    assert isinstance(hidden, Case)
    assert (hidden.iccid, hidden.cell, hidden.issuer) == (None, None, "898600")


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_no_bundles_there(tmp_path: Path, what):
    folder = tmp_path / "inbox"
    if what == "empty":
        folder.mkdir()
    from simdiag.errors import SimdiagError
    from simdiag.triage.folder import bundles_in

    with pytest.raises(SimdiagError) as problem:
        bundles_in(folder)
    assert str(folder) in str(problem.value)


def test_a_narrow_terminal_and_a_key_that_no_bundle_tells(folder: Path):
    narrow = {"COLUMNS": "40"}
    done = CliRunner().invoke(cli, ["desk", "triage", str(folder), "--by", "firmware"], env=narrow)
    assert "no bundle tells it" in done.stdout
    done = CliRunner().invoke(cli, ["desk", "triage", str(folder)], env=narrow)
    assert "█" not in done.stdout
    assert "sim_" in done.stdout  # folded, never cut


def test_what_is_not_read_is_checked_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    data = BundleMaker(tmp_path).make("healthy", "2026-10-01T08:00:00Z")
    sound, changed = tmp_path / "sound.zip", tmp_path / "changed.zip"
    sound.write_bytes(data)
    assert set(open_bundle(sound, (VERDICT,)).contents) == {VERDICT}
    assert open_bundle(sound).contents.keys() > {VERDICT, TALK}
    members = container.unpack(data).members
    members[TALK] = members[TALK].replace(b"READY", b"SIM PIN")
    changed.write_bytes(container.pack(members))
    with pytest.raises(BundleError, match="was changed: its SHA-256"):
        open_bundle(changed, (VERDICT,))
