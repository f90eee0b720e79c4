"""The folders that ``simdiag watch`` fills: names that sort by time, and what is removed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simdiag.cli import shelf
from simdiag.cli.shelf import Shelf, file_name
from simdiag.files import write_whole
from simdiag.watch import Verdict

BEGAN = datetime(2026, 5, 4, 3, 2, 1, 7_000, tzinfo=UTC)
CAUSES = st.sampled_from(["healthy", "sim_not_activated", "no_modem_found"])
TIMES = st.integers(0, 7_000_000_000_000).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
SOCKETS = st.text(max_size=80) | st.from_regex(r"[0-9]-[0-9](\.[0-9]){0,4}", fullmatch=True)


def verdict(began: datetime, cause: str = "healthy") -> Verdict:
    return Verdict(cause, "", 0.9, "89860000000000000003", 1.0, began)


def name(number: int) -> str:
    return file_name("1-2.3", verdict(BEGAN + timedelta(seconds=number)))


def filled(folder: Path, *numbers: int) -> list[str]:
    """Write two files for each number; returns the names."""
    found = [f"{name(n)}{suffix}" for n in numbers for suffix in (".jsonl", ".zip")]
    for path in found:
        (folder / path).touch()
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_name_tells_time_socket_and_cause():
    assert name(0) == "watch-20260504T030201.007Z-1-2-3-healthy"


@given(TIMES, TIMES, SOCKETS, SOCKETS, CAUSES, CAUSES)
def test_names_sort_as_the_examinations_began(one, two, socket, other, cause, another):
    if abs(one - two) >= timedelta(milliseconds=1):
        names = file_name(socket, verdict(one, cause)), file_name(other, verdict(two, another))
        assert (names[0] < names[1]) == (one < two)


@given(TIMES, SOCKETS, CAUSES)
def test_a_name_is_safe_whatever_the_socket_is_called(began, socket, cause):
    found = file_name(socket, verdict(began, cause))
    assert re.fullmatch(r"watch-[A-Za-z0-9.-]{1,62}-[a-z_]+", found)
    for suffix in (".zip", ".json", ".jsonl"):
        assert shelf._OURS.fullmatch(found + suffix)[1] == found


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(1, 12))
def test_the_newest_are_kept(tmp_path_factory, numbers, keep):
    folder = tmp_path_factory.mktemp("shelf")
    filled(folder, *numbers)
    Shelf(folder, keep).prune(name(max(numbers)))
    assert names(folder) == sorted(
        f"{name(n)}{suffix}" for n in sorted(numbers)[-keep:] for suffix in (".jsonl", ".zip")
    )


def test_zero_keeps_all(tmp_path):
    everything = filled(tmp_path, *range(50))
    Shelf(tmp_path, 0).prune(name(49))
    assert names(tmp_path) == sorted(everything)


def test_what_was_just_written_stays_though_the_clock_was_set_back(tmp_path):
    filled(tmp_path, 1, 5, 9)
    Shelf(tmp_path, 2).prune(name(1))
    assert names(tmp_path) == sorted(filled(tmp_path, 1, 9))


@pytest.mark.parametrize(
    "other",
    [
        "simdiag-20200504T030201Z-0123456789abcdef.zip",  # what `simdiag bundle` writes
        "20200504T030201Z-usb-0-2-2c7c-0125.json", "notes.json", "watch-notes.zip",
        "watch-20200504T030201.007Z-1-2-healthy.txt", "watch-20200504T030201.007Z-1-2-healthy.zip.bak",
        "my-watch-20200504T030201.007Z-1-2-healthy.zip", "watch-20200504T030201.007Z-1-2-healthy.zip\n",
        "watch-20200504T030201Z-1-2-healthy.zip", "watch-20200504T030201.007Z-1-2-a b.zip",
    ],
)  # fmt: skip
def test_nothing_else_is_touched(other, tmp_path):
    (tmp_path / other).touch()
    filled(tmp_path, 1, 2)
    Shelf(tmp_path, 1).prune(name(2))
    assert names(tmp_path) == sorted([other, *filled(tmp_path, 2)])


def test_a_folder_of_such_a_name_stays_and_a_link_goes_without_what_it_names(tmp_path):
    target = tmp_path / "target"
    target.touch()
    (tmp_path / f"{name(1)}.zip").mkdir()
    (tmp_path / f"{name(2)}.zip").symlink_to(target)
    Shelf(tmp_path, 1).prune(name(3))
    filled(tmp_path, 3)
    Shelf(tmp_path, 1).prune(name(3))
    assert names(tmp_path) == sorted(["target", f"{name(1)}.zip", *filled(tmp_path, 3)])


def test_what_a_power_failure_left_goes_with_its_time(tmp_path, monkeypatch):
    (tmp_path / f".{name(1)}.zip.4711").touch()
    with monkeypatch.context() as power:
        power.setattr(Path, "unlink", lambda path, missing_ok: None)
        power.setattr(Path, "replace", lambda path, target: None)
        write_whole(tmp_path / f"{name(1)}.jsonl", "half")
    assert len(names(tmp_path)) == 2
    filled(tmp_path, 2)
    Shelf(tmp_path, 1).prune(name(2))
    assert names(tmp_path) == sorted(filled(tmp_path, 2))


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Shelf(tmp_path / "gone", 1).prune(name(1))
