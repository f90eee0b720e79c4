"""Bytes in and out of a port: no meaning, no clock of its own."""

from simdiag.transport.base import Transport
from simdiag.transport.serial_port import SerialTransport

__all__ = ["SerialTransport", "Transport"]
