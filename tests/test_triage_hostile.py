"""A folder of bundles in which some mean harm: the others are counted all the same."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bundle_maker import BundleMaker
from simdiag.cli.group import cli
from simdiag.triage.case import Case, Refused, read
from simdiag.triage.table import Key, Table, Trend
from test_triage import NEWEST, case


@pytest.mark.parametrize(
    "day",
    [
        "2026-99-99T99:99:99Z", "٢٠٢٦-٠١-٠١T٠٠:٠٠:٠٠Z", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "2026-02-29T00:00:00Z",
    ],
)  # fmt: skip
def test_a_bundle_of_no_day_is_refused(tmp_path: Path, day: str) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(BundleMaker(tmp_path).make("weak_signal", day))
    assert isinstance(read(path), Refused)


def test_a_bundle_of_a_leap_day_or_a_box_without_a_clock_counts(tmp_path: Path) -> None:
    maker, path = BundleMaker(tmp_path), tmp_path / "b.zip"
    for day in ("2028-02-29T23:59:59Z", "1970-01-01T00:00:07Z"):
        path.write_bytes(maker.make("weak_signal", day))
        assert isinstance(read(path), Case)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_folder_in_which_nothing_is_as_it_should_be(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    good = BundleMaker(tmp_path).make(
        "weak_signal", "2026-11-01T00:00:00Z", device__manufacturer="\x1b[31m\ud83d\ude00",
    )  # fmt: skip
    for name, data in ((b"a\xff\x1b.zip", good), (b"b\xff.zip", b"junk"), (b"--json.zip", b"")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(data)
    os.mkfifo(folder / "fifo.zip")
    os.mkfifo(folder / "fifo.json")
    (folder / "loop.zip").symlink_to("loop.zip")
    (folder / "zero.zip").symlink_to("/dev/zero")
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "self").symlink_to(".")
    (folder / "dir.zip").mkdir()
    words = ["desk", "triage", str(folder), "--parquet", str(tmp_path / "c.parquet")]
    done = CliRunner().invoke(cli, [*words, *more])
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    if more:
        told = json.loads(done.stdout)
        assert (told["bundles"], len(told["refused"])) == (1, 2)


def test_a_clock_that_runs_ahead_does_not_hide_what_rises() -> None:
    """One bundle of the year 2090 would make all others old."""
    cases = [case(n, "weak_signal", 0.5) for n in range(9)] + [case(10, "weak_signal", 10)]
    ahead = case(11, "weak_signal", -365 * 60)
    (honest,) = Table(cases, NEWEST).groups(Key.CAUSE)
    (found,) = Table([*cases, ahead], NEWEST + timedelta(days=1)).groups(Key.CAUSE)
    assert (honest.trend, honest.recent, honest.before) == (Trend.RISING, 9, 1)
    assert (found.trend, found.recent, found.before, found.cases) == (Trend.RISING, 9, 1, 11)
