"""What a pump takes bytes from: the pipe of a service, and behind it a second one if the service is loud.

The kernel holds a pipe's lock for as long as a splice from it to a file copies, and its writer stands still meanwhile;
from one pipe to another it only hands pages over. So what a loud service writes goes through a second pipe, which
nobody else writes to, and its writer goes on: twice as much a second, at half of the processor time.

The second pipe is kept by `start` as well, from before the first byte is in it. Whoever is killed between two calls,
each byte is in the one pipe, in the other, or in the file, and a successor goes on with what is in the second one.

One that has become quiet, or ends, lets go of all that again: only while nothing is in the second pipe, so that what
comes next goes from the first one straight into the file. `start` hears of it after that. Whoever is killed in between
leaves it an empty pipe that nobody writes to, which a successor takes up and lets go of in the same way.
"""

from __future__ import annotations

import array
import fcntl
import os
import termios

from supervisor.engine.places import PLACES, QUIET_S
from supervisor.engine.raw_file import PIPE_SIZE, SPLICE_F_NONBLOCK, WIDE, holds, narrowed, widened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Keeps(Protocol):
        """Whoever keeps descriptors for a successor."""

        def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None: ...
        def let_go(self, key: str, name: str) -> None: ...


LOUD_BYTES = 8 << 20  # within a second
SECOND_S = 1.0
FULL = 16  # times in a row that a pipe is found full


class Source:
    """Of one pump."""

    __slots__ = (
        "_ask", "_ends_at", "_full", "_is_kept", "_is_known", "_kept_as", "_loud_at", "_offered", "_read", "_since",
        "_write", "fd", "left", "width",
    )  # fmt: skip

    def __init__(self, fd: int, second: int = -1, ask: Callable[[Source], None] | None = None) -> None:
        """`second`: the read end of one that a predecessor has filled. `ask` has somebody call `settle`."""
        os.set_blocking(fd, False)
        self.fd = fd  # -1: closed
        self.width = WIDE if holds(fd) == WIDE else PIPE_SIZE  # a predecessor may have widened it
        self.left = _waits_in(second) if second >= 0 else 0  # bytes in the second one, which come first
        self._read = second
        self._write = -1
        self._offered: tuple[int, int] | None = None
        self._full = 0  # times in a row
        self._since = 0  # bytes in this second ...
        self._ends_at = 0.0  # ... which ends then
        self._loud_at = 0.0  # the last time; 0: not that we know
        self._is_known = False  # as a loud one
        self._ask = ask
        self._is_kept = second >= 0  # somebody has a copy of its second one ...
        self._kept_as: tuple[Keeps, str, str] | None = None  # ... as that
        if second >= 0 or self.width == WIDE:
            PLACES.take_up(self)

    # taking bytes

    def fill(self) -> int:
        """Before bytes are taken: 0 at the end of the stream, -1 if it is known that there are none just now."""
        if self._read < 0 or self.left:
            return 1
        if self._write < 0:  # a predecessor's, and that is all
            self._close_second()
            return 1
        try:
            self.left = os.splice(self.fd, self._write, WIDE, flags=SPLICE_F_NONBLOCK)
        except BlockingIOError:
            return -1
        return self.left

    @property
    def taken_from(self) -> int:
        return self._read if self.left else self.fd

    def splice_to(self, file: int, count: int) -> int:
        return self._took(os.splice(self.taken_from, file, count))

    def read(self, count: int) -> bytes:
        data = os.read(self.taken_from, count)
        self._took(len(data))
        return data

    def copy_to(self, file: int, count: int, lose: Callable[[int], None]) -> int:
        """Read, then write: what splice replaces. A kill between the two loses that much; nothing else can be had."""
        data = self.read(count)
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(file, left) :]
        except OSError:
            lose(len(left))
            raise
        return len(data)

    def _took(self, count: int) -> int:
        if self.left:
            self.left -= count
        return count

    def in_both(self) -> int:
        """So many bytes at most; 0 where none wait."""
        return (holds(self.fd) if self.fd >= 0 and _waits_in(self.fd) else 0) + self.left

    # how loud it is

    def was_full(self, count: int, now: float) -> bool:
        """Nearly: small writes leave gaps. One that is full again and again gets wider, for each time costs alike."""
        if count < self.width // 4 * 3:
            self._full = 0
            return False
        self._full += 1
        if self._full % FULL == 0:
            self._loud_at = now
            self._widen()
        return True

    def end_turn(self, count: int, now: float) -> None:
        """So many bytes were taken in it. A loud one asks for a second pipe, once; a quiet one gives its own back."""
        if now >= self._ends_at:
            self._since, self._ends_at = 0, now + SECOND_S
        self._since += count
        is_loud = self._since >= LOUD_BYTES
        if is_loud:
            self._loud_at = now
        if PLACES.wants_back(self, now):
            self.give_back()
        elif is_loud and not self._is_known and self._ask is not None:
            self._is_known = True
            self._ask(self)

    def is_quiet(self, now: float) -> bool:
        self._loud_at = self._loud_at or now  # one that was taken up may have been loud until then
        return now - self._loud_at >= QUIET_S

    def _widen(self) -> None:
        if self.width < WIDE and PLACES.take(self, self._loud_at):
            self.width = widened(self.fd) or self.width
            self._leave_if_narrow()

    def _leave_if_narrow(self) -> None:
        """Nobody needs a place for what the kernel has not granted."""
        if self.width < WIDE and not self._is_kept and self._offered is None:
            PLACES.leave(self)

    # the second pipe

    def settle(self, keeps: Keeps, key: str, name: str) -> None:
        """What was asked for: a second pipe, or that whoever keeps the one of a predecessor lets go of it."""
        if self._is_known:
            self.get_second(keeps, key, name)
        else:
            keeps.let_go(key, name)

    def get_second(self, keeps: Keeps, key: str, name: str) -> None:
        """Once that is kept for a successor under this name. Without one, or a place for it, it goes on as before."""
        if self.fd < 0:
            return
        if self.left or not PLACES.take(self, self._loud_at):  # whoever keeps it lets go of the one before
            self._not_yet()
            return
        try:
            self._offered = os.pipe()
        except OSError:
            self._not_yet()
            return
        if not widened(self._offered[1]):
            self._drop_offered()
            self._not_yet()
            return
        self._kept_as = keeps, key, name
        keeps.keep(key, name, self._offered[0], self._use)

    def _use(self, is_kept: bool) -> None:
        self._is_kept = self._is_kept or is_kept
        if self._offered is None:  # closed meanwhile
            self._let_go()
            return
        if not is_kept or self.left:
            self._drop_offered()
            self._not_yet()
            return
        self._widen()
        self._close_second()
        self._read, self._write = self._offered
        self._offered = None
        for fd in (self._read, self._write):
            os.set_blocking(fd, False)

    def _not_yet(self) -> None:
        """It is offered again once this one has been as loud in another second."""
        self._is_known = False
        self._since = 0
        self._leave_if_narrow()

    def give_back(self) -> bool:
        """All that makes it wide, and its place. False: not now, for there is too much in it."""
        if self.left or self._offered is not None or not narrowed(self.fd):
            return False
        self.width = PIPE_SIZE
        self._full = 0
        self._close_second()
        self._is_known = False
        self._let_go()
        self._not_yet()
        return True

    def _let_go(self) -> None:
        """Whoever has a copy of it: a pipe is there, and is counted, until the last one is closed."""
        if not self._is_kept:
            return
        self._is_kept = False
        if self._kept_as is not None:  # since then the service may have got another name there
            keeps, key, name = self._kept_as
            keeps.let_go(key, name)
        elif self._ask is not None:
            self._ask(self)

    def _drop_offered(self) -> None:
        if self._offered is not None:
            for fd in self._offered:
                os.close(fd)
            self._offered = None

    def _close_second(self) -> None:
        for fd in (self._read, self._write):
            if fd >= 0:
                os.close(fd)
        self._read = self._write = -1

    def close(self) -> None:
        """What is still in a pipe stays there for whoever holds it next."""
        if self.fd >= 0:
            if self in PLACES:  # whoever keeps it may do so for long
                self.give_back()
            os.close(self.fd)
            self.fd = -1
        self.left = 0
        self._close_second()
        self._drop_offered()
        PLACES.leave(self)


def _waits_in(fd: int) -> int:
    """Bytes in that pipe, of which nobody else takes any."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]
