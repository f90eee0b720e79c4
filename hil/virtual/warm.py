"""Loads everything that an examination needs; ``program.py`` forks from here."""

import pyudev  # noqa: F401

import simdiag.cli.commands.check
import simdiag.cli.commands.devices
import simdiag.cli.output
import simdiag.cli.progress
import simdiag.cli.targets
import simdiag.report.terminal  # noqa: F401
from simdiag.registry import drivers, profiles

drivers()
profiles()
