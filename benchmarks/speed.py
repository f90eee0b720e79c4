"""Measures what users wait for, as ratios within one run: `python benchmarks/speed.py`.

Each figure is the median of several tries beside its own yardstick, so that a busy machine slows
both alike. The targets are the project's; the exit status is 1 if one is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PYTHON = sys.executable
SCENARIO = "quectel-ec2x/healthy"
LATENCY_MS = 20
DEVICES = 16
LOG_MB = 50


def timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def run(*arguments: str) -> None:
    subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.DEVNULL)


def median(function: Callable[[], float], tries: int) -> float:
    return statistics.median(function() for _ in range(tries))


@contextmanager
def emulators(count: int) -> Iterator[list[str]]:
    """Start so many emulated modems, each a process of its own, and yield their ports."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        links = [str(Path(folder) / f"modem{n}") for n in range(count)]
        for link in links:
            process = stack.enter_context(
                subprocess.Popen(
                    [
                        PYTHON,
                        "-m",
                        "simdiag",
                        "emulate",
                        SCENARIO,
                        "--link",
                        link,
                        "--latency",
                        str(LATENCY_MS),
                    ],
                    stdout=subprocess.DEVNULL,
                )
            )
            stack.callback(process.terminate)
        while not all(map(os.path.lexists, links)):
            time.sleep(0.05)
        yield links


def help_ratio() -> float:
    for arguments in (("-m", "simdiag", "--help"), ("-c", "import click")):
        run(*arguments)
    ours = median(lambda: timed(lambda: run("-m", "simdiag", "--help")), 15)
    click = median(lambda: timed(lambda: run("-c", "import click")), 15)
    return ours / click


def examination_ratio(port: str) -> float:
    """Time of an examination over the sum of the modem's own response times."""
    from simdiag.agent import Options, Target, examine

    def once() -> float:
        result = examine(Target(port=port), Options())
        commands = sum(e.dir == "tx" for e in result.events)
        return result.elapsed_s / (commands * LATENCY_MS / 1000)

    once()
    return median(once, 5)


def parallel_ratio(ports: list[str]) -> float:
    """Time for all devices at once over the time for one."""
    from simdiag.agent import Options, Target, examine_all

    def elapsed(some: list[str]) -> float:
        return timed(lambda: examine_all([Target(port=p) for p in some], Options()))

    return median(lambda: elapsed(ports), 3) / median(lambda: elapsed(ports[:1]), 3)


_DEBUG = (
    "ModemManager[712]: <debug> [17{n:08d}.123456] [modem0/ttyUSB2/at] --> 'AT+CSQ<CR>'\n"
    "ModemManager[712]: <debug> [17{n:08d}.143456] [modem0/ttyUSB2/at] <-- "
    "'<CR><LF>+CSQ: {csq},99<CR><LF><CR><LF>OK<CR><LF>'\n"
    "ModemManager[712]: <debug> [17{n:08d}.223456] [modem0/ttyUSB2/at] --> 'AT+CEREG?<CR>'\n"
    "ModemManager[712]: <debug> [17{n:08d}.243456] [modem0/ttyUSB2/at] <-- "
    '\'<CR><LF>+CEREG: 2,1,"1A2B","0A1B2C{cell:02X}",7<CR><LF><CR><LF>OK<CR><LF>\'\n'
)


def write_log(path: Path, megabytes: float) -> None:
    with path.open("w") as log:
        n = 0
        while log.tell() < megabytes * 1e6:
            log.write(
                "".join(_DEBUG.format(n=i, csq=i % 31, cell=i % 97) for i in range(n, n + 500))
            )
            n += 500


def diagnose_log(path: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of reading one log, in a process of its own."""
    script = (
        "import resource, sys, time\nfrom pathlib import Path\n"
        "from simdiag.log import examine_log\n"
        "start = time.process_time()\nexamine_log(Path(sys.argv[1]))\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(time.process_time() - start, peak)"
    )
    command = [PYTHON, "-c", script, str(path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, memory = map(float, out.stdout.split())
    return seconds, memory


def main() -> int:
    rows: list[tuple[str, float, float, bool]] = []
    rows.append(("--help over `import click`", help_ratio(), 2.5, False))
    with emulators(DEVICES) as ports:
        rows.append((f"examination over the modem's own time ({LATENCY_MS} ms latency)",
                     examination_ratio(ports[0]), 1.10, False))  # fmt: skip
        rows.append((f"{DEVICES} devices at once over one", parallel_ratio(ports), 1.5, False))
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.log", Path(folder) / "large.log"
        write_log(small, LOG_MB / 5)
        write_log(large, LOG_MB)
        seconds_small, _ = diagnose_log(small)
        seconds, memory = diagnose_log(large)
    rows.append((f"{LOG_MB} MB log over five times a fifth of it (1 = linear)",
                 seconds / (5 * seconds_small), 1.3, False))  # fmt: skip
    rows.append((f"{LOG_MB} MB log: MB/s on one core", LOG_MB / seconds, 3.0, True))
    rows.append((f"{LOG_MB} MB log: peak memory in MB", memory, 200, False))
    missed = 0
    for title, value, target, at_least in rows:
        good = value >= target if at_least else value <= target
        missed += not good
        sign = "≥" if at_least else "≤"
        print(f"{'ok  ' if good else 'MISS'} {value:8.2f}  (target {sign} {target})  {title}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
