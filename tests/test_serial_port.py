"""Opening a port whose modem does not know the request that sets the control lines."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
from typing import Any

import psutil
import pytest

from simdiag.errors import PortDenied, PortNotFound, TransportError
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


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_is_no_device_is_not_opened(is_folder, tmp_path, monkeypatch) -> None:
    """Whoever may not read it is then not told to join the group that may."""
    path = tmp_path / "file"
    path.mkdir() if is_folder else path.touch()
    monkeypatch.setattr("serial.Serial.open", lambda _port: pytest.fail("it is opened"))
    with pytest.raises(PortNotFound) as error:
        SerialTransport(str(path))
    assert str(error.value) == f"{path} is no serial port"


def test_a_folder_that_is_closed_is_no_traceback(tmp_path, monkeypatch) -> None:
    def closed(_path, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.stat", closed)
    with pytest.raises(PortDenied):
        SerialTransport("/root/port")


@pytest.mark.parametrize("step", ["tcsetattr", "tcflush"])
def test_pulled_out_while_it_is_opened_is_no_traceback(step, emulated, monkeypatch) -> None:
    def gone(*_arguments):
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(termios, step, gone)
    before = psutil.Process().num_fds()
    with emulated("quectel-ec2x/healthy") as path, pytest.raises(TransportError) as error:
        SerialTransport(path)
    assert str(error.value) == f"cannot open {path}: Input/output error"
    assert psutil.Process().num_fds() == before


def test_a_port_that_fails_is_no_port(emulated, control_lines_fail) -> None:
    control_lines_fail(errno.EIO)
    with emulated("quectel-ec2x/healthy") as path, pytest.raises(TransportError) as error:
        SerialTransport(path)
    assert str(error.value) == f"cannot open {path}: Input/output error"
