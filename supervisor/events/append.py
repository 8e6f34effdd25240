"""A file that is only ever appended to, and that never stops its writer.

Whatever the disk does (full, gone, read-only, the file renamed or removed under us), `append` returns
at once: what could not be written is counted, and the owner says so in the file when it works again.
"""

from __future__ import annotations

import errno
import os

from supervisor.base.files import write_all
from supervisor.base.rotation import shift

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.clock import Clock

RETRY_S = 1.0  # after a failure
LOOK_S = 1.0  # how often to see whether the name still means our file

# O_NONBLOCK: a FIFO put in place of the log must not hang the daemon. O_NOFOLLOW: a link must not lead it elsewhere.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class AppendFile:
    """One open file; each `append` is one write, so a record is whole or (after a crash) the last one.

    With `max_bytes` it is rotated between two records, and `keep` older files are kept.
    """

    def __init__(self, path: str, clock: Clock, *, max_bytes: int = 0, keep: int = 1) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._next_rotation = 0.0
        self.size = 0
        self.lost = 0  # appends that failed since the owner last confessed
        self.lost_in_all = 0
        self.reason = ""  # of the last failure
        self._clock = clock
        self._fd = -1
        self._identity = (0, 0)
        self._next_look = 0.0
        self._next_try = 0.0

    def ready(self) -> bool:
        """Is there a file to write to? Opens it when need be; False during the pause after a failure."""
        now = self._clock.now()
        if now < self._next_try:
            return False
        if self._fd >= 0 and now >= self._next_look:
            self._next_look = now + LOOK_S
            if not self._is_ours():
                self.close()
        if self._fd < 0:
            try:
                self._open()
            except OSError as error:
                self._fail(error)
                return False
            self._next_look = now + LOOK_S
        return True

    def append(self, data: bytes, *, losses: int = 1) -> bool:
        """Write `data` (whole lines) in one go; False when it is lost, which counts as `losses`."""
        if self.ready() and self._make_room(len(data)):
            try:
                self._write(data)
                return True
            except OSError as error:
                self._fail(error)
        self.lost += losses
        self.lost_in_all += losses
        return False

    def _make_room(self, needed: int) -> bool:
        """Rotate when it is time; False: there is no file to write to after that."""
        now = self._clock.now()
        if not self._max_bytes or not self.size or self.size + needed <= self._max_bytes or now < self._next_rotation:
            return True
        try:
            shift(self.path, self._keep)
        except OSError:
            self._next_rotation = now + RETRY_S  # the folder can't be written: better an overlong file than none
            return True
        self.close()
        return self.ready()

    def close(self) -> None:
        """Let go; the next append opens whatever has the name then."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        try:
            fd = os.open(self.path, _FLAGS, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            fd = os.open(self.path, _FLAGS, 0o600)
        found = os.fstat(fd)
        self._fd = fd
        self._identity = (found.st_dev, found.st_ino)
        self.size = found.st_size
        # A crash may have left half a line: end it, so that the next record stands alone.
        if self.size and os.pread(fd, 1, self.size - 1) != b"\n":
            write_all(fd, b"\n")
            self.size += 1

    def _is_ours(self) -> bool:
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def _write(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        self.size += written
        if written < len(data):
            # The disk took a part. Take that back, for half a record is worse than none.
            end = os.fstat(self._fd).st_size
            os.ftruncate(self._fd, max(end - written, 0))
            self.size -= written
            raise OSError(errno.ENOSPC, "no room left for a whole record")

    def _fail(self, error: OSError) -> None:
        self.reason = error.strerror or str(error)
        self._next_try = self._clock.now() + RETRY_S
        self.close()  # the repair of a torn line is part of opening
