"""``make demo``: the main job, on the modem that is attached or else on an emulated one."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIMDIAG = (sys.executable, "-m", "simdiag")
SCENARIOS = {"quectel-ec2x/healthy": 0, "quectel-ec2x/sim_not_activated": 1}
"""What is shown, and the exit status that has to come of it."""


def main() -> None:
    attached = modems()
    if attached:
        say(f"Attached: {', '.join(attached)}. It is examined now; nothing on it is changed.")
        run("check", *(["--all"] if len(attached) > 1 else []))
        return
    say("No modem is attached to this computer.")
    say("So an EMULATED device is examined, over a real pty: first a healthy one, then one whose")
    say("card was never activated. With a modem plugged in, `make demo` examines that modem.")
    with tempfile.TemporaryDirectory(prefix="simdiag-") as folder:
        for scenario, status in SCENARIOS.items():
            port = Path(folder) / "modem"
            with emulated(scenario, port):
                if run("check", "--port", str(port)) != status:
                    raise SystemExit("this is not what an examination of that device should say")


def modems() -> list[str]:
    """Return the ids of the attached modems."""
    listed = subprocess.run([*SIMDIAG, "devices", "--json"], capture_output=True, text=True)
    devices = map(json.loads, listed.stdout.splitlines())
    return [device["id"] for device in devices if device["kind"] == "modem"]


@contextmanager
def emulated(scenario: str, port: Path) -> Iterator[None]:
    words = ("emulate", scenario, "--link", str(port))
    say(f"\n$ simdiag {shlex.join(words)} &")
    with subprocess.Popen([*SIMDIAG, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not process.stdout.readline():  # says that it is ready
                raise SystemExit("the emulator did not start")
            yield
        finally:
            process.send_signal(signal.SIGINT)


def run(*words: str) -> int:
    say(f"$ simdiag {shlex.join(words)}")
    done = subprocess.run([*SIMDIAG, *words])
    say(f"(exit status {done.returncode})")
    return done.returncode


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
