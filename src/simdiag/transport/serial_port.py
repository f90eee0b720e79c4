"""A serial port through pyserial: a device node, ``socket://`` or ``rfc2217://``."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import termios
from pathlib import Path
from urllib.parse import urlsplit

import serial

from simdiag.errors import PortBusy, PortDenied, PortGone, PortNotFound, TransportError
from simdiag.message import N_, message

_NO_PORT = N_("there is no port {port}")
_NO_SERIAL_PORT = N_("{port} is no serial port")
_GONE = N_("{port} vanished during the examination")
_NO_ADDRESS = N_("{port} needs a host and a port number, as in rfc2217://HOST:PORT")
_NETWORK = ("socket://", "rfc2217://")
_SLICE_S = 0.05
"""Longest single wait in pyserial: changing its time-out later would reconfigure the port."""
_WRITE_S = 5.0


class _Port(serial.Serial):
    """A port whose control lines need not be settable.

    On its vendor-class ports a modem may stall the request that sets them (``EPIPE``), which is
    CDC's SET_CONTROL_LINE_STATE (PSTN 1.2, clause 6.3.12), and answer nevertheless. The kernel,
    which raises them too when a port is opened, ignores that.
    """

    def _update_dtr_state(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            super()._update_dtr_state()  # type: ignore[misc]

    def _update_rts_state(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            super()._update_rts_state()  # type: ignore[misc]


class SerialTransport:
    """An open serial port."""

    def __init__(self, url: str, baud: int = 115200) -> None:
        self.url = url
        if "://" not in url:
            _look_at(url)
        if url.lower().startswith(_NETWORK) and not _has_address(url):
            raise PortNotFound(url, message(_NO_ADDRESS, port=url))
        try:
            if "://" in url:
                self._port = serial.serial_for_url(
                    url, baudrate=baud, timeout=_SLICE_S, do_not_open=True
                )
                if not url.lower().startswith("rfc2217:"):  # refuses one: its own is also 5 s
                    self._port.write_timeout = _WRITE_S
            else:
                self._port = _Port(
                    None, baudrate=baud, timeout=_SLICE_S, write_timeout=_WRITE_S, exclusive=True
                )
                self._port.port = url
            self._port.open()
        except (serial.SerialException, OSError, ValueError) as problem:
            raise _cannot_open(url, problem) from problem
        except termios.error as problem:  # no OSError; pulled out while pyserial set it up
            raise _cannot_open(url, OSError(*problem.args)) from problem

    @property
    def name(self) -> str:
        """Return the last part of the path, or the URL without a password."""
        if "://" in self.url:
            return re.sub(r"//[^@/]*@", "//", self.url)[:60]
        return Path(self.url).name

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most ``timeout_s`` (in steps of 50 ms)."""
        try:
            waited = 0.0
            while True:
                data: bytes = self._port.read(1)
                if data or waited >= timeout_s:
                    break
                waited += _SLICE_S
            if data and (more := self._port.in_waiting):
                data += self._port.read(more)
            return data
        except (serial.SerialException, OSError, TypeError) as problem:
            raise PortGone(self.url, message(_GONE, port=self.name)) from problem

    def write(self, data: bytes) -> None:
        """Write all of it; a port that takes nothing for five seconds counts as gone."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            return  # a port that takes nothing answers nothing: the session's deadline says so
        except (serial.SerialException, OSError) as problem:
            raise PortGone(self.url, message(_GONE, port=self.name)) from problem

    def close(self) -> None:
        """Give the port back."""
        try:
            self._port.close()
        except (serial.SerialException, OSError):
            return  # it is gone already: nothing is left to give back


def _look_at(path: str) -> None:
    """Raise for what is no device node: nobody should be told to join the group of a file."""
    try:
        mode = Path(path).stat().st_mode
    except OSError as problem:
        raise _cannot_open(path, problem) from problem
    if not stat.S_ISCHR(mode):
        raise PortNotFound(path, message(_NO_SERIAL_PORT, port=path))


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname and parts.port)
    except ValueError:  # a port that is no number, or too large
        return False


def _cannot_open(url: str, problem: Exception) -> TransportError:
    number = getattr(problem, "errno", None)
    text = str(problem)
    if number == errno.EACCES or "Permission denied" in text:
        return PortDenied(url, message(N_("no permission to open {port}"), port=url))
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "busy" in text:
        return PortBusy(url, message(N_("another program has {port} open"), port=url))
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return PortNotFound(url, message(_NO_PORT, port=url))
    if number is None and (match := re.search(r"\[Errno (\d+)\]", text)):
        number = int(match[1])
    if number == errno.ENOTTY or "Inappropriate ioctl" in text:
        return PortNotFound(url, message(_NO_SERIAL_PORT, port=url))
    reason = os.strerror(number) if number else text.partition(": ")[2] or text
    why = message(reason[:120])
    return PortNotFound(url, message(N_("cannot open {port}: {why}"), port=url, why=why))
