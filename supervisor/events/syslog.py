"""A copy of servers' output to syslog, line by line, in the form of RFC 3164; the raw file stays the whole truth.

Nothing waits for syslog: what it does not take at once is counted, and said. It may be restarted at any time.
"""

from __future__ import annotations

import _socket
import errno
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.clock import Clock

    OnLoss = Callable[[str, int, str, str], None]  # service, lines not copied, why, and of two streams which

ADDRESS = "/dev/log"
DAEMON = 3 << 3
PRIORITY = {"out": DAEMON | 6, "err": DAEMON | 4}  # informational; warning
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_LINE = 8000  # of one message, which is what common syslogs take; longer lines go in pieces
MAX_TAG = 32
LINES_PER_S = 5000  # of one service; a flood must not cost the daemon its time
RETRY_S = 1.0
TELL_EVERY_S = 60.0  # and while nothing at all gets through less and less often
TELL_SELDOM_S = 3600.0
GONE = (errno.ECONNREFUSED, errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE, errno.ENOENT, errno.EDESTADDRREQ)


class Syslog:
    """The daemon's one socket to syslog."""

    def __init__(self, clock: Clock, on_loss: OnLoss, address: str = ADDRESS) -> None:
        self._clock = clock
        self._on_loss = on_loss
        self._address = address
        self._socket: _socket.socket | None = None
        self._retry_at = 0.0
        self._stamp = (0, b"")
        self._copies: dict[tuple[str, str], Copy] = {}
        self.reason = ""
        self.lost_in_all = 0  # lines, of all services

    def copy(self, service: str, stream: str) -> Copy:
        """Takes the bytes of one stream; a new generation of the service begins a new line."""
        old = self._copies.get((service, stream))
        copy = self._copies[service, stream] = Copy(self, self._clock, service, stream)
        if old is not None:
            copy.lost, copy.tell_at, copy.patience = old.lost, old.tell_at, old.patience
        return copy

    def send(self, priority: int, tag: bytes, line: bytes) -> bool:
        """One message; False: not now."""
        message = b"<%d>%s %s: %s" % (priority, self._time(), tag, line)
        for _ in range(2):
            socket = self._connected()
            if socket is None:
                return False
            try:
                socket.send(message)
                return True
            except BlockingIOError:
                self.reason = "it takes nothing just now"
                return False
            except OSError as error:
                self.reason = error.strerror or str(error)
                if error.errno not in GONE:
                    return False
                self._disconnect()  # it was restarted, perhaps: once more, at once
        self._retry_at = self._clock.now() + RETRY_S
        return False

    def tell_losses(self, *, all_of_them: bool = False) -> None:
        """For the tick: what was lost and has not been said yet."""
        for copy in self._copies.values():
            if copy.lost and (all_of_them or self._clock.now() >= copy.tell_at):
                self.tell(copy)

    def tell(self, copy: Copy) -> None:
        lost, copy.lost = copy.lost, 0
        copy.tell_at = self._clock.now() + copy.patience
        copy.patience = min(copy.patience * 2, TELL_SELDOM_S)
        has_two = all((copy.service, stream) in self._copies for stream in PRIORITY)
        self._on_loss(copy.service, lost, copy.reason, f"std{copy.stream}" if has_two else "")

    def close(self) -> None:
        self.tell_losses(all_of_them=True)
        self._disconnect()

    def _connected(self) -> _socket.socket | None:
        if self._socket is None and self._clock.now() >= self._retry_at:
            socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
            try:
                socket.connect(self._address)
            except OSError as error:
                socket.close()
                self.reason = f"{self._address}: {error.strerror or error}"
                self._retry_at = self._clock.now() + RETRY_S
            else:
                self._socket = socket
        return self._socket

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _time(self) -> bytes:
        """`Nov  7 05:20:01`, local, as the form wants it; made once a second."""
        second = int(self._clock.wall())
        if self._stamp[0] != second:
            t = time.localtime(second)
            text = f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
            self._stamp = (second, text.encode())
        return self._stamp[1]


class Copy:
    """One stream of one service on its way to syslog."""

    def __init__(self, syslog: Syslog, clock: Clock, service: str, stream: str) -> None:
        self._syslog = syslog
        self._clock = clock
        self.service = service
        self.stream = stream
        self._priority = PRIORITY[stream]
        self._tag = tag_of(service)
        self._held = b""
        self._second_end = 0.0
        self._left = 0
        self.lost = 0
        self.reason = ""
        self.tell_at = float("-inf")
        self.patience = TELL_EVERY_S

    def __call__(self, file: int, start: int, end: int) -> None:
        """Bytes were added to the raw file: a pipe full at most."""
        try:
            data = self._held + os.pread(file, end - start, start)
        except OSError:
            return  # of the raw file's own trouble the pump speaks
        *lines, self._held = data.split(b"\n")
        if len(self._held) >= MAX_LINE:
            lines.append(self._held)
            self._held = b""
        for number, line in enumerate(lines):
            if not self._may_send():
                self._lose(len(lines) - number, f"more than {LINES_PER_S} lines a second")
                break
            self._send(line)
        if self.lost and self._clock.now() >= self.tell_at:
            self._syslog.tell(self)

    def _may_send(self) -> bool:
        now = self._clock.now()
        if now >= self._second_end:
            self._second_end, self._left = now + 1.0, LINES_PER_S
        self._left -= 1
        return self._left >= 0

    def _send(self, line: bytes) -> None:
        line = line.rstrip(b"\r").replace(b"\0", b"\\x00")  # a message ends at a NUL
        for begin in range(0, len(line), MAX_LINE):  # nothing of a line that is empty
            if not self._syslog.send(self._priority, self._tag, line[begin : begin + MAX_LINE]):
                self._lose(1, self._syslog.reason)
                return
            self.patience = TELL_EVERY_S

    def _lose(self, count: int, reason: str) -> None:
        self.lost += count
        self._syslog.lost_in_all += count
        self.reason = reason


def tag_of(service: str) -> bytes:
    """The name as syslog can take it apart again: no colon, no bracket, no blank, 32 characters."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in service)
    return plain[:MAX_TAG].encode() or b"sbctl"
