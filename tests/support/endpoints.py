"""Endpoints on loopback that do what a client fears: never answer, drip, flood, reset, speak nonsense.

Each counts who came, so that a test can tell that it was asked at all.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator

Serve = Callable[[socket.socket, threading.Event], None]


class Endpoint:
    """A listener, with a thread for each that connects."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self.asked = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _accept(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.asked += 1
                thread = threading.Thread(target=self._attend, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _attend(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(1)
            self._serve(connection, self._over)

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()


def never(_: socket.socket, over: threading.Event) -> None:
    """Takes the connection, reads nothing, says nothing."""
    over.wait()


def drip(connection: socket.socket, over: threading.Event) -> None:
    """A byte a second of an answer that would be fine."""
    connection.recv(4096)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
        connection.send(bytes((byte,)))
        if over.wait(1):
            return


def flood(connection: socket.socket, over: threading.Event) -> None:
    """10 MB, of which the first line would be fine."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    for _ in range(100):
        if over.is_set():
            return
        connection.sendall(b"x" * 100_000)


def endless_head(connection: socket.socket, over: threading.Event) -> None:
    """10 MB without a line end."""
    connection.recv(4096)
    for _ in range(100):
        if over.is_set():
            return
        connection.sendall(b"HTTP/1.1" + b" " * 100_000)


def reset(connection: socket.socket, _: threading.Event) -> None:
    """Broken off, as by a firewall."""
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def tls_garbage(connection: socket.socket, _: threading.Event) -> None:
    """The start of a TLS record, then noise."""
    connection.recv(4096)
    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(2000))


@contextlib.contextmanager
def unreachable() -> Iterator[int]:
    """The port of a listener whose queue is full: a connection to it is never made, nor refused."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


class SilentNameServer:
    """A UDP socket on an address of loopback that takes every question and answers none. Needs root: port 53."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._socket.setblocking(False)

    def asked(self) -> int:
        """Questions since the last call."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(4096):
                count += 1
        return count

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def endpoints(*serves: Serve) -> Iterator[list[Endpoint]]:
    made = [Endpoint(serve) for serve in serves]
    try:
        yield made
    finally:
        for endpoint in made:
            endpoint.close()
