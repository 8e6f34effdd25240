"""Following a log file through rotation, truncation and removal: every byte once, in order.

A file is known by its inode and held open, so its number can't be given to another file meanwhile. At each look
the files are opened from the newest name (`server.log`) to older ones (`.1`, `.2`, ...) until the one we are in is
met again: what a rotation shifts while we look is then seen twice, which the inode tells, and never missed.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 18
MAX_ROTATED = 100
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Follower:
    """One log by its name. `read` yields what is new since the last call, and returns when there is no more now."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lost = False  # something was rotated away before we came to it; the owner may say so and reset it
        self._fd = -1

    def begin_at_end(self) -> None:
        """Only what is written from now on."""
        self._fd = _open(self.path)
        if self._fd >= 0:
            os.lseek(self._fd, 0, os.SEEK_END)

    def begin_with(self, fd: int) -> None:
        """Go on in this open file, from where it stands."""
        self._fd = fd

    def read(self) -> Iterator[bytes]:
        yield from self._rest()
        while newer := self._newer():
            # It has been rotated, so whatever it lacked it has now.
            yield from self._rest()
            for fd in newer:
                self._close()
                self._fd = fd
                yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        """Up to the end of the file we are in; from its start again when it was cut short."""
        if self._fd < 0:
            return
        if os.fstat(self._fd).st_size < os.lseek(self._fd, 0, os.SEEK_CUR):
            os.lseek(self._fd, 0, os.SEEK_SET)
        while data := os.read(self._fd, CHUNK):
            yield data

    def _newer(self) -> list[int]:
        """Descriptors of the files that came after ours, oldest first; none when ours is the newest."""
        if self._fd < 0:
            fd = _open(self.path)
            return [fd] if fd >= 0 else []
        ours = os.fstat(self._fd)
        found: dict[int, int] = {}
        for number in range(MAX_ROTATED):
            fd = _open(f"{self.path}.{number}" if number else self.path)
            if fd < 0 and not number:
                continue  # between two renames the newest name is free for a moment
            if fd < 0:
                self.lost = self.lost or len(found) > 1  # ours has left at the old end of the row
                break
            its = os.fstat(fd)
            if its.st_ino not in found and its.st_ino != ours.st_ino and its.st_mtime_ns >= ours.st_mtime_ns:
                found[its.st_ino] = fd
                continue
            os.close(fd)
            if its.st_ino not in found:
                break  # ours; or an older one, when ours was removed by hand
        return list(found.values())[::-1]

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def close(self) -> None:
        self._close()


def _open(path: str) -> int:
    """-1: there is no file, but nothing, or for a moment a folder or a pipe."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return -1


class DayFollower:
    """The daily log: a folder with a file a day, named so that the names sort by date."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._name = ""
        self._file: Follower | None = None

    def begin_at_end(self) -> None:
        names = day_files(self._folder)
        self._name = names[-1] if names else ""
        self._file = Follower(os.path.join(self._folder, self._name)) if names else None
        if self._file is not None:
            self._file.begin_at_end()

    def begin_with(self, name: str, fd: int) -> None:
        self._name = name
        self._file = Follower(os.path.join(self._folder, name))
        self._file.begin_with(fd)

    def read(self) -> Iterator[bytes]:
        newer = [name for name in day_files(self._folder) if name > self._name]
        # The list first: the writer has left the old file for good once there is a newer one.
        if self._file is not None:
            yield from self._file.read()
        for name in newer:
            self.close()
            self._name, self._file = name, Follower(os.path.join(self._folder, name))
            yield from self._file.read()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def day_files(folder: str, *, packed: bool = False) -> list[str]:
    """Names of daily logs, oldest first; also those of old days that were packed."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    ends = (".log", ".log.gz") if packed else (".log",)
    return sorted(name for name in names if name.endswith(ends) and name[:10].replace("-", "").isdigit())
