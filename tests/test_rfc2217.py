"""A modem behind a serial port server (RFC 2217), as ser2net and labgrid offer it."""

from __future__ import annotations

import socket
import threading

import serial
from serial.rfc2217 import PortManager

from simdiag.emulator import EmulatedModem, scenario
from simdiag.transport import SerialTransport


class Connection:
    """One client, on pyserial's own server side of the protocol."""

    def __init__(self, modem: EmulatedModem, connected: socket.socket) -> None:
        self._modem = modem
        self.write = connected.sendall
        self._receive = connected.recv
        self.port = serial.serial_for_url("loop://")
        self._manager = PortManager(self.port, self)

    def serve(self) -> None:
        pending = b""
        while data := self._receive(4096):
            *lines, pending = (pending + b"".join(self._manager.filter(data))).split(b"\r")
            for line in lines:
                answer = self._modem.execute(line.decode())
                text = "".join(f"\r\n{t}\r\n" for t in (*answer.lines, answer.final))
                self.write(b"".join(self._manager.escape(line + b"\r" + text.encode())))


def test_a_port_of_a_serial_port_server_is_opened_and_talked_to() -> None:
    ports: list[serial.SerialBase] = []

    def serve() -> None:
        connected, _ = server.accept()
        with connected:
            connection = Connection(EmulatedModem(scenario("quectel-ec2x/healthy")), connected)
            ports.append(connection.port)
            connection.serve()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        transport = SerialTransport(f"rfc2217://127.0.0.1:{server.getsockname()[1]}", 9600)
        transport.write(b"ATI\r")
        answer = b""
        while not answer.endswith(b"OK\r\n"):
            received = transport.read(30)
            assert received, answer
            answer += received
        transport.close()
        thread.join(30)
    assert b"Quectel" in answer
    assert ports[0].baudrate == 9600
