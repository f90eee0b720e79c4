"""Opening a port whose modem does not know the request that sets the control lines."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
from typing import Any

import pytest

from simdiag.errors import TransportError
from simdiag.transport import SerialTransport


@pytest.fixture
def control_lines_fail(monkeypatch: pytest.MonkeyPatch):
    """Let setting DTR and RTS fail with an error of the kernel, as a USB modem can make it."""
    ioctl = fcntl.ioctl

    def fail_with(number: int) -> None:
        def failing(fd: int, request: int, *arguments: Any) -> Any:
            if request in (termios.TIOCMBIS, termios.TIOCMBIC):
                raise OSError(number, os.strerror(number))
            return ioctl(fd, request, *arguments)

        monkeypatch.setattr(fcntl, "ioctl", failing)

    return fail_with


def test_a_modem_that_stalls_the_request_is_examined(emulated, control_lines_fail) -> None:
    control_lines_fail(errno.EPIPE)
    with emulated("quectel-ec2x/healthy") as path:
        port = SerialTransport(path)
        port.write(b"AT\r")
        answer = b""
        while not answer.endswith(b"OK\r\n"):
            answer += port.read(5.0)
        port.close()


def test_a_port_that_fails_is_no_port(emulated, control_lines_fail) -> None:
    control_lines_fail(errno.EIO)
    with emulated("quectel-ec2x/healthy") as path, pytest.raises(TransportError) as error:
        SerialTransport(path)
    assert str(error.value) == f"cannot open {path}: Input/output error"
