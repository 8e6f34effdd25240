"""One client of a control server: its requests in order, its answers buffered, its end noticed.

Requests of one connection are handled one after the other: the next is looked at when the one before is
answered, which may be much later (`settle`) or never (`events`). Nothing here waits: what the client does
not take at once is kept up to a limit, and a client that goes on not reading is let go.
"""

from __future__ import annotations

import _socket
import collections

from supervisor.base import loop as loops
from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.base.wire import BadFrame, FrameReader, decode, frame, frame_bytes
from supervisor.control.api import PROMISES, check_arguments, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.control.api import Handler, Message

MAX_REQUEST = 4 << 20  # `reload` carries the caller's environment
MAX_WAITING = 64  # requests sent ahead while an earlier one is being answered
MAX_BACKLOG = 4 << 20  # bytes of answers not yet taken; more of them and the client is let go


def at_once(call: Callable[[], None]) -> None:
    call()


class Reply:
    """What a handler answers with: once by `send`, `raw` or `fail`, or in parts by `stream` and `end`.

    It may be kept and used later. When the client is gone all of it does nothing.
    """

    __slots__ = ("_connection", "_on_closed", "done", "is_promise")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_promise = False
        self._on_closed: Callable[[], None] | None = None
        self.done = False  # answered, or nobody is left to answer

    def send(self, message: Message) -> None:
        self._finish(frame({"ok": True, **message}))

    def raw(self, body: bytes) -> None:
        """One frame as it is, for answers that are not JSON."""
        self._finish(frame_bytes(body))

    def fail(self, problem: Problem) -> None:
        self._finish(frame({"ok": False, "error": problem.as_dict()}))

    def stream(self, message: Message) -> None:
        """One of many; `end` or the client's going ends it."""
        if not self.done:
            self._connection.write(frame(message))

    def end(self) -> None:
        self._finish(frame({"end": True}))

    def on_closed(self, call: Callable[[], None]) -> None:
        """Call when the client goes before the answer is complete (at once if it is gone already)."""
        if self._connection.closed:
            call()
        else:
            self._on_closed = call

    def backlog(self) -> int:
        """Bytes the client has not taken yet: a stream from a file should wait while this is large."""
        return self._connection.backlog

    def abandon(self) -> None:
        """The client is gone: tell the one who is preparing the answer."""
        if not self.done:
            self.done = True
            if self._on_closed is not None:
                self._on_closed()

    def _finish(self, data: bytes) -> None:
        if self.done:
            return
        self.done = True
        self._connection.answer(self, data)


class Connection:
    """A client from accept to close."""

    def __init__(
        self,
        sock: _socket.socket,
        loop: Loop,
        handlers: dict[str, Handler],
        on_closed: Callable[[Connection], None],
        when_said: Callable[[Callable[[], None]], None] = at_once,
    ) -> None:
        """`when_said` calls once all is on its way that the daemon has asked others to do: a promise is not answered
        before, for the daemon may be killed in the next moment.
        """
        self._sock = sock
        self._loop = loop
        self._handlers = handlers
        self._on_closed = on_closed
        self._when_said = when_said
        self._reader = FrameReader(MAX_REQUEST)
        self._waiting: collections.deque[bytes] = collections.deque()
        self._reply: Reply | None = None  # the request being answered ...
        self._asked = b""  # ... as it came
        self._handling = False
        self._last = False  # no more requests will be read: close once all is answered and taken
        self._out = bytearray()
        self._watched = -1
        self.closed = False
        self.dropped = False  # let go because it did not read
        self.used_at = loop.clock.now()  # when it last sent something
        sock.setblocking(False)
        self._watch()

    @property
    def backlog(self) -> int:
        return len(self._out)

    @property
    def is_idle(self) -> bool:
        """It waits for nothing, and nothing waits for it."""
        return not (self.closed or self._waiting or self._out) and self._reply is None

    # reading

    def _on_ready(self, events: int) -> None:
        if events & loops.WRITE:
            self._flush()
        if self.closed or not events & ~loops.WRITE:
            return
        if self._last:  # nothing is read any more, so this can only be the end of the other side
            self.close()
        else:
            self._read()

    def _read(self) -> None:
        try:
            data = self._sock.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not data:
            # It may only have closed its sending side (`printf ... | nc`) and still want the answers.
            self._read_no_more()
            return
        self.used_at = self._loop.clock.now()
        try:
            self._waiting.extend(self._reader.feed(data))
        except BadFrame as error:
            self.refuse(Problem("this is not the control protocol", why=str(error), code=USAGE))
            return
        self._next()
        if len(self._waiting) > MAX_WAITING:
            self.refuse(Problem("too many requests at once", why=f"at most {MAX_WAITING} may wait", code=USAGE))

    def _next(self) -> None:
        """Handle requests up to the first whose answer is not there yet."""
        if self._handling:
            return
        self._handling = True
        try:
            while self._waiting and self._reply is None and not self.closed:
                self._handle(self._waiting.popleft())
        finally:
            self._handling = False
        self._close_when_done()

    def _handle(self, body: bytes) -> None:
        self._reply = reply = Reply(self)
        self._asked = body
        try:
            message = decode(body)
        except BadFrame as error:
            self._reply = None
            self.refuse(Problem("this is not the control protocol", why=str(error), code=USAGE))
            return
        verb = message.pop("verb", None)
        handler = self._handlers.get(verb) if isinstance(verb, str) else None
        if handler is None:
            reply.fail(_unknown_verb(verb, self._handlers))
            return
        try:
            check_arguments(str(verb), message)
            reply.is_promise = verb in PROMISES
            handler(message, reply)
        except Problem as problem:
            reply.fail(problem)
        except Exception as error:
            # The client learns that it failed; the loop's own report has the traceback.
            reply.fail(Problem(f"{verb} failed inside the daemon", why=repr(error), code=FAILED))
            self._loop.soon(_raise_later(error))

    # writing

    def answer(self, reply: Reply, data: bytes) -> None:
        if reply.is_promise:
            self._when_said(lambda: self._answer(reply, data))
        else:
            self._answer(reply, data)

    def _answer(self, reply: Reply, data: bytes) -> None:
        if self._reply is not reply:  # the client has gone, or was let go
            return
        self.write(data)
        self._reply = None
        self._next()

    def refuse(self, problem: Problem) -> None:
        """Say why and close, once that is on its way: what follows in the stream can't be trusted."""
        self._waiting.clear()
        if self._reply is not None:
            self._reply.abandon()
            self._reply = None
        self.write(frame({"ok": False, "error": problem.as_dict()}))
        self._read_no_more()

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if len(self._out) > MAX_BACKLOG:
            self.dropped = True
            self.close()
            return
        idle = not self._out
        self._out += data
        if idle:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._out:
                sent = self._sock.send(memoryview(self._out)[:262144], _socket.MSG_NOSIGNAL)
                del self._out[:sent]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.close()
            return
        self._close_when_done()
        self._watch()

    # the end

    def _read_no_more(self) -> None:
        self._last = True
        self._close_when_done()
        self._watch()

    def _close_when_done(self) -> None:
        if self._last and not self.closed and not self._out and not self._waiting and self._reply is None:
            self.close()

    def _watch(self) -> None:
        """What to wait for now. The end of the other side is always reported, asked for or not."""
        events = (0 if self._last else loops.READ) | (loops.WRITE if self._out else 0)
        if not self.closed and events != self._watched:
            self._watched = events
            self._loop.watch(self._sock.fileno(), events, self._on_ready)

    # going over to the program that this process becomes

    def hand_on(self, asker: Reply) -> dict[str, Any]:
        """A request whose answer is not there yet is asked again, but that of `asker`: its answer is to come."""
        is_asker = self._reply is asker
        waiting = list(self._waiting)
        if self._reply is not None and not is_asker:
            waiting.insert(0, self._asked)
        return {
            "fd": self._sock.fileno(),
            "asker": is_asker,
            "waiting": [body.hex() for body in waiting],
            "rest": self._reader.rest.hex(),
            "out": self._out.hex(),
            "last": self._last,
        }

    def take_up(self, data: dict[str, Any]) -> Reply | None:
        """Returns what the asker is answered with; everybody else is served in the next turn."""
        self._reader.feed(bytes.fromhex(data["rest"]))
        self._waiting.extend(bytes.fromhex(body) for body in data["waiting"])
        self._out += bytes.fromhex(data["out"])
        self._last = data["last"]
        if data["asker"]:
            self._reply = Reply(self)
        self._watch()
        self._loop.soon(self._next)
        return self._reply

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._waiting.clear()
        self._out.clear()
        self._on_closed(self)
        if self._reply is not None:
            self._reply.abandon()
            self._reply = None


def _unknown_verb(verb: object, handlers: dict[str, Handler]) -> Problem:
    if not isinstance(verb, str):
        return Problem("the request has no verb", why='a request is {"verb": ..., arguments}', code=USAGE)
    meant = nearest(verb, handlers)
    known = ", ".join(sorted(handlers))
    return Problem(
        f"unknown verb {verb[:80]!r}",
        why=f"this daemon knows: {known}",
        remedy=f"did you mean {meant!r}?" if meant else "",
        code=USAGE,
    )


def _raise_later(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call
