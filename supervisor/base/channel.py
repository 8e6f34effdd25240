"""The line between `start` and a core service: what base/wire.py says, and descriptors along with it."""

from __future__ import annotations

import _socket
import array
import errno
import mmap
import os

from supervisor.base.wire import MAX_PACKET, BadFrame, check_size, decode_all, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop
    from supervisor.base.wire import Message

MAX_FDS = 250  # the kernel takes 253 a message
SEND_BUFFER = 1 << 20
PASSES_S = 0.005  # mostly, what a system has nothing to spare of
# `answers_together`: answers to what is being read wait for so many, or for the last, and go in one packet, since to
# wake the other side for each of them costs more than the answer. Only for who may be killed before they are sent, and
# nothing is lost by it.
TOGETHER = 16
MOST = 256  # packets, in one turn of the loop; its timers come after them
AT_ONCE = 32  # the same where ends of what they have begun are to be heard of in between

READ = 1
WRITE = 4


# What is read comes here first, of whichever channel: one loop a process, and a new one of this size for each message
# would be given back to the kernel each time. Pages of it that no message has reached take no memory.
_buffer = mmap.mmap(-1, MAX_PACKET + 1024)


class Channel:
    """The `start` side and the service side of the pair alike: same class, two ends."""

    def __init__(
        self,
        sock: _socket.socket,
        loop: Loop,
        *,
        on_message: Callable[[Message, list[int]], None],
        on_closed: Callable[[], None],
        on_pause: Callable[[], None] | None = None,
        answers_together: bool = False,
        at_once: int = MOST,
    ) -> None:
        """`on_pause`: all that was there has been read, for now. `at_once`: packets, at most."""
        self._sock = sock
        self._loop = loop
        self._on_message = on_message
        self._on_closed = on_closed
        self._on_pause = on_pause
        self._queue: list[tuple[bytes, list[int], bool]] = []
        self.closed = False
        self._is_full = False  # it is waited for room
        self._tries_again = False  # in a moment: the system has nothing to spare
        self._is_reading = False
        self._answers_together = answers_together
        self._at_once = at_once
        self._held: list[bytes] = []  # goes with what is sent next
        self._held_size = 0
        self._waiting: list[Callable[[], None]] = []  # for everything before to be on its way
        sock.setblocking(False)
        loop.watch(sock.fileno(), READ, self._on_ready)

    def send_with_next(self, message: Message) -> None:
        """In one packet with what is sent next, in this very turn. Each packet wakes the other side."""
        self._hold(check_size(encode(message)))
        if len(self._held) == 1:
            self._loop.soon(self._send_held)

    def send_with_others(self, message: Message) -> None:
        """Likewise, but in company of no more than so many: the other side has something to do meanwhile."""
        self.send_with_next(message)
        if len(self._held) >= TOGETHER:
            self._send_held()

    def send_rest(self) -> None:
        """What waits for a next one goes now: no other turn comes."""
        self._send_held()

    def when_sent(self, call: Callable[[], None]) -> None:
        """Once all that was said until now is on its way, or the other side has gone; mostly at once."""
        self._send_held()
        if self._queue and not self._is_full:
            self._flush()
        if self._queue and not self.closed:
            self._waiting.append(call)
        else:
            call()

    def _hold(self, data: bytes) -> None:
        if self._held and self._held_size + len(data) + 3 > MAX_PACKET:
            self._send_held()
        self._held.append(data)
        self._held_size += len(data) + 1

    def _send_held(self, fds: list[int] | None = None, *, close_fds: bool = False) -> None:
        """The descriptors are of the last one."""
        held, self._held, self._held_size = self._held, [], 0
        if held:
            self._put(held[0] if len(held) == 1 else b"[%b]" % b",".join(held), fds or [], close_fds=close_fds)

    def send(self, message: Message, fds: list[int] | None = None, *, close_fds: bool = False) -> None:
        """Send or queue. With `close_fds` the descriptors are closed once they are on their way."""
        self.send_encoded(encode(message), fds, close_fds=close_fds)

    def send_encoded(self, data: bytes, fds: list[int] | None = None, *, close_fds: bool = False) -> None:
        """A message that is bytes already."""
        try:
            check_size(data)
        except BadFrame:
            if close_fds:
                _close_all(fds or [])
            raise
        self._hold(data)
        self._send_held(list(fds or []), close_fds=close_fds)

    def _put(self, data: bytes, fds: list[int], *, close_fds: bool) -> None:
        if self.closed:  # to nobody; what is kept would look as if it were on its way
            if close_fds:
                _close_all(fds)
            return
        self._queue.append((data, fds, close_fds))
        if len(self._queue) == (TOGETHER if self._is_reading and self._answers_together else 1):
            self._flush()

    def _flush(self) -> None:
        while self._queue and not self.closed:
            self._join_first()
            data, fds, close_fds = self._queue[0]
            ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            try:
                self._sock.sendmsg([data], ancillary, _socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                self._is_full = True
                self._loop.watch(self._sock.fileno(), READ | WRITE, self._on_ready)
                return
            except OSError as error:
                if error.errno in _PASSING:
                    self._try_again_later()
                    return
                # The peer is gone. What it sent before is still to be read, so reading finds the end.
                self._drop_queue()
                break
            self._queue.pop(0)
            if close_fds:
                _close_all(fds)
        if self._is_full and not self.closed:
            self._is_full = False
            self._loop.watch(self._sock.fileno(), READ, self._on_ready)
        if self._waiting:
            self._tell_waiting()

    def _try_again_later(self) -> None:
        """Once, however often something is said meanwhile."""
        if not self._tries_again:
            self._tries_again = True
            self._loop.after(PASSES_S, self._try_again)

    def _try_again(self) -> None:
        self._tries_again = False
        self._flush()

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self._loop.guard(call)

    def _join_first(self) -> None:
        """Of what waits, as much as fits, in one packet. One with descriptors is the last in it."""
        count, size = 0, 0
        for data, fds, _ in self._queue:
            size += len(data) + 1
            if size >= MAX_PACKET:
                break
            count += 1
            if fds:
                break
        if count > 1:
            parts = [data[1:-1] if data[:1] == b"[" else data for data, _, _ in self._queue[:count]]
            _, fds, close_fds = self._queue[count - 1]
            self._queue[:count] = [(b"[%b]" % b",".join(parts), fds, close_fds)]

    def _on_ready(self, events: int) -> None:
        if events & WRITE and self._queue:
            self._flush()
        if events & ~WRITE:
            self.read()

    def read(self) -> None:
        """Take what is there, then send what was answered."""
        was_reading, self._is_reading = self._is_reading, True
        try:
            self._read()
        finally:
            if self._on_pause is not None and not was_reading:
                self._loop.guard(self._on_pause)
            self._is_reading = was_reading
            if self._queue and not was_reading and not self._is_full:
                self._flush()

    def _read(self) -> None:
        """Go on past a reset, because messages can be queued behind it."""
        for _ in range(self._at_once):
            if self.closed:
                return
            try:
                size, ancillary, flags, _ = self._sock.recvmsg_into(
                    [_buffer], _socket.CMSG_SPACE(MAX_FDS * 4), _socket.MSG_CMSG_CLOEXEC
                )
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionResetError:
                continue
            except OSError:
                self.close()
                return
            fds = _fds_of(ancillary) if ancillary else []
            if not size and not fds:
                self.close()
                return
            if flags & _socket.MSG_CTRUNC:
                # The kernel threw descriptors away: the rest can't be told apart, so there are none.
                _close_all(fds)
                fds = []
            self._take(_buffer[:size], fds)

    def _take(self, packet: bytes, fds: list[int]) -> None:
        """Descriptors belong to the last message of a packet. One that can't be dealt with costs the others nothing."""
        try:
            messages = decode_all(packet)
        except BadFrame:
            _close_all(fds)
            raise
        for message in messages[:-1]:
            self._loop.guard(self._on_message, message, [])
        self._loop.guard(self._on_message, messages[-1], fds)

    def read_all(self) -> None:
        """Everything that is there, however much."""
        while not self.closed and self.has_more():
            self.read()

    def read_to_end(self) -> None:
        """For a peer that is known to be dead: everything it managed to say."""
        self.read_all()
        self.close()

    def has_more(self) -> bool:
        """Something waits to be read."""
        try:
            return bool(self._sock.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT))
        except ConnectionResetError:
            return True
        except OSError:
            return False

    @property
    def fd(self) -> int:
        return self._sock.fileno()

    @property
    def sent(self) -> bool:
        """Is everything on its way (or the peer gone)?"""
        return not self._queue and not self._held

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._drop_queue()
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._tell_waiting()
        self._on_closed()

    def _drop_queue(self) -> None:
        for _, fds, close_fds in self._queue:
            if close_fds:
                _close_all(fds)
        self._queue.clear()


# Too many descriptors in flight, or no memory for buffers just now: it passes.
_PASSING = (errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM)


def _fds_of(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return list(fds)


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def channel_pair() -> tuple[_socket.socket, _socket.socket]:
    """Two connected ends with room for a burst."""
    pair = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    for end in pair:
        end.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, SEND_BUFFER)
    return pair
