"""From plug-in to answer, beside ModemManager: `make bench-rival`, on the virtual bench.

The same device, the same emulated latency, the same guest, one after the other: how long it takes
from plugging in until there is an answer, how many commands the modem was sent for it, and what
is known then. ModemManager's answer is its modem object on D-Bus; simdiag's is a diagnosis, once
from `simdiag check`, started at plug-in, and once from `simdiag watch`, which was there before.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "hil"))

from bench import finish
from virtual.guest import RESULTS, inside
from virtual.guest import main as in_guest
from virtual_bench import VirtualBench, VirtualDevice, modem_manager

PRODUCT, SCENARIO, LATENCY_MS = "quectel-ec25", "quectel-ec2x/sim_not_activated", 10
TRIES = 5
TARGET = 1 / 5
LIMIT_S = 90.0
# As a script it would be loaded anew in every run of simdiag (multiprocessing's ``__mp_main__``).
PROGRAM = "import sys; sys.path.insert(0, 'benchmarks'); import plug_in; sys.exit(plug_in.main())"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way came to."""

    seconds: float
    commands: int
    known: str


def by_modem_manager(device: VirtualDevice, folder: Path) -> Answer:
    log = folder / "modem-manager.log"
    with modem_manager(log):
        while b"system bus" not in log.read_bytes():
            time.sleep(0.1)
        device.plug()
        start = time.monotonic()
        while not (modems := _mmcli("-L")["modem-list"]):
            assert time.monotonic() - start < LIMIT_S, "ModemManager shows no modem"
            time.sleep(0.1)
        seconds, sent = time.monotonic() - start, len(device.asked)
        modem = _mmcli("-m", modems[0])["modem"]
        state, registration = modem["generic"]["state"], modem["3gpp"]["registration-state"]
        device.unplug()
    return Answer(seconds, sent, f"state {state}, registration {registration}, no verdict")


def _mmcli(*words: str) -> dict:
    done = subprocess.run(["mmcli", "-J", *words], capture_output=True, text=True)
    return json.loads(done.stdout or '{"modem-list": []}')


def by_check(device: VirtualDevice) -> Answer:
    device.plug()
    start = time.monotonic()
    result = device.check("--wait", "2")
    seconds = time.monotonic() - start
    device.unplug()
    return Answer(seconds, len(device.asked), result.json["cause"])


def by_watch(device: VirtualDevice, bench: VirtualBench) -> Answer:
    program = bench.start(["watch", "--json", "--wait", "2", "--count", "1"])
    time.sleep(5)  # until it waits for devices
    device.plug()
    start = time.monotonic()
    result = finish(program)
    seconds = time.monotonic() - start
    device.unplug()
    return Answer(seconds, len(device.asked), result.json["cause"])


def main() -> int:
    if not inside():
        return in_guest([sys.executable, "-c", PROGRAM])
    answers: dict[str, list[Answer]] = {}
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        bench = VirtualBench(folder, stack)
        device = bench.product(PRODUCT, SCENARIO, latency_ms=LATENCY_MS, plugged=False)
        by_check(device)  # the first loads the program that the others are forked from
        for _ in range(TRIES):
            ways = {
                "ModemManager": lambda: by_modem_manager(device, folder),
                "simdiag check": lambda: by_check(device),
                "simdiag watch": lambda: by_watch(device, bench),
            }
            for way, run in ways.items():
                time.sleep(3)  # until what the one before has started is gone: D-Bus, polkit
                device.asked.clear()
                answers.setdefault(way, []).append(run())
    return report(answers)


def report(answers: dict[str, list[Answer]]) -> int:
    rival = statistics.median(a.seconds for a in answers["ModemManager"])
    print(f"{PRODUCT}, {SCENARIO}, {LATENCY_MS} ms latency; medians of {TRIES} runs")
    print(f"{'':14} {'seconds':>8} {'share':>6} {'commands':>9}  known at the end")
    worst = 0.0
    for way, found in answers.items():
        seconds = statistics.median(a.seconds for a in found)
        if way != "ModemManager":
            worst = max(worst, seconds / rival)
        print(
            f"{way:14} {seconds:8.1f} {seconds / rival:6.2f} {found[-1].commands:9}  "
            f"{found[-1].known}"
        )
    table = {way: [asdict(a) for a in found] for way, found in answers.items()}
    (RESULTS / "plug_in.json").write_text(json.dumps(table, indent=2))
    print(f"target: {TARGET:.2f} of ModemManager's time or less; the slower way takes {worst:.2f}")
    return int(worst > TARGET)


if __name__ == "__main__":
    sys.exit(main())
