"""Time for waits that outlive the process, on computers whose clock may be wrong.

A modem box may start in 1970 and jump to today once it is online, or be set back by a year. So a
wait is measured by the clock that counts since boot, and by the wall clock only across a reboot.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by both clocks: Unix seconds, and seconds since the boot with that id."""

    wall: float
    boot: str
    ticks: float

    def left_of(self, wait_s: float, since: Moment) -> float:
        """Return how many seconds of a wait are left.

        None are where the wall clock was set back across a reboot: rather too early than never.
        """
        if self.boot == since.boot:
            return max(0.0, since.ticks + wait_s - self.ticks)
        gone = self.wall - since.wall
        return 0.0 if gone < 0 else max(0.0, wait_s - gone)


def now() -> Moment:
    """Return the time; suspended time counts."""
    boot = _BOOT_ID.read_text("ascii").strip() if _BOOT_ID.exists() else ""
    return Moment(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))
