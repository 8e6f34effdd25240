"""One connection of a probe, made without ever waiting: to an address of this machine or to a Unix socket.

It ends by its time limit at the latest, whatever the other side does or leaves undone.
"""

from __future__ import annotations

import _socket
import errno
import os

from supervisor.base.loop import WRITE
from supervisor.engine.texts import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from supervisor.base.loop import Loop, Timer

    Done = Callable[[bool, str], None]  # was it well, and in words: "answered 500", to be put after the check's name

    class Attempt(Protocol):
        """One question under way. Its answer comes later, once, and not after `cancel`."""

        def cancel(self) -> None: ...


FULL_S = 0.05  # a Unix socket whose queue is full can't be waited for, so it is tried again
UNDER_WAY = (errno.EINPROGRESS, errno.EINTR)
REASONS = {
    errno.ECONNREFUSED: "refused the connection",
    errno.ENOENT: "is not there",
    errno.ECONNRESET: "broke off the connection",
    errno.EPIPE: "broke off the connection",
    errno.ENOTCONN: "broke off the connection",
}


class Connection:
    """Connects; what is done then says a subclass in `ask`, and how it ends by `finish`.

    On one machine a connection is there as soon as it has been asked for, nearly always; so it is tried before
    the kernel is asked to say when.
    """

    __slots__ = ("_address", "_done", "_limit", "_retry", "_timeout", "loop", "sock")

    def __init__(self, loop: Loop, address: Any, timeout: float, done: Done) -> None:
        self.loop = loop
        self._address = address  # (host, port), or the path of a Unix socket
        self._timeout = timeout
        self._done: Done | None = done
        self._retry: Timer | None = None
        self._limit = loop.after(timeout, self._too_late)
        self.sock: _socket.socket | None = None
        try:
            self.sock = _socket.socket(family_of(address), _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
            self._connect(self.sock)
        except OSError as error:
            reason = reason_of(error)
            loop.soon(lambda: self.finish(False, reason))

    # what a subclass says

    def ask(self, sock: _socket.socket) -> bool:
        """Ask, or be content with the connection; False if that is not there yet. Finishes no earlier than `soon`."""
        try:
            peer = sock.getpeername()
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return False
            raise
        if is_itself(sock, peer):
            raise refused()
        self.loop.soon(lambda: self.finish(True, "took the connection"))
        return True

    def readable(self, _events: int) -> None:
        """Something has come, or the other side has closed."""

    # connecting

    def _connect(self, sock: _socket.socket) -> None:
        number = sock.connect_ex(self._address)
        if number == errno.EAGAIN:  # a Unix socket, and its queue is full
            self._retry = self.loop.after(FULL_S, self._again)
        elif number == 0 or number in UNDER_WAY:
            if not self.ask(sock):
                self.loop.watch(sock.fileno(), WRITE, self._arrived)
        else:
            raise OSError(number, os.strerror(number))

    def _again(self) -> None:
        self._retry = None
        try:
            if self.sock is not None:
                self._connect(self.sock)
        except OSError as error:
            self.finish(False, reason_of(error))

    def _arrived(self, _events: int) -> None:
        sock = self.sock
        assert sock is not None
        try:
            number = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            if not self.ask(sock):  # else the kernel would say so again and again
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        except OSError as error:
            self.finish(False, reason_of(error))

    # the end

    def _too_late(self) -> None:
        if self._done is None:
            self.close()  # the answer has been given; what was to follow it is not waited for any longer
        elif self._retry is not None:
            self.finish(False, f"did not take the connection within {duration(self._timeout)}")
        else:
            self.finish(False, f"did not answer within {duration(self._timeout)}")

    def answer(self, ok: bool, text: str) -> None:
        """Tell it, once; the connection stays open."""
        done, self._done = self._done, None
        if done is not None:
            done(ok, text)

    def finish(self, ok: bool, text: str) -> None:
        self.close()
        self.answer(ok, text)

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        self._done = None
        self.close()

    def close(self) -> None:
        self._limit.cancel()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        sock, self.sock = self.sock, None
        if sock is not None:
            self.loop.unwatch(sock.fileno())
            sock.close()


def family_of(address: Any) -> int:
    """A host that is no literal address is refused: to look it up could take as long as it likes."""
    if isinstance(address, str):
        return _socket.AF_UNIX
    family = _socket.AF_INET6 if ":" in address[0] else _socket.AF_INET
    _socket.inet_pton(family, address[0])
    return family


def is_itself(sock: _socket.socket, peer: Any) -> bool:
    """A port that nobody listens on may, by chance, be the one the kernel gave to us: then we talk to ourselves."""
    return sock.family != _socket.AF_UNIX and bool(sock.getsockname() == peer)


def refused() -> OSError:
    return OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def reason_of(error: OSError) -> str:
    return REASONS.get(error.errno or 0) or f"can't be asked: {error.strerror or error}"
