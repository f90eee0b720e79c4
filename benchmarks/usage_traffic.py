"""Known traffic: `python usage_traffic.py ACTION …`.

``serve PORT…``            TCP and UDP, IPv4 and IPv6
``tcp HOST PORT DOWN UP [later]``   one connection; ``later``: asks after a line of input
``short HOST PORT COUNT DOWN``      many connections by one process
``fork HOST PORT COUNT DOWN``       many processes, a connection each
``udp HOST PORT DOWN UP connected|unconnected``
``dns HOST PORT COUNT``             a socket for each question
``ping HOST COUNT``
``tunnel ADDRESS PORT [HOST PORT]`` a VPN over UDP without secrets, on an interface ``tun0``
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

REQUEST = struct.Struct("!QQ")  # bytes to send down, bytes that come up
PIECE = bytes(1 << 16)
DATAGRAM = bytes(1252)  # QUIC's usual size
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000  # linux/if_tun.h
PACE_S = 0.0005  # between datagrams: no queue overflows, so that all that is sent arrives


def receive(connection: socket.socket, count: int) -> None:
    while count > 0:
        got = len(connection.recv(min(count, 1 << 16)))
        if not got:
            raise ConnectionError
        count -= got


def send(connection: socket.socket, count: int) -> None:
    while count > 0:
        count -= connection.send(PIECE[: min(count, len(PIECE))])


def answer(connection: socket.socket) -> None:
    with connection:
        try:
            down, up = REQUEST.unpack(connection.recv(REQUEST.size, socket.MSG_WAITALL))
            receive(connection, up)
            send(connection, down)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except (OSError, struct.error):
            return


def serve_tcp(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def serve_udp(port: int) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::", port))
        while True:
            data, far = server.recvfrom(2048)
            if len(data) == REQUEST.size:
                threading.Thread(target=send_udp, args=(server, far, data), daemon=True).start()


def send_udp(server: socket.socket, far: tuple[str, int], request: bytes) -> None:
    left = REQUEST.unpack(request)[0]
    while left > 0:
        left -= server.sendto(DATAGRAM[: min(left, len(DATAGRAM))], far)
        time.sleep(PACE_S)
    server.sendto(b"E", far)


def serve(*ports: str) -> None:
    for port in map(int, ports):
        listener = socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True
        )
        threading.Thread(target=serve_tcp, args=(listener,), daemon=True).start()
        threading.Thread(target=serve_udp, args=(port,), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


def tcp(host: str, port: str, down: str, up: str, when: str = "now") -> None:
    with socket.create_connection((host, int(port))) as connection:
        if when == "later":
            print("ready", flush=True)
            sys.stdin.readline()
        connection.sendall(REQUEST.pack(int(down), int(up)))
        send(connection, int(up))
        receive(connection, int(down))
        connection.recv(1)  # the end, so that the last acknowledgement is still the program's


def short(host: str, port: str, count: str, down: str) -> None:
    turns = iter(range(int(count)))

    def work() -> None:
        for _ in turns:
            tcp(host, port, down, "0")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fork(host: str, port: str, count: str, down: str) -> None:
    for _ in range(int(count)):
        if os.fork() == 0:
            tcp(host, port, down, "0")
            os._exit(0)
        os.wait()


def udp(host: str, port: str, down: str, up: str, kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        far = (host, int(port))
        if kind == "connected":
            client.connect(far)

        def say(data: bytes) -> int:
            return client.send(data) if kind == "connected" else client.sendto(data, far)

        left = int(up)
        while left > 0:
            left -= say(DATAGRAM[: min(left, len(DATAGRAM))])
            time.sleep(PACE_S)
        if int(down):
            say(REQUEST.pack(int(down), 0))
            while client.recv(2048) != b"E":
                pass


def dns(host: str, port: str, count: str) -> None:
    for _ in range(int(count)):
        udp(host, port, "120", "0", "unconnected")


def ping(host: str, count: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(5)
        for number in range(int(count)):
            body = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, number) + bytes(1000)
            whole = sum(struct.unpack(f"!{len(body) // 2}H", body))
            whole = (whole >> 16) + (whole & 0xFFFF)
            check = ~((whole >> 16) + whole) & 0xFFFF
            raw.sendto(body[:2] + struct.pack("!H", check) + body[4:], (host, 0))
            raw.recv(2048)
            time.sleep(0.01)


def tunnel(address: str, port: str, host: str = "", far_port: str = "0") -> None:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
    for words in (f"addr add {address}/24 dev tun0", "link set tun0 mtu 1400 up"):
        subprocess.run(["ip", *words.split()], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        outside.bind(("", int(port)))
        far = (host, int(far_port))
        print("ready", flush=True)
        while True:
            for ready in select.select([device, outside], [], [])[0]:
                if ready is outside:
                    packet, far = outside.recvfrom(2048)
                    os.write(device, packet)
                else:
                    packet = os.read(device, 2048)
                    if far[1]:
                        outside.sendto(packet, far)


def main(action: str, *arguments: str) -> None:
    actions = {f.__name__: f for f in (serve, tcp, short, fork, udp, dns, ping, tunnel)}
    actions[action](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
