"""One GET, of whose answer only the status counts."""

from __future__ import annotations

import errno

from supervisor.base.address import address as join
from supervisor.base.loop import READ
from supervisor.engine.probes.connection import Connection, is_itself, reason_of, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.engine.probes.connection import Done
    from supervisor.model.check import Check

MAX_HEAD = 8192  # so far the status line must have come, also after announcements of it
MAX_REST = 1 << 20  # of an answer that is read to its end, so that the server need not complain of us
CHUNK = 4096
REST_CHUNK = 1 << 16
NO_HTTP = "answered with something that is not HTTP"


class HttpConnection(Connection):
    """Answers as soon as the status is there; reads on a little, then closes."""

    __slots__ = ("_data", "_request", "_rest", "_statuses")

    def __init__(self, loop: Loop, address: Any, check: Check, done: Done) -> None:
        self._request = request(address, check.path)
        self._statuses = check.statuses
        self._data = b""
        self._rest = MAX_REST
        super().__init__(loop, address, check.timeout, done)

    def ask(self, sock: _socket.socket) -> bool:
        try:
            sent = sock.send(self._request)
        except BlockingIOError:  # not connected yet
            return False
        if sent < len(self._request):  # never, with an empty buffer and so few bytes
            raise OSError(errno.EMSGSIZE, "it did not take the request")
        self.loop.watch(sock.fileno(), READ, self.readable)
        return True

    def readable(self, _events: int) -> None:
        assert self.sock is not None
        try:
            data = self.sock.recv(CHUNK if self._done is not None else REST_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.finish(False, reason_of(error))
            return
        if self._done is None:
            self._read_rest(data)
        else:
            self._read_status(data)

    def _read_status(self, data: bytes) -> None:
        self._data += data
        status = status_of(self._data)
        if status is None and not data:
            self.finish(False, NO_HTTP if self._data else "closed the connection without an answer")
        elif status is None and len(self._data) > MAX_HEAD:
            self.finish(False, NO_HTTP)
        elif status is not None:
            self._data = b""
            low, high = self._statuses
            if status:
                self.answer(low <= status <= high, f"answered {status}")
            else:
                self.finish(False, self._no_http())

    def _no_http(self) -> str:
        """Or is it our own request that we have read?"""
        assert self.sock is not None
        try:
            itself = is_itself(self.sock, self.sock.getpeername())
        except OSError:  # broken off already
            itself = False
        return reason_of(refused()) if itself else NO_HTTP

    def _read_rest(self, data: bytes) -> None:
        """To close while it still sends would look to the server like a client that has crashed."""
        self._rest -= len(data)
        if not data or self._rest <= 0:
            self.close()


def request(address: Any, path: str) -> bytes:
    """Small enough to be sent in one piece."""
    host = "localhost" if isinstance(address, str) else join(*address)
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: sbctl", "Accept: */*", "Connection: close", "", "")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def status_of(data: bytes) -> int | None:
    """The status of the answer; 0: that is no answer; None: it has not come yet."""
    while True:
        line, end, _ = data.partition(b"\n")
        if not b"HTTP/".startswith(line[:5]):
            return 0
        if not end:
            return None
        words = line.split(None, 2)
        if len(words) < 2 or len(words[1]) != 3 or not words[1].isdigit():
            return 0
        status = int(words[1])
        if status >= 200 or status == 101:
            return status
        # Only an announcement (100, 103): the answer comes behind it.
        _, end, data = data.partition(b"\r\n\r\n")
        if not end or not data:
            return None
