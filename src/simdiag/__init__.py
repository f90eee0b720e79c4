"""Says what is wrong with a SIM in a modem, why, who can fix it and what to do next."""

__version__ = "0.1.0"
