"""The asking side, for the command line and the config server: plain blocking calls with a time limit each.

Every failure is a Problem with the exit code that fits: not running, no permission, no answer in time.
"""

from __future__ import annotations

import _socket
import time

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.base.wire import BadFrame, FrameReader, decode, frame
from supervisor.control.dial import CONNECT_S, dial, no_answer, seconds_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.control.api import Message
    from supervisor.model.home import Home

ANSWER_S = 5.0


class Client:
    """One connection to one daemon. `limit` is our patience in seconds, apart from what a verb's own `timeout` says."""

    def __init__(self, sock: _socket.socket, home: Home, role: str) -> None:
        self._sock = sock
        self._home = home
        self._role = role
        self._reader = FrameReader()
        self._frames: list[bytes] = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._sock.close()

    def request(self, verb: str, *, limit: float = ANSWER_S, **args: object) -> Message:
        """Ask and wait for the answer; the daemon's refusal is raised as the Problem it sent."""
        return _checked(_decoded(self.raw(verb, limit=limit, **args), self._role))

    def raw(self, verb: str, *, limit: float = ANSWER_S, **args: object) -> bytes:
        """Ask and wait for one frame, whatever is in it."""
        until = time.monotonic() + limit
        self._send(frame({"verb": verb, **args}), until)
        return self._receive(until)

    def stream(self, verb: str, *, limit: float = ANSWER_S, **args: object) -> Iterator[Message]:
        """Ask, and yield each frame until the daemon says `end`. Only sending has a time limit."""
        self._send(frame({"verb": verb, **args}), time.monotonic() + limit)
        while True:
            message = _checked(_decoded(self._receive(None), self._role))
            if message.get("end"):
                return
            yield message

    def _send(self, data: bytes, until: float) -> None:
        try:
            self._sock.settimeout(seconds_left(until))
            self._sock.sendall(data, _socket.MSG_NOSIGNAL)
        except TimeoutError:
            raise no_answer(self._home, self._role) from None
        except OSError:
            return  # it has hung up; what it said before is still to be read

    def _receive(self, until: float | None) -> bytes:
        while not self._frames:
            try:
                self._sock.settimeout(None if until is None else seconds_left(until))
                data = self._sock.recv(65536)
            except TimeoutError:
                raise no_answer(self._home, self._role) from None
            except OSError:
                data = b""
            if not data:
                raise Problem(
                    f"{self._role} closed the connection",
                    why="it has just ended; whether it has done what was asked is not known",
                    remedy="sbctl status",
                    code=NOT_RUNNING,
                )
            try:
                self._frames += self._reader.feed(data)
            except BadFrame as error:
                raise _not_ours(self._role, error) from None
        return self._frames.pop(0)


def connect(home: Home, role: str, timeout: float = CONNECT_S) -> Client:
    """A connection to the home's daemon of that role."""
    return Client(dial(home, role, timeout), home, role)


def _decoded(body: bytes, role: str) -> Message:
    try:
        return decode(body)
    except BadFrame as error:
        raise _not_ours(role, error) from None


def _not_ours(role: str, error: BadFrame) -> Problem:
    return Problem(f"{role} answered something that is not our protocol", why=str(error))


def _checked(message: Message) -> Message:
    if message.get("ok") is False:
        error = message.get("error")
        raise Problem.from_dict(error if isinstance(error, dict) else {})
    return message
