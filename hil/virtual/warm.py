"""Loads everything that an examination needs; ``program.py`` forks from here."""

import pyudev  # noqa: F401

import simdiag.agent
import simdiag.cli.commands.check
import simdiag.cli.commands.devices
import simdiag.cli.commands.watch
import simdiag.cli.group
import simdiag.cli.output
import simdiag.cli.progress
import simdiag.cli.targets
import simdiag.discovery
import simdiag.report.contract
import simdiag.report.terminal
import simdiag.transcript.recorded
import simdiag.watch.watcher  # noqa: F401
from simdiag.registry import drivers, profiles
from simdiag.rules import all_rules

drivers()
profiles()
all_rules()
