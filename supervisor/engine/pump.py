"""Output from a pipe to its raw file, by splice: every byte once, whoever is killed when.

One call moves the bytes and takes from the pipe exactly what it wrote, so "consumed" and "file size" can't
differ: the size of the file is the truth, and a successor goes on at its end. read + write would lose what the
dead process had read and not yet written. The file is not opened with O_APPEND, which splice refuses.

A full disk never blocks a service: its bytes are counted and dropped until there is room again. What can't be
rotated goes on growing: an overlong file is better than lost lines.

Beside the file lies an index of times, for the bytes say nothing of when they came (base/time_index.py).
"""

from __future__ import annotations

import errno
import os
import stat

from supervisor.base.files import look_at
from supervisor.base.loop import READ
from supervisor.base.rotation import INDEX, keep_head, shift, trim
from supervisor.base.time_index import EVERY_S, TimeIndex, first_time
from supervisor.engine.raw_file import PIPE_SIZE, is_named, open_raw, peek
from supervisor.engine.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop

LONGEST_LINE = 1 << 20  # a longer one may be cut by a rotation
TURN_LIMIT = 2 << 20  # bytes of one service a turn, so that a loud one does not starve the others
REOPEN_AFTER_S = 1.0
LOOK_S = 1.0  # how often to see whether the name still means our file
ROTATE_AFTER_S = 10.0  # after a rotation that failed
NEVER = float("inf")


class Pump:
    """One source, one raw file. `on_bytes(path_fd, start, end)` says what was added; reading it back is its affair."""

    def __init__(
        self,
        loop: Loop,
        fd: int,
        path: str,
        *,
        limit: int,
        keep: int,
        age: float = 0.0,
        budget: int = 0,
        family: tuple[str, ...] = (),
        head: bool = False,
        on_bytes: Callable[[int, int, int], None] | None = None,
        on_trouble: Callable[[str, int], None] | None = None,
        on_lost: Callable[[int], None] | None = None,
        on_rotated: Callable[[str], None] | None = None,
        on_loud: Callable[[Source], None] | None = None,
        second: int = -1,
    ) -> None:
        self._loop = loop
        self._source = Source(fd, second, on_loud)
        self.path = path
        self._family = family or (path,)  # all logs that share the budget
        self._head = head  # the first file is kept as it is; no times then, a run has its own
        self._on_bytes = on_bytes
        self._on_trouble = on_trouble
        self._on_lost = on_lost
        self._on_rotated = on_rotated  # called with what was in the way, "" when nothing was
        self._index = TimeIndex(path + INDEX)
        self._file = -1
        self._size = 0
        self._now = 0.0  # of this turn
        self._retry_at = 0.0
        self._next_look = 0.0
        self._next_mark = 0.0
        self._old_at = NEVER
        self._rotate_after = 0.0
        self._copies = False
        self.dropped = 0
        self._owned_up = 0  # to so many of them, when the disk took something again
        self._trouble = ""
        self._is_stuck = False  # can't be rotated, and that was said
        self.set_limits(limit, keep, age, budget)
        loop.watch(fd, READ, self._on_ready)
        if self._source.left:
            loop.soon(self._move_left)

    def set_limits(self, limit: int, keep: int, age: float = 0.0, budget: int = 0) -> None:
        """Other settings, from the next bytes on."""
        self._limit, self._keep, self._age, self._budget = limit, keep, age, budget
        self._overrun = min(LONGEST_LINE, limit // 4) if self._head else LONGEST_LINE  # who wants a head has a cap
        if self._file >= 0:
            self._old_at = self._when_old()

    # moving bytes

    def _on_ready(self, events: int) -> None:
        if events & READ or self._source.left:
            self.move(TURN_LIMIT)
        else:  # its writer has ended, and there is nothing left: no file has to be opened for that
            self.close()

    def _move_left(self) -> None:
        """What a predecessor has left in the second pipe wakes nobody."""
        if self._source.left:
            self.move(TURN_LIMIT)

    def drain(self) -> None:
        """Everything that was in the pipe when its writer ended: no more than a pipe holds, however it is cut."""
        left = self._source.in_both()
        self._now = self._loop.clock.now()
        while (left > 0 or self._source.left) and self.open:
            moved = self._move_some()
            if moved == 0:
                self.close()
            if moved <= 0:
                return
            left -= moved

    def move(self, at_most: int) -> int:
        """Move what is there, up to `at_most` bytes; returns how many. Closes at the end of the stream."""
        moved, source = 0, self._source
        self._check_file()
        while moved < at_most or source.left:  # what is in the second pipe would wake nobody
            count = self._move_some()
            if count == 0:
                self.close()
            if count <= 0:
                break
            moved += count
            if not source.left and not source.was_full(count, self._now):
                break
        if self.open:
            source.end_turn(moved, self._now)
        return moved

    def _move_some(self) -> int:
        """One splice: bytes moved, 0 at the end of the stream, -1 when the pipe is empty."""
        ready = self._source.fill()
        if ready <= 0:
            return ready
        if not self._open_file():
            return self._drop_some()
        room, width = self._limit - self._size if self._now < self._old_at else 0, self._source.width
        if room > width or self._now < self._rotate_after:
            return self._splice(width)
        return self._move_near_limit(room)

    def _splice(self, count: int, *, again: bool = False) -> int:
        try:
            if self._copies:
                moved = self._source.copy_to(self._file, count, self._lose)
            else:
                moved = self._source.splice_to(self._file, count)
        except BlockingIOError:
            return -1
        except OSError as error:
            if error.errno == errno.EINVAL and not self._copies:
                self._copies = True  # a file system that can't splice (some FUSE, 9p)
                return self._splice(count)
            if not (again or self._copies or self._trouble):
                return self._splice(count, again=True)  # one call that failed has taken nothing, and is no broken disk
            self._file_failed(error)
            return self._drop_some()
        if moved:
            start = self._size
            self._size += moved
            if self._now >= self._next_mark:
                self._mark(start)
            if self._trouble:
                self._over()
            if self._on_bytes is not None:
                self._on_bytes(self._file, start, self._size)
        return moved

    def _drop_some(self) -> int:
        """The disk takes nothing: keep the service alive, count what is lost."""
        try:
            lost = len(self._source.read(PIPE_SIZE))
        except BlockingIOError:
            return -1
        self._lose(lost)
        return lost

    def _lose(self, count: int) -> None:
        self.dropped += count
        if self._on_lost is not None:
            self._on_lost(count)

    # the file

    def _open_file(self) -> bool:
        if self._file >= 0:
            return True
        if self._loop.clock.now() < self._retry_at:
            return False
        try:
            self._file, self._size = open_raw(self.path)
        except OSError as error:
            self._file_failed(error)
            return False
        self._restart_index()
        self._old_at = self._when_old()
        return True

    def _check_file(self) -> None:
        """Once a turn: a person may have done something to it, or it has become old."""
        self._now = self._loop.clock.now()
        if self._file >= 0 and not self._is_in_place(self._now):
            self._close_file()
        if self._now >= self._old_at and self._now >= self._rotate_after and self._ends_a_line():
            self._rotate()

    def _is_in_place(self, now: float) -> bool:
        """Is it still the file of that name? A person may have removed, moved or emptied it."""
        found = os.fstat(self._file)
        if not found.st_nlink:
            return False
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            if not is_named(self.path, found):
                return False
        if found.st_size < self._size:  # without this the next bytes would leave a hole of zeros before them
            os.lseek(self._file, 0, os.SEEK_END)
            self._size = found.st_size
            self._restart_index()
        return True

    def _file_failed(self, error: OSError) -> None:
        self._close_file()
        self._retry_at = self._loop.clock.now() + REOPEN_AFTER_S
        if not self._trouble:
            self._trouble = error.strerror or str(error)
            if self._on_trouble is not None:
                self._on_trouble(self._trouble, 0)

    def _over(self) -> None:
        self._trouble = ""
        if self._on_trouble is not None:
            self._on_trouble("", self.dropped - self._owned_up)
            self._owned_up = self.dropped

    def _move_near_limit(self, room: int) -> int:
        """Rotate on the end of a line: look ahead without consuming, then move exactly up to that line's end."""
        try:
            ahead = peek(self._source.taken_from)
        except OSError:  # it can't be looked at just now: the rotation waits, the lines do not
            return self._splice(PIPE_SIZE)
        if ahead is None:
            return -1
        if not ahead:
            return 0
        if len(ahead) <= room:
            return self._splice(len(ahead))
        most = max(room + self._overrun, 1)
        end = ahead.find(b"\n", max(room - 1, 0), most) + 1
        if end == 0 and len(ahead) < most:
            return self._splice(len(ahead))  # the line goes on; a bounded overrun keeps it whole
        moved = self._splice(end or most)
        if moved == (end or most) and self._file >= 0:
            self._rotate()
        return moved

    def _rotate(self) -> None:
        self._close_file()
        try:
            if not (self._head and keep_head(self.path)):
                shift(self.path, self._keep)
            if self._budget:
                trim(self._family, self._budget, self._limit * len(self._family))
        except OSError as error:
            self._rotate_after = self._now + ROTATE_AFTER_S
            self._tell_rotated(error.strerror or str(error))
        else:
            self._tell_rotated("")

    def _tell_rotated(self, trouble: str) -> None:
        if self._on_rotated is not None and not (trouble and self._is_stuck):
            self._on_rotated(trouble)
        self._is_stuck = bool(trouble)

    def rotate_if_old(self) -> None:
        """For a log that is quiet: else the next output would see to it."""
        if not self.open or not self._age:
            return
        if self._file < 0 and look_at(self.path)[0]:
            self._open_file()
        if self._file >= 0:
            self._check_file()

    def _when_old(self) -> float:
        """When its first byte will be older than wanted, on our clock."""
        if not self._age:
            return NEVER
        wall = self._loop.clock.wall()
        born = wall
        if self._size:
            found = os.fstat(self._file)
            born = first_time(self.path + INDEX, found.st_ino) or found.st_mtime
        return self._loop.clock.now() + self._age - (wall - born)

    def _ends_a_line(self) -> bool:
        """Only there is a file cut by age; what has no line end yet is cut where it comes."""
        if self._file < 0:
            return False
        if not self._size:
            self._old_at = self._now + self._age  # nothing in it is old
            return False
        try:
            return os.pread(self._file, 1, self._size - 1) == b"\n"
        except OSError:
            return False

    # the index

    def _restart_index(self) -> None:
        self._index.restart()
        has_times = not self._head and stat.S_ISREG(os.fstat(self._file).st_mode)
        self._next_mark = 0.0 if has_times else NEVER

    def _mark(self, start: int) -> None:
        """At most once a second: what begins there came now."""
        self._next_mark = self._now + EVERY_S
        self._index.mark(self._file, self._loop.clock.wall(), start)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._old_at = NEVER

    def close(self) -> None:
        """Stop reading. What is still in the pipe stays there for whoever holds it next."""
        if self.open:
            self._loop.unwatch(self._source.fd)
            self._source.close()
        self._close_file()

    @property
    def open(self) -> bool:
        return self._source.fd >= 0

    @property
    def size(self) -> int:
        return self._size
