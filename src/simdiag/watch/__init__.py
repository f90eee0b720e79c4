"""Waits for devices and examines each as it is plugged in: the bench mode.

Three parts: :mod:`simdiag.watch.bench` decides (no clock, no thread, no device),
:mod:`simdiag.watch.source` says when the USB bus has changed and what is on it, and
:mod:`simdiag.watch.watcher` runs the examinations.
"""

from simdiag.watch.bench import Bench, Kept, State, Verdict, Visit
from simdiag.watch.source import Source, usb_source
from simdiag.watch.watcher import Display, Watcher, examine_device

__all__ = [
    "Bench",
    "Display",
    "Kept",
    "Source",
    "State",
    "Verdict",
    "Visit",
    "Watcher",
    "examine_device",
    "usb_source",
]
