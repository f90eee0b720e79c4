"""10,000 bundles, a batch of bad cards planted among them: how long it takes, and what is found."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bundle_maker import BundleMaker
from simdiag.i18n import translator
from simdiag.triage.case import Case
from simdiag.triage.folder import bundles_in, read_all
from simdiag.triage.table import Key, Table
from simdiag.triage.unusual import unusual

COUNT, BATCH = 10_000, 60
LIMIT_S = 60.0
CAUSES = ("healthy", "weak_signal", "sim_not_activated", "apn_wrong", "sim_failure")


def fill(folder: Path, maker: BundleMaker) -> None:
    dice = random.Random(7)
    for number in range(COUNT):
        bad = number < BATCH
        cause = "sim_failure" if bad and number % 10 else dice.choice(CAUSES)
        serial = 5_550_000 + number if bad else dice.randrange(10**12)
        data = maker.make(
            cause, f"2026-{1 + number % 11:02}-{1 + number % 28:02}T08:00:00Z", ("iccid",),
            sim__iccid=f"898600{serial:012}{number % 10}", device__model=f"M{number % 40}",
            device__revision=f"R{number % 90}", operator__plmn="46000",
        )  # fmt: skip
        (folder / f"{number}.zip").write_bytes(data)


def main() -> int:
    with TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = f"{name}/state"
        folder = Path(name) / "inbox"
        folder.mkdir()
        fill(folder, BundleMaker(Path(name), [translator("en"), translator("zh_CN")]))
        size = sum(path.stat().st_size for path in folder.iterdir())
        start = time.monotonic()
        cases = [c for c in read_all(bundles_in(folder), lambda: None) if isinstance(c, Case)]
        read = time.monotonic()
        table = Table(cases)
        for key in Key:
            table.groups(key)
        found = unusual(table)
        end = time.monotonic()
    print(f"{len(cases)} bundles of {size / len(cases) / 1000:.1f} kB, {os.cpu_count()} processors")
    print(f"read {read - start:.1f} s, counted {end - read:.1f} s (limit {LIMIT_S:.0f} s)")
    for one in found:
        where = f"{one.key} {one.value}, elsewhere {one.usual:.3f}"
        print(f"{one.cause}: {one.cases} of {one.of}, {where}")
    return int(end - start > LIMIT_S or len(found) != 1 or len(cases) != COUNT)


if __name__ == "__main__":
    sys.exit(main())
