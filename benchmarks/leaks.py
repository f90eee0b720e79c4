"""Measures redaction: `python benchmarks/leaks.py [--plants 10000] [--seed N] [--json]`.

The 3,000 plants that it takes by itself need two minutes, all 10,000 six.
Plants seeded identifiers in every kind and disguise, redacts, and lets an auditor that shares no
code with simdiag look for them; a well-known redactor (scrubadub, installed into an environment
of its own) gets the same input. Then it counts which benign numbers, versions and words with
digits are damaged, in what the emulated modems and those of the field cases say. The exit status
is 1 if a plant survives.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from leak_lab.auditor import sees
from leak_lab.benign import SOURCES, Damage, damage
from leak_lab.runs import Outcome, plants, run, said
from simdiag.bundle.talk import redact_talk
from simdiag.evidence import Evidence
from simdiag.pseudonym import Pseudonyms

RIVAL = "scrubadub==2.0.1"
_RIVALS_CODE = """
import json, sys
import scrubadub
scrubber = scrubadub.Scrubber()
for line in sys.stdin:
    print(json.dumps(scrubber.clean(json.loads(line))), flush=True)
"""


def upper_bound(leaked: int, planted: int) -> float:
    """The share that may leak at 95 % confidence (rule of three where none did)."""
    if not leaked:
        return 3 / planted
    return (leaked + 1.96 * math.sqrt(leaked) + 2) / planted


def rival_environment(folder: Path) -> Path:
    """Make an environment with the other redactor; it is kept for the next run."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", RIVAL], check=True)
    return python


def rival(count: int, folder: Path) -> tuple[int, int]:
    """Return how many plants the other redactor lets through, and of how many."""
    which = list(islice(plants(count), count))
    texts = "\n".join(json.dumps(said(p.events)) for p in which)
    done = subprocess.run(
        [rival_environment(folder), "-c", _RIVALS_CODE],
        input=texts, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    return sum(sees(s, p.person.core(p.kind)) for s, p in zip(shown, which, strict=True)), count


def benign() -> dict[str, Damage]:
    """Count what is damaged of each source's benign numbers."""
    return {
        source: damage(source, lambda said: redact_talk(said, Pseudonyms(b"k" * 32), Evidence()))
        for source in SOURCES
    }


def table(outcome: Outcome, seconds: float, other: tuple[int, int] | None) -> None:
    bound = 100 * upper_bound(len(outcome.leaked), outcome.planted)
    print("| redactor | planted | survived | share |")
    print("|---|---|---|---|")
    print(f"| simdiag | {outcome.planted} | {len(outcome.leaked)} | < {bound:.3f} % (95 %) |")
    if other is not None:
        print(f"| {RIVAL} | {other[1]} | {other[0]} | {100 * other[0] / other[1]:.1f} % |")
    each = 1000 * seconds / outcome.planted
    print(f"\nrefused by the gate: {len(outcome.refused)}; {each:.1f} ms each")
    print(f"not seen by the auditor even unredacted: {len(outcome.unseen)}")
    for plant in outcome.leaked[:20]:
        print(f"SURVIVED: {plant.kind} as “{plant.disguise}” in {plant.place}, seed {plant.seed}")
    if outcome.unseen:
        print("unseen:", dict(Counter(p.disguise for p in outcome.unseen)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=3_000)
    parser.add_argument(
        "--rival", type=int, default=500, help="plants for the other redactor; 0: none"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    start = time.process_time()
    outcome = run(plants(options.plants, options.seed))
    seconds = time.process_time() - start
    other = None
    if options.rival:
        try:
            other = rival(options.rival, Path(__file__).parents[1] / "build" / "rival")
        except (OSError, subprocess.CalledProcessError) as problem:
            print(f"the other redactor could not be run: {problem}", file=sys.stderr)
    harmless = benign()
    if options.json:
        figures = {"planted": outcome.planted, "survived": len(outcome.leaked)}
        figures |= {"refused": len(outcome.refused), "unseen": len(outcome.unseen)}
        figures |= {f"damaged in {k}": round(d.share, 4) for k, d in harmless.items()}
        print(json.dumps(figures | {"rival": other, "seconds": seconds}))
    else:
        table(outcome, seconds, other)
        for source, found in harmless.items():
            lost = found.lost.total()
            print(f"benign, {source}: {lost} of {found.kept + lost} damaged ({found.share:.2%})")
    return 1 if outcome.leaked else 0


if __name__ == "__main__":
    sys.exit(main())
