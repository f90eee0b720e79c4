"""Modems that answer over a pty, built from data: a family's answers and a state to be in."""

from simdiag.emulator.modem import EmulatedModem
from simdiag.emulator.scenario import Scenario, scenario, scenario_names

__all__ = ["EmulatedModem", "Scenario", "scenario", "scenario_names"]
